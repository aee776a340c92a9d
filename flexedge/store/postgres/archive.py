"""An archive on PostgreSQL: what the interface asks for, as SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.asset import Knowable
from flexedge.domain.belief import USABLE
from flexedge.store.archive import Asked, Keep, Kind, Since, Stamp, Statistics, Stretch, Tally
from flexedge.store.postgres import numbers, questions, rollups, tables
from flexedge.store.postgres.server import Server, Session
from flexedge.store.postgres.tables import BELIEFS, INCOMING, READINGS, Table
from flexedge.store.rows import Beliefs, Buckets, Readings, micros, moment

_READ_S = 30.0
_AT_ONCE = 500_000  # rows that are sent at a time
_NUMBERS = f"({', '.join(str(code) for code in USABLE)})"
_USABLE = f"quality in {_NUMBERS} and value <> 'NaN'"


class PostgresArchive:
    """An ``Archive`` on a server. Safe to use from any thread. Raises ``StoreError``.

    ``url``: postgresql://user@host:port/database. Nothing is connected before it is needed; while
    the server is away every call raises, and when it is back all goes on. ``deadline_s``: how
    long a query may take; then ``StoreSlow``.
    """

    def __init__(self, url: str, keep: Keep | None = None, deadline_s: float = _READ_S) -> None:
        self._server = Server(url, tables.prepare, deadline_s, tables.SCHEMA)
        self._keep = keep or Keep()

    def commit(
        self,
        readings: Readings,
        beliefs: Beliefs,
        stamp: Stamp,
        *,
        replacing: bool = False,  # noqa: ARG002 (here newer rows take the place of older ones)
    ) -> None:
        """Keep rows, all or none; they are safe from a power cut when this returns."""
        with self._server.transaction() as session:
            session.beside()
            for table, rows in ((READINGS, readings), (BELIEFS, beliefs)):
                if len(rows):
                    _take_in(session, table, rows.columns(), stamp)

    def introduce(self, kind: Kind, number: int, words: str) -> None:
        """Note what a sensor or source number stands for."""
        with self._server.transaction() as session:
            session.run(
                "insert into known values (%s, %s, %s)"
                " on conflict (kind, number) do update set words = excluded.words",
                [kind, number, words],
            )

    def known(self, kind: Kind) -> Mapping[int, str]:
        """What was introduced."""
        with self._server.transaction() as session:
            return dict(session.run("select number, words from known where kind = %s", [kind]))

    def beliefs(self, asked: Asked, knowable: Mapping[int, Knowable]) -> Beliefs:
        """Beliefs in order of sensor, event, source, belief time, probability."""
        text, parameters = questions.beliefs(asked, knowable)
        return Beliefs.of(self._arrays(text, BELIEFS.columns, parameters))

    def readings(self, sensors: Sequence[int], start: datetime, end: datetime) -> Readings:
        """Readings with start <= event < end in order of sensor and event, each event once."""
        text = (
            "select * from readings where sensor = any(%s) and event_us >= %s and event_us < %s"
            " order by sensor, event_us"
        )
        parameters = [list(sensors), micros(start), micros(end)]
        return Readings.of(self._arrays(text, READINGS.columns, parameters))

    def buckets(self, sensors: Sequence[int], start: datetime, width: timedelta, n: int) -> Buckets:
        """Readings summed up in ``n`` stretches from ``start`` on; empty ones are left out."""
        with self._server.transaction() as session:
            return rollups.buckets(session, sensors, start, width, n)

    def latest(self, sensors: Sequence[int], now: datetime) -> Readings:
        """The newest usable reading until ``now`` of each sensor that has one."""
        text = f"""
            select found.* from (select distinct unnest(%s::integer[]) as sensor) as asked
            cross join lateral (
                select * from readings as r
                where r.sensor = asked.sensor and event_us <= %s and {_USABLE}
                order by event_us desc limit 1) as found
            order by sensor"""
        return Readings.of(self._arrays(text, READINGS.columns, [list(sensors), micros(now)]))

    def newest(self, sensors: Sequence[int], now: datetime) -> Beliefs:
        """The belief about the newest event that starts by ``now``, of each sensor."""
        text, parameters = questions.newest(sensors, now)
        return Beliefs.of(self._arrays(text, BELIEFS.columns, parameters))

    def statistics(self, asked: Asked) -> list[Statistics]:
        """What there is about sensors, by sensor and source; readings first."""
        with self._server.transaction() as session:
            rows = session.run(*questions.statistics(asked))
        return [
            Statistics(sensor, source, moment(first), moment(last), moment(believed), *rest)
            for sensor, source, first, last, believed, *rest in rows
        ]

    def epoch(self) -> int:
        """Another one as soon as ingest numbers may begin anew; positive."""
        with self._server.transaction() as session:
            return numbers.fact(session, "epoch")

    def top(self) -> int:
        """The ingest number up to which nothing can come in any more; 0: nothing came yet."""
        with self._server.transaction() as session:
            return numbers.fact(session, "number")

    def since(self, since: Since) -> Stretch:
        """Beliefs of one sensor in order of when they came in."""
        with self._server.transaction() as session:
            return numbers.since(session, since)

    def tally(self, lo: int, hi: int, sensors: Sequence[int] | None = None) -> list[Tally]:
        """What came in with lo < ingest number <= hi, by sensor and source."""
        with self._server.transaction() as session:
            return numbers.tally(session, lo, hi, sensors)

    def delete(
        self, sensor: int, source: int | None, start: datetime | None, end: datetime | None
    ) -> int:
        """Take beliefs of one source (None: of all, and the readings, too) out for good."""
        where, parameters = "sensor = %s", [sensor]
        if start is not None:
            where, parameters = f"{where} and event_us >= %s", [*parameters, micros(start)]
        if end is not None:
            where, parameters = f"{where} and event_us < %s", [*parameters, micros(end)]
        with self._server.transaction() as session:
            session.beside()
            if source is not None:
                text = f"delete from beliefs where {where} and source = %s"
                return session.count(text, [*parameters, source])
            gone = session.count(f"delete from beliefs where {where}", parameters)
            gone += session.count(f"delete from readings where {where}", parameters)
            rollups.forget(session, sensor, start, end)
            return gone

    def restamp(self, stamp: Stamp) -> int:
        """Date what this boot read before its clock was right; returns how many readings."""
        with self._server.transaction() as session:
            session.beside()
            n = session.count(
                f"insert into {INCOMING[READINGS]} select sensor, event_us + %s - offset_us, value,"
                " quality, number from undated_readings where boot = %s",
                [stamp.offset_us, stamp.boot],
            )
            session.run("delete from undated_readings where boot = %s", [stamp.boot])
            _sort_in(session, READINGS)
            return n

    def conditions(self) -> Mapping[str, str]:
        """The server's disk is looked after by who runs it."""
        return {}

    def maintain(self, now: datetime) -> None:
        """Sum up what is complete, let old rows go."""
        rollups.roll(self._server, now)
        for table in tables.LARGE:
            span = getattr(self._keep, table.name)
            if span is not None:
                rollups.prune(self._server, table, now, span)

    def close(self) -> None:
        """Let go of every connection; what was committed stays."""
        self._server.close()

    def _arrays(
        self, text: str, columns: Sequence[str], parameters: Sequence[Any]
    ) -> dict[str, NDArray[Any]]:
        with self._server.transaction() as session:
            return session.arrays(text, columns, parameters)


