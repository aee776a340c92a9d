from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from flexedge.errors import StoreError
from flexedge.store.postgres import tables
from flexedge.store.postgres.server import Server
from tests.store.pg_server import PgServer

pytestmark = pytest.mark.postgres
STAND_IN = """
create table hypertables (relation regclass, dimension name, chunk bigint);
create function create_hypertable(relation regclass, dimension name, chunk_time_interval bigint)
returns void language sql as
$$ insert into public.hypertables values (relation, dimension, chunk_time_interval) $$;
"""
"""Has the signature of TimescaleDB's function and notes what it is asked."""


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
        session.run("insert into beliefs values (1, 2, 1774738800000001, -1, 0.5, 7)")
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
            "insert into beliefs select mod(n, 20), 1, n, n, 0.5, n"
            " from generate_series(1, 20000) as n"
        )
    pg_server.run("vacuum analyze timeseries.beliefs", database.rpartition("/")[2])
    with server.transaction() as session:
        plan = session.run("explain select * from beliefs where sensor = 7 and event_us < 5000")
    assert "Index Only Scan using beliefs_pkey" in str(plan)


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
