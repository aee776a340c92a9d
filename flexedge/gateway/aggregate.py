"""From readings to what was measured: a value for every event of every sensor, as beliefs.

Everything is looked at once, soon after it is over; once more where late readings came; and at the
start the last two days, for what was missed. Only what is new or another than before is saved. A
value is believed from the end of its event on, as FlexMeasures has it of what is measured at once;
one that late readings bring or change, from then on.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief, Reading
from flexedge.domain.series import Series, TimeGrid, floor
from flexedge.store.events import Rule, values
from flexedge.store.rows import EPOCH, Buckets, micros

MEASURED = Source("measured", "sensor")
GRACE = timedelta(seconds=30)
"""How long readings may take to come in."""
LOOK_BACK = timedelta(days=2)
_SLICE = timedelta(hours=6)
"""So much is looked at together: few queries, and 200 sensors take some megabytes."""
_TICK = timedelta(microseconds=1)


class Measured(Protocol):
    """What this needs of the store."""

    def flush(self) -> int:
        """Write what is queued."""

    def buckets_of(self, sensors: Sequence[str], grid: TimeGrid) -> Mapping[str, Buckets]:
        """Readings summed up in each step, by sensor; those without are left out."""

    def believed(self, sensor: str, source: str, grid: TimeGrid) -> Series:
        """The newest belief of a source about each step."""

    def save(self, beliefs: Sequence[Belief], source: Source) -> None:
        """Keep beliefs."""


@dataclass(slots=True)
class _Group:
    """Sensors with one rule, and how far they got."""

    rule: Rule
    sensors: tuple[str, ...]
    next: datetime | None = None
    """The start of the first event that was not looked at yet."""
    late: datetime | None = None
    """A reading at this time or before comes late: what it says may be told already."""

    def due(self, now: datetime) -> datetime:
        """The end of what can be told now, excluded: the start of the first event that cannot."""
        over = floor(now - GRACE - self.rule.settled, self.rule.step)
        return over + self.rule.step if self.rule.method == "state" else over

    def expect(self, due: datetime) -> None:
        """What is read from now on about the time before is late."""
        if self.rule.method == "state":
            self.late = due - self.rule.step
        else:
            self.late = due + self.rule.settled - _TICK


@dataclass(frozen=True, slots=True)
class _Look:
    """Which events are looked at, when, and whether late: for what was told before."""

    grid: TimeGrid
    now: datetime
    late: bool


class Aggregator:
    """Makes beliefs of readings. ``step`` from one thread, ``noted`` from any."""

    def __init__(self, rules: Mapping[str, Rule], store: Measured) -> None:
        self._store = store
        by_rule: dict[Rule, list[str]] = {}
        for sensor, rule in rules.items():
            by_rule.setdefault(rule, []).append(sensor)
        self._groups = [_Group(rule, tuple(sensors)) for rule, sensors in by_rule.items()]
        self._group_of = {sensor: group for group in self._groups for sensor in group.sensors}
        self._lock = threading.Lock()
        self._again: dict[datetime, set[str]] = {}
        """What to look at once more: slices, and for which sensors."""
        self._began: datetime | None = None
        self._seen = EPOCH

    def noted(self, readings: Iterable[Reading]) -> None:
        """Readings were given to the store; call it after that, so that none is overlooked."""
        for reading in readings:
            group = self._group_of.get(reading.sensor)
            if group is not None and group.late is not None and reading.event_start <= group.late:
                stands = group.rule.stands
                self.again(
                    reading.event_start - stands, reading.event_start + stands, (reading.sensor,)
                )

    def again(self, start: datetime, end: datetime, sensors: Iterable[str] = ()) -> None:
        """Look at a time once more at the next step; without ``sensors`` at all of them.

        For who changes what readings say of the past: dates them anew, or deletes some.
        """
        chosen = set(sensors) or set(self._group_of)
        begin = floor(start, _SLICE)
        with self._lock:
            while begin <= end:
                self._again.setdefault(begin, set()).update(chosen)
                begin += _SLICE

    def step(self, now: datetime) -> None:
        """Tell what can be told now. Raises ``StoreError``; the next step takes up from there."""
        self._begin(now)
        ends = [group.due(now) for group in self._groups]
        if not self._again and all(
            group.next is not None and group.next >= end
            for group, end in zip(self._groups, ends, strict=True)
        ):
            return
        for group, end in zip(self._groups, ends, strict=True):
            group.expect(end)
        self._store.flush()
        self._look_again(now)
        for group, end in zip(self._groups, ends, strict=True):
            while group.next is not None and group.next < end:
                until = min(floor(group.next, _SLICE) + _SLICE, end)
                n = max((until - group.next) // group.rule.step, 1)
                grid = TimeGrid(group.next, group.rule.step, n)
                self._tell(group, group.sensors, _Look(grid, now, late=False))
                group.next = grid.end

    def _begin(self, now: datetime) -> None:
        """At the start look back; the same where the clock was put back or far ahead."""
        if self._began is None or now < self._seen:
            self._began = now
            for group in self._groups:
                group.next = None
        self._seen = now
        for group in self._groups:
            back = floor(now - LOOK_BACK, group.rule.step)
            group.next = back if group.next is None else max(group.next, back)

    def _look_again(self, now: datetime) -> None:
        with self._lock:
            slices = sorted(self._again)
        for begin in slices:
            with self._lock:
                chosen = self._again.pop(begin)
            try:
                self._slice_again(begin, chosen, now)
            except BaseException:
                self.again(begin, begin, chosen)
                raise

    def _slice_again(self, begin: datetime, chosen: set[str], now: datetime) -> None:
        for group in self._groups:
            sensors = tuple(sensor for sensor in group.sensors if sensor in chosen)
            if sensors and group.next is not None and begin < group.next:
                until = min(begin + _SLICE, group.next)
                grid = TimeGrid.covering(begin, until, group.rule.step)
                self._tell(group, sensors, _Look(grid, now, late=True))

    def _tell(self, group: _Group, sensors: Sequence[str], look: _Look) -> None:
        """Save what is new or another."""
        rule, grid = group.rule, look.grid
        start = grid.start - rule.before * rule.part
        n = rule.before + grid.n * (rule.step // rule.part) + rule.after
        found = self._store.buckets_of(sensors, TimeGrid(start, rule.part, n))
        beliefs: list[Belief] = []
        for sensor, buckets in found.items():
            told = Series(grid, values(rule, buckets, micros(grid.start), grid.n))
            beliefs += self._news(sensor, told, look)
        if beliefs:
            self._store.save(beliefs, MEASURED)

    def _news(self, sensor: str, told: Series, look: _Look) -> list[Belief]:
        """Beliefs in what nobody believed yet."""
        grid, known = told.grid, np.full(told.grid.n, np.nan)
        if look.late or self._began is None or grid.start <= self._began:
            known = self._store.believed(sensor, MEASURED.name, grid).values
        new = ~np.isnan(told.values) & ~np.isclose(told.values, known, rtol=1e-9, atol=1e-9)
        at_once = new & np.isnan(known) & (not look.late)
        return [
            Belief(sensor, MEASURED.name, since, Series(grid, np.where(these, told.values, np.nan)))
            for since, these in ((None, at_once), (look.now, new & ~at_once))
            if these.any()
        ]
