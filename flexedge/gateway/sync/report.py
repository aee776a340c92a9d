"""What of a sensor's beliefs a centre is told: at its own resolution, all or only what changed.

An event of the centre that takes several of ours is told when all of them are there, and once more
when one of them is corrected. Where some stay away it is told two days after its end of those that
are there, if these are at least half of it: until then they may still come, and what they say would
replace what had been told, which no centre allows.

On change: the first value of each day (UTC) is told, then each one that differs by more than the
dead-band from the last one told, and one at least every heartbeat. So what is told of a day depends
on that day's values alone, and is the same however often and in whatever pieces it is sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from flexedge.config.centre import Report
from flexedge.domain.asset import Knowable, Sensor
from flexedge.gateway.sync.runs import Shape, Told
from flexedge.store.rows import micros
from flexedge.store.runs import ends, starts

LATE: Final = timedelta(days=2)
"""So long after its end an event is told though parts of it are missing."""
APART: Final = timedelta(days=2)
"""Events that are farther apart are looked up by themselves."""
ROUNDING: Final = 1e-6
"""Forecasts and schedules that differ by less from what was told last say the same."""
_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _SECOND_US
_US: Final = timedelta(microseconds=1)
_ENERGIES: Final = frozenset({"Wh", "kWh", "MWh", "GWh", "J", "kJ", "MJ", "GJ"})
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Thin:
    """What of measured values is told on change."""

    dead_band: float
    heartbeat: timedelta | None


@dataclass(frozen=True, slots=True)
class Way:
    """How the values of one link are told."""

    shape: Shape
    parts: int = 1
    """So many of our events are one there."""
    method: Literal["mean", "sum"] = "mean"
    every: timedelta | None = None
    """Of instants only those at multiples of that are told."""
    thin: Thin | None = None
    tolerance: float = 0.0
    """Of forecasts and schedules: what differs by less from the value told last is not told."""
    within: timedelta = timedelta(0)
    """Of forecasts and schedules: of what is believed of an event within this time only the last is
    told; zero: everything."""

    @property
    def needs_history(self) -> bool:
        """Whether it takes more than what is new to know what is to be told."""
        return self.parts > 1 or self.thin is not None


def way_of(sensor: Sensor, there: timedelta, unit: str, role: str, report: Report) -> Way:
    """How values of a sensor are told under a role, to one with events of the length ``there``.

    ``unit``: what the centre calls the sensor's unit. Where our events are longer than the centre's
    or no part of them, ours are sent, and the centre makes its own of them or refuses them.
    """
    ours = sensor.resolution
    plain = sensor.knowable in (None, Knowable(ours))
    at_once = ours if plain and not role else None
    thin = None
    tolerance = 0.0
    if role:
        tolerance = max(report.dead_band, ROUNDING)
    elif report.strategy == "on-change":
        thin = Thin(report.dead_band, report.heartbeat)
    if not ours:
        every = there or report.resolution
        return Way(Shape(unit, there, at_once), every=every, thin=thin, tolerance=tolerance)
    parts = there // ours if there and not there % ours else 1
    lasting = ours * parts
    summed = unit in _ENERGIES and not sensor.name.rpartition(".")[2].startswith("soc")
    method: Literal["mean", "sum"] = "sum" if summed else "mean"
    shape = Shape(unit, lasting, None if at_once is None else lasting)
    return Way(shape, parts, method, thin=thin, tolerance=tolerance)


def stretches(portion: Told, way: Way) -> list[tuple[int, int]]:
    """Starts and ends (excluded) of the events that must be known to tell those of a portion.

    Far apart from each other: what lies between an event that was corrected after a year and those
    of today is not looked at.
    """
    unit = _DAY_US if way.thin is not None else max(way.shape.lasting // _US, 1)
    if way.parts > 1 and _DAY_US % (way.shape.lasting // _US):
        unit = way.shape.lasting // _US
    units = np.unique(portion.event_us // unit)
    first = np.flatnonzero(np.diff(units, prepend=units[0]) > APART // _US // unit)
    return [(int(part[0]) * unit, (int(part[-1]) + 1) * unit) for part in np.split(units, first)]


def reported(portion: Told, held: Told, way: Way, now: datetime) -> Told:
    """What is told of a portion. ``held``: all that is believed of the events of its stretch.

    Without a history (``held`` is empty) a portion of which nothing is made is told as it is.
    """
    if way.every is not None:
        every = way.every // _US
        portion, held = (one.take(one.event_us % every == 0) for one in (portion, held))
    told = portion
    if way.parts > 1:
        told = wholes(portion, held, way, now)
    elif len(held) and not way.tolerance:
        told = with_next(portion, held)
    if way.thin is None or not len(told):
        return told
    day = held if way.parts == 1 else wholes(held, held, way, now)
    return _thinned(told, Told.joined([day, told]), way)


def woven(portion: Told, held: Told) -> tuple[Told, Mask]:
    """Both in order of event and belief time, each said once; and which of it the portion says."""
    both = Told.joined([portion, held])
    mine = np.arange(len(both)) < len(portion)
    order = np.lexsort((~mine, both.belief_us, both.event_us))
    both, mine = both.take(order), mine[order]
    first = starts(both.event_us, both.belief_us)
    return both.take(first), mine[first]


def with_next(portion: Told, held: Told) -> Told:
    """A portion and of each of its events what is believed next after that.

    A centre drops a belief that says what the one before it said. If that was sent earlier than
    what lies between the two it is missing there now, and must be said again.
    """
    both, mine = woven(portion, held)
    follows = np.zeros(len(both), np.bool_)
    follows[1:] = mine[:-1] & ~starts(both.event_us)[1:]
    return both.take(mine | follows)


def wholes(portion: Told, held: Told, way: Way, now: datetime) -> Told:
    """Events of the centre that a portion says something of, out of all their parts."""
    if not len(portion):
        return portion
    length = way.shape.lasting // _US
    bins = np.unique(portion.event_us // length)
    held = held.take(np.isin(held.event_us // length, bins))
    held = held.take(np.lexsort((held.event_us, held.belief_us, held.event_us // length)))
    of = held.event_us // length
    first = np.flatnonzero(starts(of)) if len(of) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(first, len(of)))
    each = np.lexsort((held.event_us,))
    doubled = np.zeros(len(of), np.bool_)
    doubled[each[1:]] = held.event_us[each[1:]] == held.event_us[each[:-1]]
    repeated = np.logical_or.reduceat(doubled, first) if len(first) else doubled
    simple = (sizes == way.parts) & ~repeated
    summed = np.add.reduceat(held.value, first) if len(first) else held.value
    value = summed / way.parts if way.method == "mean" else summed
    last = first + sizes - 1
    told = [Told(of[first[simple]] * length, held.belief_us[last[simple]], value[simple])]
    asked = _belief_times(portion, length)
    for begin, n in zip(first[~simple].tolist(), sizes[~simple].tolist(), strict=True):
        part = held.take(np.arange(begin, begin + n))
        told.append(_of_one(part, asked[int(of[begin])], way, micros(now)))
    return Told.joined(told)


def lacking(held: Told, way: Way) -> Told:
    """What is believed of events of the centre of which some parts are missing."""
    of = held.event_us // (way.shape.lasting // _US)
    order = np.lexsort((held.event_us,))
    first = order[starts(held.event_us[order])] if len(order) else order
    bins, parts = np.unique(of[first], return_counts=True)
    return held.take(np.isin(of, bins[parts < way.parts]))


def _belief_times(portion: Told, length: int) -> dict[int, set[int]]:
    asked: dict[int, set[int]] = {}
    of = (portion.event_us // length).tolist()
    for one, belief in zip(of, portion.belief_us.tolist(), strict=True):
        asked.setdefault(one, set()).add(belief)
    return asked


def _of_one(held: Told, asked: set[int], way: Way, now_us: int) -> Told:
    """What is told of one event: as it was at each time that is asked for, and as it is now.

    ``held``: beliefs about its parts by belief time. What is told now always has a later belief
    time than what was told before, though the belief that came last may be an early one: the time
    of the last belief, of what is measured a second later for each one that took the place of
    another; a second earlier for each part that is missing. (FlexMeasures knows no less than
    seconds.)
    """
    length = way.shape.lasting // _US
    start = int(held.event_us[0]) // length * length
    parts: dict[int, float] = {}
    told: list[tuple[int, float]] = []
    last = ends(starts(held.belief_us))
    late = start + length + LATE // _US <= now_us
    rows = zip(held.event_us.tolist(), held.belief_us.tolist(), held.value.tolist(), strict=True)
    for n, (event, belief, value) in enumerate(rows, start=1):
        parts[event] = value
        lacking = way.parts - len(parts)
        final = n == len(held)
        if lacking and not (final and late and 2 * len(parts) >= way.parts):
            continue
        if final or (last[n - 1] and belief in asked):
            more = 0 if way.shape.at_once is None else n - len(parts)
            since = belief + (more - lacking) * _SECOND_US
            told.append((since, _summed_up(parts, way)))
    return Told(
        np.full(len(told), start, np.int64),
        np.array([belief for belief, _ in told], np.int64),
        np.array([value for _, value in told], np.float64),
    )


def _summed_up(parts: dict[int, float], way: Way) -> float:
    """The mean of what is there; a sum is what it would be if the rest were like it."""
    mean = sum(parts[event] for event in sorted(parts)) / len(parts)
    return mean if way.method == "mean" else mean * way.parts


def _thinned(told: Told, day: Told, way: Way) -> Told:
    """What of ``told`` is told on change; ``day``: all that could be told of its days."""
    day = day.take(np.lexsort((day.belief_us, day.event_us)))
    newest = day.take(ends(starts(day.event_us)))
    which = kept(newest, way.thin) if way.thin is not None else np.ones(len(newest), np.bool_)
    stays = newest.take(which)
    at_once_us = (way.shape.at_once or timedelta(0)) // _US
    corrections = told.belief_us != told.event_us + at_once_us
    if way.shape.at_once is None:
        corrections = np.zeros(len(told), np.bool_)
    sent = told.take(corrections | np.isin(told.event_us, stays.event_us))
    if not corrections.any():
        return sent
    # After a correction the values beside it may differ by more than the dead-band.
    since: dict[int, int] = {}
    for event in told.event_us[corrections].tolist():
        since[event // _DAY_US] = min(event, since.get(event // _DAY_US, event))
    days = (stays.event_us // _DAY_US).tolist()
    after = [event > since.get(one, event) for event, one in zip(stays.event_us.tolist(), days, strict=True)]  # fmt: skip  # noqa: E501
    both = Told.joined([sent, stays.take(np.array(after, np.bool_))])
    both = both.take(np.lexsort((both.belief_us, both.event_us)))
    return both.take(starts(both.event_us, both.belief_us))


def kept(told: Told, thin: Thin) -> Mask:
    """Which of values, one for each event in order, are told on change."""
    heartbeat = None if thin.heartbeat is None else thin.heartbeat // _US
    mask = np.zeros(len(told), np.bool_)
    day, last, at = -1, 0.0, 0
    for place, (event, value) in enumerate(
        zip(told.event_us.tolist(), told.value.tolist(), strict=True)
    ):
        beats = heartbeat is not None and event - at >= heartbeat
        if event // _DAY_US != day or abs(value - last) > thin.dead_band or beats:
            mask[place] = True
            day, last, at = event // _DAY_US, value, event
    return mask
