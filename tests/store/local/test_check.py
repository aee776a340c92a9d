import re
from pathlib import Path

import pytest

from flexedge.errors import StoreError
from flexedge.store.local.check import check
from flexedge.store.local.mark import Mark
from flexedge.store.local.repair import repair
from tests.store.keeping import fill
from tests.store.local.damaging import files, say, spoil, swap
from tests.store.local.rows_made import NOW


@pytest.fixture
def data(tmp_path: Path) -> Path:
    fill(tmp_path / "data")
    return tmp_path / "data"


def found(data: Path, *, deep: bool = True) -> list[tuple[str, str, str]]:
    return [(one.file, one.what, one.remedy) for one in check(data, deep=deep).findings]


def test_a_new_folder_is_sound(tmp_path: Path) -> None:
    report = check(tmp_path)
    assert (report.sound, report.files, report.rows) == (True, 0, 0)


def test_rows_are_counted_with_those_in_the_journal(data: Path) -> None:
    report = check(data, deep=True)
    assert report.sound
    assert report.rows - sum(1 for _ in range(1086)) == 24 + 2  # sums of 5 minutes and hours
    assert report.size == sum(path.stat().st_size for path in data.rglob("*.parquet"))


def test_what_is_damaged_is_told_with_what_helps(data: Path) -> None:
    read, believed = files(data, "readings")[0], files(data, "beliefs")[0]
    spoil(believed)
    read.write_bytes(read.read_bytes()[:-1])
    files(data, "hours")[0].unlink()
    told = {file: (what, remedy) for file, what, remedy in found(data)}
    size = read.stat().st_size
    assert told[f"history/readings/{read.name}"] == (
        f"has {size} bytes instead of {size + 1}", "lost")  # fmt: skip
    assert told[f"history/beliefs/{believed.name}"] == ("does not fit its checksum", "lost")
    assert ("is gone", "rebuild") in told.values()
    assert len(told) == 3


def test_a_quick_look_sees_sizes_and_ends(data: Path) -> None:
    read = files(data, "readings")[0]
    read.write_bytes(b"\0" * read.stat().st_size)
    assert found(data, deep=False) == [
        (f"history/readings/{read.name}", "is no Parquet file", "lost")
    ]


def test_files_under_each_other_s_names(data: Path) -> None:
    swap(*files(data, "readings")[:2])
    assert len(found(data)) == 2


def test_databases(data: Path) -> None:
    say(data / "journal.db", "update batches set data = x'00'")
    (data / "state.db").write_bytes(b"no database" * 4096)
    told = found(data)
    assert told[0][0] == "state.db"
    assert told[0][1].endswith("there is no snapshot of it: the gateway will have no owner")
    assert told[1] == ("journal.db", "holds 2 batches that do not fit their checksums", "lost")


def test_a_value_that_changed(data: Path) -> None:
    say(data / "journal.db", "update facts set value = value + 1")
    say(data / "state.db", "update sensors set unit = 'MW' where id = 1")
    told = found(data)
    assert [(file, remedy) for file, _, remedy in told] == [
        ("state.db", "repair"), ("journal.db", "repair")]  # fmt: skip
    assert "the row '1' of sensors is not what was written" in told[0][1]
    assert "has changed" in told[1][1]


@pytest.mark.parametrize("how", ["gone", "empty", "damaged"])
def test_a_lost_manifest(data: Path, how: str) -> None:
    journal = data / "journal.db"
    journal.unlink()
    if how != "gone":
        journal.write_bytes(b"" if how == "empty" else b"no database" * 4096)
    ((file, _, remedy),) = found(data)
    assert (file, remedy) == ("journal.db", "repair")


def test_a_newer_journal_is_no_damage(data: Path) -> None:
    say(data / "journal.db", "pragma user_version = 99", "delete from facts where name = 'format'")
    with pytest.raises(StoreError, match="newer version"):
        check(data)


def test_nothing_is_changed(data: Path) -> None:
    spoil(files(data, "readings")[0])
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    check(data, deep=True)
    assert {path: path.read_bytes() for path in before} == before


def test_a_file_in_no_manifest(data: Path) -> None:
    read = files(data, "readings")[0]
    other = read.with_name("000000000900-000000000900-0-0.parquet")
    other.write_bytes(read.read_bytes())
    assert found(data) == [(f"history/readings/{other.name}", "is in no manifest", "nothing")]
    read.unlink()
    assert (f"history/readings/{other.name}", "is in no manifest", "repair") in found(data)


def test_databases_that_had_more_in_them(data: Path) -> None:
    for name in ("state.db", "journal.db"):
        Mark(data / name).note(1_000_000)
    (state, _, state_remedy), (journal, what, remedy) = found(data)
    assert [state, state_remedy, journal, remedy] == [
        "state.db",
        "shorter",
        "journal.db",
        "shorter",
    ]
    assert re.fullmatch(
        r"lacks the last 9999\d\d batches that were in it, the log .* damaged", what
    )
    assert len(found(data)) == 2  # nothing has changed
    assert len(repair(data, NOW).done) == 2
    assert check(data, deep=True).sound
