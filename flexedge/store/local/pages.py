"""The file under the journal: how SQLite opens it, what its errors mean, and room given back.

Pages of 1 KB, because a batch is less than two of them and every commit writes whole pages: a third
of what pages of 4 KB write.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from flexedge.errors import StoreClosed, StoreDamaged, StoreError, StoreFull, StoreUnwritable
from flexedge.store.local import durable, wal

_PRAGMAS = ("page_size=1024", "journal_mode=wal", "synchronous=full", "wal_autocheckpoint=4000",
            "journal_size_limit=8388608", "trusted_schema=off", "mmap_size=0",
            "temp_store=memory", "cell_size_check=on")  # fmt: skip
_DAMAGED = ("decode to UTF-8", "unsupported file format")  # SQLite has no code of their own
_BROKEN = "\ufffd"
_SLACK = 8 << 20
"""So many bytes of a file may be empty: an hour's batches come and go."""
_ERRORS: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_FULL: StoreFull,
    sqlite3.SQLITE_IOERR: StoreUnwritable,
    sqlite3.SQLITE_READONLY: StoreUnwritable,
    sqlite3.SQLITE_CANTOPEN: StoreUnwritable,
    sqlite3.SQLITE_CORRUPT: StoreDamaged,
    sqlite3.SQLITE_NOTADB: StoreDamaged,
}


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except sqlite3.ProgrammingError as error:  # it is used after it was closed
        raise StoreClosed(f"{path} is closed") from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says what SQLite was at
        damaged = any(words in str(error) for words in _DAMAGED)
        kind = StoreDamaged if damaged else _ERRORS.get(code, StoreError)
        raise kind(f"{path}: {error}") from error
    except UnicodeDecodeError as error:  # of SQLite's own words about a broken file
        raise StoreDamaged(f"{path}: {error.object!r}") from error
    except OSError as error:
        raise durable.failed(str(path), error) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open a file, new or known, that can be written. Raises ``StoreDamaged`` and its kin."""
    wal.demand_whole(path)
    with told(path):
        with contextlib.suppress(OSError):  # SQLite tells what is wrong
            path.touch(mode=0o600)  # its log gets the same mode
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=5.0
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"pragma {pragma}")
            words = connection.execute("pragma quick_check(1)").fetchone()[0]
        except BaseException:
            connection.close()
            raise
    if words != "ok":
        connection.close()
        raise StoreDamaged(f"{path}: {words}")
    return connection


def demand_readable(connection: sqlite3.Connection, path: Path, read: Mapping[str, str]) -> None:
    """Raise ``StoreDamaged`` unless these columns of these tables are there and can be read.

    A bit that flipped in the name of a column, or in a text, leaves a file that SQLite finds sound.
    """
    for table, columns in read.items():
        try:
            connection.execute(f"select {columns} from {table}").fetchall()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR:  # no such column
                raise StoreDamaged(f"{path}: {error}") from error
            raise


def shrink(connection: sqlite3.Connection) -> bool:
    """Give room back that is empty, where it is much and what is left is little; whether it was.

    Keeping account of empty pages all the time (auto_vacuum) would write a third more.
    """
    pages, empty, size = (
        int(connection.execute(f"pragma {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    if empty * size < _SLACK or empty * 4 < pages * 3:
        return False
    connection.execute("vacuum")
    connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    return True


def salvaged(
    damaged: Path, tables: Mapping[str, str]
) -> dict[str, dict[object, tuple[object, ...]]]:
    """What can be read of a damaged file, by table; ``tables``: the key of each."""
    with told(damaged), contextlib.closing(sqlite3.connect(":memory:")) as other:
        other.deserialize(wal.image(damaged))
        other.text_factory = lambda data: data.decode(errors="replace")
        return {table: readable(other, table, key) for table, key in tables.items()}


def readable(other: sqlite3.Connection, table: str, key: str) -> dict[object, tuple[object, ...]]:
    """The rows of a table of a damaged file that can be read, from its beginning and its end.

    But for those whose last column is text with characters that stand for broken ones.
    """
    rows: dict[object, tuple[object, ...]] = {}
    for order in ("asc", "desc"):
        ordered = ", ".join(f"{part} {order}" for part in key.split(", "))
        with contextlib.suppress(sqlite3.DatabaseError, UnicodeDecodeError):
            for row in other.execute(f"select * from {table} order by {ordered}"):
                if _BROKEN not in str(row[-1]):
                    rows[row[:2] if "," in key else row[0]] = row
    return rows
