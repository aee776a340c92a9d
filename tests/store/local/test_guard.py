import errno
import resource
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from flexedge.errors import StoreDamaged, StoreError, StoreFull, StoreUnwritable
from flexedge.store.archive import Keep
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.disk import Bounds
from flexedge.store.rows import EPOCH, Beliefs
from tests.store.local.loop_disk import LoopDisk
from tests.store.local.rows_made import NOW, STAMP, some

NONE = Beliefs.empty()
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
WELL = {"store-damaged": "", "store-disk": "", "store-room": "", "store-forecast": ""}
TINY = Bounds(reserve_mb=1, ballast_mb=0)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[LocalArchive]:
    archive = LocalArchive(tmp_path / "data", NOW, bounds=TINY)
    yield archive
    archive.close()


def keep(archive: LocalArchive, *numbers: int) -> None:
    for number in numbers:
        archive.commit(some(10, 10 * number), NONE, STAMP)


def kept(archive: LocalArchive) -> list[float]:
    rows = archive.readings([0, 1], EPOCH, NOW + DAY)
    return sorted(value / 10 for value in rows.value.tolist() if value % 10 == 0)


def refused(archive: LocalArchive, number: int) -> int:
    """Keep readings until there is no room; the number of those that found none."""
    try:
        while True:
            keep(archive, number)
            number += 1
    except StoreFull:
        return number


def full(archive: LocalArchive, pages: int = 1) -> None:
    """As SQLite finds a full disk: the file may not grow."""
    archive._journal._connection.execute(f"pragma max_page_count = {pages}")


def grown(archive: LocalArchive, days: int) -> None:
    """Readings of some days, a partition a day, the last one yesterday."""
    for day in range(days):
        start = (NOW - EPOCH - (days - day) * DAY) // timedelta(seconds=1)
        archive.commit(some(10, start), NONE, STAMP)
        archive.maintain(NOW - (days - day - 1) * DAY)


def test_all_is_well_on_a_disk_with_room(archive: LocalArchive) -> None:
    keep(archive, 1)
    archive.maintain(EPOCH)
    assert archive.conditions() == WELL
    assert archive.disk is not None
    assert archive.disk.room.usage["journal"] > 0 < archive.disk.left


def test_what_a_full_disk_refuses_is_told_until_there_is_room(archive: LocalArchive) -> None:
    keep(archive, 1)
    full(archive)
    number = refused(archive, 2)
    assert "the disk is full, readings wait" in archive.conditions()["store-room"]
    full(archive, 1 << 20)
    keep(archive, number)
    assert archive.conditions() == WELL
    assert kept(archive) == list(range(1, number + 1))


def test_the_ballast_makes_room_for_one_more_try(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path / "data", EPOCH, bounds=Bounds(reserve_mb=1, ballast_mb=1))
    archive.maintain(EPOCH)
    held = tmp_path / "data" / "ballast"
    assert held.stat().st_size == 1_000_000
    tries = []

    def work() -> str:
        tries.append(held.exists())
        if held.exists():
            raise StoreFull("no room")
        return "done"

    assert archive._guard.writing(work) == "done"
    assert tries == [True, False]
    assert archive.conditions() == WELL
    archive.maintain(EPOCH + timedelta(seconds=1))
    assert held.exists()
    archive.close()


def test_maintenance_does_not_raise_for_want_of_room_but_tells(archive: LocalArchive) -> None:
    history, hour = archive._folder / "history", 0
    while not archive.conditions()["store-room"]:  # until the manifest needs another page
        keep(archive, hour)
        full(archive, 1 << 20)
        archive._journal._connection.execute("vacuum")
        full(archive)
        archive.maintain(EPOCH + hour * HOUR)
        hour += 1
    assert "disk is full" in archive.conditions()["store-room"]
    assert kept(archive) == list(range(hour))
    listed = {one.name for one in archive._journal.partitions()}
    assert {f"{path.parent.name}/{path.name}" for path in history.rglob("*.parquet")} > listed
    full(archive, 1 << 20)
    archive.maintain(EPOCH + hour * HOUR)
    assert archive.conditions() == WELL
    assert kept(archive) == list(range(hour))
    listed = {one.name for one in archive._journal.partitions()}
    assert {f"{path.parent.name}/{path.name}" for path in history.rglob("*.parquet")} == listed


def test_beyond_its_quota_the_oldest_readings_go_and_it_is_told_for_a_day(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path / "data", NOW, bounds=TINY, keep=Keep(readings=None))
    grown(archive, 4)
    before = kept(archive)
    assert len(before) == 4
    archive._guard._bounds = Bounds(reserve_mb=0, ballast_mb=0, quota_mb=0)
    archive.maintain(NOW)
    words = archive.conditions()["store-room"]
    assert "nothing more can be let go" in words  # state, journal and roll-ups are there
    assert kept(archive) == before[3:], (archive._shelf.newest, archive.alarms, archive.disk)
    archive._guard._bounds = TINY
    archive.maintain(NOW + 23 * HOUR)
    words = archive.conditions()["store-room"]
    assert "readings until 2026-03-27 00:00 UTC were let go early" in words
    archive.maintain(NOW + DAY)
    assert archive.conditions() == WELL
    assert archive._journal.fact("pruned") == 1 + (
        (NOW - EPOCH - 2 * DAY) // timedelta(microseconds=1) + 9_000_000
    )
    archive.close()


