"""The flex-context of a site, in FlexMeasures' field names and those that flexedge adds.

These are the fields that may be *stored* (FlexMeasures 1.0, section "flex-context" of its
scheduling documentation). What stands at the top level is about electricity, or about all.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from flexedge.domain.flex import ELECTRICITY, GroupReference, Word
from flexedge.domain.record import Record
from flexedge.domain.variable import (
    NonNegativeKw,
    PowerFromSensor,
    SensorReference,
    VariableCapacity,
    VariableEnergyPenalty,
    VariablePenalty,
    VariablePositionPrice,
    VariablePower,
    VariablePrice,
)


class Commitment(Record):
    """A position that is paid for when what flows deviates from it."""

    name: Word
    baseline: VariablePower
    up_price: VariablePositionPrice | None = None
    """What a kWh (or a kW in each step) above the baseline costs."""
    down_price: VariablePositionPrice | None = None
    """What a kWh below the baseline earns; negative: costs."""
    commodity: Word | None = None
    sensors: tuple[SensorReference, ...] = ()
    """The assets it is about, by their power sensors; without: all of the commodity."""
    group: GroupReference | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.up_price is None and self.down_price is None:
            raise ValueError("a commitment needs up-price or down-price")
        if self.sensors and self.group is not None:
            raise ValueError("sensors and group exclude each other")
        return self


class Scenario(Record):
    """What may come instead, and how likely; the rest of the probability is the forecast's."""

    probability: Annotated[float, Field(gt=0, lt=1)]
    name: str | None = None
    inflexible_consumption: tuple[VariablePower, ...] = ()
    """All that is drawn in this future beside what is planned; without: as forecast."""
    inflexible_production: tuple[VariablePower, ...] = ()
    consumption_price: VariablePrice | None = None
    production_price: VariablePrice | None = None

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not self.model_fields_set - {"probability", "name"}:
            raise ValueError(
                "a scenario says what differs: add inflexible-consumption, as an example"
            )
        return self


class CommodityContext(Record):
    """Prices and limits of one commodity."""

    commodity: Word = ELECTRICITY
    consumption_price: VariablePrice | None = None
    production_price: VariablePrice | None = None
    """Price paid for net production; equal to the consumption price when left out."""
    site_power_capacity: VariableCapacity | None = None
    """Hard limit of the grid connection in both directions."""
    site_consumption_capacity: VariableCapacity | None = None
    """Agreed limit of net consumption: exceeded only where nothing else is possible."""
    site_production_capacity: VariableCapacity | None = None
    """Agreed limit of net production: exceeded only where nothing else is possible."""
    site_consumption_breach_price: VariablePenalty | None = None
    site_production_breach_price: VariablePenalty | None = None
    site_peak_consumption: VariableCapacity | None = None
    """Peak already contracted; only what exceeds it costs. Peaks of this month are seen."""
    site_peak_consumption_price: VariablePenalty | None = None
    site_peak_production: VariableCapacity | None = None
    site_peak_production_price: VariablePenalty | None = None
    inflexible_consumption: tuple[PowerFromSensor, ...] = ()
    inflexible_production: tuple[PowerFromSensor, ...] = ()
    aggregate_consumption: SensorReference | None = None
    """Sensor that the planned sum of everything is written to."""
    aggregate_production: SensorReference | None = None
    aggregate_power: SensorReference | None = None
    commitments: tuple[Commitment, ...] = ()
    relax_constraints: bool | None = None
    relax_site_capacity_constraints: bool | None = None
    site_phase_capacity: NonNegativeKw | None = None
    """Hard limit of each of the three phases."""
    inflexible_phases: (
        tuple[
            Annotated[float, Field(ge=0)],
            Annotated[float, Field(ge=0)],
            Annotated[float, Field(ge=0)],
        ]
        | None
    ) = None
    """Shares of what is not planned on the three phases; they add up to 1."""

    @model_validator(mode="after")
    def _shares(self) -> Self:
        shares = self.inflexible_phases
        if shares is not None and abs(sum(shares) - 1) > 1e-6:  # noqa: PLR2004 - rounding
            raise ValueError("inflexible-phases should add up to 1")
        if shares is not None and self.site_phase_capacity is None:
            raise ValueError("inflexible-phases needs site-phase-capacity: add it")
        return self


class FlexContext(CommodityContext):
    """What the site's energy costs and which limits its grid connection has."""

    relax_soc_constraints: bool | None = None
    relax_capacity_constraints: bool | None = None
    soc_minima_breach_price: VariableEnergyPenalty | None = None
    soc_maxima_breach_price: VariableEnergyPenalty | None = None
    consumption_breach_price: VariablePenalty | None = None
    production_breach_price: VariablePenalty | None = None
    commodities: tuple[CommodityContext, ...] = ()
    """Other commodities, such as gas or heat; electricity, too, where it is not described above."""
    scenarios: tuple[Scenario, ...] = ()
    risk_weight: Annotated[float, Field(ge=0, le=1)] | None = None
    """From 0, where the expected cost counts, to 1, where that of the worst future does."""

    @model_validator(mode="after")
    def _described_once(self) -> Self:
        names = [one.commodity for one in self.commodities]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"commodities describe {twice[0]} twice")
        if self.commodity != ELECTRICITY:
            raise ValueError(
                "only electricity is described at the top level; list others under 'commodities'"
            )
        if self.electricity.consumption_price is None:
            raise ValueError("missing key 'consumption-price'; add it")
        return self

    @model_validator(mode="after")
    def _likely(self) -> Self:
        total = sum(one.probability for one in self.scenarios)
        if total >= 1 - 1e-6:
            raise ValueError(
                f"probabilities of scenarios add up to {total:g}: together they should stay "
                "below 1, the rest is that of the forecast itself"
            )
        if self.risk_weight and not self.scenarios:
            raise ValueError("risk-weight needs scenarios: add them")
        return self

    @property
    def electricity(self) -> CommodityContext:
        """What is said of electricity: at the top level, or in the list."""
        return next((one for one in self.commodities if one.commodity == ELECTRICITY), self)
