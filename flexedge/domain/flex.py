"""The flex-model of an asset, in FlexMeasures' field names and those that flexedge adds.

These are the fields that may be *stored* with an asset (FlexMeasures 1.0, section "flex-model" of
its scheduling documentation); series of values come with a request.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic.json_schema import SkipJsonSchema

from flexedge.domain.record import Record, kebab
from flexedge.domain.units import Duration, MoneyAmount, PowerKw, PricePerKwh, RampKwPerHour, Share
from flexedge.domain.variable import (
    EnergyCost,
    NonNegativeKw,
    NonNegativeKwh,
    PowerFromSensor,
    SensorReference,
    VariableCapacity,
    VariableEnergy,
    VariablePower,
    VariableShare,
    fixed,
)

Fraction = Annotated[Share, Field(gt=0, le=1)]
Word = Annotated[str, Field(pattern=r"\S")]
ELECTRICITY = "electricity"


def _elsewhere(where: str) -> BeforeValidator:
    """For a field of FlexMeasures that has no place here: says where what it tells belongs."""

    def refuse(_value: Any) -> None:
        raise ValueError(where)

    return BeforeValidator(refuse)


_OwnName = Annotated[
    None, _elsewhere("the asset is known by its own name here: remove it"), SkipJsonSchema()
]
_Process = Annotated[
    None,
    _elsewhere("a process is described under the asset's key 'process': move it there"),
    SkipJsonSchema(),
]
_Times = Annotated[
    None,
    _elsewhere("a process has its times under the asset's key 'process': since, until, days"),
    SkipJsonSchema(),
]
_Seen = Annotated[None, _elsewhere("the gateway sees this for itself: remove it"), SkipJsonSchema()]
_Unit = Annotated[
    None,
    _elsewhere("write the unit with each quantity, as '10 kWh', and remove this"),
    SkipJsonSchema(),
]
_Sense = Annotated[
    None, _elsewhere("processes are planned to cost least: remove it"), SkipJsonSchema()
]


class GroupReference(Record):
    """The group an asset belongs to: an asset of type group."""

    asset: str


class OperationMode(Record):
    """A band of power that a device keeps to, in one direction or (from 0 kW) both."""

    name: str | None = None
    consumption_range: tuple[NonNegativeKw, NonNegativeKw] | None = None
    production_range: tuple[NonNegativeKw, NonNegativeKw] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ranges = [one for one in (self.consumption_range, self.production_range) if one is not None]
        if not ranges:
            raise ValueError("a mode needs consumption-range or production-range")
        if any(low > high for low, high in ranges):
            raise ValueError("a range goes from the lower power to the higher one")
        if len(ranges) == 2 and any(low > 0 for low, _ in ranges):  # noqa: PLR2004 - both ways
            raise ValueError("where a mode has both ranges, both start at 0 kW")
        return self


class PowerAtSoc(Record):
    """A point of a curve: the most power at a state of charge."""

    soc: NonNegativeKwh
    power: NonNegativeKw


class EfficiencyAtPower(Record):
    """A point of a curve: the efficiency of charging at a power."""

    power: Annotated[PowerKw, Field(gt=0)]
    efficiency: Annotated[Share, Field(ge=0)]


class ValueUpTo(Record):
    """What each stored kWh is worth, up to some energy (without: all that is above)."""

    up_to: NonNegativeKwh | None = None
    value: PricePerKwh


Curve = tuple[PowerAtSoc, ...]
Values = Annotated[
    Annotated[PricePerKwh, Tag("fixed")] | Annotated[tuple[ValueUpTo, ...], Tag("steps")],
    Discriminator(lambda value: "steps" if isinstance(value, list | tuple) else "fixed"),
]


class FlexModel(Record):
    """What a device can do: power, storage, efficiencies."""

    commodity: Word = ELECTRICITY
    consumption: SensorReference | None = None
    """Sensor that the schedule is written to, beside the asset's own."""
    production: SensorReference | None = None
    """Sensor that the schedule is written to; with ``consumption``, the part below zero."""
    group: GroupReference | None = None
    inflexible_consumption: PowerFromSensor | None = None
    """The asset only happens: its power, for the group or commodity it belongs to."""
    inflexible_production: PowerFromSensor | None = None

    power_capacity: VariableCapacity | None = None
    """Hard limit in both directions."""
    consumption_capacity: VariableCapacity | None = None
    """Most power it may draw; 0 kW for a producer."""
    production_capacity: VariableCapacity | None = None
    """Most power it may give; 0 kW for a consumer; for PV the sensor whose forecast bounds it."""
    operation_modes: tuple[OperationMode, ...] = ()
    """Bands of power, of which each step keeps to one."""
    coupling: Word | None = None
    """Assets with the same coupling have flows in a fixed ratio: the ports of a converter."""
    coupling_coefficient: Annotated[float, Field(gt=0)] | None = None

    state_of_charge: SensorReference | None = None
    """Sensor that knows the state of charge, in % (of soc-max) or kWh; assets that name the same
    one feed one storage."""
    soc_at_start: NonNegativeKwh | None = None
    """Assumed state of charge where no sensor knows it (an EV at plug-in)."""
    soc_min: NonNegativeKwh | None = None
    soc_max: NonNegativeKwh | None = None
    soc_minima: VariableEnergy | None = None
    """Least state of charge that shall be kept, at a price."""
    soc_maxima: VariableEnergy | None = None
    soc_targets: VariableEnergy | None = None
    soc_gain: tuple[VariablePower, ...] = ()
    """Flows into the storage that nobody controls, in kW of stored energy."""
    soc_usage: tuple[VariablePower, ...] = ()
    """Flows out of the storage that nobody controls: heat demand, driving."""
    soc_value_at_end: Values | None = None
    """What stored energy is worth at the end of the horizon."""
    roundtrip_efficiency: Fraction | None = None
    charging_efficiency: VariableShare | None = None
    """May exceed 100 %: the COP of a heat pump."""
    discharging_efficiency: VariableShare | None = None
    storage_efficiency: VariableShare | None = None
    """Share of the stored energy that is left after one quarter hour."""
    prefer_charging_sooner: bool = True
    prefer_curtailing_later: bool = True

    wear_cost: EnergyCost | None = None
    """Cost of each kWh drawn or given."""
    start_up_cost: MoneyAmount | None = None
    minimum_up_time: Duration | None = None
    minimum_down_time: Duration | None = None
    maximum_starts_per_day: Annotated[int, Field(ge=0)] | None = None
    ramp_up_limit: RampKwPerHour | None = None
    ramp_down_limit: RampKwPerHour | None = None
    minimum_power: NonNegativeKw | None = None
    """Least power while it draws any."""
    power_steps: tuple[PowerKw, ...] = ()
    """The only powers it can do, beside 0 kW."""
    charging_power_curve: Curve = ()
    """Most power it can draw over its state of charge."""
    discharging_power_curve: Curve = ()
    part_load_efficiency: tuple[EfficiencyAtPower, ...] = ()
    phases: Literal["L1", "L2", "L3", "L1L2", "L1L3", "L2L3", "L1L2L3"] | None = None
    priority: Annotated[float, Field(ge=0, le=1000)] | None = None
    """Of equals the one with the higher priority charges first."""

    sensor: _OwnName = None
    asset: _OwnName = None
    soc_unit: _Unit = None
    power: _Process = None
    duration: _Process = None
    process_type: _Process = None
    runs: _Process = None
    time_restrictions: _Times = None
    deadline: _Times = None
    optimization_sense: _Sense = None
    on_at_start: _Seen = None
    power_at_start: _Seen = None
    last_switched: _Seen = None
    starts_today: _Seen = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.roundtrip_efficiency is not None and (
            self.charging_efficiency is not None or self.discharging_efficiency is not None
        ):
            raise ValueError(
                "give roundtrip-efficiency or charging- and discharging-efficiency, not both"
            )
        if self.soc_min is not None and self.soc_max is not None and self.soc_min > self.soc_max:
            raise ValueError(
                f"soc-min ({self.soc_min:g} kWh) lies above soc-max ({self.soc_max:g} kWh)"
            )
        if self.coupling_coefficient is not None and self.coupling is None:
            raise ValueError("coupling-coefficient needs coupling: the name of what is coupled")
        return self

    @model_validator(mode="after")
    def _efficient(self) -> Self:
        if self.start_up_cost is not None and self.start_up_cost.value < 0:
            raise ValueError("start-up-cost should not be negative")
        for name, most in (("charging", None), ("discharging", None), ("storage", 1.0)):
            share = fixed(getattr(self, f"{name}_efficiency"))
            if share is not None and (share <= 0 or (most is not None and share > most)):
                bound = "" if most is None else " and at most 100%"
                raise ValueError(f"{name}-efficiency should be above 0%{bound}, not {share:.0%}")
        return self

    @model_validator(mode="after")
    def _curves(self) -> Self:
        for name in ("charging_power_curve", "discharging_power_curve"):
            points = [(point.soc, point.power) for point in getattr(self, name)]
            if points and not _bends_down(points):
                raise ValueError(
                    f"{kebab(name)} needs at least two points of rising soc, and never turns "
                    "upwards: its slope may only fall"
                )
        loads = [point.power for point in self.part_load_efficiency]
        if any(a >= b for a, b in pairwise(loads)):
            raise ValueError("part-load-efficiency needs points of rising power")
        if self.part_load_efficiency and self.charging_efficiency is not None:
            raise ValueError("give part-load-efficiency or charging-efficiency, not both")
        values = self.soc_value_at_end
        if isinstance(values, tuple) and not _falls(values):
            raise ValueError("soc-value-at-end should go up in 'up-to' and down in 'value'")
        return self

    def efficiencies(self) -> tuple[float, float]:
        """The shares kept on the way in and on the way out; what sensors tell is not in them."""
        if self.roundtrip_efficiency is not None:
            one_way: float = self.roundtrip_efficiency**0.5
            return one_way, one_way
        ways = fixed(self.charging_efficiency), fixed(self.discharging_efficiency)
        charging, discharging = (1.0 if one is None else one for one in ways)
        return charging, discharging


def _bends_down(points: list[tuple[float, float]]) -> bool:
    if len(points) < 2 or any(a[0] >= b[0] for a, b in pairwise(points)):  # noqa: PLR2004 - a line
        return False
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)]
    return all(a >= b for a, b in pairwise(slopes))


def _falls(values: tuple[ValueUpTo, ...]) -> bool:
    ends = [float("inf") if one.up_to is None else one.up_to for one in values]
    worth = [one.value.value for one in values]
    rising = all(a < b for a, b in pairwise([0.0, *ends]))
    return bool(values) and rising and all(a >= b for a, b in pairwise(worth))
