"""Beliefs to measure with, and the same in bare SQLite and bare DuckDB.

200 sensors with events of 5 minutes, each believed an hour before by one of two sources; one in
twenty is believed again half an hour later.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from flexedge.store.rows import Beliefs, micros, moment

SENSORS = 200
START = datetime(2024, 1, 1, tzinfo=UTC)
_STEP_US = 300_000_000
_COLUMNS = "sensor, source, event_us, belief_us, probability, value"
_ORDER = "sensor, event_us, source, belief_us, probability"
_AS = "(format parquet, compression zstd, parquet_version v2)"
_LIMITS: dict[str, Any] = {"memory_limit": "128MB", "threads": 2}


@dataclass(frozen=True, slots=True)
class History:
    """So many beliefs, in pieces as time brings them."""

    rows: int
    piece: int

    @property
    def pieces(self) -> int:
        return self.rows // self.piece

    @property
    def events(self) -> int:
        """Of each sensor, in a piece."""
        return self.piece * 20 // (21 * SENSORS)

    @property
    def end(self) -> datetime:
        return START + timedelta(minutes=5) * self.events * self.pieces

    def part(self, number: int) -> Beliefs:
        """One piece; the same numbers give the same piece."""
        chance = np.random.default_rng(number)
        first = self.events * SENSORS
        at = np.arange(first)
        again = np.sort(chance.choice(first, self.piece - first, replace=False))
        which = np.concatenate([at, again])
        event = micros(START) + (which // SENSORS + number * self.events) * _STEP_US
        late = np.where(np.arange(self.piece) < first, -3600, -1800) * 1_000_000
        return Beliefs.of(
            {
                "sensor": which % SENSORS + 1,
                "source": which % 2 + 1,
                "event_us": event,
                "belief_us": event + late,
                "probability": np.full(self.piece, 0.5),
                "value": np.round(chance.normal(2.0, 3.0, self.piece), 3),
            }
        )


def sqlite(path: Path) -> sqlite3.Connection:
    """As durable as SQLite can be, and nothing around it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("create table readings (sensor int, event_us int, value real, quality int)")
    return connection


def group_commit(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    """So many rows on the disk."""
    connection.execute("begin")
    connection.executemany("insert into readings values (?, ?, ?, ?)", rows)
    connection.execute("commit")


@contextlib.contextmanager
def engine(folder: Path, **more: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory, with as much of it as a gateway gives."""
    config = _LIMITS | {"temp_directory": str(folder / "bare-temp")} | more
    with duckdb.connect(":memory:", config=config) as connection:
        yield connection


def copy(connection: duckdb.DuckDBPyConnection, part: Beliefs, path: Path) -> None:
    """DuckDB's own way to a sorted file."""
    connection.register("part", part.columns())
    connection.execute(f"copy (select * from part order by {_ORDER}) to '{path}' {_AS}")  # noqa: S608
    connection.unregister("part")


def sort(folder: Path, parts: Path) -> Path:
    """All that was copied as one sorted folder; what it takes is not measured."""
    sorted_ = folder / "sorted"
    sorted_.mkdir()
    with engine(folder, memory_limit="2GB") as connection:
        connection.execute(
            f"copy (select {_COLUMNS} from read_parquet('{parts}/*.parquet') order by {_ORDER})"  # noqa: S608
            f" to '{sorted_}/all.parquet' {_AS}"
        )
    return sorted_


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of both: the window, as of when, and whether only what is newest counts."""

    what: str
    sensors: tuple[int, ...]
    start: datetime
    end: datetime
    as_of: datetime | None = None
    newest: bool = False

    def sql(self, folder: Path) -> str:
        """As one would write it."""
        listed = ", ".join(map(str, self.sensors))
        where = (
            f"from read_parquet('{folder}/*.parquet') where sensor in ({listed})"
            f" and event_us >= {micros(self.start)} and event_us < {micros(self.end)}"
        )
        if self.as_of is not None:
            where += f" and belief_us <= {micros(self.as_of)}"
        if self.newest:
            return (
                "select sensor, max(event_us) as event_us,"
                f" arg_max(value, (event_us, belief_us)) as value {where}"
                " group by sensor order by sensor"
            )
        return (
            f"select {_COLUMNS} {where} qualify belief_us = max(belief_us) over"
            f" (partition by sensor, source, event_us) order by {_ORDER}"
        )


def questions(end: datetime) -> Iterator[Question]:
    """A day and a year of one sensor, a month as of its middle, and what is newest of all."""
    everyone = tuple(range(1, SENSORS + 1))
    day, month, year = (timedelta(days=days) for days in (1, 30, 365))
    yield Question("one sensor-day", (77,), end - 2 * day, end - day)
    yield Question("one sensor-year", (77,), max(end - year, START), end)
    yield Question("a sensor-month as of its middle", (77,), end - month, end, end - month / 2)
    yield Question("latest of all sensors", everyone, end - day, end, newest=True)


def asked(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, NDArray[Any]]:
    """The columns that come of it."""
    found: dict[str, NDArray[Any]] = connection.execute(sql).fetchnumpy()
    return found


def readings(batch: int, size: int) -> list[tuple[int, int, float, int]]:
    """A batch as 40 readings a second bring it: sensor, time, value, quality."""
    at = np.arange(batch * size, (batch + 1) * size)
    times = micros(START) + at // 40 * 1_000_000
    return list(
        zip((at % 40 + 1).tolist(), times.tolist(), (at % 977 / 8).tolist(), [0] * size,
            strict=True)
    )  # fmt: skip


def until(batch: int, size: int) -> datetime:
    """When such a batch is complete."""
    return moment(micros(START) + (batch + 1) * size // 40 * 1_000_000)
