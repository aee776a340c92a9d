from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from flexedge.store.archive import Keep
from flexedge.store.postgres import rollups
from flexedge.store.postgres.archive import PostgresArchive
from flexedge.store.rows import EPOCH, Beliefs
from tests.store.local.rows_made import SECOND, STAMP, believed, some
from tests.store.pg_server import PgServer

# What buckets hold is in tests/store/test_archive.py.
pytestmark = pytest.mark.postgres
Run = Callable[[str], list[tuple[Any, ...]]]
NONE = Beliefs.empty()
HOUR, FOR_EVER = timedelta(hours=1), Keep(None, None, None, None)
STAND_IN = """
create table dropped (relation regclass, older_than bigint);
create function create_hypertable(relation regclass, dimension name, chunk_time_interval bigint)
returns void language sql as $$ select $$;
create function drop_chunks(relation regclass, older_than bigint)
returns setof text language sql as
$$ insert into public.dropped values (relation, older_than) returning relation::text $$;
"""
"""TimescaleDB's functions as far as they are called."""


@pytest.fixture
def archive(database: str) -> Iterator[PostgresArchive]:
    archive = PostgresArchive(database, FOR_EVER)
    yield archive
    archive.close()


@pytest.fixture
def run(database: str, pg_server: PgServer) -> Run:
    name = database.rpartition("/")[2]
    return lambda sql: pg_server.run(sql, name)


def test_only_what_is_complete_is_rolled_up(archive: PostgresArchive, run: Run) -> None:
    archive.commit(some(400, sensors=1), NONE, STAMP)
    marked = "select width_us / 1000000, start_us / 1000000 from timeseries.touched order by 1, 2"
    assert run(marked) == [(300, 0), (300, 300), (3600, 0)]
    archive.maintain(EPOCH + timedelta(seconds=599))
    assert run("select start_us, count from timeseries.minutes") == [(0, 300)]
    archive.maintain(EPOCH + timedelta(seconds=600))
    rolled = "select start_us, count from timeseries.minutes order by 1"
    assert run(rolled) == [(0, 300), (300 * SECOND, 100)]
    assert run("select count(*) from timeseries.hours") == [(0,)]
    archive.maintain(EPOCH + HOUR)
    assert run("select start_us, count from timeseries.hours") == [(0, 400)]
    assert run(marked) == []


def test_answers_come_from_what_is_rolled_up(archive: PostgresArchive, run: Run) -> None:
    archive.commit(some(400, sensors=1), NONE, STAMP)
    archive.maintain(EPOCH + HOUR)
    run("update timeseries.minutes set most = 4711")
    run("update timeseries.hours set most = 4712")
    five = archive.buckets([0], EPOCH, timedelta(minutes=5), 3)
    assert five.most.tolist() == [4711, 4711]
    assert archive.buckets([0], EPOCH, timedelta(minutes=15), 2).most.tolist() == [4711]
    assert archive.buckets([0], EPOCH, 2 * HOUR, 2).most.tolist() == [4712]
    assert archive.buckets([0], EPOCH, timedelta(minutes=7), 1).most.tolist() == [399]
    archive.commit(some(1, 299, sensors=1), NONE, STAMP)  # again: touches one of them
    five = archive.buckets([0], EPOCH, timedelta(minutes=5), 3)
    assert five.most.tolist() == [299, 4711]


def test_nothing_of_what_is_deleted_stays_in_a_roll_up(archive: PostgresArchive, run: Run) -> None:
    archive.commit(some(3000, sensors=1), NONE, STAMP)
    archive.maintain(EPOCH + HOUR)
    archive.delete(0, None, EPOCH + timedelta(minutes=7), EPOCH + timedelta(minutes=17))
    left = run("select start_us / 300000000 from timeseries.minutes order by 1")
    assert left == [(0,), (4,), (5,), (6,), (7,), (8,), (9,)]
    assert run("select count(*) from timeseries.hours") == [(0,)]
    archive.maintain(EPOCH + HOUR)
    assert run("select sum(count) from timeseries.minutes") == [(2400,)]
    assert run("select sum(count) from timeseries.hours") == [(2400,)]


def test_it_goes_on_until_all_is_rolled_up(
    archive: PostgresArchive, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "_BATCH", 3)
    monkeypatch.setattr(rollups, "_ROWS", 7)
    archive.commit(some(3000, sensors=1), NONE, STAMP)
    archive.maintain(EPOCH + HOUR)
    assert run("select count(*) from timeseries.minutes") == [(10,)]
    archive._keep = Keep(readings=timedelta(seconds=1))
    archive.maintain(EPOCH + timedelta(seconds=3000))
    assert run("select min(event_us) from timeseries.readings") == [(2999 * SECOND,)]


def test_while_something_is_committed_nothing_is_rolled_up(
    archive: PostgresArchive, run: Run
) -> None:
    archive.commit(some(10, sensors=1), NONE, STAMP)
    with archive._server.transaction() as session:
        session.beside()
        session.run("insert into readings values (0, 11000000, 11, 0)")
        archive.maintain(EPOCH + HOUR)
        assert run("select count(*) from timeseries.minutes") == [(0,)]
    archive.maintain(EPOCH + HOUR)
    assert run("select count, most from timeseries.minutes") == [(11, 11)]


def test_a_late_reading_does_not_unmake_what_it_can_no_longer_be_summed_with(
    archive: PostgresArchive, run: Run
) -> None:
    archive.commit(some(400, sensors=1), NONE, STAMP)
    archive._keep = Keep(readings=HOUR)
    archive.maintain(EPOCH + 2 * HOUR)
    assert run("select count(*) from timeseries.readings") == [(0,)]
    archive.maintain(EPOCH + HOUR)  # the clock was set back
    archive.commit(some(1, 5, sensors=1), NONE, STAMP)
    archive.commit(some(1, 999, sensors=1), NONE, STAMP)  # of this stretch there is nothing yet
    for _ in range(2):
        found = archive.buckets([0], EPOCH, timedelta(minutes=5), 12)
        assert found.count.tolist() == [300, 100, 1]
        archive.maintain(EPOCH + 2 * HOUR)


def test_old_chunks_are_dropped_where_there_are_chunks(archive: PostgresArchive, run: Run) -> None:
    run(STAND_IN)
    archive._keep = Keep()
    archive.commit(some(1, 999 * 86_400), believed(1, 999 * 1440), STAMP)
    archive.maintain(EPOCH + timedelta(days=1000))
    day = 86_400 * SECOND
    assert run("select relation::text, older_than from dropped order by 1") == [
        ("timeseries.beliefs", 270 * day), ("timeseries.minutes", 270 * day),
        ("timeseries.readings", 970 * day),
    ]  # fmt: skip


def test_which_readings_count(run: Run) -> None:
    run("create table r (value float8, quality int)")
    run("insert into r values ('nan', 0), ('inf', 0), ('-inf', 0), (1, 0), (2, 1), (3, 2), (4, 3)")
    assert run(f"select value from r where {rollups.USABLE_SQL} order by 1") == [(1,), (4,)]
