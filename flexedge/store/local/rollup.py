"""Roll-ups: readings of the partitions summed up in 5 minutes and hours, and answers from them.

A bucket that late readings fall into is summed up again from all its readings; the newer row
counts. What has been summed up goes with the manifest, so that it happens once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flexedge.store.buckets import Touched, summed, summed_again
from flexedge.store.local.compact import Compactor
from flexedge.store.local.engine import Columns, Engine
from flexedge.store.local.partition import COLUMNS, ORDER_BITS, SUMS, Kind, Partition, Place
from flexedge.store.local.shelf import View, Window
from flexedge.store.merging import merged
from flexedge.store.rows import Buckets, Micros

WIDTHS = SUMS
_DELETING = ("deleting", "deleting-from", "deleting-until")
"""Facts that say what has gone from the readings and not yet from the roll-ups."""
_NONE, _FAR_US = -1, 1 << 62
_AT_ONCE = 200_000
"""Buckets that are summed up together: as many as memory bears."""
_MOST = 4_000_000
"""Readings that are summed up in one go: a minute or two of work on a small machine."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """Which stretches of which sensors are asked for."""

    sensors: Sequence[int]
    start_us: int
    width_us: int
    n: int

    @property
    def end_us(self) -> int:
        """The end of the last one."""
        return self.start_us + self.n * self.width_us

    @property
    def edges(self) -> Micros:
        """Where each begins, and where the last one ends."""
        return self.start_us + np.arange(self.n + 1, dtype=np.int64) * self.width_us


class Roller:
    """Sums up what compaction brought, and answers from it."""

    def __init__(self, engine: Engine, compactor: Compactor) -> None:
        self._engine = engine
        self._compactor = compactor
        self._shelf = compactor.shelf
        self.turnovers: Mapping[int, float] = {}
        """By sensor at which value a counter shows 0 again, where that is known."""

    def roll(self) -> bool:
        """Sum up readings that are new in partitions, the first of many; whether there were any.

        After sums were lost those are new whose readings they were of (``Compactor.drop``).
        """
        with self._compactor.work, self._shelf.view() as view:
            new = [
                one for one in view.partitions if one.kind == "readings" and one.hi > view.rolled
            ]
            if not new:
                return False
            new = _first(new)
            made: list[Partition] = []
            for kind, width in WIDTHS.items():
                touched = self._worth(view, kind, self._touched(view, new, width))
                made += self._summed(view, kind, touched)
            self._compactor.add(made, [], {"rolled": new[-1].hi})
        return True

    def delete(self, sensor: int, window: Window) -> int:
        """Take readings and beliefs of a sensor out, also of the roll-ups. How many rows went.

        The roll-ups follow the readings; a power cut in between is made good by ``complete``.
        """
        lo_us = -_FAR_US if window.lo_us is None else window.lo_us
        hi_us = _FAR_US if window.hi_us is None else window.hi_us
        with self._compactor.work:
            self.complete()
            noted = dict(zip(_DELETING, (sensor, lo_us, hi_us), strict=True))
            gone = self._compactor.delete(("beliefs", "readings"), window, facts=noted)
            self.complete()
        return gone

    def complete(self) -> None:
        """Take out of the roll-ups what was taken out of the readings, where that is still due."""
        with self._compactor.work:
            sensor, lo_us, hi_us = (self._compactor.fact(name) for name in _DELETING)
            if sensor is None or sensor == _NONE or lo_us is None or hi_us is None:
                return
            window = Window((sensor,), lo_us, hi_us)
            for kind, width_us in WIDTHS.items():
                self._compactor.delete((kind,), window.widened(width_us))
            self.again(sensor, [us for us in (lo_us, hi_us) if abs(us) < _FAR_US])
            self._compactor.add([], [], {_DELETING[0]: _NONE})

    def again(self, sensor: int, moments_us: Sequence[int]) -> None:
        """Sum the buckets of a sensor up again that these moments lie in."""
        with self._compactor.work, self._shelf.view() as view:
            made: list[Partition] = []
            for kind, width in WIDTHS.items():
                starts = np.unique(np.array(moments_us, np.int64) // width * width)
                touched = Touched(np.full(len(starts), sensor, np.int32), starts)
                made += self._summed(view, kind, touched)
            self._compactor.add(made, [], {})

    def _touched(self, view: View, new: Sequence[Partition], width_us: int) -> Touched:
        rows = self._shelf.relation(
            view, "readings", Window(), once=False, only=lambda one: one in new, hot=False
        )
        start = f"event_us - (event_us % {width_us} + {width_us}) % {width_us}"
        pairs = self._engine.arrays(
            f"select distinct sensor, {start} as start_us from {rows} order by start_us, sensor"
        )
        return Touched(pairs["sensor"], pairs["start_us"])

    def _summed(self, view: View, kind: Kind, touched: Touched) -> list[Partition]:
        width_us, made = WIDTHS[kind], []
        given: Columns = {"sensor": touched.sensor, "start_us": touched.start_us}
        for low, high in touched.spans(_AT_ONCE, width_us):
            readings = self._shelf.relation(view, "readings", Window(None, low, high), hot=False)
            sums = summed_again(readings, "given", width_us, (low, high), self.turnovers)
            number = self._compactor.number()
            select = f"select *, {number << ORDER_BITS}::bigint as ord from ({sums})"
            one = self._compactor.write(Place(kind, number, number, 0), select, given)
            made += [one] if one else []
        return made

    def _worth(self, view: View, kind: Kind, touched: Touched) -> Touched:
        """Those that can be summed up: where readings were let go, a sum that is there stays."""
        if view.pruned_us is None or not (touched.start_us < view.pruned_us).any():
            return touched
        old = self._shelf.relation(view, kind, Window(None, None, view.pruned_us))
        there = self._engine.arrays(f"select distinct sensor, start_us from {old}")
        stay = set(zip(there["sensor"].tolist(), there["start_us"].tolist(), strict=True))
        pairs = zip(touched.sensor.tolist(), touched.start_us.tolist(), strict=True)
        left = np.array([pair not in stay for pair in pairs], dtype=np.bool_)
        return Touched(touched.sensor[left], touched.start_us[left])

    def buckets(self, view: View, asked: Stretches) -> Buckets:
        """Readings summed up: from roll-ups as far as they go, else from readings."""
        kind = _grain(asked)
        if kind is None:
            return self._raw(view, asked)
        width = WIDTHS[kind]
        first, last = -(-asked.start_us // width) * width, asked.end_us // width * width
        fresh = self._fresh_us(view, asked)
        split = last if fresh is None else min(max(fresh // width * width, first), last)
        head = Stretches(asked.sensors, asked.start_us, first - asked.start_us, 1)
        rest = Stretches(asked.sensors, split, width, (last - split) // width)
        tail = Stretches(asked.sensors, last, asked.end_us - last, 1)
        parts = [self._stored(view, kind, Window(asked.sensors, first, split))]
        parts += [self._raw(view, some) for some in (head, rest, tail) if some.width_us and some.n]
        fine = Buckets.joined(parts)
        fine = fine.take(np.lexsort((fine.start_us, fine.sensor)))
        return merged(fine, asked.edges, 1, self.turnovers)

    def _stored(self, view: View, kind: Kind, window: Window) -> Buckets:
        rows = self._shelf.relation(view, kind, window)
        return Buckets.of(self._engine.arrays(f"select {COLUMNS[kind]} from {rows}"))

    def _raw(self, view: View, asked: Stretches) -> Buckets:
        window = Window(asked.sensors, asked.start_us, asked.end_us)
        rows = self._shelf.relation(view, "readings", window)
        sql = summed(rows, asked.width_us, asked.start_us, self.turnovers)
        return Buckets.of(self._engine.arrays(sql))

    def _fresh_us(self, view: View, asked: Stretches) -> int | None:
        """From when on readings are not all in the roll-ups; None: all of them are."""
        window = Window(asked.sensors, asked.start_us, asked.end_us)
        rows = self._shelf.relation(
            view, "readings", window, once=False, only=lambda one: one.hi > view.rolled
        )
        ((found,),) = self._engine.run(f"select min(event_us) from {rows}")
        return None if found is None else int(found)


def _first(new: Sequence[Partition]) -> list[Partition]:
    """The first of some partitions by their batches, as many as are summed up in one go."""
    first: list[Partition] = []
    for one in sorted(new, key=lambda one: one.hi):
        if first and sum(other.rows for other in first) + one.rows > _MOST:
            break
        first.append(one)
    return first


def _grain(asked: Stretches) -> Kind | None:
    """The widest roll-ups of which whole ones fill the stretches, or the one stretch nearly."""
    for kind in ("hours", "minutes"):
        width = WIDTHS[kind]
        fits = not asked.start_us % width and not asked.width_us % width
        if fits or (asked.n == 1 and asked.width_us >= 2 * width):
            return kind
    return None
