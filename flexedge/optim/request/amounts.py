"""Variable quantities: fixed ("5 kW"), listed in time, or kept by a sensor."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NoReturn

import numpy as np

from flexedge.domain import units
from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.errors import BadField
from flexedge.optim.request import believed
from flexedge.optim.request.believed import Filter
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import Points, Sensor, Source, Span, on_grid, parse_unit

Overlaps = Literal["first", "min", "max"]
_SEGMENT = ("value", "datetime", "start", "end", "duration")
MOST = 1e9  # kW, kWh or money per these: a thousand gigawatts are nobody's site
_COMBINE: dict[Overlaps, Callable[[FloatArray, float], FloatArray]] = {
    "first": lambda old, new: np.where(np.isnan(old), new, old),
    "min": np.fmin,
    "max": np.fmax,
}
_EITHER: dict[Overlaps, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "first": lambda one, other: np.where(np.isnan(one), other, one),
    "min": np.fmin,
    "max": np.fmax,
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A value from ``start`` to ``end``; at one moment where they are the same."""

    start: datetime
    end: datetime
    value: float
    place: str = ""
    """Where it stands in a list: "[0]"."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A variable quantity in house units: what is fixed, what is listed, or whose data it is."""

    path: str
    dimension: units.Dimension
    fixed: float | None = None
    segments: tuple[Segment, ...] | None = None
    sensor: Sensor | None = None
    default: float | None = None
    only: Filter = believed.ALL
    """Whose word about the sensor counts."""


