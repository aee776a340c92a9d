"""The installer's YAML: the place, its prices, its devices, its assets."""

from datetime import time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from flexedge.config.centre import CentreRules, Planner, Positive, Valid
from flexedge.domain.context import FlexContext
from flexedge.domain.flex import FlexModel
from flexedge.domain.record import Record
from flexedge.domain.units import Duration, PowerKw, PricePerKwh, TemperatureC, VolumeL, parse_unit
from flexedge.domain.variable import NonNegativeKw, NonNegativeKwh

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
"""Lower-case letters, digits and dashes."""
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EVERY_DAY: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _clock(value: Any) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str):
        try:
            parsed = time.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is not None and parsed.tzinfo is None:
            return parsed
    raise ValueError(f"{value!r} is not a time of day; write it as '07:30'")


ClockTime = Annotated[
    time,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": r"^\d\d(:\d\d){1,2}$", "examples": ["07:30"]}),
]


class Location(Record):
    """Where the site is, for the course of the sun. Degrees, north and east positive."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Place(Record):
    """The site itself."""

    name: str
    timezone: str
    location: Location

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is not a time zone; write it as 'Europe/Amsterdam'")
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The zone for days and clock times."""
        return ZoneInfo(self.timezone)


class FixedPrice(Record):
    """One price, always."""

    fixed: PricePerKwh


class Zone(Record):
    """A price during part of the day, in local time; ``until`` 00:00 is midnight."""

    since: ClockTime
    until: ClockTime
    days: tuple[Day, ...] = EVERY_DAY
    price: PricePerKwh


class ZonedPrice(Record):
    """A price by time of day; the first zone that fits counts, ``otherwise`` the rest."""

    zones: Annotated[tuple[Zone, ...], Field(min_length=1)]
    otherwise: PricePerKwh


def _price_unit(unit: str) -> str:
    if parse_unit(unit).dimension != "energy-price":
        raise ValueError(f"{unit!r} is no price of energy; write it as 'EUR/kWh'")
    return unit


PriceUnit = Annotated[str, AfterValidator(_price_unit)]


class FilePrice(Record):
    """A price from a CSV file (columns start, value) that something else keeps up to date.

    The file is read again when it changes. ``price = value * factor + add``: taxes and fees.
    """

    file: str
    unit: PriceUnit
    factor: float = 1.0
    add: PricePerKwh | None = None


class CentrePrice(Record):
    """A price that a central server knows: ``price = value * factor + add``.

    What was received last is kept on disk, and counts while the centre is away.
    """

    centre: str
    """The name it is linked under; "main" is the usual one."""
    sensor: Annotated[int, Field(ge=1)]
    """Its number there."""
    unit: PriceUnit
    factor: float = 1.0
    add: PricePerKwh | None = None
    every: Positive = Field(default="15 min", validate_default=True)
    """How often it is asked for. Each time is a request, and prices of a day ahead come once a
    day."""
    ahead: Positive = Field(default="48 h", validate_default=True)
    """For how long ahead."""
    valid: Valid | None = None
    """In ``unit``."""


def _kind_of_price(value: object) -> str | None:
    keys = value.keys() if isinstance(value, dict) else getattr(value, "__dict__", {}).keys()
    return next((kind for kind in ("fixed", "zones", "file", "centre") if kind in keys), None)


PriceSource = Annotated[
    Annotated[FixedPrice, Tag("fixed")]
    | Annotated[ZonedPrice, Tag("zones")]
    | Annotated[FilePrice, Tag("file")]
    | Annotated[CentrePrice, Tag("centre")],
    Discriminator(
        _kind_of_price,
        custom_error_type="price",
        custom_error_message="a price has one of the keys: fixed, zones, file, centre",
    ),
]


class Broker(Record):
    """An MQTT broker."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    username: str | None = None
    password_file: str | None = None
    """File that holds the password alone, readable by flexedge only."""


class Device(Record):
    """A device on the wire: which profile it has and where it is."""

    profile: str
    host: str | None = None
    """Address of a Modbus TCP device."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    unit: Annotated[int, Field(ge=0, le=255)] | None = None
    broker: str | None = None
    """Name of the broker an MQTT device speaks through."""
    options: dict[str, str | int | float] = {}
    """What the profile asks of the installer, such as a serial number."""


