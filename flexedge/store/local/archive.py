"""The archive in a folder: rows go into the journal, and are read from files and hot tables."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from flexedge.domain.asset import Knowable
from flexedge.domain.belief import USABLE
from flexedge.errors import StoreClosed, StoreError
from flexedge.store.archive import Asked, Keep, Kind, Stamp, Statistics
from flexedge.store.asked import select, statistics
from flexedge.store.local import durable, recover, rollup
from flexedge.store.local.compact import Compactor
from flexedge.store.local.disk import Bounds
from flexedge.store.local.engine import Engine, Limits
from flexedge.store.local.guard import Found, Guard
from flexedge.store.local.partition import COLUMNS, KINDS
from flexedge.store.local.shelf import DamagedPartition, View, Window
from flexedge.store.rows import Beliefs, Buckets, Readings, micros, moment

_T = TypeVar("_T")
_Rows = TypeVar("_Rows", Readings, Beliefs)
_TICK = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_MANY = 200_000  # rows: so many go past the journal at once, or are compacted before the hour
_LOOKS = (_HOUR, timedelta(days=1), timedelta(days=30), None)
"""How far back the newest reading is looked for, step by step."""

_BROKEN = ("invalidated", "FATAL", "losed", "Table with name")
"""What DuckDB says when its instance is of no use any more."""
_TRIES = 2


class LocalArchive:
    """An ``Archive`` in a folder. One process at a time; safe to use from any thread.

    ``alarms``: what was found damaged, and what became of it.
    """

    def __init__(
        self, folder: Path, now: datetime, limits: Limits | None = None, keep: Keep | None = None,
        bounds: Bounds | None = None,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._keep = keep or Keep()
        self.alarms: list[str] = []
        durable.make_folder(folder)
        history, temp = folder / "history", folder / "temp"
        self._engine = Engine(history, temp, limits or Limits())
        self._journal = recover.opened(self._engine, folder, now, self.alarms.append)
        self._compactor = Compactor(self._engine, self._journal, history)
        self._roller = rollup.Roller(self._engine, self._compactor)
        self._shelf = self._compactor.shelf
        self._guard = Guard(folder, bounds or Bounds(), self._keep, self._journal, self._compactor)
        self._compacted: datetime | None = None
        self._mending = threading.Lock()
        self._begun = 0
        self._closed = False
        self._now = now

    def commit(
        self, readings: Readings, beliefs: Beliefs, stamp: Stamp, *, replacing: bool = False
    ) -> None:
        """Keep rows, all or none; they are safe from a power cut when this returns."""
        if replacing and not self._shelf.newest.replaced:
            self._guard.writing(lambda: self._compactor.add([], [], {"replaced": 1}))
        self._guard.writing(lambda: self._commit(readings, beliefs, stamp))

    def _commit(self, readings: Readings, beliefs: Beliefs, stamp: Stamp) -> None:
        parts = [rows for rows in (readings, beliefs) if len(rows)]
        if any(len(rows) >= _MANY for rows in parts):
            if not stamp.trusted:
                raise StoreError("so many rows need a clock that can be trusted")
            self._compactor.absorb(parts)
            return
        with self._compactor.gate:
            self._compactor.came(self._journal.append(parts, stamp))

    def introduce(self, kind: Kind, number: int, words: str) -> None:
        """Note what a sensor or source number stands for."""
        self._guard.writing(lambda: self._journal.introduce(kind, number, words))

    def known(self, kind: Kind) -> Mapping[int, str]:
        """What was introduced."""
        return self._journal.known(kind)

    def readings(self, sensors: Sequence[int], start: datetime, end: datetime) -> Readings:
        """Readings with start <= event < end in order of sensor and event, each event once."""
        window = Window(sensors, micros(start), micros(end))

        def read(view: View) -> Readings:
            rows = self._shelf.relation(view, "readings", window)
            sql = f"select sensor, event_us, value, quality from {rows} order by all"
            return Readings.of(self._engine.arrays(sql))

        return self._reading(read)

    def buckets(self, sensors: Sequence[int], start: datetime, width: timedelta, n: int) -> Buckets:
        """Readings summed up in ``n`` stretches from ``start`` on; empty ones are left out."""
        asked = rollup.Stretches(sensors, micros(start), width // _TICK, n)
        return self._reading(lambda view: self._roller.buckets(view, asked))

    def beliefs(self, asked: Asked, knowable: Mapping[int, Knowable]) -> Beliefs:
        """Beliefs in order of sensor, event, source, belief time, probability."""
        window = Window(asked.sensors, _us(asked.start), _us(asked.end))

        def read(view: View) -> Beliefs:
            rows = self._shelf.relation(view, "beliefs", window, once=view.replaced)
            return Beliefs.of(self._engine.arrays(*query(rows)))

        def query(rows: str) -> tuple[str, list[int]]:
            try:
                return select(asked, rows, knowable)
            except KeyError as error:
                raise StoreError(f"nobody said when events of sensor {error} are known") from error

        return self._reading(read)

    def latest(self, sensors: Sequence[int], now: datetime) -> Readings:
        """The newest usable reading until ``now`` of each sensor that has one."""
        usable = ", ".join(str(code) for code in USABLE)

        def newest(some: Sequence[int], lo_us: int | None, view: View) -> Readings:
            rows = self._shelf.relation(view, "readings", Window(some, lo_us, micros(now) + 1))
            sql = (
                "select sensor, max(event_us) as event_us, arg_max(value, event_us) as value,"
                " arg_max(quality, event_us) as quality"
                f" from {rows} where quality in ({usable}) and not isnan(value) group by sensor"
            )
            return Readings.of(self._engine.arrays(sql))

        return self._reading(
            lambda view: _step_by_step(Readings, sensors, now, partial(newest, view=view))
        )

    def newest(self, sensors: Sequence[int], now: datetime) -> Beliefs:
        """The belief about the newest event that starts by ``now``, of each sensor."""

        def newest(some: Sequence[int], lo_us: int | None, view: View) -> Beliefs:
            window = Window(some, lo_us, micros(now) + 1)
            rows = self._shelf.relation(view, "beliefs", window, once=view.replaced)
            sql = (
                f"select {COLUMNS['beliefs']} from {rows}"
                " qualify row_number() over (partition by sensor order by event_us desc,"
                " belief_us desc, source, abs(probability - 0.5)) = 1"
            )
            return Beliefs.of(self._engine.arrays(sql))

        return self._reading(
            lambda view: _step_by_step(Beliefs, sensors, now, partial(newest, view=view))
        )

    def statistics(self, sensor: int) -> list[Statistics]:
        """What there is about a sensor, by source; readings first."""

        def read(view: View) -> list[Statistics]:
            held = self._shelf.relation(view, "beliefs", Window((sensor,)), once=view.replaced)
            read = self._shelf.relation(view, "readings", Window((sensor,)))
            as_beliefs = (
                f"(select sensor, -1 as source, event_us, event_us as belief_us, value from {read})"
            )
            found = [self._engine.run(*statistics(sensor, rows)) for rows in (as_beliefs, held)]
            return [_told(row) for rows in found for row in rows]

        return self._reading(read)

    def delete(
        self, sensor: int, source: int | None, start: datetime | None, end: datetime | None
    ) -> int:
        """Take beliefs of one source (None: of all, and the readings, too) out for good."""
        return self._guard.writing(lambda: self._delete(sensor, source, start, end))

    def _delete(
        self, sensor: int, source: int | None, start: datetime | None, end: datetime | None
    ) -> int:
        window = Window((sensor,), _us(start), _us(end))
        if source is not None:
            return self._compactor.delete(("beliefs",), window, f"source = {int(source)}")
        with self._compactor.work:
            gone = self._compactor.delete(("beliefs", "readings"), window)
            for kind, width_us in rollup.WIDTHS.items():
                self._compactor.delete((kind,), window.widened(width_us))
            edges = [us for us in (window.lo_us, window.hi_us) if us is not None]
            self._roller.again(sensor, edges)
        return gone

    def restamp(self, stamp: Stamp) -> int:
        """Date what this boot read before its clock was right; returns how many readings."""
        return self._guard.writing(lambda: self._restamp(stamp))

    def _restamp(self, stamp: Stamp) -> int:
        with self._compactor.gate:
            batches = self._journal.redate(stamp)
            self._compactor.came(batches)
        return sum(len(batch.rows) for batch in batches)

    def maintain(self, now: datetime) -> None:
        """Bring what the journal holds into partitions, sum up, merge, let old rows go.

        What the disk is to blame for is in ``conditions`` and does not raise.
        """
        self._now = now

        def work(room: int) -> None:
            try:
                self._maintain(now, room)
            except DamagedPartition as error:
                self._set_aside(error)

        self._guard.maintain(now, work)

    def conditions(self) -> Mapping[str, str]:
        """What is wrong and what to do, by what it is about; "" is well."""
        return {"store-damaged": "; ".join(self.alarms), **self._guard.conditions()}

    @property
    def disk(self) -> Found | None:
        """How the disk was found at the last maintenance."""
        return self._guard.found

    def _maintain(self, now: datetime, room: int) -> None:
        due = self._compacted is None or now - self._compacted >= _HOUR or now < self._compacted
        if due or self._journal.waiting() >= _MANY:
            self._compactor.compact()
            self._journal.shrink()
            self._compacted = now
        self._roller.roll()
        self._compactor.merge(room)
        for kind in KINDS:
            span = getattr(self._keep, kind)
            if span is not None:
                self._compactor.prune(kind, micros(now), span // _TICK)

    def close(self) -> None:
        """Let go of everything; what was committed stays."""
        self._closed = True
        self._journal.close()
        self._engine.close()

    def _reading(self, read: Callable[[View], _T]) -> _T:
        """Do a query; what it finds damaged is set aside, and the query done again without it."""
        tries = 0
        while True:
            begun = self._begun
            try:
                with self._shelf.view() as view:
                    return read(view)
            except DamagedPartition as error:
                self._set_aside(error)
            except StoreError as error:
                if self._closed:
                    raise StoreClosed("the store is closed") from error
                tries += 1
                if tries > _TRIES or not any(mark in str(error) for mark in _BROKEN):
                    raise
                self._begin_anew(begun)

    def _begin_anew(self, begun: int) -> None:
        """Start DuckDB again after what it does not survive, unless another thread just did."""
        with self._mending:
            if begun == self._begun and not self._closed:
                self._engine.begin_anew()
                self._compactor.show()
                self._begun += 1

    def _set_aside(self, damaged: DamagedPartition) -> None:
        with self._mending:
            names = {one.name for one in self._shelf.newest.partitions}
            if damaged.name not in names:
                return  # somebody else was faster
            recover.present(self._folder)
            path = self._folder / "history" / damaged.name
            aside = "nowhere"
            if path.exists():
                aside = recover.set_aside(self._folder / "quarantine", path, self._now).name
            self._compactor.drop([damaged.name])
            self.alarms.append(f"{damaged}; kept as quarantine/{aside}")


def _us(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _step_by_step(
    kind: type[_Rows], sensors: Sequence[int], now: datetime,
    look: Callable[[Sequence[int], int | None], _Rows],
) -> _Rows:  # fmt: skip
    """The newest of each sensor, looked for further and further back; in order of sensors."""
    found, missing = [], set(sensors)
    for back in _LOOKS:
        found.append(look(sorted(missing), None if back is None else micros(now - back)))
        missing -= set(found[-1].sensor.tolist())
        if not missing:
            break
    rows = kind.joined(found)
    return rows.take(np.argsort(rows.sensor, kind="stable"))


def _told(row: tuple[Any, ...]) -> Statistics:
    source, first, last, belief, *numbers, count = row
    least, most, mean, total = (math.nan if one is None else float(one) for one in numbers)
    return Statistics(None if source < 0 else source, moment(first), moment(last), moment(belief),
                      least, most, mean, total, count)  # fmt: skip
