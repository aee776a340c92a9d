"""A device as data: where its points lie and how it is controlled. Closed vocabularies only."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from flexedge.config.point import (
    WORDS,
    Amps,
    Interval,
    Meaning,
    ModbusPoint,
    MqttPoint,
    NumberType,
    PointName,
    Register,
)
from flexedge.domain.record import Record
from flexedge.domain.units import Duration, PowerKw, parse_unit

__all__ = [
    "WORDS",
    "Amps",
    "Control",
    "Described",
    "Meaning",
    "ModbusConnection",
    "ModbusControl",
    "ModbusPoint",
    "ModbusProfile",
    "ModbusWrite",
    "MqttControl",
    "MqttPoint",
    "MqttProfile",
    "MqttWrite",
    "NumberType",
    "Option",
    "PointName",
    "Profile",
    "ProfileFile",
    "Register",
    "Setpoint",
    "When",
    "Written",
]
"""Points are part of a profile: whoever wants profiles finds them here too."""


class Setpoint(Record):
    """How a power becomes a number: number = power / unit / scale."""

    unit: str = "W"
    scale: float = 1.0
    relative_to: PointName | None = None
    """For unit "%": share of the power this point tells (a rating)."""
    round: Literal["nearest", "down"] = "nearest"
    least: float | None = None
    """Smallest number ever written, for devices that refuse less: another write switches off."""

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: str) -> str:
        if parse_unit(unit).dimension not in ("power", "current", "share"):
            raise ValueError(f"a setpoint is in W, kW, A or %, not in {unit!r}")
        return unit

    @model_validator(mode="after")
    def _relative(self) -> Self:
        if (parse_unit(self.unit).dimension == "share") != (self.relative_to is not None):
            raise ValueError('unit "%" and relative-to go together')
        return self


class When(Record):
    """What is written, chosen by the sign of the setpoint."""

    negative: int | str | None = None
    zero: int | str
    positive: int | str


class Written(Record):
    """What is written: a constant, the setpoint, or a constant chosen by its sign."""

    value: int | float | str | None = None
    setpoint: Setpoint | None = None
    when: When | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(part is not None for part in (self.value, self.setpoint, self.when)) != 1:
            raise ValueError("give one of value, setpoint and when")
        return self


class ModbusWrite(Register, Written):
    """One write to a Modbus device."""

    function: Literal[6, 16] = 16
    exponent: int | None = None
    """Offset (SunSpec) or address of an int16 power of ten the number is divided by."""

    @model_validator(mode="after")
    def _writable(self) -> Self:
        if self.table != "holding":
            raise ValueError("only holding registers can be written")
        if self.function == 6 and WORDS[self.type] != 1:  # noqa: PLR2004 (Modbus' own number)
            raise ValueError("function 6 writes one word; use 16 for longer types")
        by_sign = () if self.when is None else tuple(vars(self.when).values())
        if any(isinstance(value, str) for value in (self.value, *by_sign)):
            raise ValueError("a register takes a number")
        return self


class MqttWrite(Written):
    """One message."""

    topic: str
    retain: Literal[False] = False
    """Commands are never retained: a broker's restart must not repeat them."""


