from collections.abc import Iterator
from datetime import timedelta

import pytest

from flexedge.errors import StoreError, StoreSlow
from flexedge.store.archive import Asked, Keep
from flexedge.store.postgres.archive import PostgresArchive
from flexedge.store.rows import EPOCH, Beliefs, Readings
from tests.store.local.rows_made import STAMP, believed, some
from tests.store.pg_server import PgServer

# What every archive must do is in tests/store/test_archive.py.
pytestmark = pytest.mark.postgres
NONE = Beliefs.empty()
DAY = timedelta(days=1)


@pytest.fixture
def archive(database: str) -> Iterator[PostgresArchive]:
    archive = PostgresArchive(database, Keep(None, None, None, None))
    yield archive
    archive.close()


def test_it_begins_while_the_server_is_away_and_loses_nothing(
    archive: PostgresArchive, pg_server: PgServer
) -> None:
    pg_server.stop()
    with pytest.raises(StoreError) as told:
        archive.commit(some(2), NONE, STAMP)
    assert pg_server.password not in str(told.value)
    pg_server.start()
    for step in range(3):
        archive.commit(some(2, 2 * step), believed(1, step), STAMP)
        pg_server.stop()
        with pytest.raises(StoreError):
            archive.commit(some(2, 99), NONE, STAMP)
        with pytest.raises(StoreError):
            archive.readings([0], EPOCH, EPOCH + DAY)
        pg_server.start()
    assert archive.readings([0, 1], EPOCH, EPOCH + DAY).value.tolist() == [0, 2, 4, 1, 3, 5]
    assert archive.statistics(Asked((1,)))[1].count == 3


def test_a_commit_that_fails_keeps_neither_readings_nor_beliefs(
    archive: PostgresArchive, pg_server: PgServer, database: str
) -> None:
    archive.commit(some(1), NONE, STAMP)
    name = database.rpartition("/")[2]
    pg_server.run("alter table timeseries.beliefs add check (value < 5)", name)
    with pytest.raises(StoreError, match="violates check"):
        archive.commit(some(2, 2), believed(9), STAMP)
    assert len(archive.readings([0, 1], EPOCH, EPOCH + DAY)) == 1
    archive.commit(some(2, 2), believed(5), STAMP)
    assert len(archive.readings([0, 1], EPOCH, EPOCH + DAY)) == 3


def test_a_query_that_is_kept_waiting_is_given_up(database: str, pg_server: PgServer) -> None:
    archive = PostgresArchive(database, deadline_s=0.2)
    archive.commit(some(2), NONE, STAMP)
    with pg_server.connected(database.rpartition("/")[2]) as other, other.transaction():
        other.execute("lock table timeseries.readings in access exclusive mode")
        with pytest.raises(StoreSlow):
            archive.readings([0], EPOCH, EPOCH + DAY)
    assert len(archive.readings([0], EPOCH, EPOCH + DAY)) == 1
    archive.close()


def test_beliefs_of_an_untrusted_clock_are_put_by(
    archive: PostgresArchive, pg_server: PgServer, database: str
) -> None:
    untrusted = type(STAMP)("boot", 5, trusted=False)
    archive.commit(Readings.empty(), believed(3), untrusted)
    kept = "select boot, offset_us, value from timeseries.undated_beliefs order by event_us"
    found = pg_server.run(kept, database.rpartition("/")[2])
    assert found == [("boot", 5, 0), ("boot", 5, 1), ("boot", 5, 2)]
