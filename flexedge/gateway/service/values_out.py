"""Beliefs as even rows of values: one per step, in the unit and resolution that is asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from flexedge.domain.convert import Conversion, Way, conversion, convertible, merged, split, way
from flexedge.errors import BadField
from flexedge.gateway.service.values_in import SCHEMA, demand_kind, floored, floors
from flexedge.gateway.service.wholes import between
from flexedge.store.archive import Asked as Question
from flexedge.store.beliefs import Beliefs
from flexedge.store.placing import us
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import Floats, micros, moment
from flexedge.store.single import medians, winners
from flexedge.store.sources import Which, ranks
from flexedge.store.state import State
from flexedge.store.tables.placed import PlacedSensor
from flexedge.wire.data import Asked, Filters

MOST_STEPS = 600_000
"""Values of one answer."""
_LONG = (
    (timedelta(weeks=16), timedelta(weeks=1)),
    (timedelta(days=14), timedelta(days=1)),
    (timedelta(hours=48), timedelta(hours=1)),
    (timedelta(hours=8), timedelta(minutes=15)),
)
"""The resolution that FlexMeasures takes for instants, by what the question is longer than."""
_EPOCH_END = micros(datetime.fromisoformat("2200-01-01T00:00Z"))
_EPOCH = micros(datetime.fromisoformat("1900-01-01T00:00Z"))


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is answered of one sensor; NaN where nothing is believed."""

    values: Floats
    start: datetime
    duration: timedelta
    resolution: timedelta
    unit: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The steps that are asked for."""

    start: datetime
    duration: timedelta
    resolution: timedelta
    n: int


def frame(asked: Filters, placed: PlacedSensor) -> Frame:
    """The steps that a question means for a sensor. Raises ``BadField``."""
    span = _span(asked)
    own = placed.resolution
    step = asked.resolution
    if step is None:
        step = own or next((tick for more, tick in _LONG if span > more), timedelta(minutes=5))
    if step <= timedelta(0):
        raise BadField("resolution", "The resolution should be above zero.")
    if own and own % step and step % own:
        raise BadField(
            "resolution",
            f"Resolution of {step} is incompatible with the sensor's resolution of {own}: ask for a"
            " multiple or a divisor of it.",
        )
    n = -(-span // step)
    if n > MOST_STEPS:
        raise BadField(
            "duration",
            f"That is {n} steps of {step}; ask for {MOST_STEPS} at most, or a longer resolution.",
        )
    start = asked.start
    if own and floors(placed):
        start = moment(floored(start, min(own, step))).astimezone(start.tzinfo)
    return Frame(start, span, step, n)


def _span(asked: Filters) -> timedelta:
    if (asked.duration is None) == (asked.end is None):
        what = "Missing data for required field." if asked.end is None else "Give it or an end."
        raise BadField("duration", what)
    span = asked.duration if asked.end is None else asked.end - asked.start
    if span is None or span < timedelta(0):
        raise BadField("duration", "The duration should not be negative.")
    if not _EPOCH <= micros(asked.start) <= micros(asked.start) + us(span) <= _EPOCH_END:
        raise BadField("start", "A question should lie between 1900 and 2200.")
    return span


def read(asked: Filters, placed: PlacedSensor, state: State, beliefs: Beliefs, unit: str) -> Told:
    """The most recent belief about each event, of one source, in the unit that is asked for.

    Raises ``BadField``.
    """
    kind = asked.type if isinstance(asked, Asked) else None
    demand_kind(kind, unit)
    at = frame(asked, placed)
    turn = _turn(placed, state, unit)
    which = _which(asked, state)
    rows = _one_each(beliefs.ask([placed.key], _question(asked, at, placed, kind), which), state)
    if asked.source_type is not None and not len(rows):
        _demand_type(asked.source_type, placed, beliefs)
    values = _stepped(rows, turn(rows.value), at, placed, way(unit))
    return Told(values, at.start, at.duration, at.resolution, unit)


def _turn(placed: PlacedSensor, state: State, unit: str) -> Conversion:
    whole = between(placed.unit, unit, placed, state)
    try:
        return conversion(placed.unit, unit, placed.resolution, whole)
    except ValueError as error:
        if not convertible(placed.unit, unit, whole=True):
            told = f"Required unit for this sensor is {placed.unit}, got incompatible unit: {unit}"
            raise BadField(SCHEMA, told) from error
        raise BadField(SCHEMA, f"{error}.") from error


def _which(asked: Filters, state: State) -> Which | None:
    if asked.source is not None and asked.source not in state.sources():
        raise BadField("source", f"No data source found with id {asked.source}.")
    if asked.source_account is not None and state.accounts.get(asked.source_account) is None:
        raise BadField("source-account", f"No account found with ID {asked.source_account}.")
    account = None if asked.source_account is None else frozenset({str(asked.source_account)})
    return Which(
        ids=None if asked.source is None else frozenset({asked.source}),
        kinds=None if asked.source_type is None else frozenset({asked.source_type}),
        accounts=account,
    )


def _question(asked: Filters, at: Frame, placed: PlacedSensor, kind: str | None) -> Question:
    least = asked.horizon
    if kind == "GetPrognosisRequest":
        least = max(least or timedelta(0), timedelta(0))
    before = max(placed.resolution - at.resolution, timedelta(0))
    return Question(
        (),
        at.start - before,
        at.start + at.n * at.resolution,
        believed_until=asked.prior,
        horizon_from=least,
        horizon_until=timedelta(0) if kind == "GetMeterDataRequest" else None,
    )


def _one_each(rows: Rows, state: State) -> Rows:
    """One row of each event: of the newest version of a source, then the one believed last."""
    if (rows.event_us[1:] > rows.event_us[:-1]).all():
        return rows
    return winners(medians(rows), ranks(state.sources()))


def _demand_type(kind: str, placed: PlacedSensor, beliefs: Beliefs) -> None:
    """Refuse a type of sources that have never said anything of a sensor."""
    if not beliefs.statistics((placed.key,), Question(()), Which(kinds=frozenset({kind}))):
        raise BadField(
            "source-type",
            f"No data source with source-type '{kind}' has recorded any data on this sensor.",
        )


def _stepped(rows: Rows, values: Floats, at: Frame, placed: PlacedSensor, how: Way) -> Floats:
    """Values of events on the steps of a frame; NaN where there are none."""
    step, own = us(at.resolution), us(placed.resolution) or us(at.resolution)
    tick = min(step, own)
    parts, pieces = step // tick, own // tick
    place, off = np.divmod(rows.event_us - micros(at.start), tick)
    fits = np.ones(len(place), np.bool_) if parts > 1 and placed.resolution else off == 0
    whole = np.full(at.n * parts, np.nan)
    place = np.repeat(place[fits], pieces) + np.tile(np.arange(pieces), int(fits.sum()))
    there = (place >= 0) & (place < len(whole))
    whole[place[there]] = split(values[fits], pieces, how)[there]
    return merged(whole, parts, how) if parts > 1 else whole
