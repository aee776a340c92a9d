"""Posted values as beliefs: in the sensor's unit, on its events, with a belief time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from flexedge.domain.convert import conversion, convertible, merged, split, way
from flexedge.domain.measures import ENERGY, is_money, measure
from flexedge.domain.units import duration
from flexedge.errors import BadField
from flexedge.store.horizon import known_us
from flexedge.store.placing import us
from flexedge.store.rows import Beliefs, Floats, Micros, micros
from flexedge.store.tables.placed import PlacedSensor
from flexedge.wire.data import MOST_VALUES, Posted

SCHEMA: Final = "_schema"
"""What FlexMeasures calls the place of what is wrong with fields together."""
_FIRST, _LAST = (micros(datetime.fromisoformat(f"{year}-01-01T00:00Z")) for year in (1900, 2200))
_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Target:
    """What values are of, and who says them."""

    number: int
    placed: PlacedSensor
    source: int
    """The source's number."""


def beliefs_of(posted: Posted, target: Target, now: datetime, whole: float | None) -> Beliefs:
    """What is posted as rows; missing values are left out.

    ``whole``: what is 100 %, in kW or kWh, where that is known. Raises ``BadField``.
    """
    placed = target.placed
    demand_unit(posted, placed)
    values = np.array(posted.values, np.float64)
    length, own = us(posted.duration), us(placed.resolution)
    _demand_length(length, len(values), placed.resolution)
    step = length // len(values)
    if own:
        _demand_fit(posted.duration, length, len(values), placed.resolution)
    start = _start(posted.start, step, placed)
    if not _FIRST <= start <= start + length <= _LAST:
        raise BadField("start", "Data should lie between 1900 and 2200.")
    values = _turned(values, posted, step, placed, whole)
    if own and own != step:
        first = floored(posted.start, placed.resolution) if floors(placed) else start
        values, start = _fitted(values, start, step, first, placed)
        length = own * len(values)
    events = start + np.arange(len(values), dtype=np.int64) * length // len(values)
    there = ~np.isnan(values)
    return _rows(posted, events[there], values[there], target, now)


def demand_unit(posted: Posted, placed: PlacedSensor) -> None:
    """Refuse a unit that cannot become the sensor's, or is not what the type says."""
    if posted.unit != placed.unit and not convertible(posted.unit, placed.unit, whole=True):
        raise BadField(
            SCHEMA,
            f"Required unit for this sensor is {placed.unit}, got incompatible unit: {posted.unit}",
        )
    demand_kind(posted.type, posted.unit)


def demand_kind(kind: str | None, unit: str) -> None:
    """Refuse a unit that does not go with what the obsolete ``type`` says."""
    if kind in _OF_POWER and not convertible(unit, "MW"):
        told = "convertible to MW"
    elif kind in _OF_PRICE and not _is_energy_price(unit):
        told = "an energy price"
    else:
        return
    raise BadField(SCHEMA, f"The unit for this message type should be {told}, got {unit}.")


_OF_POWER = {"PostMeterDataRequest", "PostPrognosisRequest",
             "GetMeterDataRequest", "GetPrognosisRequest"}  # fmt: skip
_OF_PRICE = {"PostPriceDataRequest", "GetPriceDataRequest"}


def _is_energy_price(unit: str) -> bool:
    paid, _, per = unit.partition("/")
    try:
        return measure(per).powers == ENERGY and is_money(measure(paid).powers)
    except ValueError:
        return False


def _demand_length(length: int, n: int, own: timedelta) -> None:
    if length < 0:
        raise BadField("duration", "The duration should not be negative.")
    if length:
        return
    if n > 1:
        raise BadField(
            SCHEMA,
            "Cannot save multiple instantaneous values that overlap. That is, two values spanning"
            " the same moment (a zero duration). Send one value, or a duration above zero.",
        )
    if own:
        raise BadField(
            SCHEMA,
            "Cannot infer a non-zero resolution from one value over zero duration. This sensor"
            f" requires a resolution of {own}.",
        )