class Control(Record):
    """How a power is set, kept and given back."""

    kind: Literal["setpoint", "limit"] = "setpoint"
    """A setpoint is followed; a limit only bounds what the device does by itself (PV)."""
    readback: PointName
    """The point that shows that the device took it.

    In kW it is compared with the setpoint; with unit "" (a switch) it shows whether the setpoint
    is zero: 0 for zero, anything else for more or less than zero.
    """
    readback_tolerance: PowerKw = Field(default="100 W", validate_default=True)
    settle: Duration = Field(default="5s", validate_default=True)
    """How long the device may take to show it."""
    refresh: Interval = Field(default="30s", validate_default=True)
    """How often it is written again while it holds."""
    device_timeout: Duration | None = None
    """After this long without a write the device goes back by itself; None: it never does."""
    range: tuple[PowerKw, PowerKw] | None = None
    """Most production (negative) and most consumption the device accepts."""
    amps: Amps | None = None
    wear: Literal["volatile", "nonvolatile", "unknown"] = "unknown"
    writes_per_day: Annotated[int, Field(gt=0)] | None = None
    """Budget of changes a day for memory that wears out."""

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.device_timeout is not None and self.refresh * 2 > self.device_timeout:
            raise ValueError("refresh must be at most half of device-timeout")
        if self.wear == "nonvolatile" and self.writes_per_day is None:
            raise ValueError("nonvolatile memory needs writes-per-day")
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("range is [most production, most consumption]: first the smaller one")
        return self


class ModbusControl(Control):
    """Control through registers; each list is written in order."""

    fallback: tuple[ModbusWrite, ...] = ()
    """What the device shall do when we fall silent; written before enabling."""
    enable: tuple[ModbusWrite, ...] = ()
    write: Annotated[tuple[ModbusWrite, ...], Field(min_length=1)]
    release: Annotated[tuple[ModbusWrite, ...], Field(min_length=1)]


class MqttControl(Control):
    """Control through messages; each list is sent in order."""

    fallback: tuple[MqttWrite, ...] = ()
    enable: tuple[MqttWrite, ...] = ()
    write: Annotated[tuple[MqttWrite, ...], Field(min_length=1)]
    release: Annotated[tuple[MqttWrite, ...], Field(min_length=1)]


class Option(Record):
    """Something the installer says about this one device."""

    help: str
    required: bool = False
    default: str | int | float | None = None


class ModbusConnection(Record):
    """How to talk to the device on the wire."""

    kind: Literal["tcp"] = "tcp"
    port: int = 502
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    gap: Duration = Field(default="0ms", validate_default=True)
    """Pause between two requests."""
    timeout: Duration = Field(default="3s", validate_default=True)
    max_block: Annotated[int, Field(ge=1, le=125)] = 125
    never_across: tuple[int, ...] = ()
    """Addresses no read may span: [13100] keeps 13099 and 13100 apart."""
    sunspec_base: tuple[int, ...] = (40000, 50000, 0)
    """Where the "SunS" marker may stand."""


class Described(Record):
    """What every profile says of its device."""

    profile: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    provides: tuple[Literal["battery", "pv", "grid", "ev", "heat-pump", "switch"], ...]
    options: dict[str, Option] = {}
    requires: tuple[dict[Literal["en", "de", "nl"], str], ...] = ()
    """What the installer must do on the device before it works."""
    source: str
    """Where the facts come from: vendor document and date."""
    verified_on: Literal["bench", "field", "document"] = "document"


class ModbusProfile(Described):
    """A device that speaks Modbus."""

    driver: Literal["modbus"]
    connection: ModbusConnection = ModbusConnection()
    points: dict[PointName, ModbusPoint]
    control: dict[PointName, ModbusControl] = {}


class MqttProfile(Described):
    """A device that speaks through an MQTT broker."""

    driver: Literal["mqtt"]
    points: dict[PointName, MqttPoint]
    control: dict[PointName, MqttControl] = {}


Profile = ModbusProfile | MqttProfile


def _driver(value: object) -> str | None:
    driver = value.get("driver") if isinstance(value, dict) else getattr(value, "driver", None)
    return str(driver) if driver is not None else None


class ProfileFile(Record):
    """Holder that lets one file be either kind of profile.

    What its parts say of each other is checked by ``load_profile``, with places in the file.
    """

    file: Annotated[
        Annotated[ModbusProfile, Tag("modbus")] | Annotated[MqttProfile, Tag("mqtt")],
        Discriminator(
            _driver,
            custom_error_type="driver",
            custom_error_message="driver should be one of: modbus, mqtt",
        ),
    ]
