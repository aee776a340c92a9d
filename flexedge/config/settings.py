"""How the program itself is run: folders, web, log. One YAML file, overridden by environment."""

import zlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, create_model, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from flexedge.config.load import Document, Place, Route, read_yaml
from flexedge.config.validate import validate
from flexedge.domain.rate import rate_of
from flexedge.domain.record import Record, kebab
from flexedge.domain.units import Duration
from flexedge.errors import StoreError

PREFIX = "FLEXEDGE_"
NAMED_BY = "FLEXEDGE_SETTINGS"
"""The environment variable that names the settings file."""
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The environment variable by which systemd tells a service where its credentials are."""
DEFAULT_FILE = Path("/etc/flexedge/settings.yaml")
_NESTED = "__"
_PATHS = ("site", "data-dir", "profile-dirs", "credentials-dir", "ca-file")
_MEMORY = (Path("/run/flexedge"), Path("/dev/shm"))  # noqa: S108 (a folder for us alone in it)
_A_DAY = timedelta(days=1)
_RESOLUTIONS = (5, 15, 30, 60)  # minutes


def _in_memory() -> Path:
    """Where a stand-in goes if nobody says otherwise: the service's folder, where there is one."""
    service, any_process = _MEMORY
    return service if service.is_dir() else any_process


def _listed(value: Any) -> Any:
    """Lists from the environment: entries between commas."""
    if isinstance(value, str):
        return [entry.strip() for entry in value.split(",") if entry.strip()]
    return value


def _rate(text: str) -> str:
    """A rate as plans have them."""
    rate_of(text)
    return text


def _proxy(text: str) -> str:
    """What requests can go through."""
    try:
        url = urlsplit(text)
        fitting = url.scheme in ("http", "https") and url.hostname and url.port
    except ValueError:
        fitting = False
    if text and not fitting:  # there may be a password in it: nothing of it is told
        raise ValueError("this is no proxy; write it as http://proxy.example.com:3128")
    return text


def _database(url: str) -> str:
    """A URL of PostgreSQL without a password. What was given is not told: it may hold one."""
    try:
        parts = urlsplit(url)
        fitting = parts.scheme == "postgresql" and parts.path.strip("/") and parts.port != 0
    except ValueError:
        fitting = False
    if not fitting:
        raise ValueError("database should be a URL as postgresql://user@host/name")
    if parts.password is not None or "password" in parts.query:
        raise ValueError("database should hold no password; put it into the file PGPASSFILE names")
    return url


