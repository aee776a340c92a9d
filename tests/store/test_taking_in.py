from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.domain.asset import Sensor
from flexedge.errors import StoreError, StoreFull
from flexedge.store.archive import Asked
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.ballast import hold
from flexedge.store.rows import EPOCH
from flexedge.store.taking_in import Intake, Target, take_in
from tests.store.local.rows_made import NOW, SECOND

POWER = Sensor("power", "kW", timedelta(minutes=5))
DAY = timedelta(days=1)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[LocalArchive]:
    archive = LocalArchive(tmp_path / "data", NOW)
    yield archive
    archive.close()


def brought(archive: LocalArchive, tmp_path: Path, text: str, target: Target,
            **more: bool) -> Intake:  # fmt: skip
    file = tmp_path / "in.csv"
    file.write_text(text, encoding="utf-8")
    return take_in(archive, tmp_path / "data", file, target, **more)


def values(archive: LocalArchive) -> list[float]:
    return [float(one) for one in archive.readings([1], EPOCH, EPOCH + 999 * DAY).value]


def test_units_are_turned_and_twice_is_once(archive: LocalArchive, tmp_path: Path) -> None:
    text = "event_start,value [W]\n" + "".join(
        f"1970-0{month}-01T00:00:00Z,{month}\n" for month in (3, 1, 2)
    )
    first = brought(archive, tmp_path, text, Target(1, POWER))
    assert (first.rows, first.stored, first.known, first.replaced) == (3, 3, 0, 0)
    assert values(archive) == [0.001, 0.002, 0.003]
    files = len(archive.partitions())
    again = brought(archive, tmp_path, text, Target(1, POWER))
    assert (again.stored, again.known) == (0, 3)
    assert len(archive.partitions()) == files
    brought(archive, tmp_path, text, Target(1, POWER, "kW"))
    assert values(archive) == [1.0, 2.0, 3.0]


def test_all_or_nothing(archive: LocalArchive, tmp_path: Path) -> None:
    text = "event_start,value\n1970-01-01T00:00:00Z,1\n1970-01-02T00:00:00Z,one\n"
    bad = brought(archive, tmp_path, text, Target(1, POWER))
    assert (bad.bad, bad.stored) == (1, 0)
    assert bad.told == ["line 3 has the value 'one'; it should be a number such as 1.5"]
    assert values(archive) == []
    assert brought(archive, tmp_path, text, Target(1, POWER), skip_bad=True).stored == 1
    assert list((tmp_path / "data" / "temp").iterdir()) == []


def test_a_disk_that_fails_half_way_leaves_nothing(
    archive: LocalArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flexedge.store.taking_in.AT_ONCE", 1)
    write, calls = archive._compactor.write, []

    def failing(*args: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise StoreError("no")
        return write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(archive._compactor, "write", failing)
    text = "event_start,value\n" + "".join(f"1970-01-0{d}T00:00:00Z,{d}\n" for d in range(1, 6))
    with pytest.raises(StoreError, match="no"):
        brought(archive, tmp_path, text, Target(1, POWER))
    assert values(archive) == []
    assert brought(archive, tmp_path, text, Target(1, POWER)).stored == 5
    assert len(archive.partitions()) == 5


def test_what_the_ballast_made_room_for_half_way_is_whole(
    archive: LocalArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flexedge.store.taking_in.AT_ONCE", 1)
    hold(tmp_path / "data", 4096)
    write, calls = archive._compactor.write, []

    def filling(*args: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise StoreFull("no room")
        return write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(archive._compactor, "write", filling)
    text = "event_start,value\n" + "".join(f"1970-01-0{d}T00:00:00Z,{d}\n" for d in range(1, 6))
    intake = brought(archive, tmp_path, text, Target(1, POWER))
    assert (intake.stored, intake.known) == (5, 0)
    assert values(archive) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_of_two_rows_about_the_same_the_last_counts(archive: LocalArchive, tmp_path: Path) -> None:
    text = "event_start,value\n1970-01-01T00:00:00Z,1\n1970-01-01T01:00:00+01:00,2\n"
    assert brought(archive, tmp_path, text, Target(1, POWER)).stored == 1
    assert values(archive) == [2.0]


def test_beliefs(archive: LocalArchive, tmp_path: Path) -> None:
    text = (
        "event_start,source,belief_time,value\n"
        "1970-01-01T00:00:00Z,,,1\n"
        "1970-01-01T00:05:00Z,other,1970-01-01T00:00:00Z,2\n"
    )
    numbers = {"me": 4, "other": 9}
    target = Target(1, POWER, None, "me", numbers.__getitem__)
    assert brought(archive, tmp_path, text, target).stored == 2
    rows = archive.beliefs(Asked((1,)), {})
    assert rows.source.tolist() == [4, 9]
    assert rows.belief_us.tolist() == [300 * SECOND, 0]  # when the event was over
    assert brought(archive, tmp_path, text, target).known == 2
    assert brought(archive, tmp_path, text.replace(",2", ",3"), target).replaced == 1
    assert archive.beliefs(Asked((1,)), {}).value.tolist() == [1.0, 3.0]
    with pytest.raises(StoreError, match="Name their source with --source"):
        brought(archive, tmp_path, "event_start,probability,value\n", Target(1, POWER))