def _take_in(
    session: Session, table: Table, columns: Mapping[str, NDArray[Any]], stamp: Stamp
) -> None:
    """Add rows: where they can be seen if their dates can be trusted, else put them by."""
    incoming, n = INCOMING[table], len(columns["sensor"])
    for at in range(0, n, _AT_ONCE):
        some = {name: column[at : at + _AT_ONCE] for name, column in columns.items()}
        order = np.arange(at, at + len(some["sensor"]), dtype=np.int64)
        session.load(incoming, {**some, "ord": order})
    if stamp.trusted:
        _sort_in(session, table)
        return
    names = ", ".join(table.columns)
    session.run(
        f"insert into undated_{table.name} (boot, offset_us, {names})"
        f" select %s, %s, {names} from {incoming} order by ord",
        [stamp.boot, stamp.offset_us],
    )


def _sort_in(session: Session, table: Table) -> None:
    """Move incoming rows to where they are read; of those with one key the last counts."""
    incoming, key = INCOMING[table], ", ".join(table.key)
    given = ", ".join(f"excluded.{name}" for name in table.values)
    names, change, rows = list(table.columns), list(table.values), "*"
    if table.numbered:
        rows = f"*, {numbers.taken(session, incoming)} + row_number() over (order by ord) as number"
        names, change = [*names, "number"], [*change, "number"]
    changed = ", ".join(f"excluded.{name}" for name in change)
    session.run(
        f"insert into {table.name} as kept ({', '.join(names)})"
        f" select {', '.join(names)} from (select {rows} from (select distinct on ({key}) *"
        f" from {incoming} order by {key}, ord desc) as new) as numbered"
        f" on conflict ({key}) do update set ({', '.join(change)}) = row({changed})"
        f" where ({', '.join(f'kept.{name}' for name in table.values)}) is distinct from ({given})"
    )
    if table is READINGS:
        rollups.touch(session, incoming)
