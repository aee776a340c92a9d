"""DuckDB: one instance in memory that queries Parquet files and hot tables. The only importer.

Every piece of work gets a cursor of its own (a connection that threads share gives wrong rows) and
a deadline. There is no DuckDB file: one that a power cut made unopenable cannot be lost.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from flexedge.errors import StoreClosed, StoreError, StoreFull, StoreSlow, StoreUnwritable

Columns = Mapping[str, NDArray[Any]]
_READ_S = 30.0
_FULL = ("No space left on device", "Disk quota exceeded")
_UNWRITABLE = ("Read-only file system", "Input/output error", "File too large")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the engine may use."""

    memory_mb: int = 128
    temp_mb: int = 512
    threads: int = 2
    beside: tuple[Path, ...] = ()
    """Further folders that it may read and write."""


class Engine:
    """Queries over what lies in one folder. Safe to use from any thread. Raises ``StoreError``."""

    def __init__(self, folder: Path, temp: Path, limits: Limits) -> None:
        self._folder = folder
        self._temp = temp
        self._limits = limits
        self._lock = threading.Lock()
        self._closed = False
        self._connection = self._connect()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": self._limits.threads,
            "memory_limit": f"{self._limits.memory_mb}MB",
            "temp_directory": str(self._temp),
            "max_temp_directory_size": f"{self._limits.temp_mb}MB",
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        try:
            connection = duckdb.connect(":memory:", config=config)
            reach = (self._folder, self._temp, *self._limits.beside)
            folders = ", ".join(f"'{folder}/'" for folder in reach)
            connection.execute(f"set allowed_directories = [{folders}]")
            connection.execute("set enable_external_access = false")
        except duckdb.Error as error:
            raise StoreError(f"DuckDB does not start: {error}") from error
        return connection

    def begin_anew(self) -> None:
        """Forget all tables and start over, as after an error that DuckDB does not survive."""
        with self._lock:
            with contextlib.suppress(duckdb.Error):
                self._connection.close()
            self._connection = self._connect()

    @contextlib.contextmanager
    def _cursor(self, deadline_s: float | None) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._lock:
                cursor = self._connection.cursor()
            with cursor:
                if deadline_s is not None:
                    cursor.execute(f"set session max_execution_time = {int(deadline_s * 1e3)}")
                yield cursor
        except duckdb.InterruptException as error:
            raise StoreSlow(f"gave up on a query after {deadline_s} s") from error
        except duckdb.Error as error:
            if self._closed:
                raise StoreClosed("the store is closed") from error
            raise _failed(error) from error

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Do something that takes as long as it takes; returns its few rows."""
        with self._cursor(None) as cursor:
            rows: list[tuple[Any, ...]] = cursor.execute(sql, list(parameters)).fetchall()
            return rows

    def arrays(
        self, sql: str, parameters: Sequence[Any] = (), deadline_s: float = _READ_S
    ) -> dict[str, NDArray[Any]]:
        """The columns that a query gives, by name; null is NaN, as NaN that goes in is null.

        Raises ``StoreSlow`` after the deadline.
        """
        with self._cursor(deadline_s) as cursor:
            found = cursor.execute(sql, list(parameters)).fetchnumpy()
        return {name: _plain(column) for name, column in found.items()}

    def make(self, table: str, columns: Columns) -> None:
        """Make a table with the names and types of these columns."""
        self.over(columns, f"create table {table} as from given limit 0")

    def load(self, table: str, columns: Columns) -> None:
        """Add rows to a table."""
        self.over(columns, f"insert into {table} from given")

    def forget(self, table: str) -> None:
        """Drop a table that may be gone already."""
        self.run(f"drop table if exists {table}")

    def over(self, columns: Columns | None, sql: str) -> list[tuple[Any, ...]]:
        """Do something with rows that are called ``given``; as long as it takes."""
        with self._cursor(None) as cursor:
            if columns is not None:
                cursor.register("given", dict(columns))
            rows: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
            return rows

    def close(self) -> None:
        """Let go of everything; what is still at work hears ``StoreClosed``."""
        self._closed = True
        with self._lock, contextlib.suppress(duckdb.Error):
            self._connection.close()


def _failed(error: duckdb.Error) -> StoreError:
    words = f"DuckDB: {error}"
    if any(one in words for one in _FULL):
        return StoreFull(words)
    return (StoreUnwritable if any(one in words for one in _UNWRITABLE) else StoreError)(words)


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    if isinstance(column, np.ma.MaskedArray):
        return column.filled(np.nan) if column.dtype.kind == "f" else column.filled()
    return column
