from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.errors import StoreError
from flexedge.store.archive import Keep
from flexedge.store.local.disk import (
    MB,
    Bounds,
    Room,
    about,
    chosen,
    forecast,
    leavings,
    measure,
)
from flexedge.store.local.partition import Kind, Partition
from flexedge.store.rows import micros
from tests.store.local.rows_made import NOW

DAY = 86_400_000_000
NOW_US = micros(NOW)
KEEP = Keep()


def a_day(kind: Kind, ago: int, size: int = MB, hi: int = 1) -> Partition:
    """A partition of the whole day that began so many days ago."""
    first = NOW_US - ago * DAY
    return Partition(f"{kind}/{ago}", kind, 1, hi, 1, 5, size, first, first + DAY - 1, "ab")


def room(size: int, free: int, ballast: int = 0, readings: int = 0) -> Room:
    kinds = dict.fromkeys(measure(Path(__file__).parent).usage, 0)
    return Room(size, free, kinds | {"ballast": ballast, "readings": readings})


def test_a_tenth_of_a_small_disk_stays_free_and_500_mb_of_a_large_one() -> None:
    bounds = Bounds()
    assert bounds.reserve(100_000 * MB) == 500 * MB
    assert bounds.reserve(1000 * MB) == 100 * MB
    assert bounds.ballast(100_000 * MB) == 64 * MB
    assert bounds.ballast(1000 * MB) == 50 * MB


def test_ballast_counts_as_free_and_not_as_used() -> None:
    here = room(10_000 * MB, 480 * MB, ballast=60 * MB, readings=200 * MB)
    assert here.left(Bounds()) == 40 * MB
    assert here.left(Bounds(quota_mb=150)) == -50 * MB
    assert here.left(Bounds(quota_mb=1000)) == 40 * MB


def test_a_folder_is_measured_by_what_is_in_it(tmp_path: Path) -> None:
    for name in (
        "history/readings/a", "history/hours/b", "journal.db", "journal.db-wal", "state.db",
        "backup/x", "quarantine/deep/y", "ballast", "lock", "temp/z",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 4096)
    found = measure(tmp_path)
    assert {kind for kind, taken in found.usage.items() if not taken} == {"minutes", "beliefs"}
    assert found.usage["journal"] == 2 * found.usage["state"] == found.usage["other"]
    assert found.used == 9 * found.usage["ballast"]
    assert 0 < found.free < found.size


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        measure(tmp_path / "none")


def test_the_oldest_readings_go_first_then_roll_ups_and_never_the_young_ones() -> None:
    there = [a_day("readings", ago) for ago in (1, 3, 2, 9)]
    there += [a_day(kind, ago) for kind in ("minutes", "hours", "beliefs") for ago in (90, 40, 1)]
    names = [one.name for one in chosen(there, 1, 2 * MB, NOW_US)]
    assert names == ["readings/9", "readings/3"]
    names = [one.name for one in chosen(there, 1, 99 * MB, NOW_US)]
    assert names == ["readings/9", "readings/3", "readings/2", "minutes/90", "minutes/40"]
    assert chosen(there, 1, 0, NOW_US) == []


def test_a_clock_that_is_far_ahead_makes_nothing_old() -> None:
    there = [a_day("readings", ago) for ago in (1, 2, 3)]
    gone = chosen(there, 1, 99 * MB, NOW_US + 9999 * DAY)
    assert [one.name for one in gone] == ["readings/3", "readings/2"]


def test_readings_that_are_not_summed_up_yet_stay() -> None:
    there = [a_day("readings", 9, hi=8), a_day("readings", 5, hi=7), a_day("readings", 1, hi=9)]
    assert [one.name for one in chosen(there, 7, 99 * MB, NOW_US)] == ["readings/5"]


def test_readings_fill_a_disk_only_until_as_many_go_as_come() -> None:
    there = [a_day("readings", ago) for ago in range(1, 11)]
    assert forecast(there, KEEP, NOW_US, 20 * MB) == timedelta(days=20)
    assert forecast(there, KEEP, NOW_US, 20 * MB + 1) is None
    assert forecast(there, KEEP, NOW_US, -5) == timedelta(0)
    forever = Keep(readings=None)
    assert forecast(there, forever, NOW_US, 100 * MB) == timedelta(days=100)
    assert forecast(there, forever, NOW_US, 3651 * MB) is None


def test_several_kinds_fill_a_disk_together() -> None:
    there = [a_day("readings", ago) for ago in range(1, 26)]
    there += [a_day("hours", ago, MB // 2) for ago in range(1, 26)]
    # 5 more days of 1.5 MB, then half a MB a day
    assert forecast(there, KEEP, NOW_US, 10 * MB) == timedelta(days=10)


def test_what_was_imported_is_not_growth_and_a_first_hour_is_enough() -> None:
    assert forecast([], KEEP, NOW_US, MB) is None
    old = [a_day("hours", ago) for ago in range(100, 400)]
    assert forecast(old, KEEP, NOW_US, MB) is None
    start = NOW_US - DAY // 24
    hour = Partition("readings/a", "readings", 1, 1, 0, 5, MB, start, NOW_US - 1, "ab")
    assert forecast([hour], KEEP, NOW_US, 24 * MB) == timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "words"),
    [(0.1, "within two days"), (40.2, "in about 40 days"), (150, "in about 5 months"),
     (1100, "in about 3 years")],
)  # fmt: skip
def test_times_to_come_are_said_as_people_do(days: float, words: str) -> None:
    assert about(timedelta(days=days)) == words


def test_old_quarantine_and_all_snapshots_but_the_newest_may_go(tmp_path: Path) -> None:
    for name in ("quarantine/a.20260301T000000-2-wal", "quarantine/b.20260201T000000",
                 "quarantine/c.20260328T000000", "quarantine/d",
                 "backup/state-000002-20250101T000000Z.db",
                 "backup/state-000001-20260101T000000Z.db"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in leavings(tmp_path, NOW)] == [
        "b.20260201T000000",
        "a.20260301T000000-2-wal",
        "state-000001-20260101T000000Z.db",
    ]
    assert leavings(tmp_path / "none", NOW) == []


def test_what_is_read_meanwhile_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "history" / "readings").mkdir(parents=True)
    file = tmp_path / "history" / "readings" / "a.parquet"
    file.write_bytes(b"x" * 100_000)
    before = measure(tmp_path)
    (tmp_path / "temp" / "glimpse-1").mkdir(parents=True)
    (tmp_path / "temp" / "glimpse-1" / "a.parquet").hardlink_to(file)
    assert measure(tmp_path).used == before.used
