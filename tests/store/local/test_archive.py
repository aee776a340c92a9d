from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.errors import StoreClosed, StoreError
from flexedge.store.archive import Keep, Stamp
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import EPOCH, Beliefs, Readings
from tests.store.local.rows_made import NOW, SECOND, STAMP, believed, some

NONE = Beliefs.empty()
DAY = timedelta(days=1)


@pytest.fixture
def archive(tmp_path: Path) -> LocalArchive:
    return LocalArchive(tmp_path / "data", NOW)


def values(archive: LocalArchive) -> list[float]:
    return sorted(archive.readings([0, 1], EPOCH, EPOCH + 99 * DAY).value.tolist())


def test_what_was_committed_is_there_before_and_after_everything(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path, NOW)
    for hour in range(30):
        archive.commit(some(10, 10 * hour), NONE, STAMP)
        assert len(values(archive)) == 10 * (hour + 1)
        archive.maintain(EPOCH + timedelta(hours=hour))
        assert len(values(archive)) == 10 * (hour + 1)
    archive.close()
    again = LocalArchive(tmp_path, NOW)
    assert values(again) == list(range(300))
    assert again.alarms == []


def test_many_rows_go_past_the_journal(archive: LocalArchive, tmp_path: Path) -> None:
    archive.commit(some(200_001), believed(3), STAMP)
    assert (tmp_path / "data" / "journal.db-wal").stat().st_size < 200_000
    assert len(values(archive)) == 200_001
    untrusted = Stamp("other", 0, trusted=False)
    archive.commit(some(200_001), NONE, untrusted)  # what waited for a disk waits for its date
    assert archive.waiting()[1] == 200_001
    with pytest.raises(StoreError, match="need a clock"):
        archive.commit(some(1_000_001), NONE, untrusted)


def test_untrusted_readings_are_seen_once_they_are_dated(archive: LocalArchive) -> None:
    archive.commit(some(2), NONE, Stamp("boot", -3600 * SECOND, trusted=False))
    archive.maintain(NOW)
    assert values(archive) == []
    assert archive.restamp(STAMP) == 2
    assert archive.restamp(STAMP) == 0
    rows = archive.readings([0, 1], EPOCH, EPOCH + DAY)
    assert rows.event_us.tolist() == [3600 * SECOND, 3601 * SECOND]


def test_old_rows_go(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path, NOW, keep=Keep(readings=None, beliefs=DAY))
    archive.commit(Readings.empty(), believed(10), STAMP)
    archive.maintain(EPOCH + DAY)
    assert len(list((tmp_path / "history" / "beliefs").iterdir())) == 1
    archive.commit(Readings.empty(), believed(1, 2880), STAMP)  # two days later
    archive.maintain(EPOCH + 2 * DAY)
    assert len(list((tmp_path / "history" / "beliefs").iterdir())) == 1


def test_a_damaged_partition_is_set_aside_and_the_rest_is_answered(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path, NOW)
    for hour in (0, 1):
        archive.commit(some(10, 10 * hour), NONE, STAMP)
        archive.maintain(EPOCH + timedelta(hours=hour))
    archive.close()
    bad = min((tmp_path / "history" / "readings").iterdir())
    bad.write_bytes(bad.read_bytes()[:-1] + b"x")
    again = LocalArchive(tmp_path, NOW)
    assert values(again) == list(range(10, 20))
    assert again.alarms == [
        (
            f"readings/{bad.name} does not fit its checksum;"
            f" kept as quarantine/{bad.name}.20260329T000000"
        )
    ]
    assert values(again) == list(range(10, 20))
    assert len(again.alarms) == 1


def test_duckdb_may_fail_for_good_without_losing_anything(archive: LocalArchive) -> None:
    archive.commit(some(5), NONE, STAMP)
    archive._engine.begin_anew()  # as after an error that it does not survive: all tables are gone
    archive.commit(some(5, 5), NONE, STAMP)
    assert values(archive) == list(range(10))


def test_after_the_end_nothing_is_begun_anew(archive: LocalArchive) -> None:
    archive.commit(some(5), NONE, STAMP)
    archive.close()
    with pytest.raises(StoreClosed, match="closed"):
        values(archive)
    with pytest.raises(StoreClosed, match="closed"):
        archive.commit(some(5), NONE, STAMP)


def test_one_sensor_or_one_source_is_deleted(archive: LocalArchive) -> None:
    archive.commit(some(10), Beliefs.joined([believed(4), believed(3, 0, 2)]), STAMP)
    assert archive.delete(1, 2, None, None) == 3
    assert archive.delete(1, None, EPOCH, EPOCH + timedelta(minutes=1)) == 6
    assert values(archive) == [0, 2, 4, 6, 8]


def test_names_are_kept(archive: LocalArchive) -> None:
    archive.introduce("source", 2, "two")
    assert archive.known("source") == {2: "two"}
