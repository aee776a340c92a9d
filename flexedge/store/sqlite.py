"""SQLite files as files: whether they are sound, and copies of them while they are in use."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.local import durable, wal

_NOT_THE_FILE = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH,
}  # fmt: skip
"""What goes wrong with the machine around a sound file; all else is the file's own fault."""
BESIDE = ("-wal", "-shm", "-mark")
"""What SQLite and we keep beside a database: ends of names."""
_PRIVATE = 0o600
_PRIMARY = 0xFF  # of a result code with details


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
        ) as connection:
            connection.execute("pragma busy_timeout = 5000")
            connection.execute("pragma trusted_schema = off")
            yield connection
    except sqlite3.Error as error:
        kind = StoreDamaged if _is_damage(error, path) else StoreError
        raise kind(f"{path}: {error}") from error
    except UnicodeDecodeError as error:  # of SQLite's own words about a broken file
        raise StoreDamaged(f"{path}: {error.object!r}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def _is_damage(error: sqlite3.Error, path: Path) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code == sqlite3.SQLITE_READONLY:  # a flipped bit in the header can say so
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return code not in _NOT_THE_FILE


def check(path: Path, *, whole: bool = False) -> None:
    """Raise ``StoreDamaged`` unless the file is a sound database, and so is the log beside it.

    ``whole``: with its indexes. Nobody may write it meanwhile.

    Raises ``StoreError`` where it could not be looked at. After an error of the disk a sound file
    may look damaged for a while.
    """
    wal.demand_whole(path)
    pragma = "integrity_check(1)" if whole else "quick_check(1)"
    with _opened(path) as connection:
        connection.execute("begin immediate")  # a broken header may forbid writing
        connection.execute("rollback")
        (words,) = connection.execute(f"pragma {pragma}").fetchone()
    if words != "ok":
        raise StoreDamaged(f"{path}: {words}")


def copy(path: Path, target: Path) -> None:
    """A copy of a database as it is at one moment, while others write; one synced file.

    Raises ``StoreError``; ``target`` may be there in part then.
    """
    with _opened(path) as connection:
        target.touch(mode=_PRIVATE)
        with contextlib.closing(sqlite3.connect(target)) as other:
            connection.backup(other)
            other.execute("pragma journal_mode = delete")
    durable.sync_file(target)


def vacuum_into(path: Path, target: Path) -> None:
    """As ``copy``, without the room that deleted rows have left."""
    with _opened(path) as connection:
        target.touch(mode=_PRIVATE)
        connection.execute("vacuum into ?", [str(target)])
    durable.sync_file(target)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query. Raises ``StoreError``."""
    with _opened(path) as connection:
        return connection.execute(query).fetchall()
