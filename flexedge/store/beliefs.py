"""Time series in DuckDB: readings as they came, forecasts and schedules as beliefs.

One writer appends in batches; every reader has a cursor of its own (DuckDB allows no sharing).
Times are stored as UTC without a zone and get their zone back here.

The interface is small on purpose: the crash-proof design (a journal in front of it) is to replace
what is behind it.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief, Quality, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import StoreError, StoreLocked

_SCHEMA = """
create table if not exists sensors (id integer, name varchar, unit varchar);
create table if not exists sources (id integer, name varchar, kind varchar);
create table if not exists readings (
    sensor integer, event_start timestamp, value double, quality utinyint);
create table if not exists beliefs (
    sensor integer, source integer, belief_time timestamp, event_start timestamp,
    resolution_s double, value double);
"""
_QUALITIES: tuple[Quality, ...] = tuple(Quality)  # the order is stored: append only
_CODES = {quality: code for code, quality in enumerate(_QUALITIES)}
_USABLE = tuple(_CODES[quality] for quality in (Quality.GOOD, Quality.DERIVED))
_WAITING = 200_000  # readings kept in memory while the disk refuses them; then the oldest go
_HOLD = timedelta(seconds=60)  # a reading stands for the time until the next, at most this long


@dataclass(frozen=True, slots=True)
class BeliefRow:
    """One belief about one event; readings are believed from the moment they were taken."""

    event_start: datetime
    belief_time: datetime
    source: str
    value: float | None


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _connect(path: Path, memory_mb: int) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mb}MB",
        "threads": 1,
    }
    try:
        connection = duckdb.connect(str(path), config=settings)
        connection.execute(_SCHEMA)
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise StoreLocked(f"{path} is in use by another process") from error
        raise StoreError(f"{path}: {error}") from error
    except duckdb.Error as error:
        raise StoreError(f"{path}: {error}") from error
    return connection


def open_or_set_aside(path: Path, now: datetime, memory_mb: int = 128) -> tuple["Beliefs", str]:
    """Open the file; one that does not open is set aside and a new one begun.

    Returns the store and a sentence for the alarm list ("" when all is well). Raises
    ``StoreLocked`` when another process has it, ``StoreError`` when no file can be made at all.
    """
    try:
        return Beliefs(path, memory_mb), ""
    except StoreLocked:
        raise
    except StoreError as error:
        if not path.exists():
            raise
        aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}")
        path.rename(aside)
        wal = path.with_name(f"{path.name}.wal")
        if wal.exists():
            wal.rename(aside.with_name(f"{aside.name}.wal"))
        return Beliefs(path, memory_mb), f"{path.name} did not open, kept as {aside.name}: {error}"


class Beliefs:
    """The time series of one gateway in one DuckDB file. Safe to use from any thread."""

    def __init__(self, path: Path, memory_mb: int = 128) -> None:
        self._connection = _connect(path, memory_mb)
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._waiting: deque[Reading] = deque(maxlen=_WAITING)
        self._ids: dict[str, int] = {}
        self._source_ids: dict[str, int] = {}
        self.dropped = 0
        """Readings lost because the disk refused them for too long."""
        with self._cursor() as cursor:
            self._ids = dict(cursor.execute("select name, id from sensors").fetchall())
            self._source_ids = dict(cursor.execute("select name, id from sources").fetchall())

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except duckdb.Error as error:
            raise StoreError(str(error)) from error

    def register(self, name: str, unit: str) -> None:
        """Make a sensor known; its id is kept for good."""
        with self._lock:
            if name in self._ids:
                return
            number = len(self._ids) + 1
            with self._cursor() as cursor:
                cursor.execute("insert into sensors values (?, ?, ?)", [number, name, unit])
            self._ids[name] = number

    @property
    def sensors(self) -> tuple[str, ...]:
        """Every sensor known."""
        return tuple(self._ids)

    def append(self, readings: Iterable[Reading]) -> None:
        """Queue readings of registered sensors for the next ``flush``; returns at once."""
        for reading in readings:
            if len(self._waiting) == _WAITING:
                self.dropped += 1
            self._waiting.append(reading)

    def flush(self) -> int:
        """Write what is queued in one transaction; returns how many.

        On ``StoreError`` nothing is lost: the readings stay queued.
        """
        with self._flushing:
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if batch:
                self._write(batch)
            return len(batch)

    def _write(self, batch: list[Reading]) -> None:
        try:
            self._insert(
                "readings",
                {
                    "sensor": np.array([self._ids[r.sensor] for r in batch], np.int32),
                    "event_start": _stamps([r.event_start for r in batch]),
                    "value": np.array(
                        [np.nan if r.value is None else r.value for r in batch], np.float64
                    ),
                    "quality": np.array([_CODES[r.quality] for r in batch], np.uint8),
                },
            )
        except StoreError:
            self._waiting.extendleft(reversed(batch))
            raise

    def _insert(self, table: str, columns: dict[str, Any]) -> None:
        with self._lock, self._cursor() as cursor:
            cursor.register("batch", columns)
            cursor.execute(f"insert into {table} select {', '.join(columns)} from batch")

    def save(self, beliefs: Sequence[Belief], source: Source) -> None:
        """Keep forecasts or schedules; steps without a value are left out."""
        number = self._source(source)
        rows: dict[str, list[Any]] = {"sensor": [], "belief_time": [], "event_start": [],
                                      "resolution_s": [], "value": []}  # fmt: skip
        for belief in beliefs:
            grid = belief.series.grid
            known = ~np.isnan(belief.series.values)
            n = int(known.sum())
            rows["sensor"].append(np.full(n, self._ids[belief.sensor], np.int32))
            rows["belief_time"].append(np.repeat(_stamps([belief.belief_time]), n))
            rows["event_start"].append(_stamps(grid.times())[known])
            rows["resolution_s"].append(np.full(n, grid.resolution.total_seconds()))
            rows["value"].append(belief.series.values[known])
        if rows["sensor"]:
            columns = {name: np.concatenate(parts) for name, parts in rows.items()}
            length = len(columns["sensor"])
            ordered = {
                "sensor": columns["sensor"],
                "source": np.full(length, number, np.int32),
                **{name: columns[name] for name in tuple(rows)[1:]},
            }
            self._insert("beliefs", ordered)

    def _source(self, source: Source) -> int:
        with self._lock:
            if source.name not in self._source_ids:
                number = len(self._source_ids) + 1
                with self._cursor() as cursor:
                    row = [number, source.name, source.kind]
                    cursor.execute("insert into sources values (?, ?, ?)", row)
                self._source_ids[source.name] = number
            return self._source_ids[source.name]

    def mean(self, sensor: str, grid: TimeGrid) -> Series:
        """The mean of a sensor's usable readings in each step; NaN where there are none."""
        values = np.full(grid.n, np.nan)
        if sensor in self._ids and grid.n:
            with self._cursor() as cursor:
                found = cursor.execute(
                    """
                    select (epoch_us(event_start) - ?) // ? as step, avg(value) as mean
                    from readings
                    where sensor = ? and event_start >= ? and event_start < ?
                        and quality in (?, ?) and not isnan(value)
                    group by step
                    """,
                    [
                        int(grid.start.timestamp() * 1e6),
                        int(grid.resolution.total_seconds() * 1e6),
                        self._ids[sensor],
                        _naive(grid.start),
                        _naive(grid.end),
                        *_USABLE,
                    ],
                ).fetchnumpy()
            values[found["step"].astype(np.int64)] = found["mean"]
        return Series(grid, values)

    def energies_kwh(self, start: datetime, end: datetime) -> dict[str, float]:
        """The integral of every power sensor's usable readings: kWh by sensor name.

        A reading stands until the next one, at most a minute, so gaps are not filled.
        """
        with self._cursor() as cursor:
            rows = cursor.execute(
                """
                select name, sum(value * least(seconds, ?)) / 3600 from (
                    select s.name, r.value, r.quality, coalesce(epoch(lead(r.event_start) over (
                        partition by r.sensor order by r.event_start) - r.event_start), 0)
                        as seconds
                    from readings r join sensors s on s.id = r.sensor
                    where s.unit = 'kW' and r.event_start >= ? and r.event_start < ?)
                where quality in (?, ?)
                    and not isnan(value)
                group by name
                """,
                [_HOLD.total_seconds(), _naive(start), _naive(end), *_USABLE],
            ).fetchall()
        return dict(rows)

    def between(
        self, sensor: str, start: datetime, end: datetime, limit: int = 10_000
    ) -> list[BeliefRow]:
        """All that was read, forecast or planned for a sensor's events in [start, end).

        In order of event, then belief time; the newest ``limit`` of them.
        """
        if sensor not in self._ids:
            return []
        with self._cursor() as cursor:
            rows = cursor.execute(
                """
                select * from (
                    select event_start, event_start as belief_time, 'reading' as source, value
                    from readings where sensor = $1 and event_start >= $2 and event_start < $3
                    union all
                    select b.event_start, b.belief_time, s.name, b.value
                    from beliefs b join sources s on s.id = b.source
                    where b.sensor = $1 and b.event_start >= $2 and b.event_start < $3
                ) order by event_start desc, belief_time desc limit $4
                """,
                [self._ids[sensor], _naive(start), _naive(end), limit],
            ).fetchall()
        return [
            BeliefRow(_aware(event), _aware(believed), source, None if value != value else value)  # noqa: PLR0124 (NaN)
            for event, believed, source, value in reversed(rows)
        ]

    def believed(self, sensor: str, source: str, grid: TimeGrid) -> Series:
        """The newest belief of one source about each step of ``grid``."""
        values = np.full(grid.n, np.nan)
        if sensor in self._ids and source in self._source_ids and grid.n:
            with self._cursor() as cursor:
                found = cursor.execute(
                    """
                    select (epoch_us(event_start) - ?) // ? as step,
                           arg_max(value, belief_time) as newest
                    from beliefs
                    where sensor = ? and source = ? and event_start >= ? and event_start < ?
                    group by step
                    """,
                    [
                        int(grid.start.timestamp() * 1e6),
                        int(grid.resolution.total_seconds() * 1e6),
                        self._ids[sensor],
                        self._source_ids[source],
                        _naive(grid.start),
                        _naive(grid.end),
                    ],
                ).fetchnumpy()
            values[found["step"].astype(np.int64)] = found["newest"]
        return Series(grid, values)

    def prune(self, before: datetime) -> None:
        """Delete readings and beliefs about events before a moment and give the space back."""
        with self._lock, self._cursor() as cursor:
            for table in ("readings", "beliefs"):
                cursor.execute(f"delete from {table} where event_start < ?", [_naive(before)])
            cursor.execute("checkpoint")

    def close(self) -> None:
        """Write what is queued and close the file."""
        try:
            self.flush()
        finally:
            self._connection.close()


def _stamps(moments: Sequence[datetime]) -> Any:
    """Aware times as DuckDB takes them; floats of seconds are good to the microsecond until 2100.

    numpy takes ten times as long to turn datetimes into its own.
    """
    seconds = np.fromiter((moment.timestamp() for moment in moments), np.float64, len(moments))
    return np.rint(seconds * 1e6).astype(np.int64).view("datetime64[us]")
