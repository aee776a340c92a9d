"""Seals: each row of the state carries a checksum of all else in it.

A bit that flips in a value leaves a file that SQLite finds sound. A row that is added or changed
has no seal (NULL) until ``seal_rows``, in the same transaction. The row ``schema`` of ``meta`` is
the checksum of what the tables are, and of their revision. PostgreSQL keeps seals, too, but has
checksums of its own: nobody compares them there.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flexedge.errors import StoreDamaged
from flexedge.store import sqlite

COLUMN = "seal"
_SCHEMA = "schema"
_OBJECTS = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"  # noqa: E501
_REVISION = "SELECT version_num FROM alembic_version"
_COLUMNS = """
SELECT t.name, c.name, c.pk FROM sqlite_master AS t, pragma_table_info(t.name) AS c
WHERE t.type = 'table' ORDER BY t.name, c.name"""
_SHOWN = 24
"""So many characters of a key are told: enough to find it, no whole hash of a token."""


def seal_rows(connection: sa.Connection, table: sa.Table, *, anew: bool = False) -> None:
    """Seal the rows of a table that have no seal, ``anew``: all."""
    where = "" if anew else f" WHERE {COLUMN} IS NULL"
    found = connection.exec_driver_sql(f"SELECT * FROM {table.name}{where}")
    names = list(found.keys())  # of a newer revision there are more than we know
    rows = found.all()
    if rows:
        at = _order(names)
        keys = [names.index(column.name) for column in table.primary_key]
        connection.exec_driver_sql(
            _update(table, connection.dialect.name),
            [(_sum(row, at), *(row[i] for i in keys)) for row in rows],
        )


@cache
def _update(table: sa.Table, dialect: str) -> str:
    """As words, because this is half of what sealing costs."""
    mark = "?" if dialect == "sqlite" else "%s"
    keys = " AND ".join(f"{column.name} = {mark}" for column in table.primary_key)
    return f"UPDATE {table.name} SET {COLUMN} = {mark} WHERE {keys}"


def _order(names: Sequence[str]) -> list[int]:
    """Where the sealed columns are, by name: a migration may have put them in another order."""
    return [names.index(name) for name in sorted(names) if name != COLUMN]


def _sum(row: Sequence[Any], at: Iterable[int]) -> int:
    return zlib.crc32(repr([row[i] for i in at]).encode())


def seal_anew(connection: sa.Connection, tables: Iterable[str]) -> None:
    """Seal all there is in those of our tables that are there and of a revision with seals.

    For after they were made or changed.
    """
    for name in sorted({*tables}.intersection(sa.inspect(connection).get_table_names())):
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        if COLUMN not in table.c:
            continue
        if name == "meta" and connection.dialect.name == "sqlite":
            _note_schema(connection, table)
        seal_rows(connection, table, anew=True)


def _note_schema(connection: sa.Connection, meta: sa.Table) -> None:
    objects, revision = (connection.exec_driver_sql(sql).all() for sql in (_OBJECTS, _REVISION))
    connection.execute(sa.delete(meta).where(meta.c.name == _SCHEMA))
    connection.execute(sa.insert(meta).values(name=_SCHEMA, value=_schema(objects, revision)))


def _schema(objects: Iterable[Sequence[Any]], revision: Iterable[Sequence[Any]]) -> str:
    told = [tuple(row) for rows in (objects, revision) for row in rows]
    return str(zlib.crc32(repr(told).encode()))


def demand_sealed(path: Path) -> None:
    """Raise ``StoreDamaged`` where a row of a SQLite file, or a table, is not what was written.

    Tables of a revision without seals pass. Raises ``StoreError`` if it cannot be read.
    """
    tables = dict(_tables(path))
    if COLUMN in (name for name, _ in tables.get("meta", ())):
        noted = sqlite.rows(path, f"SELECT value FROM meta WHERE name = '{_SCHEMA}'")
        if noted and noted[0][0] != _schema(sqlite.rows(path, _OBJECTS), sqlite.rows(path, _REVISION)):  # fmt: skip  # noqa: E501
            raise StoreDamaged(f"{path}: its tables are not what they were made as")
    for table, columns in tables.items():
        names = [name for name, _ in columns]
        if COLUMN in names:
            _demand_rows(path, table, names, [i for i, (_, key) in enumerate(columns) if key])


def _tables(path: Path) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Tables, and of each the columns by name and whether they are of the key."""
    for table, rows in groupby(sqlite.rows(path, _COLUMNS), key=lambda row: str(row[0])):
        yield table, [(name, key) for _, name, key in rows]


def _demand_rows(path: Path, table: str, names: Sequence[str], key: Sequence[int]) -> None:
    listed = ", ".join(_quoted(name) for name in names)
    at, seal = _order(names), names.index(COLUMN)
    for row in sqlite.rows(path, f"SELECT {listed} FROM {_quoted(table)}"):
        if row[seal] != _sum(row, at):
            which = ", ".join(str(row[i])[:_SHOWN] for i in key)
            raise StoreDamaged(f"{path}: the row {which!r} of {table} is not what was written")


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
