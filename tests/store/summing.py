"""Readings by chance, summed up by DuckDB and, in plain Python, by hand."""

from collections.abc import Mapping
from itertools import pairwise
from math import isfinite, nan

import duckdb
import numpy as np
from hypothesis import strategies as st

from flexedge.store.buckets import summed
from flexedge.store.rows import Buckets, Readings

ENGINE = duckdb.connect()
"""One for all: opening takes longer than the query."""
MINUTE = 60_000_000
TURNS_AT = 100.0
TURNOVERS = {1: TURNS_AT}
"""Sensor 1 is known to turn over there; of sensor 2 nothing is known."""
_values = st.one_of(
    st.integers(-8, 440).map(lambda quarters: quarters / 4),
    st.sampled_from((nan, 0.0, 1.0, 95.0, 99.75)),
)
# Quarters of a second and of a unit: sums of them are exact, so that equal is equal.
_gaps = st.one_of(
    st.integers(1, 300).map(lambda quarters: quarters * 250_000),
    st.sampled_from((MINUTE, 5 * MINUTE, 7 * MINUTE, 100 * MINUTE, 300 * MINUTE)),
)


@st.composite
def histories(draw: st.DrawFn) -> Readings:
    """Readings of up to two sensors, one of each moment, across gaps and before 1970."""
    parts = []
    for sensor in draw(st.sets(st.sampled_from((1, 2)))):
        steps = draw(st.lists(st.tuples(_gaps, _values, st.sampled_from((0, 0, 0, 1, 2, 3)))))
        begin = draw(st.sampled_from((-90 * MINUTE, -1_000_000, 0, 59 * MINUTE)))
        times = begin + np.cumsum([gap for gap, _, _ in steps], dtype=np.int64)
        parts.append(
            Readings.of(
                {
                    "sensor": np.full(len(steps), sensor),
                    "event_us": times,
                    "value": [value for _, value, _ in steps],
                    "quality": [quality for _, _, quality in steps],
                }
            )
        )
    return Readings.joined(parts)


def by_duckdb(
    readings: Readings,
    width_us: int,
    turnovers: Mapping[int, float] = TURNOVERS,
    origin_us: int = 0,
) -> Buckets:
    """Buckets of readings as the store makes them; the relation is in no order."""
    shuffled = readings.take(np.random.default_rng(7).permutation(len(readings)))
    ENGINE.register("readings", shuffled.columns())
    query = summed("readings", width_us, origin_us, turnovers)
    return Buckets.of(ENGINE.execute(query).fetchnumpy())


def by_hand(readings: Readings, edges: list[int]) -> list[dict[str, float]]:
    """What the buckets between edges must hold, one reading after another."""
    found = []
    for sensor in (1, 2):
        for low, high in pairwise(edges):
            rows = sorted(
                (at, value)
                for number, at, value, quality in zip(
                    *(column.tolist() for column in readings.columns().values()), strict=True
                )
                if number == sensor and low <= at < high and quality in (0, 3) and isfinite(value)
            )
            if rows:
                found.append(_bucket(sensor, low, rows))
    return found


def _bucket(sensor: int, start: int, rows: list[tuple[int, float]]) -> dict[str, float]:
    values = [value for _, value in rows]
    steps = list(pairwise(rows))
    return {
        "sensor": sensor, "start_us": start, "count": len(rows),
        "mean": sum(values) / len(values), "least": min(values), "most": max(values),
        "first": values[0], "first_us": rows[0][0], "last": values[-1], "last_us": rows[-1][0],
        "rise": sum(_gain(a, b, TURNS_AT if sensor == 1 else None) for (_, a), (_, b) in steps),
        "integral": sum(a * min(u - t, MINUTE) / 1e6 for (t, a), (u, _) in steps),
    }  # fmt: skip


def _gain(before: float, after: float, turns_at: float | None) -> float:
    if after >= before:
        return after - before
    if turns_at is not None and 0.9 * turns_at < before <= turns_at and after < 0.1 * turns_at:
        return turns_at - before + max(after, 0.0)
    if after >= 0.9 * before:
        return 0.0
    return max(after, 0.0)


def table(buckets: Buckets) -> list[dict[str, float]]:
    """Buckets row by row."""
    columns = {name: column.tolist() for name, column in buckets.columns().items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
