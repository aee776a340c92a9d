"""Rows of one sensor as few even runs, the way a server takes them.

A run has one belief time for all its values, or one for each: when its event was over. What was
measured at once is believed so, and goes in long runs; a correction, a forecast or a schedule has
the time at which it was made. A gap is bridged with missing values where that takes less than
another request: neither FlexMeasures nor flexedge keeps missing values, so nothing is overwritten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.runs import Run
from flexedge.store.rows import Beliefs, Floats, Ingested, Micros, micros, moment
from flexedge.store.runs import ends, starts

BRIDGE: Final = 120
"""So many missing values ("null,") take as much as the head of another request."""
EARLY: Final = "FlexMeasures"
"""Whose instants with a prior are believed one step earlier (seen with 1.0.1)."""
_CERTAIN: Final = 0.5
_AT_ONCE: Final = np.iinfo(np.int64).min
_US: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is said of events and since when: arrays of one length, times in microseconds."""

    event_us: Micros
    belief_us: Micros
    value: Floats

    def __len__(self) -> int:
        return len(self.event_us)

    def take(self, which: NDArray[Any]) -> "Told":
        """Those that a mask or an index picks."""
        return Told(self.event_us[which], self.belief_us[which], self.value[which])

    @classmethod
    def joined(cls, parts: Sequence["Told"]) -> "Told":
        """All of several, one after another."""
        columns = ([getattr(one, name) for one in parts] for name in cls.__slots__)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True, slots=True)
class Shape:
    """What posted values are: their unit, and how long events last (0: instants)."""

    unit: str
    lasting: timedelta
    at_once: timedelta | None
    """So long after the start of its event is a value believed that was measured at once; it goes
    with a horizon then. None: everything goes with its belief time."""
    early: bool = False
    """Whether the centre takes a run's instants to be believed one step before its belief time."""

    @property
    def horizon(self) -> timedelta:
        """How long before the end of its event such a value is believed."""
        return max(self.lasting - (self.at_once or timedelta(0)), timedelta(0))


def told_by(rows: Beliefs | Ingested, ingest: Micros) -> tuple[Told, int]:
    """What rows of one sensor say, by event and belief time, and how many say what cannot be sent.

    Only one value of an event and belief time counts: the one that came last. Of beliefs with
    several quantiles the middle one is told; the others are left out, as are infinite values.
    """
    fit = (rows.probability == _CERTAIN) & np.isfinite(rows.value)
    left_out = len(rows) - int(fit.sum())
    if left_out:
        rows, ingest = rows.take(fit), ingest[fit]
    told = Told(rows.event_us, rows.belief_us, rows.value)
    told = told.take(np.lexsort((ingest, told.belief_us, told.event_us)))
    last = ends(starts(told.event_us, told.belief_us)) if len(told) else np.zeros(0, np.bool_)
    return (told if last.all() else told.take(last)), left_out


def runs(told: Told, shape: Shape) -> Iterator[Run]:
    """The runs that say exactly that: first what was measured at once, then by belief time.

    So a belief about an event always comes after those that were held before it. ``told`` has no
    event and belief time twice.
    """
    if not len(told):
        return
    step_us = shape.lasting // _US
    since = told.belief_us
    if shape.at_once is not None:
        at_once_us = shape.at_once // _US
        since = np.where(since == told.event_us + at_once_us, _AT_ONCE, since)
    order = np.lexsort((told.event_us, since))
    since, event, value = since[order], told.event_us[order], told.value[order]
    apart = np.diff(event)
    together = since[1:] == since[:-1]
    if not step_us:
        step_us = _usual(apart[together])
    begins = np.ones(len(event), np.bool_)
    if step_us:
        steps = apart // step_us
        begins[1:] = ~together | (apart != steps * step_us) | (steps > BRIDGE + 1)
    first = np.flatnonzero(begins)
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(event)], strict=True):
        step = step_us if end - begin > 1 or shape.lasting else 0
        values = _spread(event[begin:end], value[begin:end], step)
        believed = int(since[begin])
        at_once = believed == _AT_ONCE
        ahead = step if shape.early and not shape.lasting else 0
        yield Run(
            moment(event[begin]), step * _US, values, shape.unit,
            prior=None if at_once else moment(believed + ahead),
            horizon=shape.horizon if at_once else None,
        )  # fmt: skip


def told_in(run: Run, shape: Shape) -> Told:
    """What a run says, as it was before ``runs`` made it."""
    known = [(n, value) for n, value in enumerate(run.values) if value is not None]
    event_us = np.array([micros(run.start) + n * (run.step // _US) for n, _ in known], np.int64)
    if run.prior is None:
        at_once = shape.lasting if shape.at_once is None else shape.at_once
        belief_us = event_us + at_once // _US
    else:
        ahead = run.step if shape.early and not shape.lasting else timedelta(0)
        belief_us = np.full(len(known), micros(run.prior - ahead), np.int64)
    return Told(event_us, belief_us, np.array([value for _, value in known], np.float64))


def pieces(run: Run, most: int) -> Iterator[Run]:
    """A run in parts of at most so many values; none begins or ends with a missing one."""
    for first in range(0, len(run.values), most):
        part = run.part(first, most)
        known = [place for place, value in enumerate(part.values) if value is not None]
        if known:
            yield part.part(known[0], known[-1] + 1 - known[0])


def count(run: Run) -> int:
    """How many values a run has that are not missing."""
    return len(run.values) - run.values.count(None)


def _usual(apart: Micros) -> int:
    """The distance that occurs most; 0 without any."""
    if not len(apart):
        return 0
    lengths, times = np.unique(apart, return_counts=True)
    return int(lengths[np.argmax(times)])


def _spread(event: Micros, value: Floats, step_us: int) -> tuple[float | None, ...]:
    """Values at every step; None where there is none."""
    known: list[float] = value.tolist()
    n = 1 if len(event) == 1 else int((event[-1] - event[0]) // step_us) + 1
    if n == len(known):
        return tuple(known)
    every: list[float | None] = [None] * n
    for place, one in zip(((event - event[0]) // step_us).tolist(), known, strict=True):
        every[place] = one
    return tuple(every)
