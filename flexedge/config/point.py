"""A point of a device: where its number lies and what it says."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from flexedge.domain.record import Record
from flexedge.domain.units import CurrentA, Duration, parse_unit, sensor_unit

NumberType = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
WORDS: dict[NumberType, int] = {
    "int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2,
    "int64": 4, "uint64": 4, "float64": 4,
}  # fmt: skip
PointName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$")]
"""role.quantity, such as battery.power."""
Interval = Annotated[Duration, Field(gt=timedelta(0))]
"""A duration above zero: how often."""


class Amps(Record):
    """How power and current belong together, for chargers."""

    volts: float = 230.0
    phases: Literal[1, 2, 3] = 3
    """The device's option "phases" overrides it."""
    least: CurrentA = Field(default="6 A", validate_default=True)
    """Smallest current above zero (IEC 61851: 6 A)."""
    most: CurrentA = Field(default="16 A", validate_default=True)

    @property
    def kw_per_ampere(self) -> float:
        """The power of one ampere on all phases."""
        return self.volts * self.phases * 1e-3


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
    every: Interval = Field(default="1s", validate_default=True)
    optional: bool = False
    """Left out without complaint where the device or the installer's options do not have it."""
    relative_to: PointName | None = None
    """For unit "%": share of the power this point tells (a rating). The sensor is in kW."""
    amps: Amps | None = None
    """For unit "A": told as the power of that current on all phases. The sensor is in kW."""
    zero_when: dict[PointName, float] = {}
    """The value is 0 while one of these points shows this: a limit of 16 A that is switched off."""
    turns_at: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """For counters of energy: the value, in ``unit`` after scaling, in whose place they show 0."""

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: str) -> str:
        parse_unit(unit)
        return unit

    @model_validator(mode="after")
    def _as_power(self) -> Self:
        if self.relative_to is not None and self.unit != "%":
            raise ValueError('relative-to is for unit "%"')
        if self.amps is not None and self.unit != "A":
            raise ValueError('amps is for unit "A"')
        if self.valid is not None and self.valid[0] > self.valid[1]:
            raise ValueError("valid is [least, most]; here the first is above the second")
        if self.turns_at is not None and self.sensor_unit != "kWh":
            raise ValueError("turns-at is for what counts energy, in kWh or Wh")
        return self

    @property
    def sensor_unit(self) -> str:
        """The unit of the sensor that keeps it: kW, kWh, or as it is."""
        if self.relative_to is not None or self.amps is not None:
            return "kW"
        return sensor_unit(self.unit)[0]

    @property
    def turnover(self) -> float | None:
        """``turns_at`` in the sensor's unit."""
        return None if self.turns_at is None else self.turns_at * sensor_unit(self.unit)[1]

    @property
    def factor(self) -> float:
        """From raw to the sensor's unit; with relative-to, to the share of that point's power.

        With ``amps``, for the phases the profile says; the device's option overrides them.
        """
        if self.relative_to is not None:
            return self.scale * 0.01
        if self.amps is not None:
            return self.scale * self.amps.kw_per_ampere
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
    """A number in an MQTT message: the payload itself, or what ``path`` finds in its JSON.

    JSON's true and false are 1 and 0, null is missing.
    """

    topic: Annotated[str, Field(min_length=1)]
    """May name the device's options in braces: go-eCharger/{serial}/nrg."""
    path: tuple[str | int, ...] = ()
    max_age: Duration = Field(default="60s", validate_default=True)
    """A device that has not spoken for this long is away."""
