"""Quantities that are fixed, or told by a sensor: FlexMeasures' "variable quantities" as stored.

Series of values are not stored: they come with a request, or from a sensor.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag

from flexedge.domain.record import Record
from flexedge.domain.units import (
    EnergyKwh,
    Money,
    PositionPrice,
    PowerKw,
    Price,
    PricePerKw,
    PricePerKwh,
    Share,
)

Route = tuple[str | int, ...]


class SensorReference(Record):
    """A sensor, by its name."""

    sensor: str


class DataReference(SensorReference):
    """The data of a sensor: forecast from its readings, or what one source believes of it."""

    source: str | None = None
    """Only what this source believes, such as flexedge-forecast."""
    sources: tuple[str, ...] = ()
    """Only what these sources believe; the first that knows a step counts."""
    source_types: tuple[str, ...] = ()
    exclude_source_types: tuple[str, ...] = ()
    source_account: str | int | None = None

    @property
    def believers(self) -> tuple[str, ...]:
        """The sources that are asked; none: readings and what is forecast from them."""
        return self.sources if self.source is None else (self.source, *self.sources)


class PowerFromSensor(DataReference):
    """Power measured or forecast by a sensor; ``default`` fills what is not known."""

    default: PowerKw | None = None


class CapacityFromSensor(PowerFromSensor):
    """A capacity told by a sensor, whatever its sign; ``default`` fills what is not known."""

    default: Annotated[PowerKw, Field(ge=0)] | None = None


class EnergyFromSensor(DataReference):
    """Stored energy told by a sensor; ``default`` fills what is not known."""

    default: EnergyKwh | None = None


class ShareFromSensor(DataReference):
    """A share (an efficiency, a COP) told by a sensor; ``default`` fills what is not known."""

    default: Share | None = None


class PriceFromSensor(DataReference):
    """A price of energy that varies in time; ``default`` fills what is not known."""

    default: PricePerKwh | None = None


class PowerPriceFromSensor(DataReference):
    """A price of power that varies in time; ``default`` fills what is not known."""

    default: PricePerKw | None = None


class PositionPriceFromSensor(DataReference):
    """A price of energy or power that varies in time; ``default`` fills what is not known."""

    default: PositionPrice | None = None


def _shape(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return None
    return "sensor" if isinstance(value, dict | SensorReference) else "fixed"


_FIXED_OR_SENSOR = Discriminator(
    _shape,
    custom_error_type="series",
    custom_error_message="a series of values cannot be stored: write one quantity, or the sensor "
    "that has the series, as {sensor: its name}",
)

VariablePower = Annotated[
    Annotated[PowerKw, Tag("fixed")] | Annotated[PowerFromSensor, Tag("sensor")], _FIXED_OR_SENSOR
]
VariableCapacity = Annotated[
    Annotated[PowerKw, Field(ge=0), Tag("fixed")] | Annotated[CapacityFromSensor, Tag("sensor")],
    _FIXED_OR_SENSOR,
]
VariableEnergy = Annotated[
    Annotated[EnergyKwh, Tag("fixed")] | Annotated[EnergyFromSensor, Tag("sensor")],
    _FIXED_OR_SENSOR,
]
VariableShare = Annotated[
    Annotated[Share, Tag("fixed")] | Annotated[ShareFromSensor, Tag("sensor")], _FIXED_OR_SENSOR
]
VariablePrice = Annotated[
    Annotated[PricePerKwh, Tag("fixed")] | Annotated[PriceFromSensor, Tag("sensor")],
    _FIXED_OR_SENSOR,
]
VariablePositionPrice = Annotated[
    Annotated[PositionPrice, Tag("fixed")] | Annotated[PositionPriceFromSensor, Tag("sensor")],
    _FIXED_OR_SENSOR,
]


def _not_negative(price: Price) -> Price:
    if price.value < 0:
        raise ValueError("should not be negative")
    return price


EnergyCost = Annotated[PricePerKwh, AfterValidator(_not_negative)]
VariableEnergyPenalty = Annotated[
    Annotated[EnergyCost, Tag("fixed")] | Annotated[PriceFromSensor, Tag("sensor")],
    _FIXED_OR_SENSOR,
]
VariablePenalty = Annotated[
    Annotated[PricePerKw, AfterValidator(_not_negative), Tag("fixed")]
    | Annotated[PowerPriceFromSensor, Tag("sensor")],
    _FIXED_OR_SENSOR,
]
NonNegativeKw = Annotated[PowerKw, Field(ge=0)]
NonNegativeKwh = Annotated[EnergyKwh, Field(ge=0)]


def fixed(amount: float | DataReference | None) -> float | None:
    """What an amount is always, or while its sensor is silent; None where that is not said."""
    if isinstance(amount, DataReference):
        default = getattr(amount, "default", None)
        return default if isinstance(default, float) else None
    return amount


def references(record: BaseModel, route: Route = ()) -> Iterator[tuple[Route, SensorReference]]:
    """Every sensor a record refers to, and the keys that lead there."""
    for where, value in _walk(record, route):
        if isinstance(value, SensorReference):
            yield where, value


def currencies(record: BaseModel, route: Route = ()) -> Iterator[tuple[Route, str]]:
    """Every currency a record names, and the keys that lead there."""
    for where, value in _walk(record, route):
        if isinstance(value, Price | Money):
            yield where, value.currency


def _walk(value: Any, route: Route) -> Iterator[tuple[Route, Any]]:
    if isinstance(value, BaseModel):
        if route:
            yield route, value
        for name, field in type(value).model_fields.items():
            yield from _walk(getattr(value, name), (*route, field.alias or name))
    elif isinstance(value, tuple):
        for i, one in enumerate(value):
            yield from _walk(one, (*route, i))
    elif value is not None:
        yield route, value
