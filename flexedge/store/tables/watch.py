"""Whether others have written to the tables since one last looked."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

CHANNEL = "flexedge_tables"
"""Where PostgreSQL tells of changes."""
_NEVER = -1


class Watch(Protocol):
    """Looks after one database. Safe to use from any thread."""

    def look(self) -> bool:
        """Whether others may have written since the last look."""

    def own(self, number: int) -> None:
        """Know that a change was one's own: its number is the one in the file."""

    def close(self) -> None:
        """Let go of the database."""


class FileWatch:
    """By the number that each change leaves in a SQLite file. A look takes some microseconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._seen = _NEVER

    def look(self) -> bool:
        """See ``Watch``; what cannot be read may have changed."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = sqlite3.connect(
                        self._path, check_same_thread=False, isolation_level=None
                    )
                number = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
            except (sqlite3.Error, OSError):
                return True
            others = self._seen not in {_NEVER, number}
            self._seen = number
            return others

    def own(self, number: int) -> None:
        """See ``Watch``. Out of order it counts as somebody else's, which does no harm."""
        with self._lock:
            if self._seen == number - 1:
                self._seen = number

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class ServerWatch:
    """By what PostgreSQL tells on a connection of its own, some milliseconds after a commit.

    ``who`` is said with each change of one's own. While the server cannot be reached everything may
    have changed.
    """

    def __init__(self, engine: sa.Engine, who: str) -> None:
        self._engine = engine
        self._who = who
        self._lock = threading.Lock()
        self._connection: Any = None
        self._missed = False
        """Whether there was a time without that connection."""

    def look(self) -> bool:
        """See ``Watch``."""
        refused: Any = self._engine.dialect.loaded_dbapi
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._listening()
                    return self._missed
                told = [one.payload for one in self._connection.notifies(timeout=0)]
            except (refused.Error, sa.exc.SQLAlchemyError):
                self._drop()
                self._missed = True
                return True
            return any(one != self._who for one in told)

    def own(self, number: int) -> None:
        """See ``Watch``: they are known by name."""

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _listening(self) -> Any:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        connection.autocommit = True
        connection.execute(f"LISTEN {CHANNEL}")
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()


class NoWatch:
    """Of a database that nobody can look after: it may have changed at any time."""

    def look(self) -> bool:
        """See ``Watch``."""
        return True

    def own(self, number: int) -> None:
        """See ``Watch``."""

    def close(self) -> None:
        """See ``Watch``."""


class Versions:
    """Which tables were written to, by oneself and by others. Safe to use from any thread."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        self._written: dict[str, int] = {}
        self._others = 0

    @property
    def others(self) -> int:
        """How often others may have written something."""
        if self._watch.look():
            with self._lock:
                self._others += 1
        return self._others

    def of(self, *tables: str) -> tuple[int, ...]:
        """Something that is another one after some of these tables were written to."""
        return (self.others, *(self._written.get(name, 0) for name in tables))

    def wrote(self, tables: Iterable[str], number: int) -> None:
        """Note a change of one's own, before the caller hears that it was made."""
        self._watch.own(number)
        with self._lock:
            for name in tables:
                self._written[name] = self._written.get(name, 0) + 1

    def close(self) -> None:
        """Stop looking."""
        self._watch.close()
