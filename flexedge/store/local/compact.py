"""From journal to partitions, from small partitions to large ones, and out when they are old."""

import bisect
import contextlib
import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from flexedge.store.local import durable
from flexedge.store.local.batch import Batch, ordered
from flexedge.store.local.engine import Columns, Engine
from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import (
    KINDS,
    Kind,
    Partition,
    Place,
    rolled_without,
    write,
)
from flexedge.store.local.shelf import Shelf, View, Window
from flexedge.store.rows import Beliefs, Readings

CHUNK = 1_000_000
"""Rows of a partition out of the journal, at most about; must fit below ``ORDER_BITS``."""
_FANS: dict[Kind, tuple[int, ...]] = {"readings": (24,), "beliefs": (24, 30, 12),
                                      "minutes": (24, 30, 12), "hours": (24, 30, 12)}  # fmt: skip
"""How many partitions become one, by how often they were merged: hours, days, months."""
_NOTHING: dict[Kind, Readings | Beliefs] = {"readings": Readings.empty(),
                                            "beliefs": Beliefs.empty()}  # fmt: skip
_A_DAY_US = 86_400_000_000
_LARGEST = 8_000_000  # rows: no partition is merged beyond


class Compactor:
    """Changes what there is to read; one piece of work at a time, readers are never in the way."""

    def __init__(self, engine: Engine, journal: Journal, history: Path) -> None:
        self._engine = engine
        self._journal = journal
        self._history = history
        self.work = threading.RLock()
        """Held while partitions are made and exchanged."""
        self.gate = threading.Lock()
        """Held while rows come in, and while what there is to read changes."""
        self._tables = 0
        self._cold: list[Batch] = []
        self._reserved_first: int | None = None
        """The first number that rows have which are on their way past the journal."""
        self.shelf = Shelf(history, View((), {}), self._warm)
        self.show()

    def show(self) -> None:
        """Load hot tables anew and publish what there is. For the start and after failures."""
        with self.gate:
            self._publish(fresh=True)

    def reopen(self) -> None:
        """Take the journal's file back, after a disk was away, and show at once what is in it.

        A commit that failed may be there after all: nobody may see its number without its rows.
        """
        with self.gate:
            self._journal.reopen()
            try:
                self._publish(fresh=True)
            except BaseException:
                self._journal.let_go()
                raise

    def compact(self) -> bool:
        """Bring what the journal holds into partitions; whether there was anything."""
        with self.work:
            until, moved = self._journal.last, False
            for chunk in _chunks(self._journal.batches(0, until)):
                made = [
                    one for kind in ("readings", "beliefs") for one in self._written(kind, chunk)
                ]
                facts = self._to_roll(made)
                self._exchange(made, (), facts, [batch.seq for batch in chunk])
                moved = True
            return moved

    def _written(self, kind: Kind, chunk: Sequence[Batch]) -> list[Partition]:
        """The partitions of a chunk; none spans another one that went past the journal.

        What spans another one counts as merged from it, should the manifest be lost.
        """
        there = sorted(one.lo for one in self.shelf.newest.partitions if one.kind == kind)
        batches = [batch for batch in chunk if batch.kind == kind]
        made = []
        for _, some in itertools.groupby(batches, lambda batch: bisect.bisect(there, batch.seq)):
            run = list(some)
            columns = ordered([(batch.seq, batch.rows) for batch in run])
            made.append(self.write(Place(kind, run[0].seq, run[-1].seq, 0), "from given", columns))
        return [one for one in made if one]

    def _to_roll(self, made: Sequence[Partition]) -> dict[str, int]:
        """The facts by which readings are summed up that lay in the journal for longer."""
        late = [one.lo for one in made if one.kind == "readings"]
        return {"rolled": min([self.shelf.newest.rolled, *(lo - 1 for lo in late)])} if late else {}

    def absorb(
        self, parts: Iterable[Readings | Beliefs], replacing: Callable[[], bool] = lambda: False
    ) -> None:
        """Keep many rows past the journal, all or none; they last when this returns.

        ``replacing``: whether some take the place of others, asked after the last part.
        """
        with self.work, self._absorbing():
            made = []
            for rows in parts:
                kind: Kind = "readings" if isinstance(rows, Readings) else "beliefs"
                for at in range(0, len(rows), CHUNK):
                    number = self._reserved()
                    part = rows.take(np.arange(at, min(at + CHUNK, len(rows))))
                    place = Place(kind, number, number, 0)
                    made.append(self.write(place, "from given", ordered([(number, part)])))
            self._exchange(
                [one for one in made if one], facts={"replaced": 1} if replacing() else {}
            )

    @contextlib.contextmanager
    def _absorbing(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._reserved_first = None

    def _reserved(self) -> int:
        """A number for rows that are not to be seen for a while."""
        with self.gate:
            number = self._journal.reserve(1)
            self._reserved_first = self._reserved_first or number
            return number

    def shown(self) -> int:
        """The number up to which no batch can come to be seen any more, now or after a crash."""
        with self.gate:
            kept, first = self._journal.kept, self._reserved_first
            return kept if first is None else min(kept, first - 1)

    def add(
        self, made: Sequence[Partition], removed: Sequence[Partition], facts: Mapping[str, int]
    ) -> None:
        """Exchange partitions that were written elsewhere."""
        self._exchange(made, removed, facts)

    def merge(self, room: int | None = None) -> bool:
        """Make one partition of many small ones, where there are enough; whether one was made.

        ``room``: bytes on the disk; what needs more is put off.
        """
        with self.work:
            made = [
                self._merged(kind, level, room)
                for kind in KINDS
                for level in range(len(_FANS[kind]))
            ]
            return any(made)

    def _merged(self, kind: Kind, level: int, room: int | None) -> bool:
        mine = [one for one in self.shelf.newest.partitions if one.kind == kind]
        small = [one for one in mine if one.level == level]
        much = len(small) > 1 and sum(one.rows for one in small) >= _LARGEST
        if len(small) < _FANS[kind][level] and not much:
            return False
        group: list[Partition] = []
        for one in mine[mine.index(small[0]) :]:
            # what is merged spans no other one: see ``_written``
            large = sum(other.rows for other in group) + one.rows > _LARGEST
            if one.level != level or (group and large):
                break
            group.append(one)
        if len(group) == 1:
            self._exchange([replace(group[0], level=level + 1)], group, unlink=False)
            return True
        if room is not None and sum(one.size for one in group) > room:
            return False
        with self.shelf.view() as view:
            rows = self.shelf.relation(
                view, kind, Window(), once=False, only=lambda one: one in group, hot=False
            )
            place = Place(kind, group[0].lo, max(one.hi for one in group), level + 1)
            made = self.write(place, f"from {rows}")
        self._exchange([made] if made else [], group)
        return True

    def prune(self, kind: Kind, now_us: int, span_us: int) -> int:
        """Let partitions go whose last row is older than a span; returns how many bytes.

        A clock that is far ahead lets nothing go: the newest row says how late it is at most.
        """
        with self.work:
            view = self.shelf.newest
            mine = [one for one in view.partitions if one.kind == kind]
            newest_us = max((one.last_us for one in mine), default=now_us)
            before_us = min(now_us, newest_us + _A_DAY_US) - span_us
            old = [
                one
                for one in mine
                if one.last_us < before_us and (kind != "readings" or one.hi <= view.rolled)
            ]
            self.let_go(old)
            return sum(one.size for one in old)

    def let_go(self, old: Sequence[Partition]) -> None:
        """Take partitions out for good. Readings must be in the roll-ups."""
        if not old:
            return
        with self.work:
            read = [one.last_us + 1 for one in old if one.kind == "readings"]
            pruned = max([*read, self.shelf.newest.pruned_us or 0])
            self._exchange([], old, {"pruned": pruned} if read else {})

    def drop(self, names: Collection[str]) -> None:
        """Take partitions out of the manifest whose files are gone or set aside.

        Sums that are lost are made again by the next ``Roller.roll`` where their readings are.
        """
        view = self.shelf.newest
        gone = [one for one in view.partitions if one.name in names]
        facts = {"rolled": rolled_without(view.partitions, gone, view.rolled)}
        self._exchange([], gone, facts, unlink=False)

    def number(self) -> int:
        """A number for a partition of sums: each has one of its own."""
        return self._journal.reserve(1)

    def fact(self, name: str) -> int | None:
        """A number that was put down beside the manifest."""
        return self._journal.fact(name)

    def delete(
        self, kinds: Sequence[Kind], window: Window, more: str = "true",
        facts: Mapping[str, int] | None = None,
    ) -> int:  # fmt: skip
        """Take rows out of every partition; ``more``: a further condition. How many rows went."""
        self.compact()
        with self.work, self.shelf.view() as view:
            made, old, gone = [], [], 0
            for kind in kinds:
                condition = f"({window.where(kind)}) and ({more})"
                for one in view.partitions:
                    if one.kind != kind or not window.touches(one):
                        continue
                    path = self.shelf.path(one)
                    sql = f"select count(*) from read_parquet('{path}') where {condition}"
                    ((n,),) = self._engine.run(sql)
                    if not n:
                        continue
                    left = f"select * from read_parquet('{path}') where not ({condition})"
                    made.append(self.write(Place(kind, one.lo, one.hi, one.level), left))
                    old.append(one)
                    gone += n if kind in ("beliefs", "readings") else 0
            if old or facts:
                self._exchange([one for one in made if one], old, facts)
            return gone

    def write(self, place: Place, select: str, given: Columns | None = None) -> Partition | None:
        """Write a partition that counts once it is added; None when there are no rows."""
        made = write(self._engine, self._history, place, select, given)
        if made is not None:
            self.shelf.written(made.name)
        return made

    def _exchange(
        self,
        made: Sequence[Partition],
        old: Sequence[Partition] = (),
        facts: Mapping[str, int] | None = None,
        taken: Sequence[int] = (),
        *,
        unlink: bool = True,
    ) -> None:
        with self.gate:
            self._journal.exchange(made, [one.name for one in old], facts, taken)
            files = [self._history / one.name for one in old] if unlink else []
            self._publish(fresh=bool(taken), garbage=files)

    def _publish(self, *, fresh: bool, garbage: Sequence[Path] = ()) -> None:
        """Show what manifest and journal say now. The gate is held."""
        before = self.shelf.newest
        hot = self._loaded() if fresh else before.hot
        view = View(
            tuple(self._journal.partitions()),
            hot,
            rolled=self._journal.fact("rolled") or 0,
            pruned_us=self._journal.fact("pruned"),
            replaced=bool(self._journal.fact("replaced")),
            spread=bool(self._journal.fact("spread")),
        )
        clear = [partial(durable.remove, path) for path in garbage]
        if fresh:
            clear += [partial(self._engine.forget, table) for table in before.hot.values()]
        self.shelf.publish(view, clear)

    def _loaded(self) -> Mapping[Kind, str]:
        """New hot tables with all that the journal holds."""
        self._tables += 1
        hot: dict[Kind, str] = {kind: f"{kind}_{self._tables}" for kind in ("readings", "beliefs")}
        for kind, rows in _NOTHING.items():
            self._engine.make(hot[kind], rows.columns() | {"ord": np.empty(0, np.int64)})
        for chunk in _chunks(self._journal.batches(0)):
            self._heat(chunk, hot)
        self._cold = []
        return hot

    def came(self, batches: Sequence[Batch]) -> None:
        """New rows of the journal are to be seen from the next view on. The gate is held.

        They wait here until somebody looks: then many commits make one insert.
        """
        self._cold += batches

    def _warm(self) -> None:
        if self._cold:
            with self.gate:
                for chunk in _chunks(iter(self._cold)):
                    self._heat(chunk, self.shelf.newest.hot)
                self._cold = []

    def _heat(self, batches: Sequence[Batch], hot: Mapping[Kind, str]) -> None:
        for kind, table in hot.items():
            some = [
                (batch.seq, batch.rows)
                for batch in batches
                if batch.kind == kind and batch.stamp.trusted
            ]
            if some:
                self._engine.load(table, ordered(some))


def _chunks(batches: Iterator[Batch]) -> Iterator[list[Batch]]:
    """Batches in groups of a size that memory bears."""
    chunk: list[Batch] = []
    rows = 0
    for batch in batches:
        chunk.append(batch)
        rows += len(batch.rows)
        if rows >= CHUNK:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk
