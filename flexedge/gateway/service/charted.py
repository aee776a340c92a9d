"""The beliefs that charts show."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from flexedge.domain.asset import INSTANT, Source
from flexedge.errors import BadField
from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.placing import us
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.runs import starts
from flexedge.store.single import medians
from flexedge.store.sources import Which, ranks
from flexedge.store.state import State
from flexedge.store.tables.placed import PlacedSensor

MOST: Final = 1_000_000
"""Beliefs in one answer."""
_FEW: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Window:
    """Which beliefs a chart shows: about events that touch [start, end)."""

    start: datetime | None = None
    end: datetime | None = None
    believed_from: datetime | None = None
    believed_until: datetime | None = None
    resolution: timedelta | None = None
    most_recent: bool = True
    """Of each event and source only what was believed last."""
    latest_version: bool = False
    """Of sources that differ in their version only, the newest that says something of an event."""


def read(
    state: State, beliefs: Beliefs, sensors: Mapping[int, PlacedSensor], window: Window
) -> Rows:
    """What a chart shows, one value of each belief; by sensor. Raises ``BadField``."""
    _demand_few(beliefs, sensors, window)
    by_step: dict[timedelta, list[str]] = {}
    for one in sensors.values():
        by_step.setdefault(one.resolution, []).append(one.key)
    asked = Asked(
        (),
        end=window.end,
        believed_from=window.believed_from,
        believed_until=window.believed_until,
        most_recent=window.most_recent,
    )
    parts = []
    for step, keys in by_step.items():
        before = max(step - timedelta(microseconds=1), INSTANT)
        start = None if window.start is None else window.start - before
        parts.append(beliefs.ask(keys, replace(asked, start=start), Which()))
    rows = medians(Rows.joined(parts))
    return _latest(rows, state.sources()) if window.latest_version else rows


def _demand_few(
    beliefs: Beliefs, sensors: Mapping[int, PlacedSensor], window: Window
) -> None:  # fmt: skip
    """Refuse a question about too much before it is read."""
    start, end = window.start, window.end
    if start is not None and end is not None and end - start <= _FEW:
        return
    keys = [one.key for one in sensors.values()]
    n = sum(one.count for one in beliefs.statistics(keys, Asked((), start, end), Which()))
    if n > MOST:
        raise BadField("start", f"That is {n} values; ask for a time with {MOST} at most.")


def _latest(rows: Rows, sources: Mapping[int, Source]) -> Rows:
    """Of sources that differ in their version only, those rows with the newest about an event."""
    places, groups = ranks(sources), dict[Any, int]()
    for one in sources.values():
        groups.setdefault((one.name, one.kind, one.model, one.account), len(groups))
    known = np.unique(rows.source)
    group = {n: groups[s.name, s.kind, s.model, s.account] for n, s in sources.items()}
    which = np.searchsorted(known, rows.source)
    of = np.array([group[int(one)] for one in known], np.int64)[which] if len(known) else known
    rank = np.array([places[int(one)] for one in known], np.int64)[which] if len(known) else known
    order = np.lexsort((rows.belief_us, -rank, of, rows.event_us, rows.sensor))
    first = starts(rows.sensor[order], rows.event_us[order], of[order])
    best = rank[order][first][np.cumsum(first) - 1] if len(order) else rank
    return rows.take(order[rank[order] == best])


def resampled(rows: Rows, own: timedelta, step: timedelta | None) -> Rows:
    """Rows of one sensor and source at another resolution: held in finer, averaged in coarser.

    Raises ``BadField`` where that would be too many.
    """
    if not step or not own or own == step or not len(rows):
        return rows
    if not own % step:
        pieces = own // step
        if len(rows) * pieces > MOST:
            told = f"That is {len(rows) * pieces} values; ask for a longer one, or for less time."
            raise BadField("resolution", told)
        which = np.repeat(np.arange(len(rows)), pieces)
        finer = rows.take(which)
        later = np.tile(np.arange(pieces, dtype=np.int64) * us(step), len(rows))
        return replace(finer, event_us=finer.event_us + later)
    if step % own:
        return rows
    event = rows.event_us // us(step) * us(step)
    order = np.argsort(event, kind="stable")
    first = np.flatnonzero(starts(event[order]))
    mean = np.add.reduceat(rows.value[order], first) / np.diff(np.append(first, len(order)))
    last = np.maximum.reduceat(rows.belief_us[order], first)
    coarse = rows.take(order[first])
    return replace(coarse, event_us=event[order][first], value=mean, belief_us=last)
