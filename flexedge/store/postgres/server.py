"""A PostgreSQL server: connections that are kept, one transaction at a time on each.

The only importer of psycopg. No message of an error shows a password.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
from numpy.typing import NDArray
from psycopg import conninfo, sql

from flexedge.errors import StoreError, StoreSlow
from flexedge.store.postgres.packed import copied, received, sent

_IDLE = 4  # connections kept open; more are made while there is more to do at once
_AWAY = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Seconds (the last in milliseconds) after which a server that says nothing counts as away."""
_SETTINGS = {"client_min_messages": "warning", "timezone": "UTC", "synchronous_commit": "on",
             "jit": "off"}  # fmt: skip
SLOW_S = 900.0
"""For work that may take long: rolling up, deleting, making tables."""
_PATIENT = f"select set_config('statement_timeout', '{int(SLOW_S * 1e3)}', true)"
_TURN = 7_263_541_908  # of the lock; any number that others do not use


class Session:
    """What can be done inside a transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def run(self, text: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Do something; returns its few rows."""
        cursor = self._connection.execute(_composed(text), parameters)
        return cursor.fetchall() if cursor.description else []

    def count(self, text: str, parameters: Sequence[Any] = ()) -> int:
        """Do something; returns how many rows it concerned."""
        return self._connection.execute(_composed(text), parameters).rowcount

    def arrays(
        self, text: str, columns: Sequence[str], parameters: Sequence[Any] = ()
    ) -> dict[str, NDArray[Any]]:
        """The columns that a query gives, in its order; none of them may be null.

        They come as one value, which is five times as fast as rows of ``COPY``; PostgreSQL bears
        1 GB of it, 25 million beliefs.
        """
        packed = f"select string_agg({sent(columns)}, '') from ({text}) as found"
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute(_composed(packed), parameters)
            row = cursor.fetchone()
        return received(columns, b"" if row is None or row[0] is None else row[0])

    def load(self, table: str, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add rows to a table."""
        names = ", ".join(columns)
        text = f"copy {table} ({names}) from stdin (format binary)"
        with self._connection.cursor() as cursor, cursor.copy(_composed(text)) as copy:
            copy.write(copied(columns))

    def patient(self) -> None:
        """Let this transaction take its time."""
        self.run(_PATIENT)

    def beside(self) -> None:
        """Take its time, and keep others from being ``alone`` until this is over."""
        self.run(f"{_PATIENT}, pg_advisory_xact_lock_shared({_TURN})")

    def alone(self) -> bool:
        """Take its time, and keep others from being ``beside``; False where some are."""
        return bool(self.run(f"{_PATIENT}, pg_try_advisory_xact_lock({_TURN})")[0][1])


class Server:
    """Where an archive lives. Safe to use from any thread. Raises ``StoreError``.

    ``url``: postgresql://user@host:port/database; the password is better left to PGPASSFILE.
    ``prepare`` is called with each new connection's first transaction. Nothing is connected before
    the first transaction, and each begins with a connection that is known to live: a server
    that was away is found again.
    """

    def __init__(
        self, url: str, prepare: Callable[[Session], None], deadline_s: float, schema: str
    ) -> None:
        try:
            self._told = conninfo.conninfo_to_dict(url)
        except psycopg.Error:  # its words may hold the password
            raise StoreError("a database is told as postgresql://user@host:port/name") from None
        self.name = "postgresql://{}{}/{}".format(
            f"{self._told['user']}@" if "user" in self._told else "",
            self._told.get("host", ""), self._told.get("dbname", ""))  # fmt: skip
        """For messages."""
        self._prepare = prepare
        self._settings = _SETTINGS | {
            "search_path": f"{schema}, public",
            "statement_timeout": str(int(deadline_s * 1e3)),
        }
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection[Any]] = []
        self._closed = False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing; on the server's disk when it is over."""
        with self._errors():
            connection = self._taken()
            try:
                with connection.transaction():
                    yield Session(connection)
            finally:
                self._give_back(connection)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.QueryCanceled as error:
            raise StoreSlow(f"{self.name}: gave up on what took too long") from error
        except psycopg.Error as error:
            words = " ".join(str(error).split()) or type(error).__name__
            raise StoreError(f"{self.name}: {words}") from error

    def _taken(self) -> psycopg.Connection[Any]:
        while True:
            with self._lock:
                if self._closed:
                    raise StoreError(f"{self.name}: closed")
                if not self._idle:
                    break
                connection = self._idle.pop()
            try:
                connection.execute("")
            except psycopg.Error:
                connection.close()
            else:
                return connection
        return self._connected()

    def _connected(self) -> psycopg.Connection[Any]:
        told = conninfo.make_conninfo("", **(_AWAY | self._told))
        connection: psycopg.Connection[Any] = psycopg.connect(
            told, autocommit=True, prepare_threshold=None
        )
        try:
            for name, value in self._settings.items():
                connection.execute("select set_config(%s, %s, false)", (name, value))
            with connection.transaction():
                self._prepare(Session(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        with self._lock:
            if not (connection.closed or self._closed or len(self._idle) >= _IDLE):
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every connection; no transaction can begin any more."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _composed(text: str) -> sql.SQL:
    return sql.SQL(text)  # our own words, never a caller's
