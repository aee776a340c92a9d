"""The archive in a folder: rows go into the journal, and are read from files and hot tables."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from flexedge.domain.asset import Knowable
from flexedge.errors import StoreClosed, StoreError
from flexedge.store.archive import Asked, Keep, Kind, Since, Stamp, Statistics, Stretch, Tally
from flexedge.store.asked import few, select
from flexedge.store.local import durable, recover, rollup
from flexedge.store.local.compact import CHUNK, Compactor
from flexedge.store.local.disk import Bounds
from flexedge.store.local.engine import Engine, Limits
from flexedge.store.local.guard import Found, Guard
from flexedge.store.local.looks import Looks, is_short
from flexedge.store.local.partition import KINDS, Partition
from flexedge.store.local.partition import Kind as Grain
from flexedge.store.local.rounds import Rounds
from flexedge.store.local.shelf import DamagedPartition, View, Window
from flexedge.store.local.since import Came, last_of
from flexedge.store.rows import Beliefs, Buckets, Readings, micros
from flexedge.store.single import newest
from flexedge.store.words import turnovers

_T = TypeVar("_T")
_TICK = timedelta(microseconds=1)
_FEW = 4000  # rows that are sorted here rather than by a query
_HOUR = timedelta(hours=1)
_MANY = 200_000  # rows: so many go past the journal at once, or are compacted before the hour

_BROKEN = ("invalidated", "FATAL", "losed", "Table with name")
"""What DuckDB says when its instance is of no use any more."""
_TRIES = 2
_CERTAIN = 0.5


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
        self._roller.turnovers = turnovers(self._journal.known("sensor"))
        self._shelf = self._compactor.shelf
        self._looks = Looks(self._engine, self._shelf)
        self._came = Came(self._engine, self._shelf)
        self._guard = Guard(folder, bounds or Bounds(), self._keep, self._journal, self._compactor)
        self._rounds = Rounds(self._journal, self._shelf)
        self._compacted: datetime | None = None
        self._mending, self._introducing = threading.Lock(), threading.Lock()
        self._begun = 0
        self._closed = False
        self._now = now

    def commit(
        self, readings: Readings, beliefs: Beliefs, stamp: Stamp, *, replacing: bool = False
    ) -> None:
        """Keep rows, all or none; they are safe from a power cut when this returns."""
        now = self._shelf.newest
        facts = {"replaced": replacing, "spread": bool((beliefs.probability != _CERTAIN).any())}
        new = {name: 1 for name, is_so in facts.items() if is_so and not getattr(now, name)}
        if new:
            self._guard.writing(lambda: self._compactor.add([], [], new))
        self._guard.writing(lambda: self._commit(readings, beliefs, stamp))

    def _commit(self, readings: Readings, beliefs: Beliefs, stamp: Stamp) -> None:
        parts = [rows for rows in (readings, beliefs) if len(rows)]
        if stamp.trusted and any(len(rows) >= _MANY for rows in parts):
            self._compactor.absorb(parts)
            return
        if any(len(rows) > CHUNK for rows in parts):
            raise StoreError("so many rows need a clock that can be trusted")
        with self._compactor.gate:
            self._compactor.came(self._journal.append(parts, stamp))

    def introduce(self, kind: Kind, number: int, words: str) -> None:
        """Note what a sensor or source number stands for."""
        with self._introducing:
            self._guard.writing(lambda: self._journal.introduce(kind, number, words))
            self._roller.turnovers = turnovers(self._journal.known("sensor"))

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
            try:
                if asked.most_recent and is_short(asked):
                    found = Beliefs.of(self._engine.arrays(*few(asked, rows, knowable, _FEW)))
                    if len(found) < _FEW:
                        return newest(found)
                query = select(asked, rows, knowable, certain=not view.spread)
            except KeyError as error:
                raise StoreError(f"nobody said when events of sensor {error} are known") from error
            return Beliefs.of(self._engine.arrays(*query))

        return self._reading(read)

    def latest(self, sensors: Sequence[int], now: datetime) -> Readings:
        """The newest usable reading until ``now`` of each sensor that has one."""
        return self._reading(lambda view: self._looks.readings(view, sensors, now))

    def newest(self, sensors: Sequence[int], now: datetime) -> Beliefs:
        """The belief about the newest event that starts by ``now``, of each sensor."""
        return self._reading(lambda view: self._looks.beliefs(view, sensors, now))

    def statistics(self, asked: Asked) -> list[Statistics]:
        """What there is about sensors, by sensor and source; readings first."""
        window = Window(asked.sensors, _us(asked.start), _us(asked.end))
        return self._reading(lambda view: self._looks.statistics(view, asked, window))

    def epoch(self) -> int:
        """Another one as soon as ingest numbers may begin anew; positive."""
        return self._journal.epoch

    def top(self) -> int:
        """The ingest number up to which nothing can come in any more; 0: nothing came yet."""
        return last_of(self._compactor.shown())

    def since(self, since: Since) -> Stretch:
        """Beliefs of one sensor in order of when they came in."""
        return self._reading(lambda view: self._came.since(view, since))

    def tally(self, lo: int, hi: int, sensors: Sequence[int] | None = None) -> list[Tally]:
        """What came in with lo < ingest number <= hi, by sensor and source."""
        return self._reading(lambda view: self._came.tally(view, lo, hi, sensors))

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
        return self._roller.delete(sensor, window)

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

    def ask(
        self, kind: Grain, window: Window, sql: Callable[[str], str], *, once: bool = True
    ) -> list[tuple[Any, ...]]:
        """The rows of a query over what there is of a kind, which it gets as SQL in brackets.

        ``once``: one row of each key; without it also those that others took the place of, which
        takes no memory.
        """

        def read(view: View) -> list[tuple[Any, ...]]:
            distinct = once and (kind != "beliefs" or view.replaced)
            return self._engine.run(sql(self._shelf.relation(view, kind, window, once=distinct)))

        return self._reading(read)

    def absorb(
        self,
        parts: Callable[[], Iterable[Readings | Beliefs]],
        replacing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Keep any number of rows, all or none, one part in memory at a time; as ``commit``.

        ``parts`` gives all of them, and is asked once more where the disk was full half-way.
        ``replacing`` is asked after the last part.
        """
        self._guard.writing(lambda: self._compactor.absorb(parts(), replacing))

    def partitions(self) -> Sequence[Partition]:
        """The files there are."""
        return self._shelf.newest.partitions

    def waiting(self) -> tuple[int, int]:
        """How many rows are in the journal only: dated, and read by a clock that was not right."""
        return self._journal.waiting(), self._journal.waiting(trusted=False)

    def mend(self) -> None:
        """Set aside what is damaged, and sum up again what can be; takes as long as it takes."""
        with self._shelf.view() as view:
            bad = [error for one in view.partitions for error in self._shelf.unfit(one)]
        for error in bad:
            self._set_aside(error)
        self._compactor.compact()
        while self._roller.roll():
            pass

    def _maintain(self, now: datetime, room: int) -> None:
        due = self._compacted is None or now - self._compacted >= _HOUR or now < self._compacted
        if due or self._journal.waiting() >= _MANY:
            self._compactor.compact()
            self._journal.shrink()
            self._compacted = now
        for damaged in self._rounds.go_on(now):
            self._set_aside(damaged)
        self._roller.complete()
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