Paths = Annotated[tuple[Path, ...], BeforeValidator(_listed)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Web(Record):
    """The local web page and its API."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8440
    """0: any free one."""
    hosts: Names = ()
    """Names beside localhost and the machine's own addresses by which the page may be called."""
    requests: Annotated[str, AfterValidator(_rate)] = "30000 per minute"
    """How often each user, key or address may ask something of the API, or "unlimited"."""
    triggers: Annotated[str, AfterValidator(_rate)] = "600 per 5 minutes"
    """How many schedules and forecasts an account may ask for. Plans of accounts can say less or
    more; docs/users.md."""


class Log(Record):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning"] = "info"
    format: Literal["auto", "json", "text"] = "auto"
    """auto: text at a terminal, JSON elsewhere."""


class Plan(Record):
    """How planning goes on."""

    every: Duration = Field(default="5 min", validate_default=True)
    """How often a new plan is made, apart from changes that call for one."""
    horizon: Duration = Field(default="36 h", validate_default=True)
    """How far a plan looks ahead."""
    resolution: Duration = Field(default="15 min", validate_default=True)
    """Length of the steps that are planned: 5, 15, 30 or 60 minutes."""
    time_limit: Duration = Field(default="5 s", validate_default=True)
    """How long the solver may think."""
    compat: Literal["flexmeasures-1.0"] | None = None
    """Charge missed limits and deviations as FlexMeasures 1.0 does, so that figures can be compared
    with its own; docs/flexmeasures.md says what differs. For all that this gateway plans."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not timedelta(0) < self.time_limit < self.every:
            raise ValueError("time-limit should be above zero and below every")
        if self.resolution / timedelta(minutes=1) not in _RESOLUTIONS:
            raise ValueError("resolution should be 5, 15, 30 or 60 min")
        if not self.every <= self.horizon <= timedelta(days=7):
            raise ValueError("horizon should be between every and 7 days")
        return self


class Control(Record):
    """What people may ask of devices beside the plan."""

    longest_override: Duration = Field(default="24 h", validate_default=True)
    """How far ahead the end of an override or a temporary limit may lie."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not timedelta(minutes=1) <= self.longest_override <= timedelta(days=31):
            raise ValueError("longest-override should be between 1 min and 31 d")
        return self


class Store(Record):
    """What is kept, for how long, and what that may take."""

    keep_readings: Duration = Field(default="30 d", validate_default=True)
    """How long readings stay as they were polled; a month of peaks is made of them."""
    keep_minutes: Duration | None = Field(default="730 d", validate_default=True)
    """How long their sums of 5 minutes stay; those of hours stay for good. null: for good."""
    keep_beliefs: Duration | None = Field(default="730 d", validate_default=True)
    """How long measured values, forecasts and schedules stay. null: for good."""
    memory_mb: Annotated[int, Field(ge=32, le=65536)] = 64
    """What queries and compaction may take, in MB."""
    reserve_mb: Annotated[int, Field(ge=0)] = 500
    """So much of the disk stays free, or"""
    reserve_percent: Annotated[float, Field(ge=0, le=50)] = 10.0
    """this share of it, if that is less."""
    quota_mb: Annotated[int, Field(ge=100)] | None = None
    """The data folder grows no larger. null: all of the disk but what stays free."""
    ballast_mb: Annotated[int, Field(ge=0)] = 64
    """A file that is given up when the disk is full, so that there is room to go on; at most 5 %
    of the disk. 0: none."""
    overwrite: bool = False
    """Whether posted values may take the place of others with the same sensor, source, event and
    belief time. What was known earlier cannot be told any more then."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.keep_readings < _A_DAY:
            raise ValueError("keep-readings should be at least 1 d: plans are made of yesterday")
        return self


class Settings(Record):
    """How flexedge runs on this machine."""

    site: Path = Path("/etc/flexedge/site.yaml")
    """The site file."""
    data_dir: Path = Path("/var/lib/flexedge")
    """Where readings, plans and the owner's password are kept."""
    memory_dir: Path = Field(default_factory=_in_memory)
    """A folder in memory. Where the disk takes no writes at a start, the gateway runs from there
    until it does. If left out: the service's own, /run/flexedge, or else /dev/shm."""
    database: Annotated[str, AfterValidator(_database)] | None = None
    """A PostgreSQL database for readings and plans instead, as postgresql://user@host/name; the
    password is in the file that the environment's PGPASSFILE names. docs/store/postgres.md."""
    profile_dirs: Paths = ()
    """Folders with device profiles of your own, beside the shipped ones."""
    credentials_dir: Path | None = None
    """A folder with credentials for centres, as "centre-main"; what is there is never written. If
    left out: the one that systemd gives a service, where there is one."""
    ca_file: Path | None = None
    """Certificates (PEM) of authorities that are trusted beside the usual ones, for a centre with
    a certificate of its owner's own."""
    proxy: Annotated[str, AfterValidator(_proxy)] = ""
    """What centres are reached through, as "http://proxy.example.com:3128". If left out: nothing,
    whatever the environment says."""
    web: Web = Field(default_factory=Web)
    log: Log = Field(default_factory=Log)
    store: Store = Field(default_factory=Store)
    clock: str | None = None
    """Address of a shared clock (host:port), for simulations; the machine's own if left out."""
    clock_trust: Literal["auto", "always"] = "auto"
    """auto: plans are made once the machine's clock is known to be right; always: it is right."""
    plan: Plan = Field(default_factory=Plan)
    control: Control = Field(default_factory=Control)

    @property
    def stand_in(self) -> Path:
        """The folder of ``memory_dir`` that stands in for the data folder."""
        folder = str(self.data_dir.absolute()).encode()
        return self.memory_dir / f"flexedge-{zlib.crc32(folder):08x}"

    def whole_folder(self) -> Path:
        """The data folder, for work that is about all that is kept.

        Raises ``StoreError`` where that is in a database.
        """
        if self.database is not None:
            raise StoreError(
                "all is kept in the database that the settings name: use PostgreSQL's own tools"
                " for that, as docs/store/postgres.md says"
            )
        return self.data_dir


class _Variables(BaseSettings):
    """How settings are called in the environment; lists and mappings are left to the models."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=_NESTED, enable_decoding=False
    )


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings: the file at ``path``, or the one the environment names, or the usual one.

    The usual one may be missing, a named one may not. Relative paths in a file start at its
    folder. Variables of ``environ`` override: FLEXEDGE_DATA_DIR, FLEXEDGE_WEB__PORT. Raises
    ``ConfigError`` that names the place in the file or the variable.
    """
    named = path or (Path(environ[NAMED_BY]) if environ.get(NAMED_BY) else None)
    document = Document(str(DEFAULT_FILE), {}, {}, {})
    if named is not None or DEFAULT_FILE.exists():
        document = _anchored(read_yaml(named or DEFAULT_FILE))
    settings = validate(_overridden(document, environ), Settings, strict=False)
    if settings.credentials_dir is None and environ.get(CREDENTIALS):
        return settings.model_copy(update={"credentials_dir": Path(environ[CREDENTIALS])})
    return settings


def _anchored(document: Document) -> Document:
    """Paths that a file gives are meant from its own folder."""
    data = document.data
    if not isinstance(data, dict):
        return document
    folder = Path(document.file).absolute().parent

    def whole(value: Any) -> Any:
        if isinstance(value, list):
            return [whole(entry) for entry in value]
        return str(folder / value) if isinstance(value, str) else value

    anchored = {key: whole(data[key]) for key in _PATHS if key in data}
    return Document(document.file, data | anchored, document.keys, document.values)


def _overridden(document: Document, environ: Mapping[str, str]) -> Document:
    variables = _from_environment(environ)
    keys, values = dict(document.keys), dict(document.values)

    def merge(below: Any, above: Any, route: Route, variable: str) -> Any:
        if not isinstance(above, dict):
            keys[route] = values[route] = Place(variable)
            return above
        merged = dict(below) if isinstance(below, dict) else {}
        for name, value in above.items():
            key, longer = kebab(name), f"{variable}{_NESTED if route else ''}{name.upper()}"
            merged[key] = merge(merged.get(key), value, (*route, key), longer)
            keys.setdefault(route, Place(longer))
        return merged

    data = merge(document.data, variables, (), PREFIX) if variables else document.data
    return Document(document.file, data, keys, values)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The overrides as pydantic-settings finds them: nested, still text."""
    fields: dict[str, Any] = {
        name: (field.annotation, field.default if not field.is_required() else ...)
        for name, field in Settings.model_fields.items()
    }
    source = EnvSettingsSource(create_model("Variables", __base__=_Variables, **fields))
    # the variables are a parameter here, as time is: what pydantic-settings read is put aside
    source.env_vars = {name.lower(): value for name, value in environ.items()}
    return source()
