from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from flexedge.errors import StoreError
from flexedge.store.archive import Since
from flexedge.store.postgres import numbers, tables
from flexedge.store.postgres.archive import PostgresArchive
from flexedge.store.postgres.server import Server
from flexedge.store.rows import Readings
from tests.store.local.rows_made import STAMP, believed
from tests.store.pg_server import PgServer

# What every archive must do is in tests/store/test_archive.py.
pytestmark = pytest.mark.postgres
SILENCE = Readings.empty()


@pytest.fixture
def archive(database: str) -> Iterator[PostgresArchive]:
    archive = PostgresArchive(database)
    yield archive
    archive.close()


def test_who_takes_numbers_first_is_seen_first(archive: PostgresArchive, database: str) -> None:
    archive.commit(SILENCE, believed(1), STAMP)
    server = Server(database, tables.prepare, 5.0, tables.SCHEMA)
    with ThreadPoolExecutor(1) as pool:
        with server.transaction() as session:
            session.run("insert into incoming_beliefs values (1, 1, 0, 7, 0.5, 8, 0)")
            assert numbers.taken(session, "incoming_beliefs") == 1
            later = pool.submit(archive.commit, SILENCE, believed(2, 1), STAMP)
            with pytest.raises(TimeoutError):
                later.result(0.3)  # it waits until the first is over
            assert archive.top() == 1
            session.run("insert into beliefs values (1, 1, 0, 7, 0.5, 8, 2)")
        later.result(30)
    assert archive.top() == 4
    assert archive.since(Since(1, 0, 4)).rows.value.tolist() == [0, 8, 1, 2]
    server.close()


def test_numbers_of_what_failed_are_given_to_others(
    archive: PostgresArchive, database: str, pg_server: PgServer
) -> None:
    assert archive.top() == 0
    name = database.rpartition("/")[2]
    pg_server.run("alter table timeseries.beliefs add check (value < 5)", name)
    with pytest.raises(StoreError, match="violates check"):
        archive.commit(SILENCE, believed(9), STAMP)
    archive.commit(SILENCE, believed(1), STAMP)
    assert archive.top() == 1


def test_what_is_told_again_to_the_letter_keeps_its_number(archive: PostgresArchive) -> None:
    archive.commit(SILENCE, believed(3), STAMP)
    archive.commit(SILENCE, believed(2), STAMP)
    assert archive.since(Since(1, 0, archive.top())).rows.number.tolist() == [1, 2, 3]


def test_each_database_has_an_epoch_of_its_own(
    archive: PostgresArchive, pg_server: PgServer
) -> None:
    other = PostgresArchive(pg_server.new_database())
    assert len({0, archive.epoch(), other.epoch()}) == 3
    assert archive.epoch() == archive.epoch()
    other.close()