def _demand_fit(whole: timedelta, length: int, n: int, own: timedelta) -> None:
    own_us = us(own)
    if length % n or (length // n % own_us and own_us % (length // n)):
        raise BadField(
            SCHEMA,
            f"Resolution of {whole / n} is incompatible with the sensor's required resolution of"
            f" {own}.",
        )
    if length // own_us > MOST_VALUES:
        raise BadField(
            "duration", f"That is {length // own_us} events of {own}; send {MOST_VALUES} at most."
        )


def floored(moment: datetime, step: timedelta) -> int:
    """The last tick of a step until a moment, by the clock of its own offset, in microseconds."""
    offset = us(moment.utcoffset() or timedelta(0))
    return (micros(moment) + offset) // us(step) * us(step) - offset


def floors(placed: PlacedSensor) -> bool:
    """Whether events of a sensor begin on ticks of its resolution."""
    return placed.attributes.get("floor_datetimes_to_resolution", True) is not False


def _start(start: datetime, step: int, placed: PlacedSensor) -> int:
    if placed.resolution and floors(placed):
        return floored(start, min(placed.resolution, step * _US))
    every = placed.attributes.get("frequency")
    if placed.resolution or not isinstance(every, str):
        return micros(start)
    try:
        tick = duration(every if every[:1].isdigit() or every.startswith("P") else f"1{every}")
    except ValueError:
        return micros(start)
    return floored(start + tick / 2, tick) if tick else micros(start)


def _turned(
    values: Floats, posted: Posted, step: int, placed: PlacedSensor, whole: float | None
) -> Floats:
    try:
        turn = conversion(posted.unit, placed.unit, step * _US, whole)
    except ValueError as error:
        raise BadField(SCHEMA, f"{error}.") from error
    with np.errstate(over="ignore"):
        turned = turn(values)
    if np.isinf(turned).any():
        raise BadField("values", f"A value is too large to be one in {placed.unit}.")
    return turned


def _fitted(
    values: Floats, start: int, step: int, first: int, placed: PlacedSensor
) -> tuple[Floats, int]:
    """Values on the sensor's events, and where those begin: parts of longer, wholes of shorter.

    ``first``: the event that ``start`` is in.
    """
    how, own = way(placed.unit), us(placed.resolution)
    if step > own:
        return split(values, step // own, how), start
    parts, before = own // step, (start - first) // step
    after = -(before + len(values)) % parts
    if how == "sum" and (before or after):
        raise BadField(
            SCHEMA,
            f"Values in {placed.unit} are added up to events of {placed.resolution}: send all"
            f" {parts} parts of each.",
        )
    gaps = (np.full(before, np.nan), values, np.full(after, np.nan))
    return merged(np.concatenate(gaps), parts, how), first


def _rows(posted: Posted, events: Micros, values: Floats, target: Target, now: datetime) -> Beliefs:
    knowable = known_us(target.placed.sensor.known, events)
    moments = np.iinfo(np.int64).max if posted.prior is None else micros(posted.prior)
    believed = np.full(len(events), moments, np.int64)
    if posted.horizon is not None:
        believed = np.minimum(believed, knowable - us(posted.horizon))
    elif posted.prior is None:
        believed[:] = micros(now)
    _demand_side(posted, knowable - believed)
    n = len(events)
    return Beliefs(
        np.full(n, target.number, np.int32),
        np.full(n, target.source, np.int32),
        events,
        believed,
        np.full(n, 0.5),
        values,
    )


def _demand_side(posted: Posted, horizons: Micros) -> None:
    if posted.type == "PostMeterDataRequest" and (horizons > 0).any():
        raise BadField(SCHEMA, "Meter data must lie in the past.")
    if posted.type == "PostPrognosisRequest" and (horizons < 0).any():
        raise BadField(SCHEMA, "Prognoses must lie in the future.")
