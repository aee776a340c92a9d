from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from flexedge.errors import StoreError
from flexedge.store.archive import Asked, Since
from flexedge.store.postgres import questions, tables
from flexedge.store.postgres.archive import PostgresArchive
from flexedge.store.postgres.server import Server
from flexedge.store.rows import Readings, moment
from tests.store.local.rows_made import STAMP, believed
from tests.store.pg_server import PgServer

pytestmark = pytest.mark.postgres
STAND_IN = """
create table hypertables (relation regclass, dimension name, chunk bigint);
create function create_hypertable(relation regclass, dimension name, chunk_time_interval bigint)
returns void language sql as
$$ insert into public.hypertables values (relation, dimension, chunk_time_interval) $$;
"""
"""Has the signature of TimescaleDB's function and notes what it is asked."""
TO_1 = (
    "alter table beliefs drop column number",
    "delete from facts where name in ('number', 'epoch')",
    "update facts set value = 1 where name = 'version'",
    "insert into beliefs values (1, 1, 20, 0, 0.5, 7), (1, 2, 30, 0, 0.5, 8)",
    "insert into beliefs values (1, 1, 10, 0, 0.5, 9)",
)
"""What makes the tables those of version 1, with something in them."""


@pytest.fixture
def server(database: str) -> Iterator[Server]:
    server = Server(database, tables.prepare, 5.0, tables.SCHEMA)
    yield server
    server.close()


def test_tables_are_made_once_whoever_comes_first(database: str, pg_server: PgServer) -> None:
    def begin(_number: int) -> None:
        server = Server(database, tables.prepare, 5.0, tables.SCHEMA)
        with server.transaction() as session:
            session.run("insert into known values ('sensor', %s, 'x')", [_number])
        server.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, range(8)))
    name = database.rpartition("/")[2]
    assert pg_server.run("select count(*) from timeseries.known", name) == [(8,)]
    assert pg_server.run("select count(*) from pg_tables where schemaname = 'public'", name) == [
        (0,)
    ]


def test_tables_of_a_newer_version_are_left_alone(
    server: Server, database: str, pg_server: PgServer
) -> None:
    with server.transaction() as session:
        session.run("update facts set value = value + 1 where name = 'version'")
    other = Server(database, tables.prepare, 5.0, tables.SCHEMA)
    with pytest.raises(StoreError, match="newer version"), other.transaction():
        pass
    name = database.rpartition("/")[2]
    idle = "select count(*) from pg_stat_activity where datname = current_database()"
    assert pg_server.run(idle, name) == [(2,)]  # who asks, and the first: the second let go


def test_people_see_dates(server: Server) -> None:
    with server.transaction() as session:
        session.run("insert into beliefs values (1, 2, 1774738800000001, -1, 0.5, 7, 1)")
        session.run("insert into readings values (1, 4102444800123456, 8, 0)")
        assert session.run("select event_start::text, belief_time::text from beliefs_at") == [
            ("2026-03-28 23:00:00.000001+00", "1969-12-31 23:59:59.999999+00")
        ]
        assert session.run("select event_start::text from readings_at") == [
            ("2100-01-01 00:00:00.123456+00",)
        ]


def test_what_is_read_is_read_from_the_index_alone(
    server: Server, pg_server: PgServer, database: str
) -> None:
    with server.transaction() as session:
        session.run(
            "insert into beliefs select mod(n, 20), 1, n, n, 0.5, n, n"
            " from generate_series(1, 20000) as n"
        )
    pg_server.run("vacuum analyze timeseries.beliefs", database.rpartition("/")[2])
    with server.transaction() as session:
        text, parameters = questions.beliefs(Asked((7,), end=moment(5000), most_recent=False), {})
        plan = session.run(f"explain {text}", parameters)
        since = session.run(
            "explain select * from beliefs where sensor = 7 and number > 15000"
            " order by number limit 100"
        )
    assert "Index Only Scan using beliefs_pkey" in str(plan)
    assert "beliefs_number" in str(since)


def test_beliefs_that_had_no_numbers_get_some(
    server: Server, database: str, pg_server: PgServer
) -> None:
    name = database.rpartition("/")[2]
    with server.transaction() as session:
        for statement in TO_1:
            session.run(statement)
    server.close()

    def begin(_number: int) -> list[tuple[int, int]]:
        archive = PostgresArchive(database)
        found = archive.since(Since(1, 0, archive.top()))
        assert archive.epoch() > 0
        archive.close()
        return list(zip(found.rows.event_us.tolist(), found.rows.number.tolist(), strict=True))

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(begin, range(4))
    assert first == [(20, 1), (30, 2), (10, 3)], "in the order in which they came"
    assert others == [first] * 3
    archive = PostgresArchive(database)
    archive.commit(Readings.empty(), believed(2), STAMP)
    assert archive.since(Since(1, 3, 9)).rows.number.tolist() == [4, 5]
    archive.close()
    version = "select value from timeseries.facts where name = 'version'"
    assert pg_server.run(version, name) == [(tables.VERSION,)]


def test_large_tables_are_hypertables_where_they_can_be(
    database: str, pg_server: PgServer, server: Server
) -> None:
    pg_server.run(STAND_IN, database.rpartition("/")[2])
    with server.transaction() as session:
        assert tables.timescale(session)
        found = session.run("select relation::text, dimension, chunk from hypertables order by 1")
    week = 7 * 86_400 * 1_000_000
    assert found == [
        ("beliefs", "event_us", week), ("hours", "start_us", week),
        ("minutes", "start_us", week), ("readings", "event_us", week),
    ]  # fmt: skip