@dataclass(slots=True)
class Reader:
    """Reads quantities onto the grid of a schedule."""

    source: Source
    grid: TimeGrid
    prior: datetime | None = None
    currency: str | None = None
    currency_path: str = ""
    forgets_prices: bool = False
    """Whether energy is free while its price is not known, as FlexMeasures 1.0.1 has it; it
    promises that the nearest known price holds."""
    notes: list[str] = field(default_factory=list)

    def sensor(self, fields: Fields, key: str = "sensor") -> Sensor:
        """A sensor that is referred to by name."""
        name = fields.name(key)
        if name not in self.source.sensors:
            fields.fail(key, f"there is no sensor {name!r}")
        return self.source.sensors[name]

    def output(self, fields: Fields, key: str) -> Sensor | None:
        """The sensor that a field of an output names, if it is given."""
        if not fields.has(key):
            return None
        sensor = self.sensor(fields.object(key))
        consumption = not key.endswith("production")
        if key != "aggregate-power" and sensor.contradicts(consumption=consumption):
            self.contradiction(fields.at(key), sensor)
        return sensor

    def contradiction(self, path: str, sensor: Sensor) -> NoReturn:
        """Complain about a sensor whose sign is not that of the field."""
        raise BadField(
            path,
            f"the sensor {sensor.name!r} says consumption_is_positive: "
            f"{str(sensor.consumption_is_positive).lower()}, which contradicts the field",
        )

    def amount(
        self,
        raw: Any,
        path: str,
        dimensions: Sequence[units.Dimension],
        *,
        bare: float | None = None,
        whole: float | None = None,
    ) -> Amount:
        """Read a variable quantity of one of some dimensions.

        ``bare`` is the factor for numbers without a unit, ``whole`` what 100 % of it is; both are
        refused without. Raises ``BadField``.
        """
        if isinstance(raw, dict):
            return self._of_sensor(Fields(raw, path), dimensions, whole)
        if isinstance(raw, list):
            segments, dimension = [], dimensions[0]
            for number, one in enumerate(raw):
                part = Fields(one, f"{path}[{number}]")
                part.refuse_unknown(_SEGMENT)
                if "value" not in part.data:
                    part.fail("value", "is missing")
                value, dimension = self._value(
                    part.data["value"], part.at("value"), dimensions, bare, whole
                )
                start, end = _span(part)
                segments.append(Segment(start, end, value, f"[{number}]"))
            return Amount(path, dimension, segments=tuple(segments))
        value, dimension = self._value(raw, path, dimensions, bare, whole)
        return Amount(path, dimension, fixed=value)

    def _value(
        self,
        raw: Any,
        path: str,
        dimensions: Sequence[units.Dimension],
        bare: float | None,
        whole: float | None,
    ) -> tuple[float, units.Dimension]:
        if isinstance(raw, int | float) and not isinstance(raw, bool) and bare is not None:
            if not math.isfinite(raw):
                raise BadField(path, "should be a finite number")
            if abs(raw * bare) > MOST:
                raise BadField(path, f"{raw!r} is beyond all measure")
            return float(raw) * bare, dimensions[0]
        text = raw.strip() if isinstance(raw, str) else raw
        if isinstance(text, str) and text.endswith("%") and whole is not None:
            return self._split(text, path, ["share"])[0] * whole, dimensions[0]
        return self._split(text, path, dimensions)

    def _split(
        self, raw: Any, path: str, dimensions: Sequence[units.Dimension]
    ) -> tuple[float, units.Dimension]:
        complaint = ""
        for dimension in dimensions:
            try:
                if dimension in {"energy-price", "power-price"}:
                    price = units.price(raw, dimension)
                    self._same_currency(price.currency, path)
                    value = price.value
                else:
                    value = units.quantity(raw, dimension)
            except ValueError as error:
                complaint = complaint or str(error)
                continue
            if abs(value) > MOST:
                raise BadField(path, f"{raw!r} is beyond all measure")
            return value, dimension
        raise BadField(path, complaint)

    def _same_currency(self, currency: str | None, path: str) -> None:
        if currency is None:
            return
        if self.currency is None:
            self.currency, self.currency_path = currency, path
        elif currency != self.currency:
            raise BadField(
                path,
                f"is in {currency}, but {self.currency_path} is in {self.currency}: "
                "all prices need the same currency",
            )

    def _of_sensor(
        self, fields: Fields, dimensions: Sequence[units.Dimension], whole: float | None
    ) -> Amount:
        fields.refuse_unknown(("sensor", "default", *believed.FILTERS))
        sensor = self.sensor(fields)
        only = believed.read(fields)
        points = self.source.points(sensor.name, self.prior, only, self._span(self.grid))
        symbol = sensor.unit if points is None else points.unit
        dimension = _dimension(symbol, dimensions, whole)
        if dimension is None:
            fields.fail("sensor", f"{sensor.name!r} has the unit {symbol!r}, which is no "
                        f"{dimensions[0].replace('-', ' ')}")  # fmt: skip
        unit = parse_unit(symbol)
        self._same_currency(None if unit is None else unit.currency, fields.at("sensor"))
        default = None
        if fields.has("default"):
            default = self._value(
                fields.data["default"], fields.at("default"), [dimension], None, whole
            )[0]
        return Amount(fields.path, dimension, sensor=sensor, default=default, only=only)

    def values(
        self, amount: Amount, overlaps: Overlaps = "first", grid: TimeGrid | None = None
    ) -> FloatArray:
        """A quantity in each step (of another grid, where one is given); NaN where unknown."""
        grid = self.grid if grid is None else grid
        if amount.fixed is not None:
            return np.full(grid.n, amount.fixed)
        if amount.sensor is not None:
            values = self._data(amount, amount.sensor, grid)
            if amount.default is not None:
                values = np.where(np.isnan(values), amount.default, values)
            return values
        values = np.full(grid.n, np.nan)
        combine = _COMBINE[overlaps]
        for segment in amount.segments or ():
            first = -((grid.start - segment.start) // grid.resolution)  # rounded up
            last = (segment.end - grid.start) // grid.resolution  # rounded down
            inside = slice(min(max(first, 0), grid.n), min(max(last, 0), grid.n))
            values[inside] = combine(values[inside], segment.value)
        return values

    def _data(
        self, amount: Amount, sensor: Sensor, grid: TimeGrid, whole: float | None = None
    ) -> FloatArray:
        points = self.source.points(sensor.name, self.prior, amount.only, self._span(grid))
        if points is None:
            return np.full(grid.n, np.nan)
        values: FloatArray = on_grid(points, grid) * _scale(points, amount, sensor, whole)
        if (np.abs(np.nan_to_num(values)) > MOST).any():
            raise BadField(amount.path, f"{sensor.name!r} has values that are beyond all measure")
        return values

    @staticmethod
    def _span(grid: TimeGrid) -> Span:
        return grid.start, grid.end + grid.resolution

    def events(
        self, amount: Amount, overlaps: Overlaps, whole: float | None = None
    ) -> tuple[Segment, ...]:
        """States that shall hold at moments or from a moment to another (both included).

        What a sensor tells of a step holds on the ticks at both of its ends; where two steps meet,
        ``overlaps`` decides ("first": the later step). What was before the first tick is past.
        FlexMeasures leaves the ends of steps out where finer data have holes, and so do we.
        """
        grid = self.grid
        if amount.fixed is not None:
            return (Segment(grid.start, grid.end, amount.fixed),)
        if amount.segments is not None:
            return amount.segments
        if amount.sensor is None:  # pragma: no cover - one of the three is there
            return ()
        later = TimeGrid(grid.start + grid.resolution, grid.resolution, grid.n)
        values = self._data(amount, amount.sensor, later, whole)
        if amount.sensor.resolution >= grid.resolution or (
            amount.sensor.resolution > timedelta(0) and not _has_holes(values)
        ):
            before = np.concatenate(([np.nan], values[:-1]))
            values = _EITHER[overlaps](values, before)
        if amount.default is not None:
            values = np.where(np.isnan(values), amount.default, values)
        return tuple(
            Segment(tick, tick, float(value))
            for tick, value in zip(later.times(), values, strict=True)
            if not np.isnan(value)
        )


def _has_holes(values: FloatArray) -> bool:
    known = np.flatnonzero(~np.isnan(values))
    return bool(known.size) and known.size < known[-1] - known[0] + 1


def _scale(points: Points, amount: Amount, sensor: Sensor, whole: float | None) -> float:
    unit = parse_unit(points.unit)
    if unit is not None and unit.dimension == "share" and whole is not None:
        return unit.factor * whole
    return factor(points, amount.dimension, sensor.resolution)


def factor(points: Points, dimension: units.Dimension, resolution: timedelta) -> float:
    """From the unit of stored values to the house unit of a dimension."""
    unit = parse_unit(points.unit)
    if unit is None:  # pragma: no cover - its dimension was found before
        return math.nan
    if unit.dimension == "energy" and dimension == "power":
        return unit.factor / ((points.resolution or resolution) / timedelta(hours=1))
    return unit.factor


def _dimension(
    symbol: str, dimensions: Sequence[units.Dimension], whole: float | None
) -> units.Dimension | None:
    """As which of some dimensions a sensor's unit can be read."""
    unit = parse_unit(symbol)
    if unit is None:
        return None
    if unit.dimension in dimensions:
        return unit.dimension
    if unit.dimension == "energy" and "power" in dimensions:
        return "power"
    if unit.dimension == "share" and whole is not None:
        return dimensions[0]
    return None


def _span(fields: Fields) -> tuple[datetime, datetime]:
    """When a segment holds: at one moment, or by two of start, end and duration."""
    if fields.has("datetime"):
        moment = fields.moment("datetime").astimezone(UTC)
        return moment, moment
    given = [key for key in ("start", "end", "duration") if fields.has(key)]
    if len(given) < 2:  # noqa: PLR2004 - two of three
        raise BadField(fields.path, "needs a 'datetime', or two of 'start', 'end', 'duration'")
    if fields.has("start") and fields.has("end"):
        start, end = fields.moment("start"), fields.moment("end")
    elif fields.has("start"):
        start = fields.moment("start")
        end = start + fields.duration("duration")
    else:
        end = fields.moment("end")
        start = end - fields.duration("duration")
    if end < start:
        fields.fail("end", "lies before the start")
    return start.astimezone(UTC), end.astimezone(UTC)


def edges(values: FloatArray) -> FloatArray:
    """The first known value also before it, the last one also after it."""
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return values
    extended = values.copy()
    extended[: known[0]], extended[known[-1] :] = values[known[0]], values[known[-1]]
    return extended


def extend(values: FloatArray) -> FloatArray | None:
    """Fill what is unknown with the nearest known value; None where nothing is known."""
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return None
    steps = np.arange(len(values))
    after = np.minimum(np.searchsorted(known, steps), known.size - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(known[before] - steps) < np.abs(known[after] - steps)
    extended: FloatArray = values[known[np.where(nearer, before, after)]]
    return extended
