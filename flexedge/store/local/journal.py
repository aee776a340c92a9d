"""The journal: batches of rows in SQLite, and the manifest of partitions that took them over.

What ``append`` has returned from is on the disk: WAL, synchronous=FULL. Manifest and journal
change in one transaction, so that every row is in one of them and never in both.
"""

import contextlib
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from flexedge.errors import StoreClosed, StoreDamaged, StoreError, StoreUnwritable
from flexedge.store.archive import Kind, Stamp
from flexedge.store.local import batch, pages
from flexedge.store.local.batch import Batch
from flexedge.store.local.mark import Mark
from flexedge.store.local.partition import Partition
from flexedge.store.rows import Beliefs, Readings

FORMAT = 1
"""Of this file; a newer one is not opened."""
_COLUMNS = ", ".join(field.name for field in fields(Partition))
_MARKS = ", ".join("?" for _ in fields(Partition))
_SCHEMA = f"""
create table if not exists batches (
    seq integer primary key, kind text not null, rows integer not null,
    boot text not null, offset_us integer not null, trusted integer not null, data blob not null);
create table if not exists partitions ({_COLUMNS}, seal, primary key (name)) without rowid;
create table if not exists known (
    kind text, number integer, words text not null, primary key (kind, number)) without rowid;
create table if not exists facts (name text primary key, value integer not null) without rowid;
"""
_READ = {"batches": "seq, kind, rows, boot, offset_us, trusted", "partitions": f"{_COLUMNS}, seal",
         "known": "kind, number, words", "facts": "name, value"}  # fmt: skip
_KEEP = "insert into batches values (?, ?, ?, ?, ?, ?, ?)"
_FORGET = "delete from batches where seq = ?"
_SALVAGED = {"batches": "seq", "known": "kind, number"}  # files tell what the manifest was


class Journal:
    """One file. Safe to use from any thread. Raises ``StoreError``; then nothing has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.begun = not path.exists()
        """Whether there was nothing before."""
        self._next = 1
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
            with self._told():
                self._connection.executemany(_FORGET, [(seq,) for seq in self._doubtful])
            self._doubtful, self._away = set(), False

    def _open(self) -> None:
        (found,) = self._connection.execute("pragma user_version").fetchone()
        if found > FORMAT:
            raise StoreError(f"{self._path} was written by a newer version (format {found}, this one knows {FORMAT}); install that version, or restore a backup of this one")  # fmt: skip  # noqa: E501
        self.begun = not self._connection.execute(
            "select count(*) from sqlite_master where name = 'partitions'"
        ).fetchone()[0]
        if found < FORMAT:
            self._connection.execute("begin immediate")
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"pragma user_version = {FORMAT}")
            self._connection.execute("commit")
        pages.demand_readable(self._connection, self._path, _READ)
        self._manifest()
        self._count()

    def _count(self) -> None:
        self._next = max(
            self._next,
            1 + self._number("select max(seq) from batches"),
            1 + self._number("select max(hi) from partitions"),
            1 + self._number("select value from facts where name = 'last'"),
        )

    def _number(self, sql: str) -> int:
        (found,) = self._connection.execute(sql).fetchone() or (0,)
        return int(found or 0)

    @property
    def lacking(self) -> int:
        """How many of the newest batches are not there, though they were; until ``accept``."""
        return self._mark.beyond(self.last)

    def accept(self) -> None:
        """Take what is there for all there is."""
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
                    "select seq, kind, rows, boot, offset_us, trusted, data from batches"
                    " where seq > ? and seq <= ? and trusted = ? order by seq limit 1",
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
            for row in self._connection.execute(
                "select seq, kind, rows, boot, offset_us, trusted, data from batches"
            ):
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
        connection.execute("insert or replace into facts values ('last', ?)", (self.last,))

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
            return self._manifest()

    def _manifest(self) -> list[Partition]:
        sql = f"select {_COLUMNS}, seal from partitions order by lo, hi, name"
        found = [(Partition(*row), seal) for *row, seal in self._connection.execute(sql)]
        for one, seal in found:
            if _seal(one) != seal:
                raise StoreDamaged(f"{self._path}: what it says of {one.name} has changed")
        return [one for one, _ in found]

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
            connection.executemany(
                f"insert into partitions ({_COLUMNS}, seal) values ({_MARKS}, ?)",
                [(*astuple(one), _seal(one)) for one in added],
            )
            connection.executemany(
                "insert or replace into facts values (?, ?)", list((facts or {}).items())
            )
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
            connection.execute(
                "insert or replace into known values (?, ?, ?)", (kind, number, words)
            )

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
        found = pages.salvaged(damaged, _SALVAGED)
        with self._transaction() as connection:
            for table, rows in found.items():
                for row in rows.values():
                    marks = ", ".join("?" for _ in row)
                    with contextlib.suppress(sqlite3.DatabaseError):
                        connection.execute(f"insert into {table} values ({marks})", row)
        self.begun = True
        self._count()
        return self._number("select sum(rows) from batches")

    def check(self) -> str:
        """What SQLite finds wrong with the whole file; "" when all is well."""
        with self._lock, self._told():
            words = str(self._connection.execute("pragma integrity_check(1)").fetchone()[0])
        return "" if words == "ok" else words

    def touch(self) -> None:
        """Commit something, so that nothing is left of a commit that failed half-way."""
        with self._transaction() as connection:
            connection.execute("insert or replace into facts values ('touched', 1)")

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


def _seal(one: Partition) -> int:
    """The checksum of what the manifest says of a partition."""
    return zlib.crc32(repr(astuple(one)).encode())
