"""What is in the journal's file: its tables, and the seals of their rows.

A seal is the checksum of all else in a row: a bit that flips in a value leaves a file that SQLite
finds sound. Batches have theirs with their bytes.
"""

import contextlib
import secrets
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.local import pages
from flexedge.store.local.partition import Partition

FORMAT = 2
"""Of this file; a newer one is not opened. 2: facts and what is known have seals."""
_FORMAT = "format"
BEGUN = "begun"
"""The fact whether the manifest is not made yet of the files that may be there."""
_EPOCH = "epoch"
"""Kind of what is known, so that it is salvaged; its number says which epoch it is."""
BATCH = "seq, kind, rows, boot, offset_us, trusted, data"
_ROW = ", ".join(field.name for field in fields(Partition))
SEALED = {"partitions": _ROW, "known": "kind, number, words", "facts": "name, value"}
"""Tables whose rows have seals, and what is sealed, the key first (of ``known`` two columns)."""
SALVAGED = {"batches": "seq", "known": "kind, number"}
"""What is taken over of a damaged file, by key; files tell what the manifest was."""
_SCHEMA = f"""
create table if not exists batches (
    seq integer primary key, kind text not null, rows integer not null,
    boot text not null, offset_us integer not null, trusted integer not null, data blob not null);
create table if not exists partitions ({_ROW}, seal, primary key (name)) without rowid;
create table if not exists known (
    kind text, number integer, words text not null, seal, primary key (kind, number)) without rowid;
create table if not exists facts (
    name text primary key, value integer not null, seal) without rowid;
"""
_READ = {"batches": BATCH.replace("data", "length(data)")} | {
    table: f"{columns}, seal" for table, columns in SEALED.items()
}


def seal(row: Sequence[object]) -> int:
    """The checksum of a row."""
    return zlib.crc32(repr(tuple(row)).encode())


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make what is missing, and bring an older format up. Raises ``StoreError`` for a newer one."""
    (found,) = connection.execute("pragma user_version").fetchone()
    if found > FORMAT:
        if _noted(connection) == FORMAT:
            raise StoreDamaged(f"{path}: the number of its format has changed to {found}")
        raise StoreError(f"{path} was written by a newer version (format {found}, this one knows {FORMAT}); install that version, or restore a backup of this one")  # fmt: skip  # noqa: E501
    if found < FORMAT:
        connection.execute("begin immediate")
        new = not connection.execute(
            "select count(*) from sqlite_master where name = 'partitions'"
        ).fetchone()[0]
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        for table in SEALED:
            if not connection.execute(
                "select count(*) from pragma_table_info(?) where name = 'seal'", (table,)
            ).fetchone()[0]:
                _add_seals(connection, table)
        put(connection, "facts", [(_FORMAT, FORMAT), (BEGUN, int(new))])
        connection.execute(f"pragma user_version = {FORMAT}")
        connection.execute("commit")
    pages.demand_readable(connection, path, _READ)


def _noted(connection: sqlite3.Connection) -> int | None:
    """Which format a file says it has, under seal; None where that cannot be read."""
    with contextlib.suppress(sqlite3.OperationalError):
        for name, value, sealed in connection.execute(f"select {_READ['facts']} from facts"):
            if name == _FORMAT and seal((name, value)) == sealed:
                return int(value)
    return None


def _add_seals(connection: sqlite3.Connection, table: str) -> None:
    columns = SEALED[table]
    rows = connection.execute(f"select {columns} from {table}").fetchall()
    connection.execute(f"alter table {table} add column seal")
    connection.execute(f"delete from {table}")
    put(connection, table, rows)


def put(connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Add rows with their seals, in place of those with the same keys but for partitions."""
    add = "insert" if table == "partitions" else "insert or replace"
    marks = ", ".join("?" for _ in SEALED[table].split(", "))
    connection.executemany(
        f"{add} into {table} ({SEALED[table]}, seal) values ({marks}, ?)",
        [(*row, seal(row)) for row in rows],
    )


def rows(connection: sqlite3.Connection, path: Path, table: str) -> list[tuple[object, ...]]:
    """All rows of a table. Raises ``StoreDamaged`` where one is not what was written."""
    found = connection.execute(f"select {_READ[table]} from {table}").fetchall()
    for *row, sealed in found:
        if seal(row) != sealed:
            what = f"{row[1]} {row[0]}" if table == "known" else row[0]
            raise StoreDamaged(f"{path}: what it says of {what} has changed")
    return [tuple(row) for *row, _ in found]


def epoch(connection: sqlite3.Connection) -> int:
    """The epoch of a file; where it has none, one that no other has."""
    row = connection.execute("select number from known where kind = ?", (_EPOCH,)).fetchone()
    if row is not None:
        return int(row[0])
    number = 1 + secrets.randbits(62)
    put(connection, "known", [(_EPOCH, number, "")])
    return number


def forget_epoch(
    connection: sqlite3.Connection, salvaged: Iterable[Sequence[object]]
) -> None:  # fmt: skip
    """Make room for the epoch of a damaged file, where that could be read."""
    if any(kind == _EPOCH for kind, *_ in salvaged):
        connection.execute("delete from known where kind = ?", (_EPOCH,))


def fitting(salvaged: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Of rows of ``known`` those that are what was written; format 1 had no seals."""
    n = len(SEALED["known"].split(", "))
    return [row[:n] for row in salvaged if len(row) == n or row[n] == seal(row[:n])]
