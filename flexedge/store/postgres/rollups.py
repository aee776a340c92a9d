"""Readings summed up on PostgreSQL: roll-ups that are kept, and what they leave to be summed.

Readings mark the roll-ups that they touch; ``roll`` makes those anew once they are complete.
What is marked is summed from the readings themselves, so that an answer never waits for it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from flexedge.domain.belief import USABLE
from flexedge.store.buckets import HOLD_US, RISE, listed
from flexedge.store.merging import merged
from flexedge.store.postgres.server import Server, Session
from flexedge.store.postgres.tables import HOURS, MINUTES, READINGS, Table, timescale
from flexedge.store.rows import Buckets, Micros, micros
from flexedge.store.words import TURNS_AT, turnovers

WIDTHS_US = {MINUTES: 300_000_000, HOURS: 3_600_000_000}
"""How long the stretches are that are kept summed up."""
_BATCH = 5_000  # roll-ups made at a time
_ROWS = 50_000  # rows deleted at a time
_US = timedelta(microseconds=1)
_A_DAY_US = 86_400_000_000
_LEAST, _MOST = -(1 << 62), 1 << 62
_NUMBERS = f"({', '.join(str(code) for code in USABLE)})"
USABLE_SQL = f"quality in {_NUMBERS} and value > '-Infinity' and value < 'Infinity'"
"""Which readings count; for PostgreSQL NaN is above all numbers."""


def _floor(column: str, width_us: int, origin_us: int = 0) -> str:
    within = f"mod({column} - {origin_us}, {width_us})"
    return f"{column} - mod({within} + {width_us}, {width_us})"


def turning(session: Session) -> dict[int, float]:
    """At which value counters show 0 again, by sensor, where that is known."""
    known = "select number, words from known where kind = 'sensor' and strpos(words, %s) > 0"
    return turnovers(dict(session.run(known, [TURNS_AT])))


def summed(relation: str, width_us: int, turnovers: Mapping[int, float], origin_us: int = 0) -> str:
    """A query for the buckets of a relation of readings, as ``store.buckets.summed`` says it."""
    start = _floor("event_us", width_us, origin_us)
    return f"""
        with usable as (
            select sensor, event_us, value, {start} as start_us from {relation} as r
            where {USABLE_SQL}
        ), stepped as (
            select *, lag(value) over near as before, lead(event_us) over near as next_us
            from usable
            window near as (partition by sensor, start_us order by event_us)
        )
        select sensor, start_us, count(*) as count, avg(value) as mean,
            min(value) as least, max(value) as most,
            min(value) filter (where before is null) as first, min(event_us) as first_us,
            min(value) filter (where next_us is null) as last, max(event_us) as last_us,
            {RISE} as rise,
            sum(case
                when next_us is null then 0
                else value * least(next_us - event_us, {HOLD_US}) / 1e6 end) as integral
        from stepped left join {listed(turnovers)} using (sensor) group by sensor, start_us"""


def touch(session: Session, relation: str) -> None:
    """Mark the roll-ups that readings fall into.

    But for those whose readings were let go: they are kept as they are.
    """
    for table, width in WIDTHS_US.items():
        start = _floor("event_us", width)
        session.run(
            f"insert into touched select distinct {width}::bigint, {start}, sensor"
            f" from {relation} as r where not exists (select from {table.name} as k"
            f" where k.sensor = r.sensor and k.start_us = {start} and {start} <"
            " (select value from facts where name = 'pruned_us'))"
            " order by 1, 2, 3 on conflict do nothing"
        )


def buckets(
    session: Session, sensors: Sequence[int], start: datetime, width: timedelta, n: int
) -> Buckets:
    """Readings summed up in ``n`` stretches from ``start`` on; empty ones are left out."""
    lo, step = micros(start), width // _US
    hi = lo + n * step
    turns = turning(session)
    for table in (HOURS, MINUTES):
        grain = WIDTHS_US[table]
        if lo % grain == 0 and step % grain == 0:
            fine = _fine(session, sensors, table, (lo, hi), turns)
            edges: Micros = np.arange(lo, hi + 1, step, dtype=np.int64)
            return merged(fine, edges, grain, turns)
    relation = (
        "(select * from readings where sensor = any(%s) and event_us >= %s and event_us < %s)"
    )
    text = f"{summed(relation, step, turns, lo)} order by sensor, start_us"
    return Buckets.of(session.arrays(text, MINUTES.columns, [list(sensors), lo, hi]))


def _fine(
    session: Session, sensors: Sequence[int], table: Table, span: tuple[int, int],
    turns: Mapping[int, float],
) -> Buckets:  # fmt: skip
    """Roll-ups of one width, those that are marked made anew on the way."""
    width = WIDTHS_US[table]
    marks = (
        f"(select sensor, start_us from touched where width_us = {width} and sensor = any(%s)"
        " and start_us >= %s and start_us < %s)"
    )
    fresh = (
        f"(select r.* from {marks} as m cross join lateral (select * from readings as r"
        f" where r.sensor = m.sensor and event_us >= m.start_us and event_us < m.start_us + {width}"
        ") as r)"
    )
    kept = (
        f"select * from {table.name} as k where sensor = any(%s) and start_us >= %s"
        " and start_us < %s and not exists (select from touched as t where t.sensor = k.sensor"
        f" and t.start_us = k.start_us and t.width_us = {width})"
    )
    sums = summed(fresh, width, turns)
    text = f"{kept} union all select * from ({sums}) as fresh order by 1, 2"
    return Buckets.of(session.arrays(text, table.columns, [list(sensors), *span] * 2))


def roll(server: Server, now: datetime) -> None:
    """Make roll-ups anew that are marked and complete.

    Not while rows come in, whose marks nobody sees yet: what is left is done the next time.
    """
    for table, width in WIDTHS_US.items():
        while _rolled(server, table, micros(now) - width) == _BATCH:
            pass


def _rolled(server: Server, table: Table, until_us: int) -> int:
    width, names = WIDTHS_US[table], ", ".join(table.columns)
    marked = (
        "(select r.* from due as m cross join lateral (select * from readings as k"
        f" where k.sensor = m.sensor and event_us >= m.start_us and event_us < m.start_us + {width}"
        ") as r)"
    )
    with server.transaction() as session:
        if not session.alone():
            return 0
        n = session.count(
            "with taken as (delete from touched where (width_us, start_us, sensor) in ("
            f"select width_us, start_us, sensor from touched where width_us = {width}"
            f" and start_us <= %s order by 1, 2, 3 limit {_BATCH})"
            " returning sensor, start_us) insert into due select * from taken",
            [until_us],
        )
        session.run(
            f"delete from {table.name} as k using due as m"
            " where k.sensor = m.sensor and k.start_us = m.start_us"
        )
        sums = summed(marked, width, turning(session))
        session.run(f"insert into {table.name} ({names}) {sums}")
        return n


def forget(session: Session, sensor: int, start: datetime | None, end: datetime | None) -> None:
    """Take out the roll-ups of readings that were deleted; those at the ends are made anew."""
    lo, hi = _LEAST if start is None else micros(start), _MOST if end is None else micros(end)
    for table, width in WIDTHS_US.items():
        session.run(
            f"delete from {table.name} where sensor = %s and start_us > %s and start_us < %s",
            [sensor, lo - width, hi],
        )
        for edge in {lo // width * width, hi // width * width} - {_LEAST, _MOST}:
            session.run(
                "insert into touched values (%s, %s, %s) on conflict do nothing",
                [width, edge, sensor],
            )


def _newest(table: Table) -> str:
    """A query for the time of the newest row, sensor by sensor: there is an index for that."""
    return (
        f"with recursive known as (select min(sensor) as sensor from {table.name} union all"
        f" select (select min(sensor) from {table.name} as t where t.sensor > known.sensor)"
        " from known where known.sensor is not null)"
        f" select max((select max({table.time}) from {table.name} as t"
        " where t.sensor = known.sensor)) from known"
    )


def prune(server: Server, table: Table, now: datetime, span: timedelta) -> None:
    """Let rows go that are older than a span: whole chunks where there are any, else a few a time.

    A clock that is far ahead lets nothing go: the newest row says how late it is at most.
    """
    with server.transaction() as session:
        session.patient()
        ((newest_us,),) = session.run(_newest(table))
        if newest_us is None:
            return
        before_us = min(micros(now), newest_us + _A_DAY_US) - span // _US
        if table is READINGS:
            session.run(
                "insert into facts values ('pruned_us', %s) on conflict (name)"
                " do update set value = greatest(facts.value, excluded.value)",
                [before_us],
            )
        if timescale(session):
            session.run(
                "select drop_chunks(%s::text::regclass, %s::bigint)", [table.name, before_us]
            )
            return
    n = _ROWS
    while n == _ROWS:
        with server.transaction() as session:
            session.patient()
            n = session.count(
                f"delete from {table.name} where ctid = any(array(select ctid from {table.name}"
                f" where {table.time} < %s limit {_ROWS}))",
                [before_us],
            )