class Limits(Record):
    """The installer's last word on what an asset may be told."""

    range: tuple[PowerKw, PowerKw] | None = None
    """Most production (negative) and most consumption."""
    ramp: PowerKw | None = None
    """Largest change of the setpoint per second."""
    dead_band: PowerKw = Field(default="50 W", validate_default=True)
    """Changes smaller than this are not written."""
    dwell: Duration = Field(default="0s", validate_default=True)
    """Shortest time between switching on and off."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("range is [most production, most consumption]: first the smaller one")
        return self


class ReadyBy(Record):
    """A state of charge that shall be reached by a time of day."""

    time: ClockTime
    soc: NonNegativeKwh
    days: tuple[Day, ...] = EVERY_DAY


class HeatBuffer(Record):
    """Water that stores heat; its state of charge follows from its temperature.

    soc = volume * 1.163 Wh/(l K) * (temperature - min), 0 at ``min`` and full at ``max``.
    """

    volume: VolumeL
    min: TemperatureC
    max: TemperatureC

    @property
    def kwh_per_kelvin(self) -> float:
        """Heat per degree: 1.163 Wh per litre and kelvin."""
        return self.volume * 1.163e-3

    @property
    def capacity_kwh(self) -> float:
        """Heat between the two temperatures."""
        return (self.max - self.min) * self.kwh_per_kelvin


class Process(Record):
    """A machine that runs for a fixed time at a fixed power, once a day or several times."""

    power: NonNegativeKw
    duration: Duration
    process_type: Literal["INFLEXIBLE", "BREAKABLE", "SHIFTABLE"] = "SHIFTABLE"
    since: ClockTime
    """Earliest start, local time."""
    until: ClockTime
    """Latest end (deadline), local time."""
    days: tuple[Day, ...] = EVERY_DAY
    runs: Annotated[int, Field(ge=1)] = 1
    """How often it runs between since and until, ``duration`` each time."""


AssetType = Literal[
    "battery",
    "solar",
    "one-way_evse",
    "two-way_evse",
    "heat-storage",
    "building",
    "process",
    "group",
    "converter",
]
VIRTUAL: tuple[AssetType, ...] = ("group", "converter")
"""Without a device of their own: a limit that others share, a port of a converter."""
PLANNABLE: tuple[AssetType, ...] = ("battery", "one-way_evse", "two-way_evse", "heat-storage")
"""What a centre may plan. Solar follows what the sky gives, a process has its hours here."""
ROLES: dict[AssetType, str | None] = {
    "battery": "battery",
    "solar": "pv",
    "one-way_evse": "ev",
    "two-way_evse": "ev",
    "heat-storage": "heat-pump",
    "building": None,
    "process": "switch",
    "group": None,
    "converter": None,
}


class Asset(Record):
    """Something that uses, makes or stores energy."""

    type: AssetType
    device: str | None = None
    flex_model: FlexModel = FlexModel()
    limits: Limits = Field(default_factory=Limits)
    control: bool = True
    """False: watch and plan, but never write."""
    ready_by: tuple[ReadyBy, ...] = ()
    heat_buffer: HeatBuffer | None = None
    process: Process | None = None
    planner: Planner = "local"
    """Who plans it; what is planned elsewhere goes through the same limits."""
    remainder: bool = False
    """The building: what the grid meter shows and no other asset explains."""

    @property
    def role(self) -> str | None:
        """The part of its device's points that belongs to it."""
        return ROLES[self.type]

    @model_validator(mode="after")
    def _plannable(self) -> Self:
        if self.planner != "local" and self.type not in PLANNABLE:
            raise ValueError(
                f"a centre plans only {', '.join(PLANNABLE)}: leave planner out for {self.type}"
            )
        return self


class GridConnection(Record):
    """The meter at the grid connection point."""

    device: str
    guard_margin: NonNegativeKw = Field(default="200 W", validate_default=True)
    """How far below the site's capacity the guard keeps the measured power."""


class Site(Record):
    """One site."""

    site: Place
    prices: dict[Name, PriceSource] = {}
    centres: dict[Name, CentreRules] = {}
    """Central servers, by the names they are linked under; the first one is called "main"."""
    brokers: dict[Name, Broker] = {}
    devices: dict[Name, Device] = {}
    grid_connection: GridConnection
    assets: dict[Name, Asset]
    flex_context: FlexContext
