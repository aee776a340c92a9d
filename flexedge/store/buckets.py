"""Readings summed up in stretches of time, as SQL for DuckDB.

A bucket holds what its own readings say and nothing of its neighbours': what a counter gained and
value x time are counted *between* the readings inside. What lies between the last reading of one
bucket and the first of the next follows from the two (``store.merging``), so that buckets joined
say the same as one large bucket, and a late reading changes no bucket but its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flexedge.domain.belief import USABLE
from flexedge.store.rows import Ids, Micros, Readings

HOLD_US = 60_000_000
"""A reading stands for the time until the next usable one, at most this long."""
RESTARTS_BELOW = 0.9
"""A counter that falls to less than this share of what it showed has begun anew."""
TURNS_WITHIN = 0.1
"""A counter turns over from the top to the bottom of its range: within this share of it."""
RISE = f"""sum(case
                when before is null then 0
                when value >= before then value - before
                when before > {1 - TURNS_WITHIN} * turns_at and before <= turns_at
                    and value < {TURNS_WITHIN} * turns_at
                    then turns_at - before + greatest(value, 0)
                when value >= {RESTARTS_BELOW} * before then 0
                else greatest(value, 0) end)"""
"""What a counter gained, of value, before and turns_at; for DuckDB and PostgreSQL."""
MINUTES_US, HOURS_US = 300_000_000, 3_600_000_000
"""The widths of the roll-ups that are kept."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Buckets: sensors and starts, each pair once, in order of start and sensor."""

    sensor: Ids
    start_us: Micros

    def spans(self, most: int, width_us: int) -> list[tuple[int, int]]:
        """Stretches [start, end) of time with at most ``most`` of the buckets each.

        All buckets of one start are in one stretch, also where they are more.
        """
        starts, counts = np.unique(self.start_us, return_counts=True)
        spans: list[tuple[int, int]] = []
        filled = most + 1
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
            if filled + count > most:
                spans.append((start, start + width_us))
                filled = count
            else:
                spans[-1] = spans[-1][0], start + width_us
                filled += count
        return spans


def touched(readings: Readings, width_us: int) -> Touched:
    """The buckets that readings fall in; buckets start at whole widths since 1970."""
    starts = readings.event_us // width_us * width_us
    order = np.lexsort((readings.sensor, starts))
    sensor, starts = readings.sensor[order], starts[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(sensor) != 0) | (np.diff(starts) != 0)
    return Touched(sensor[new], starts[new])


def summed(
    relation: str,
    width_us: int,
    origin_us: int = 0,
    turnovers: Mapping[int, float] | None = None,
) -> str:
    """A query for the buckets of a relation of readings, columns and order as in ``rows.Buckets``.

    The relation (a name or a query in brackets) has one row per sensor and ``event_us``. Buckets
    start at ``origin_us`` and whole widths from it. ``turnovers`` says by sensor after which value
    a counter turns over to 0 where that is known; ``store.merging.gained`` says the same in numpy.
    """
    start = f"event_us - ((event_us - {origin_us}) % {width_us} + {width_us}) % {width_us}"
    return f"""
        with usable as (
            select sensor, event_us, value, {start} as start_us from {relation}
            where quality in {USABLE} and isfinite(value)
        ), stepped as (
            select *, lag(value) over near as before, lead(event_us) over near as next_us
            from usable
            window near as (partition by sensor, start_us order by event_us)
        )
        select sensor, start_us, count(*) as count, avg(value) as mean,
            min(value) as least, max(value) as most,
            arg_min(value, event_us) as first, min(event_us) as first_us,
            arg_max(value, event_us) as last, max(event_us) as last_us,
            {RISE} as rise,
            sum(value * (least(coalesce(next_us - event_us, 0), {HOLD_US}) / 1e6)) as integral
        from stepped left join {listed(turnovers or {})} using (sensor)
        group by sensor, start_us
        order by sensor, start_us"""


def summed_again(
    relation: str,
    buckets: str,
    width_us: int,
    span: tuple[int, int],
    turnovers: Mapping[int, float] | None = None,
) -> str:
    """A query that sums up just the buckets named by a relation (sensor, start_us), in a span.

    For roll-ups: buckets start at whole widths since 1970. What has no usable reading any more
    gives no row. One span at a time (``Touched.spans``) bounds the memory that it takes.
    """
    low, high = span
    readings = f"""(
        select r.sensor, r.event_us, r.value, r.quality from {relation} as r
        semi join {buckets} as b on r.sensor = b.sensor
            and r.event_us - (r.event_us % {width_us} + {width_us}) % {width_us} = b.start_us
        where r.event_us >= {low} and r.event_us < {high})"""
    return summed(readings, width_us, 0, turnovers)


def listed(turnovers: Mapping[int, float]) -> str:
    """Turnovers as a relation, for DuckDB and PostgreSQL."""
    rows: Sequence[str] = [f"({sensor}, {most!r}::float8)" for sensor, most in turnovers.items()]
    return f"(values {', '.join(rows or ['(null::integer, null::float8)'])}) as t(sensor, turns_at)"
