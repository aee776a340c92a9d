"""One database behind the tables: a SQLite file or a PostgreSQL server.

All that differs between the two is here.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.local.mark import Mark
from flexedge.store.sqlite import rows
from flexedge.store.tables.columns import Model
from flexedge.store.tables.seals import COLUMN, seal_rows
from flexedge.store.tables.watch import CHANNEL, FileWatch, NoWatch, ServerWatch, Versions, Watch

_T = TypeVar("_T")
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "journal_size_limit=8388608",
    "wal_autocheckpoint=1000",
    "mmap_size=0",
)
_NUMBER = "PRAGMA user_version"  # ours to use; it changes with the transaction
_DAMAGED = (11, 26)  # SQLite: malformed, not a database
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_WRITTEN = "tables written to"
_TURN = 7_263_541_909  # of a lock on PostgreSQL; any number that others do not use


def _durable(connection: Any, _record: ConnectionPoolEntry) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _reach(_dialect: Any, _record: Any, _arguments: Any, told: dict[str, Any]) -> None:
    told.setdefault("connect_timeout", 5)
    told.setdefault("options", "-c synchronous_commit=on")


def _begin(connection: sa.Connection) -> None:
    # Here, because sqlite3 begins none around DDL. One that reads first and writes later could not
    # wait for another writer.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _note_written(connection: sa.Connection, statement: Any, *_more: Any) -> None:
    if isinstance(statement, sa.Insert | sa.Update | sa.Delete):
        table = statement.table
        if isinstance(table, sa.Table) and table.metadata is Model.metadata:
            written = connection.info.setdefault(_WRITTEN, {})
            new = not isinstance(statement, sa.Delete)
            written[table] = written.get(table, False) or new


def _concerned(table: sa.Table) -> Iterator[sa.Table]:
    """A table and those whose rows may go with rows of it.

    By name: what a statement has is a copy of the table.
    """
    yield table
    for other in table.metadata.tables.values():
        named = {key.column.table.name for key in other.foreign_keys}
        if other.name != table.name and table.name in named:
            yield from _concerned(other)


class Database:
    """Runs work in transactions. Safe to use from any thread.

    ``where`` is the path of a SQLite file or a URL of SQLAlchemy's. A write is on disk when
    ``write`` returns. Raises ``StoreDamaged`` where a file is broken, ``StoreError`` for all else.
    """

    def __init__(self, where: Path | str) -> None:
        self.name = str(where) if isinstance(where, Path) else _plain(where)
        self._changes = 0
        self._who = token_hex(8)
        self._file = where if isinstance(where, Path) else None
        file = sa.URL.create("sqlite", database=str(where))
        try:
            self.engine = sa.create_engine(
                file if isinstance(where, Path) else where,
                hide_parameters=True,
                pool_pre_ping=True,  # a server that was away is found again
                json_serializer=partial(json.dumps, allow_nan=False),
            )
        except (SQLAlchemyError, ImportError) as error:
            raise StoreError(f"{self.name}: {error}") from error
        self.dialect = self.engine.dialect.name
        if self.dialect not in _INSERT:
            raise StoreError(f"{self.name}: only SQLite and PostgreSQL keep the state")
        if self.dialect == "sqlite":
            sa.event.listen(self.engine, "connect", _durable)
            sa.event.listen(self.engine, "begin", _begin)
        else:
            sa.event.listen(self.engine, "do_connect", _reach)
            sa.event.listen(self.engine, "begin", self._take_turns)
        self.versions = Versions(self._watch())
        """Which tables were written to."""
        sa.event.listen(self.engine, "before_execute", _note_written)
        self._writing = self.engine.execution_options(writes=True)

    def _watch(self) -> Watch:
        if self.dialect == "postgresql":
            return ServerWatch(self.engine, self._who)
        return NoWatch() if self._file is None else FileWatch(self._file)

    def _take_turns(self, connection: sa.Connection) -> None:
        # As on SQLite one transaction writes at a time: what it has read stays true until it is
        # over. When it is, others are told.
        if connection.get_execution_options().get("writes", False):
            connection.exec_driver_sql(
                f"SELECT pg_advisory_xact_lock({_TURN}), pg_notify('{CHANNEL}', '{self._who}')"
            )

    @property
    def changes(self) -> int:
        """How often something was written, through this object or (at least once) by others."""
        return self._changes + self.versions.others

    def read(self, work: Callable[[sa.Connection], _T]) -> _T:
        """The result of work that only reads, in one transaction."""
        return self._run(self.engine, work)

    def write(self, work: Callable[[sa.Connection], _T]) -> _T:
        """The result of work that writes: all of it or nothing. New rows are sealed with it."""
        written: dict[sa.Table, bool] = {}

        def sealed(connection: sa.Connection) -> tuple[_T, int]:
            connection.info[_WRITTEN] = written
            result = work(connection)
            for table in [table for table, new in written.items() if new]:
                seal_rows(connection, table)
            del connection.info[_WRITTEN]
            return result, self._next_number(connection)

        number = 0
        try:
            result, number = self._run(self._writing, sealed)
        finally:  # it may have been written even so
            names = {one.name for table in written for one in _concerned(table)}
            self.versions.wrote(names, number)
        self._changes += 1
        if self._file is not None:
            Mark(self._file).note(number)
        return result

    def _next_number(self, connection: sa.Connection) -> int:
        """Count a change in the database itself; 0 where there is no log to lose it from."""
        if self._file is None:
            return 0
        number = 1 + int(connection.exec_driver_sql(_NUMBER).scalar_one())
        connection.exec_driver_sql(f"{_NUMBER} = {number}")
        return number

    @property
    def lacking(self) -> int:
        """How many of the last changes of a file are not there, though they were written."""
        return changes_lacking(self._file) if self._file is not None else 0

    def _run(self, engine: sa.Engine, work: Callable[[sa.Connection], _T]) -> _T:
        try:
            with engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            kind = StoreDamaged if _is_damage(error) else StoreError
            raise kind(f"{self.name}: {_brief(error)}") from error
        except (ValueError, OverflowError) as error:
            raise StoreDamaged(f"{self.name}: {_brief(error)}") from error

    def execute(self, statement: sa.Executable) -> int:
        """Run one writing statement; returns how many rows it concerned."""
        return self.write(lambda connection: connection.execute(statement).rowcount)

    def put(
        self, table: type[Model], row: Mapping[str, Any], replace: Sequence[str] = ()
    ) -> sa.Insert:
        """A statement that adds a row; one that is there by its key gets the columns ``replace``.

        Without ``replace`` what is there stays as it is.
        """
        insert = _INSERT[self.dialect](table).values(row)
        keys = list(sa.inspect(table).primary_key)
        new = {name: row[name] for name in replace} | ({COLUMN: sa.null()} if replace else {})
        statement: sa.Insert = (
            insert.on_conflict_do_update(index_elements=keys, set_=new)
            if new
            else insert.on_conflict_do_nothing(index_elements=keys)
        )
        return statement

    def numbers_from_here(self, connection: sa.Connection, table: type[Model]) -> None:
        """After a row with a given number: let the next number be greater than all."""
        if self.dialect == "postgresql":  # SQLite sees to that itself
            name = table.__tablename__
            sequence = sa.func.pg_get_serial_sequence(name, "id")
            top = sa.select(sa.func.max(sa.literal_column("id", sa.Integer)))
            top_id = top.select_from(sa.table(name)).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sequence, top_id)))

    def close(self) -> None:
        """Close every connection."""
        self.versions.close()
        self.engine.dispose()


def changes_lacking(path: Path) -> int:
    """How many of the last changes of a file are not there, though they were written."""
    return Mark(path).beyond(int(rows(path, _NUMBER)[0][0]))


def sqlite_code(error: BaseException | None) -> int:
    """What SQLite calls an error, without details; 0 for others."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF


def _is_damage(error: SQLAlchemyError) -> bool:
    """Whether SQLite found its file, or text in it, broken."""
    return sqlite_code(error) in _DAMAGED or "decode to UTF-8" in str(error)


def _brief(error: Exception) -> str:
    """What went wrong, without the values that PostgreSQL tells as details."""
    return str(getattr(error, "orig", None) or error).partition("\nDETAIL:")[0]


def _plain(url: str) -> str:
    """A URL without its password."""
    try:
        return sa.make_url(url).render_as_string()
    except SQLAlchemyError as error:
        raise StoreError(
            "this is no URL of a database; one looks like"
            " postgresql+psycopg://user:password@host/name"
        ) from error


def as_value(kind: type[_T], row: sa.Row[Any]) -> _T:
    """A row as a frozen value whose fields are called like the columns."""
    columns = row._mapping  # noqa: SLF001 (SQLAlchemy's public name for it)
    return kind(**{field.name: columns[field.name] for field in fields(kind)})  # type: ignore[arg-type]


def as_row(value: Any) -> dict[str, Any]:
    """A frozen value as the columns of a row."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