def test_quarantine_and_snapshots_go_last(archive: LocalArchive, tmp_path: Path) -> None:
    old = tmp_path / "data" / "quarantine" / "journal.db.20260101T000000"
    first, newest = (tmp_path / "data" / "backup" / f"state-00000{n}.db" for n in (1, 2))
    for path in (old, first, newest):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 10)
    archive._guard._bounds = Bounds(reserve_mb=0, ballast_mb=0, quota_mb=0)
    archive.maintain(NOW)
    assert [path.exists() for path in (old, first, newest)] == [False, False, True]


def test_it_says_in_time_when_the_disk_will_be_full(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path / "data", NOW, bounds=TINY, keep=Keep(hours=None))
    grown(archive, 8)
    never = archive.disk
    assert never is not None
    assert never.full_in is None
    rate = sum(one.size for one in archive._shelf.newest.partitions) / 8
    used = never.room.used
    archive._guard._bounds = Bounds(ballast_mb=0, reserve_mb=0, quota_mb=1 + used // 1_000_000)
    left = archive._guard._bounds.quota_mb
    assert left is not None
    filler = tmp_path / "data" / "other"
    filler.write_bytes(b"x" * int(left * 1e6 - used - 5 * rate))
    archive.maintain(NOW + MINUTE)
    soon = archive.disk
    assert soon is not None
    assert soon.full_in is not None
    assert timedelta(days=2) < soon.full_in < timedelta(days=8)
    assert "the disk will be full in about" in archive.conditions()["store-forecast"]
    archive.close()


def test_a_disk_that_refuses_writes_is_asked_once_a_minute(archive: LocalArchive) -> None:
    """The process may write no file beyond so many bytes: neither full nor read-only."""
    keep(archive, 1)
    archive.maintain(EPOCH)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(StoreUnwritable):
            keep(archive, 2)
        archive.maintain(EPOCH + MINUTE)
        with pytest.raises(StoreUnwritable, match="cannot be written: File too large"):
            keep(archive, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    archive.maintain(EPOCH + 1.9 * MINUTE)
    assert "takes no writes" in archive.conditions()["store-disk"]
    assert kept(archive) == [1]
    archive.maintain(EPOCH + 2 * MINUTE)
    assert archive.conditions() == WELL
    keep(archive, 2)
    assert kept(archive) == [1, 2]


def test_what_looks_damaged_is_looked_at_again_before_anything_else(archive: LocalArchive) -> None:
    keep(archive, 1)

    def garbled() -> None:
        raise StoreDamaged("database disk image is malformed")

    with pytest.raises(StoreDamaged):
        archive._guard.writing(garbled)
    with pytest.raises(StoreUnwritable, match="malformed"):
        keep(archive, 2)
    archive.maintain(EPOCH)
    keep(archive, 2)
    assert kept(archive) == [1, 2]
    assert list(archive._folder.glob("quarantine/*")) == []


def test_a_look_that_fails_is_the_disks_fault(archive: LocalArchive) -> None:
    def look() -> None:
        raise OSError(errno.EIO, "Input/output error", "/somewhere")

    with pytest.raises(StoreUnwritable, match="/somewhere: Input/output error"):
        archive._guard.writing(look)
    assert "/somewhere" in archive.conditions()["store-disk"]
    archive.maintain(EPOCH)
    assert archive.conditions() == WELL


def test_a_journal_that_is_damaged_for_good_asks_for_a_restart(archive: LocalArchive) -> None:
    for number in range(60):
        keep(archive, number)
    archive._guard._fell_sick(StoreError("gone"))
    path = archive._folder / "journal.db"
    path.write_bytes(b"\0" * 512 + path.read_bytes()[512:])
    archive.maintain(EPOCH)
    assert "restart flexedge" in archive.conditions()["store-disk"]
    with pytest.raises(StoreUnwritable):
        keep(archive, 60)


def test_no_new_journal_is_begun_where_the_disk_is_not_mounted(archive: LocalArchive) -> None:
    keep(archive, 1)
    data = archive._folder
    data.rename(data.with_name("away"))
    data.mkdir()
    archive.maintain(EPOCH)
    assert "not mounted" in archive.conditions()["store-disk"]
    archive.maintain(EPOCH + MINUTE)
    assert list(data.iterdir()) == []
    data.rmdir()
    data.with_name("away").rename(data)
    archive.maintain(EPOCH + 2 * MINUTE)
    assert archive.conditions() == WELL
    assert kept(archive) == [1]


def test_a_partition_that_is_damaged_does_not_stop_maintenance(archive: LocalArchive) -> None:
    grown(archive, 1)
    archive.close()
    (bad,) = (archive._folder / "history" / "readings").iterdir()
    bad.write_bytes(bad.read_bytes()[:-1] + b"x")
    again = LocalArchive(archive._folder, NOW, bounds=TINY)
    again._compactor._exchange([], [], {"rolled": 0})  # so that it is read again
    again.maintain(NOW)
    assert len(again.alarms) == 1
    assert again.conditions() == WELL | {"store-damaged": "; ".join(again.alarms)}
    again.maintain(NOW + HOUR)
    assert len(again.alarms) == 1
    again.close()


@pytest.mark.disk
def test_a_disk_that_others_fill_costs_nothing_acknowledged(disk: LoopDisk) -> None:
    archive = LocalArchive(disk.folder / "data", EPOCH)
    keep(archive, 1)
    archive.maintain(EPOCH)
    held = disk.folder / "data" / "ballast"
    assert held.exists()
    disk.fill()
    keep(archive, *range(2, 9))  # by the ballast
    assert not held.exists()
    disk.fill()
    number = refused(archive, 9)
    archive.maintain(EPOCH + HOUR)
    archive.maintain(EPOCH + 2 * HOUR)
    assert archive.conditions()["store-room"]
    assert kept(archive) == list(range(1, number))
    disk.empty()
    archive.maintain(EPOCH + 2 * HOUR + MINUTE)
    keep(archive, number)
    archive.maintain(EPOCH + 4 * HOUR)
    assert archive.conditions() == WELL
    assert held.exists()
    archive.close()
    again = LocalArchive(disk.folder / "data", EPOCH)
    assert kept(again) == list(range(1, number + 1))
    assert again.alarms == []
    assert list((disk.folder / "data" / "history").rglob("*.tmp")) == []
    again.close()


@pytest.mark.disk
@pytest.mark.parametrize("how", ["pulled", "read-only"])
def test_a_sick_disk_is_let_go_and_taken_back(disk: LoopDisk, how: str) -> None:
    disk.unmount()
    disk.mount("errors=remount-ro")
    archive = LocalArchive(disk.folder / "data", EPOCH)
    keep(archive, 1, 2)
    archive.maintain(EPOCH)
    keep(archive, 3)
    if how == "pulled":
        disk.fail()
    else:
        disk.error()
    with pytest.raises(StoreUnwritable):
        keep(archive, 4)
    archive.maintain(EPOCH + HOUR)
    words = {"pulled": "Input/output error", "read-only": "Read-only file system"}
    assert words[how] in archive.conditions()["store-disk"]
    disk.unmount()  # which nothing may stand in the way of
    archive.maintain(EPOCH + HOUR + MINUTE)
    disk.mount()
    archive.maintain(EPOCH + HOUR + 2 * MINUTE)
    assert archive.conditions() == WELL
    keep(archive, 4)
    archive.maintain(EPOCH + 2 * HOUR)
    assert kept(archive) == [1, 2, 3, 4]
    assert archive.alarms == []
    archive.close()


@pytest.mark.disk
def test_a_read_only_disk_is_told_in_one_line_at_the_start(disk: LoopDisk) -> None:
    for name in ("data", "new"):
        if name == "data":
            LocalArchive(disk.folder / name, EPOCH).close()
        disk.unmount()
        disk.mount("ro")
        with pytest.raises(StoreUnwritable, match="Read-only file system") as caught:
            LocalArchive(disk.folder / name, EPOCH)
        assert "\n" not in str(caught.value)
        disk.unmount()
        disk.mount()


@pytest.mark.disk
def test_it_starts_on_a_full_disk(disk: LoopDisk) -> None:
    folder = disk.folder / "data"
    archive = LocalArchive(folder, NOW, keep=Keep(readings=None))
    chance = np.random.default_rng(1)
    for hour in range(3):
        rows = some(20_000, 20_000 * hour)
        archive.commit(replace(rows, value=chance.random(20_000)), NONE, STAMP)
        archive.maintain(NOW + hour * HOUR)
    archive.close()
    disk.fill()
    by_ballast = LocalArchive(folder, NOW)
    assert not (folder / "ballast").exists()
    assert by_ballast.alarms == [
        f"there was no room to open {folder}: let go of the ballast; free some"
    ]
    by_ballast.close()
    disk.fill()
    by_readings = LocalArchive(folder, NOW)
    assert len(by_readings.alarms) == 2
    assert "let go of readings/000000000001" in by_readings.alarms[0]
    assert len(by_readings.readings([0, 1], EPOCH, NOW)) == 40_000
    by_readings.close()
