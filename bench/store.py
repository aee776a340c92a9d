"""Storing readings, over DuckDB's own bulk insert of the same rows."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

from bench.measure import Row, goal, in_turn, seconds
from flexedge.domain.asset import Sensor
from flexedge.domain.belief import Quality, Reading
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State

START = datetime(2026, 4, 14, tzinfo=UTC)
_SENSORS = tuple(f"device{i // 7}.point{i % 7}" for i in range(35))
_TABLE = """
create table readings (sensor integer, event_start timestamp, value double, quality utinyint)
"""
_INSERT = "insert into readings select sensor, event_start, value, quality from batch"


def rows(*, quick: bool) -> Iterator[Row]:
    """In batches as a gateway writes them, and as many as a long silence of the disk leaves."""
    for size, rounds in ((500, 5), (2_000, 3)) if quick else ((500, 60), (50_000, 9)):
        with tempfile.TemporaryDirectory() as folder:
            yield _row(Path(folder), size, rounds)


def _row(folder: Path, size: int, rounds: int) -> Row:
    readings = _readings(size)
    beliefs = Beliefs(LocalArchive(folder / "ours", START), State(folder / "state.db"))
    for sensor in _SENSORS:
        beliefs.register(Sensor(sensor, "kW"))
    bare = duckdb.connect(str(folder / "bare.duckdb"), config={"threads": 1})
    bare.execute(_TABLE)
    columns = _columns(readings)

    def ours() -> None:
        beliefs.append(readings)
        beliefs.flush()

    def other() -> None:
        bare.register("batch", columns)
        bare.execute(_INSERT)

    figures = in_turn(lambda: size / seconds(ours), lambda: size / seconds(other), rounds)
    beliefs.close()
    bare.close()
    what = f"readings stored, batches of {size}"
    return Row(what, "/s", *figures, "DuckDB's insert of numpy", goal(least=0.2))


def _readings(size: int) -> list[Reading]:
    """Seven points to a poll, one in fifty missing."""
    return [
        Reading(_SENSORS[i % 35], START + timedelta(seconds=i // 7, microseconds=i // 7), None,
                Quality.MISSING) if i % 50 == 0 else
        Reading(_SENSORS[i % 35], START + timedelta(seconds=i // 7, microseconds=i // 7), i / 8)
        for i in range(size)
    ]  # fmt: skip


def _columns(readings: list[Reading]) -> dict[str, object]:
    times = [reading.event_start.replace(tzinfo=None) for reading in readings]
    values = [np.nan if reading.value is None else reading.value for reading in readings]
    return {
        "sensor": np.arange(len(readings), dtype=np.int32) % 35,
        "event_start": np.array(times, "datetime64[us]"),
        "value": np.array(values, np.float64),
        "quality": np.array([reading.value is None for reading in readings], np.uint8),
    }
