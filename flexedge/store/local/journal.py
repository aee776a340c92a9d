"""The journal: batches of rows in SQLite, and the manifest of partitions that took them over.

What ``append`` has returned from is on the disk: WAL, synchronous=FULL. Manifest and journal
change in one transaction, so that every row is in one of them and never in both.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from flexedge.errors import StoreClosed, StoreDamaged, StoreUnwritable
from flexedge.store.archive import Kind, Stamp
from flexedge.store.local import batch, layout, pages
from flexedge.store.local.batch import Batch
from flexedge.store.local.mark import Mark
from flexedge.store.local.partition import Partition
from flexedge.store.rows import Beliefs, Readings

_KEEP = "insert into batches values (?, ?, ?, ?, ?, ?, ?)"
_FORGET = "delete from batches where seq = ?"
_LEAP = 1 << 16  # batches: more than come in half a minute
_READ = f"select {layout.BATCH} from batches"


class Journal:
    """One file. Safe to use from any thread. Raises ``StoreError``; then nothing has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.begun = False
        """Whether there was nothing before, or not all was settled since."""
        self._next, self._epoch = 1, 0
        self._mark = Mark(path)
        self._doubtful: set[int] = set()
        """What was refused, but may be there all the same once the file is opened anew."""
        self._away = False
        self._begin()
        path.chmod(0o600)

    def _begin(self) -> None:
        self._connection = pages.connect(self._path)
        try:
            with self._told():
                self._open()
        except BaseException:
            self._connection.close()
            raise

    def reopen(self) -> None:
        """Open the file anew, after a disk was away; what was appended is there again, no more.

        Raises ``StoreDamaged`` where the file is, ``StoreError`` where the disk is not back.
        """
        with self._lock:
            self._let_go()
            self._begin()
            try:
                with self._told():
                    self._connection.executemany(_FORGET, [(seq,) for seq in self._doubtful])
            except BaseException:
                self._let_go()  # or what is doubtful would count as kept
                raise
            self._doubtful, self._away = set(), False

    def _open(self) -> None:
        layout.prepare(self._connection, self._path)
        for table in layout.SEALED:
            layout.rows(self._connection, self._path, table)
        begun = f"select value from facts where name = '{layout.BEGUN}'"
        self.begun = bool(self._number(begun))
        self._count()
        self._epoch = layout.epoch(self._connection)

    def _count(self) -> None:
        self._next = max(self._next, 1 + self._found())

    def _found(self) -> int:
        return max(
            self._number("select max(seq) from batches"),
            self._number("select max(hi) from partitions"),
            self._number("select value from facts where name = 'last'"),
        )

    def _number(self, sql: str) -> int:
        (found,) = self._connection.execute(sql).fetchone() or (0,)
        return int(found or 0)

    @property
    def epoch(self) -> int:
        """Another one where numbers may begin anew, for all that was known of them is lost."""
        return self._epoch

    @property
    def kept(self) -> int:
        """The greatest number that the file knows of: who opens it next begins beyond that."""
        with self._lock, self._told():
            return self._found()

    @property
    def lacking(self) -> int:
        """How many of the newest batches are not there, though they were; until ``accept``."""
        return self._mark.beyond(self.last)

    def settled(self) -> None:
        """What files there are is in the manifest: from now on one that is not counts for nothing.

        A power cut before that leaves a journal that is still begun.
        """
        with self._transaction() as connection:
            layout.put(connection, "facts", [(layout.BEGUN, 0)])
        self.begun = False

    def accept(self) -> None:
        """Take what is there for all there is; numbers of what was lost are not given again.

        The mark may be behind by what was not written yet, so many more are left out.
        """
        with self._transaction() as connection:
            self._next += self._mark.beyond(self.last) + _LEAP
            self._keep_count(connection)
        self._mark.note(self.last)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with pages.told(self._path):
                yield
        except StoreClosed as error:
            if self._away:
                raise StoreUnwritable(f"{self._path} waits for the disk") from error
            raise

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and on the disk when it is over."""
        with self._lock, self._told():
            connection = self._connection
            connection.execute("begin immediate")
            try:
                yield connection
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise

    def append(self, parts: Sequence[Readings | Beliefs], stamp: Stamp) -> list[Batch]:
        """Keep rows, those of every part together; empty parts are left out."""
        full = [rows for rows in parts if len(rows)]
        first = self.reserve(len(full))
        made = [Batch(first + at, rows, stamp) for at, rows in enumerate(full)]
        numbers = [batch.seq for batch in made]
        packed = [batch.row() for batch in made]
        self._doubtful.update(numbers)
        with self._transaction() as connection:
            connection.executemany(_KEEP, packed)
        self._doubtful.difference_update(numbers)
        if made:
            self._mark.note(made[-1].seq)
        return made

    def batches(
        self, after: int, until: int | None = None, *, trusted: bool = True
    ) -> Iterator[Batch]:
        """Batches after a number, in order; those of the wrong trust are passed over.

        One that does not fit its checksum is passed over, too: see ``damaged``.
        """
        last = self.last if until is None else until
        while True:
            with self._lock, self._told():
                row = self._connection.execute(
                    f"{_READ} where seq > ? and seq <= ? and trusted = ? order by seq limit 1",
                    (after, last, trusted),
                ).fetchone()
            if row is None:
                return
            after = row[0]
            with contextlib.suppress(StoreDamaged):
                yield batch.read(row)

    def damaged(self) -> list[tuple[int, bytes]]:
        """Batches that do not fit their checksum: number and bytes."""
        bad = []
        with self._lock, self._told():
            for row in self._connection.execute(_READ):
                try:
                    batch.read(row)
                except StoreDamaged:
                    bad.append((row[0], _bytes(row[6])))
        return bad

    def drop(self, numbers: Sequence[int]) -> None:
        """Forget batches."""
        with self._transaction() as connection:
            connection.executemany(_FORGET, [(n,) for n in numbers])
            self._keep_count(connection)

    def _keep_count(self, connection: sqlite3.Connection) -> None:
        """Let no number be given twice, whatever goes."""
        layout.put(connection, "facts", [("last", self.last)])

    def reserve(self, n: int) -> int:
        """The first of ``n`` batch numbers that are used for partitions past the journal."""
        with self._lock:
            first, self._next = self._next, self._next + n
            return first

    @property
    def last(self) -> int:
        """The number of the newest batch there ever was."""
        return self._next - 1

    def waiting(self, *, trusted: bool = True) -> int:
        """How many rows are in batches."""
        with self._lock, self._told():
            sql = "select sum(rows) from batches where trusted = ?"
            return int(self._connection.execute(sql, (trusted,)).fetchone()[0] or 0)

    def partitions(self) -> list[Partition]:
        """The manifest, oldest batches first."""
        with self._lock, self._told():
            rows = layout.rows(self._connection, self._path, "partitions")
        found = [Partition(*row) for row in rows]  # type: ignore[arg-type]
        return sorted(found, key=lambda one: (one.lo, one.hi, one.name))

    def exchange(
        self,
        added: Sequence[Partition],
        removed: Sequence[str] = (),
        facts: Mapping[str, int] | None = None,
        taken: Sequence[int] = (),
    ) -> None:
        """Change the manifest; ``taken``: the batches that are in partitions from now on."""
        with self._transaction() as connection:
            connection.executemany(
                "delete from partitions where name = ?", [(name,) for name in removed]
            )
            layout.put(connection, "partitions", [astuple(one) for one in added])
            layout.put(connection, "facts", [(n, int(value)) for n, value in (facts or {}).items()])
            connection.executemany(_FORGET, [(n,) for n in taken])
            if added:
                self._next = max(self._next, 1 + max(one.hi for one in added))
            self._keep_count(connection)

    def fact(self, name: str) -> int | None:
        """A number that was put down beside the manifest."""
        with self._lock, self._told():
            row = self._connection.execute(
                "select value from facts where name = ?", (name,)
            ).fetchone()
            return None if row is None else int(row[0])

    def introduce(self, kind: Kind, number: int, words: str) -> None:
        """Note what a number stands for."""
        with self._transaction() as connection:
            layout.put(connection, "known", [(kind, number, words)])

    def known(self, kind: Kind) -> dict[int, str]:
        """What was introduced."""
        with self._lock, self._told():
            sql = "select number, words from known where kind = ?"
            return dict(self._connection.execute(sql, (kind,)))

    def redate(self, stamp: Stamp) -> list[Batch]:
        """Shift what this boot read before its clock was right; the new, trusted batches."""
        old = [
            one
            for one in self.batches(0, trusted=False)
            if one.stamp.boot == stamp.boot and isinstance(one.rows, Readings)
        ]
        made = []
        with self._transaction() as connection:
            for at, before in enumerate(old):
                made.append(before.redated(self._next + at, stamp))
                connection.execute(_FORGET, (before.seq,))
                connection.execute(_KEEP, made[-1].row())
            self._next += len(made)
        return made

    def salvage(self, damaged: Path) -> int:
        """Take over what can be read of a damaged journal; returns how many rows."""
        found = pages.salvaged(damaged, layout.SALVAGED)
        known = layout.fitting(found["known"].values())
        with self._transaction() as connection:
            layout.forget_epoch(connection, known)
            for row in found["batches"].values():
                with contextlib.suppress(sqlite3.DatabaseError):
                    connection.execute(_KEEP, row)
            for row in known:
                with contextlib.suppress(sqlite3.DatabaseError):
                    layout.put(connection, "known", [row])
            self._epoch = layout.epoch(connection)
            self._count()
            self._next += Mark(damaged).beyond(self.last)
            self._keep_count(connection)
        return self._number("select sum(rows) from batches")

    def check(self) -> str:
        """What SQLite finds wrong with the whole file; "" when all is well."""
        with self._lock, self._told():
            words = str(self._connection.execute("pragma integrity_check(1)").fetchone()[0])
        return "" if words == "ok" else words

    def touch(self) -> None:
        """Commit something, so that nothing is left of a commit that failed half-way."""
        with self._transaction() as connection:
            layout.put(connection, "facts", [("touched", 1)])
            connection.executemany(_FORGET, [(seq,) for seq in self._doubtful])

    def shrink(self) -> bool:
        """Give room back that is empty, where it is much; whether it was."""
        with self._lock, self._told():
            return pages.shrink(self._connection)

    def let_go(self) -> None:
        """Close the file until ``reopen``; all but that raises ``StoreUnwritable`` meanwhile."""
        with self._lock:
            self._away = True
            self._let_go()

    def _let_go(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def close(self) -> None:
        """Close the file; what was appended stays."""
        with self._lock:
            self._away = False
            self._let_go()


def _bytes(data: object) -> bytes:
    """What stands in the place of a batch's bytes."""
    return data if isinstance(data, bytes) else str(data).encode()
