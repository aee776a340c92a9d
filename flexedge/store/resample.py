"""Beliefs about events of one length turned into beliefs about longer or shorter ones."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.convert import Way
from flexedge.store.rows import Beliefs, Floats, Micros
from flexedge.store.runs import ends, starts

_US = timedelta(microseconds=1)


def resampled(
    rows: Beliefs, had: timedelta, wanted: timedelta, way: Way = "mean", origin_us: int = 0
) -> Beliefs:
    """Beliefs about events of ``had`` as beliefs about events of ``wanted``, a multiple or divisor.

    Events begin on ticks of ``wanted`` counted from ``origin_us``. What comes back is in the order
    that archives promise, with each belief from when one of its parts was believed. Nothing is made
    up: an event without a part is left out; a mean is that of the parts there are, as in
    FlexMeasures, a sum takes all parts. Instants (``had`` is 0) that fall on ticks are picked.
    Probabilities are taken each for itself. Raises ``ValueError`` for lengths that do not fit.
    """
    step, tick = had // _US, wanted // _US
    if wanted <= timedelta(0):
        raise ValueError(f"{wanted} is no length of an event; it should be above 0")
    if step == tick or not len(rows):
        return rows
    if step == 0:
        return rows.take((rows.event_us - origin_us) % tick == 0)
    if step % tick == 0:
        return _split(rows, step // tick, tick, way)
    if tick % step == 0:
        return _merged(rows, step, tick, way, origin_us)
    raise ValueError(f"{wanted} is neither a multiple nor a divisor of the resolution {had}")


def _ordered(rows: Beliefs) -> Beliefs:
    keys = (rows.probability, rows.belief_us, rows.source, rows.event_us, rows.sensor)
    return rows.take(np.lexsort(keys))


def _split(rows: Beliefs, parts: int, tick: int, way: Way) -> Beliefs:
    every = rows.take(np.repeat(np.arange(len(rows)), parts))
    value = every.value / parts if way == "sum" else every.value
    event = every.event_us + np.tile(np.arange(parts, dtype=np.int64) * tick, len(rows))
    return _ordered(Beliefs.of({**every.columns(), "event_us": event, "value": value}))


def _merged(rows: Beliefs, step: int, tick: int, way: Way, origin_us: int) -> Beliefs:
    """At each time that a part was believed anew: the whole of what was believed of the parts."""
    event = (rows.event_us - origin_us) // tick * tick + origin_us
    part = (rows.event_us - event) // step
    order = np.lexsort((rows.belief_us, rows.probability, rows.source, event, rows.sensor))
    rows, event, part = rows.take(order), event[order], part[order]
    group = starts(event, rows.sensor, rows.source, rows.probability)
    begin = np.flatnonzero(group)[np.cumsum(group) - 1]
    total, count = _held(rows.value, part, begin, tick // step)
    value = total / np.maximum(count, 1) if way == "mean" else total
    last = ends(group | starts(rows.belief_us))
    whole = Beliefs.of({**rows.columns(), "event_us": event, "value": value})
    return _ordered(whole.take(last & (count > 0 if way == "mean" else count == tick // step)))


def _held(
    value: Floats, part: Micros, begin: NDArray[np.int64], parts: int
) -> tuple[Floats, Micros]:
    """The sum and number of the parts believed by each row of its group, the last of each part."""
    total = np.zeros(len(value))
    count = np.zeros(len(value), np.int64)
    places = np.arange(len(value))
    for one in range(parts):
        latest = np.maximum.accumulate(np.where(part == one, places, -1))
        usable = (latest >= begin) & ~np.isnan(value[latest])
        total += np.where(usable, value[latest], 0.0)
        count += usable
    return total, count
