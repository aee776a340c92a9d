"""A device as data: where its points lie and how it is controlled. Closed vocabularies only."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from flexedge.domain.record import Record
from flexedge.domain.units import CurrentA, Duration, PowerKw, parse_unit, sensor_unit

NumberType = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
WORDS: dict[NumberType, int] = {
    "int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2,
    "int64": 4, "uint64": 4, "float64": 4,
}  # fmt: skip
PointName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$")]
"""role.quantity, such as battery.power."""


class Register(Record):
    """A place in a Modbus device: a wire address, or an offset inside a SunSpec model.

    Addresses are those on the wire, counted from 0. An offset counts from the model's ID
    register, as in SunSpec's model definitions.
    """

    table: Literal["holding", "input"] = "holding"
    address: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None
    sunspec: int | None = None
    """SunSpec model; the register is found by walking the device's chain of models."""
    offset: Annotated[int, Field(ge=0)] | None = None
    type: NumberType = "uint16"
    word_order: Literal["big", "little"] = "big"
    """Which word of a number of several words comes first: big is the most significant."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.address is None) == (self.sunspec is None):
            raise ValueError("give either address, or sunspec and offset")
        if (self.sunspec is None) != (self.offset is None):
            raise ValueError("sunspec and offset go together")
        return self


class Meaning(Record):
    """What a number says. value = raw * scale, in ``unit``."""

    unit: str
    scale: float = 1.0
    values: dict[int, float] | None = None
    """For codes: the value of each known one; unknown ones are missing."""
    valid: tuple[float, float] | None = None
    """Plausible range, in ``unit`` after scaling; outside it a value is kept but not acted upon."""
    every: Duration = Field(default="1s", validate_default=True)
    optional: bool = False
    """Left out without complaint where the device or the installer's options do not have it."""

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: str) -> str:
        parse_unit(unit)
        return unit

    @property
    def sensor_unit(self) -> str:
        """The unit of the sensor that keeps it: kW, kWh, or as it is."""
        return sensor_unit(self.unit)[0]

    @property
    def factor(self) -> float:
        """From raw to the sensor's unit."""
        return self.scale * sensor_unit(self.unit)[1]


class ModbusPoint(Register, Meaning):
    """A number in a Modbus device."""

    missing: tuple[int, ...] = ()
    """Raw values by which the device says that it does not know (NaN always is one)."""
    exponent: int | None = None
    """Offset (SunSpec) or address of an int16 power of ten to multiply with."""
    only_read_alone: bool = False
    """The device does not answer reads that span several values."""


class MqttPoint(Meaning):
    """A number in an MQTT message: the payload itself, or what ``path`` finds in its JSON."""

    topic: str
    """May name the device's options in braces: go-eCharger/{serial}/nrg."""
    path: tuple[str | int, ...] = ()
    max_age: Duration = Field(default="60s", validate_default=True)
    """A device that has not spoken for this long is away."""


class Setpoint(Record):
    """How a power becomes a number: number = power / unit / scale."""

    unit: str = "W"
    scale: float = 1.0
    relative_to: PointName | None = None
    """For unit "%": share of the power this point tells (a rating)."""
    round: Literal["nearest", "down"] = "nearest"

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
    """A number chosen by the sign of the setpoint."""

    negative: int | None = None
    zero: int
    positive: int


class Written(Record):
    """What is written: a constant, the setpoint, or a number chosen by its sign."""

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
        if isinstance(self.value, str):
            raise ValueError("a register takes a number")
        return self


class MqttWrite(Written):
    """One message."""

    topic: str
    retain: Literal[False] = False
    """Commands are never retained: a broker's restart must not repeat them."""


class Amps(Record):
    """How power and current belong together, for chargers."""

    volts: float = 230.0
    phases: Literal[1, 2, 3] = 3
    """The device's option "phases" overrides it."""
    least: CurrentA = Field(default="6 A", validate_default=True)
    """Smallest current above zero (IEC 61851: 6 A)."""
    most: CurrentA = Field(default="16 A", validate_default=True)


class Control(Record):
    """How a power is set, kept and given back."""

    kind: Literal["setpoint", "limit"] = "setpoint"
    """A setpoint is followed; a limit only bounds what the device does by itself (PV)."""
    readback: PointName
    """The point that shows that the device took it."""
    readback_tolerance: PowerKw = Field(default="100 W", validate_default=True)
    settle: Duration = Field(default="5s", validate_default=True)
    """How long the device may take to show it."""
    refresh: Duration = Field(default="30s", validate_default=True)
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
        return self


class ModbusControl(Control):
    """Control through registers; each list is written in order."""

    fallback: tuple[ModbusWrite, ...] = ()
    """What the device shall do when we fall silent; written before enabling."""
    enable: tuple[ModbusWrite, ...] = ()
    write: tuple[ModbusWrite, ...]
    release: tuple[ModbusWrite, ...]


class MqttControl(Control):
    """Control through messages; each list is sent in order."""

    fallback: tuple[MqttWrite, ...] = ()
    enable: tuple[MqttWrite, ...] = ()
    write: tuple[MqttWrite, ...]
    release: tuple[MqttWrite, ...]


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
    """Holder that lets one file be either kind of profile."""

    file: Annotated[
        Annotated[ModbusProfile, Tag("modbus")] | Annotated[MqttProfile, Tag("mqtt")],
        Discriminator(
            _driver,
            custom_error_type="driver",
            custom_error_message="driver should be one of: modbus, mqtt",
        ),
    ]

    @model_validator(mode="after")
    def _points_exist(self) -> Self:
        points = self.file.points
        for name, control in self.file.control.items():
            needed = {control.readback} | {
                write.setpoint.relative_to
                for write in control.write
                if write.setpoint is not None and write.setpoint.relative_to is not None
            }
            for point in sorted(needed - points.keys()):
                raise ValueError(f"control of {name} refers to the unknown point {point}")
        return self
