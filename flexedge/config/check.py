"""A site file with all it refers to: read, checked as a whole, ready for the gateway."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flexedge.config.case import Case, Found
from flexedge.config.load import Document, Route, read_yaml
from flexedge.config.profile import ModbusProfile, Profile
from flexedge.config.profiles import catalogue, load_profile, profiles_in
from flexedge.config.rules import RULES
from flexedge.config.sensors import SensorOrigin, currencies_of, sensors_of
from flexedge.config.site import Device, FilePrice, Site
from flexedge.config.validate import nearest, remedy, validate
from flexedge.domain import variable
from flexedge.errors import ConfigError, Problem

__all__ = ["LoadedSite", "SensorOrigin", "catalogue", "load_profile", "load_site"]
"""Whoever checks a site finds here what belongs to it."""

_PHASES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """A site whose every reference leads somewhere.

    Paths inside ``site`` are absolute. ``profiles`` go by the names of devices, ``sensors`` by
    their own. ``currency`` is the one that all prices are in.
    """

    site: Site
    profiles: Mapping[str, Profile]
    currency: str
    sensors: Mapping[str, SensorOrigin]

    def sensor(self, device: str, point: str) -> str | None:
        """The name of the sensor that a device's point feeds; None if it has no such point."""
        for name, origin in self.sensors.items():
            if origin.device == device and origin.point == point:
                return name
        return None


def load_site(path: Path, profile_folders: Iterable[Path] = ()) -> LoadedSite:
    """Read a site file and everything it names. Raises ``ConfigError`` with every problem."""
    document = read_yaml(path)
    site = validate(document, Site)
    found, problems = _profiles(document, site, profiles_in(profile_folders))
    currencies = _currencies(site)
    currency = Counter(currencies.values()).most_common(1)[0][0] if currencies else "EUR"
    case = Case(site, found, sensors_of(site, found, currency))
    complaints = [
        *(complaint for rule in RULES for complaint in rule(case)),
        *one_currency(site, currency),
        *_devices(site, found),
        *_files(site, path.parent),
    ]
    problems += [document.problem(route, message) for route, message in complaints]
    if problems:
        raise ConfigError(
            sorted(problems, key=lambda one: (one.file != document.file, one.line or 0))
        )
    return LoadedSite(_with_absolute_paths(site, path.parent), found, currency, case.sensors)


def _profiles(
    document: Document, site: Site, known: Mapping[str, Path]
) -> tuple[dict[str, Profile], list[Problem]]:
    loaded: dict[str, Profile] = {}
    problems: list[Problem] = []
    broken: set[str] = set()
    for name, device in site.devices.items():
        if device.profile not in known:
            message = f"there is no profile '{device.profile}'{remedy(device.profile, known)}"
            problems.append(document.problem(("devices", name, "profile"), message))
            continue
        try:
            loaded[name] = load_profile(known[device.profile])
        except ConfigError as error:
            if device.profile not in broken:
                problems += error.problems
            broken.add(device.profile)
    return loaded, problems


def _currencies(site: Site) -> dict[Route, str]:
    """Where which currency is written."""
    found: dict[Route, str] = {}
    for name, source in site.prices.items():
        found |= {("prices", name, *keys): currency for keys, currency in currencies_of(source)}
    found |= dict(variable.currencies(site.flex_context, ("flex-context",)))
    for name, asset in site.assets.items():
        found |= dict(variable.currencies(asset.flex_model, ("assets", name, "flex-model")))
    return found


def one_currency(site: Site, currency: str) -> Found:
    """Everything is paid in one currency."""
    for route, other in _currencies(site).items():
        if other != currency:
            yield route, f"is in {other}, but the other prices are in {currency}"


def _devices(site: Site, profiles: Mapping[str, Profile]) -> Found:
    for name, device in site.devices.items():
        profile = profiles.get(name)
        if profile is None:
            continue
        connect = _modbus if isinstance(profile, ModbusProfile) else _mqtt
        for route, message in [*connect(site, device), *_options(profile, device)]:
            yield ("devices", name, *route), message


def _modbus(_site: Site, device: Device) -> Found:
    if device.host is None:
        yield (), "missing key 'host': the address of the device, as 192.168.1.20"
    if device.broker is not None:
        yield ("broker",), "this device speaks Modbus: remove broker"


def _mqtt(site: Site, device: Device) -> Found:
    if device.broker is None:
        yield (), f"missing key 'broker': one of brokers{remedy('', site.brokers)}"
    elif device.broker not in site.brokers:
        yield (
            ("broker",),
            f"there is no broker '{device.broker}'{remedy(device.broker, site.brokers)}",
        )
    for key in ("host", "port", "unit"):
        if getattr(device, key) is not None:
            yield (key,), f"this device speaks MQTT through its broker: remove {key}"


def _options(profile: Profile, device: Device) -> Found:
    misspelt = {
        nearest(name, profile.options) for name in device.options if name not in profile.options
    }
    for name, option in profile.options.items():
        if option.required and name not in device.options and name not in misspelt:
            yield ("options",), f"missing option '{name}': {option.help}"
    for name, value in device.options.items():
        if name not in profile.options:
            yield ("options", name), f"unknown option '{name}'{remedy(name, profile.options)}"
        elif isinstance(profile.options[name].default, int | float) and isinstance(value, str):
            yield ("options", name), f"should be a number, not '{value}'"
        elif name == "phases" and value not in _PHASES:
            yield ("options", name), f"should be 1, 2 or 3, not {value}"


def _files(site: Site, folder: Path) -> Found:
    named: Iterator[tuple[Route, str]] = iter(
        [
            *(
                (("prices", name, "file"), source.file)
                for name, source in site.prices.items()
                if isinstance(source, FilePrice)
            ),
            *(
                (("brokers", name, "password-file"), broker.password_file)
                for name, broker in site.brokers.items()
                if broker.password_file is not None
            ),
        ]
    )
    for route, file in named:
        path = (folder / file).absolute()
        try:
            missing = not path.is_file()
        except OSError:  # a folder we may not look into: the daemon may
            missing = False
        if missing:
            yield route, f"there is no file {path}"


def _with_absolute_paths(site: Site, folder: Path) -> Site:
    prices = {
        name: source.model_copy(update={"file": str((folder / source.file).absolute())})
        if isinstance(source, FilePrice)
        else source
        for name, source in site.prices.items()
    }
    brokers = {
        name: broker
        if broker.password_file is None
        else broker.model_copy(
            update={"password_file": str((folder / broker.password_file).absolute())}
        )
        for name, broker in site.brokers.items()
    }
    return site.model_copy(update={"prices": prices, "brokers": brokers})
