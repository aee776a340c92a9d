"""The flex-model of a device and the flex-context of a site, in FlexMeasures' field names.

These are the fields that may be *stored* with an asset (FlexMeasures 1.0, sections "flex-model"
and "flex-context" of its scheduling documentation); time series come with a request.
"""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from flexedge.domain.record import Record, kebab
from flexedge.domain.units import EnergyKwh, PowerKw, Price, PricePerKw, PricePerKwh, Share


class SensorReference(Record):
    """The values of a sensor, by its name."""

    sensor: str


class PowerFromSensor(SensorReference):
    """Power measured or forecast by a sensor; ``default`` fills what is not known."""

    default: PowerKw | None = None


class PriceFromSensor(SensorReference):
    """A price that varies in time; ``default`` fills what is not known."""

    default: PricePerKwh | None = None


def _shape(value: Any) -> str:
    return "sensor" if isinstance(value, dict | SensorReference) else "fixed"


VariablePower = Annotated[
    Annotated[PowerKw, Tag("fixed")] | Annotated[PowerFromSensor, Tag("sensor")],
    Discriminator(_shape),
]
VariablePrice = Annotated[
    Annotated[PricePerKwh, Tag("fixed")] | Annotated[PriceFromSensor, Tag("sensor")],
    Discriminator(_shape),
]
NonNegativeKw = Annotated[PowerKw, Field(ge=0)]
NonNegativeKwh = Annotated[EnergyKwh, Field(ge=0)]
Fraction = Annotated[Share, Field(gt=0, le=1)]


class FlexModel(Record):
    """What a device can do: power, storage, efficiencies."""

    power_capacity: NonNegativeKw | None = None
    """Hard limit in both directions."""
    consumption_capacity: VariablePower | None = None
    """Most power it may draw; 0 kW for a producer."""
    production_capacity: VariablePower | None = None
    """Most power it may give; 0 kW for a consumer; for PV the sensor whose forecast bounds it."""
    state_of_charge: SensorReference | None = None
    """Sensor that knows the state of charge, in % (of soc-max) or kWh."""
    soc_at_start: NonNegativeKwh | None = None
    """Assumed state of charge where no sensor knows it (an EV at plug-in)."""
    soc_min: NonNegativeKwh | None = None
    soc_max: NonNegativeKwh | None = None
    soc_gain: tuple[VariablePower, ...] = ()
    """Flows into the storage that nobody controls, in kW of stored energy."""
    soc_usage: tuple[VariablePower, ...] = ()
    """Flows out of the storage that nobody controls: heat demand, driving."""
    roundtrip_efficiency: Fraction | None = None
    charging_efficiency: Annotated[Share, Field(gt=0)] | None = None
    """May exceed 100 %: the COP of a heat pump."""
    discharging_efficiency: Annotated[Share, Field(gt=0)] | None = None
    storage_efficiency: Annotated[Share, Field(gt=0, le=1)] | None = None
    """Share of the stored energy that is left after one quarter hour."""
    prefer_charging_sooner: bool = True
    prefer_curtailing_later: bool = True

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
        for name in ("consumption_capacity", "production_capacity"):
            capacity = getattr(self, name)
            if isinstance(capacity, float) and capacity < 0:
                raise ValueError(
                    f"{kebab(name)} should be at least 0 kW: both capacities are written without "
                    "sign"
                )
        return self

    def efficiencies(self) -> tuple[float, float]:
        """The shares kept on the way in and on the way out."""
        if self.roundtrip_efficiency is not None:
            one_way: float = self.roundtrip_efficiency**0.5
            return one_way, one_way
        return (
            1.0 if self.charging_efficiency is None else self.charging_efficiency,
            1.0 if self.discharging_efficiency is None else self.discharging_efficiency,
        )


class FlexContext(Record):
    """What the site's energy costs and which limits its grid connection has."""

    consumption_price: VariablePrice
    production_price: VariablePrice | None = None
    """Price paid for net production; equal to the consumption price when left out."""
    site_power_capacity: NonNegativeKw | None = None
    """Hard limit of the grid connection in both directions."""
    site_consumption_capacity: NonNegativeKw | None = None
    """Agreed limit of net consumption: exceeded only where nothing else is possible."""
    site_production_capacity: NonNegativeKw | None = None
    """Agreed limit of net production: exceeded only where nothing else is possible."""
    site_consumption_breach_price: PricePerKw | None = None
    site_production_breach_price: PricePerKw | None = None
    site_peak_consumption: NonNegativeKw = 0.0
    """Peak already incurred or contracted; only what exceeds it costs."""
    site_peak_consumption_price: PricePerKw | None = None
    soc_minima_breach_price: PricePerKwh | None = None
    inflexible_consumption: tuple[PowerFromSensor, ...] = ()
    inflexible_production: tuple[PowerFromSensor, ...] = ()

    def prices(self) -> list[tuple[str, Price]]:
        """All fixed prices with their field names, to check that they share one currency."""
        fields = {
            name: getattr(self, name).default
            if isinstance(getattr(self, name), PriceFromSensor)
            else getattr(self, name)
            for name in type(self).model_fields
            if name.endswith("price")
        }
        return [(name.replace("_", "-"), p) for name, p in fields.items() if isinstance(p, Price)]
