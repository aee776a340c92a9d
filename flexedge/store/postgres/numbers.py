"""Ingest numbers of beliefs on PostgreSQL: given so that they come to be seen in their order.

One row counts them. Who adds beliefs takes numbers from it in the same transaction, and so holds it
until that is over: others wait, and what the count says is there.
"""

from collections.abc import Sequence
from typing import Any

from flexedge.store.archive import Since, Stretch, Tally
from flexedge.store.postgres.server import Session
from flexedge.store.postgres.tables import BELIEFS
from flexedge.store.rows import Ingested, moment

_COLUMNS = (*BELIEFS.columns, "number")


def fact(session: Session, name: str) -> int:
    """A number that was put down beside the tables."""
    return int(session.run("select value from facts where name = %s", [name])[0][0])


def taken(session: Session, incoming: str) -> int:
    """Take numbers for all rows of a table; the one before the first of them."""
    ((last, n),) = session.run(
        f"with new as (select count(*) as n from {incoming}) update facts"
        " set value = value + n from new where name = 'number' returning value, n"
    )
    return int(last) - int(n)


def since(session: Session, since: Since) -> Stretch:
    """Beliefs of one sensor in order of their numbers."""
    order = "number desc" if since.newest_first else "number"
    where, parameters = "sensor = %s and number > %s and number <= %s", [since.sensor, since.lo,
                                                                         since.hi]  # fmt: skip
    told: list[Any] = [*parameters]
    if since.sources is not None:
        where, told = f"{where} and source = any(%s)", [*told, list(since.sources)]
    found = Ingested.of(
        session.arrays(
            f"select * from beliefs where {where} order by {order} limit %s",
            _COLUMNS,
            [*told, since.limit],
        )
    )
    lo, hi = since.lo, since.hi
    if len(found) == since.limit and since.newest_first:
        lo = int(found.number[-1]) - 1
    elif len(found) == since.limit:
        hi = int(found.number[-1])
    return Stretch(found, lo, hi)


def tally(session: Session, lo: int, hi: int, sensors: Sequence[int] | None) -> list[Tally]:
    """What came in, by sensor and source."""
    where, told = "number > %s and number <= %s", list[Any]([lo, hi])
    if sensors is not None:
        where, told = f"{where} and sensor = any(%s)", [*told, list(sensors)]
    rows = session.run(
        "select sensor, source, count(*), max(number), min(event_us), max(event_us) from beliefs"
        f" where {where} group by sensor, source order by sensor, source",
        told,
    )
    return [
        Tally(sensor, source, n, last, moment(first_event), moment(last_event))
        for sensor, source, n, last, first_event, last_event in rows
    ]
