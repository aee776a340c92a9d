import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flexedge.errors import StoreError, StoreFull, StoreUnwritable
from flexedge.store.local import layout, recover
from flexedge.store.local.compact import Compactor
from flexedge.store.local.engine import Engine, Limits
from flexedge.store.local.journal import Journal
from flexedge.store.local.shelf import Window
from tests.store.local.damaging import files, say, spoil, swap
from tests.store.local.rows_made import NOW, STAMP, believed, some


class Start:
    """A start of the archive in a folder: what it tells, and what is there."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.engine = Engine(folder / "history", folder / "temp", Limits())
        self.journal = recover.open_journal(folder, NOW, self.told.append)
        recover.settle(self.engine, self.journal, folder, NOW, self.told.append)
        self.compactor = Compactor(self.engine, self.journal, folder / "history")

    def values(self) -> list[float]:
        with self.compactor.shelf.view() as view:
            rows = self.compactor.shelf.relation(view, "readings", Window())
            return [value for (value,) in self.engine.run(f"select value from {rows} order by 1")]

    def filled(self, n: int = 3) -> "Start":
        for start in range(0, 10 * n, 10):
            self.journal.append([some(10, start), believed(2, start)], STAMP)
            self.compactor.compact()
        return self

    def close(self) -> None:
        self.journal.close()
        self.engine.close()


def test_a_new_folder_is_filled_without_a_word(tmp_path: Path) -> None:
    assert Start(tmp_path).told == []
    assert sorted(path.name for path in (tmp_path / "history").iterdir()) == [
        "beliefs", "hours", "minutes", "readings"]  # fmt: skip


def test_half_made_and_unknown_partitions_are_removed(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    folder = tmp_path / "history" / "readings"
    orphan = folder / "000000000007-000000000009-0-0.parquet"
    orphan.write_bytes(min(folder.glob("*")).read_bytes())
    half = folder / "000000000007-000000000009-0-1.parquet.tmp"
    half.write_bytes(b"PAR1")
    (folder / "notes.txt").write_text("somebody's")
    again = Start(tmp_path)
    assert not orphan.exists()
    assert not half.exists()
    assert (folder / "notes.txt").exists()
    assert again.values() == list(range(30))
    assert again.told == []


def test_a_partition_that_is_gone_is_told(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    lost = sorted((tmp_path / "history" / "readings").glob("*"))[1]
    lost.unlink()
    again = Start(tmp_path)
    assert again.told == [f"1 partitions are gone from history/: readings/{lost.name}"]
    assert again.values() == [*range(10), *range(20, 30)]
    again.close()
    assert Start(tmp_path).told == []


@pytest.mark.parametrize("end", ["damaged", "gone"])
def test_without_a_manifest_the_files_tell(tmp_path: Path, end: str) -> None:
    first = Start(tmp_path).filled()
    first.journal.introduce("sensor", 1, "one")
    first.close()
    path = tmp_path / "journal.db"
    if end == "gone":
        path.unlink()
    else:
        path.write_bytes(b"no database" * 4096)
    again = Start(tmp_path)
    assert again.values() == list(range(30))
    assert "the manifest was lost and made anew from 6 partitions" in again.told
    if end == "damaged":
        assert "kept as quarantine/journal.db.20260329T000000" in again.told[0]
        assert (tmp_path / "quarantine" / "journal.db.20260329T000000").exists()
    assert again.journal.append([some(1)], STAMP)[0].seq > 6 + 2**16, "none is given again"
    again.close()
    assert Start(tmp_path).told == []


def cut_while_making(folder: Path) -> None:
    (folder / "journal.db.making").write_bytes(b"half of it")
    (folder / "journal.db.making-wal").write_bytes(b"half of it")


def cut_when_moved(folder: Path) -> None:
    recover._made(folder)
    recover.set_aside(folder / "quarantine", folder / "journal.db", NOW)


def cut_when_opened(folder: Path) -> None:
    recover.open_journal(folder, NOW, lambda _: None).close()


@pytest.mark.parametrize("cut", [cut_while_making, recover._made, cut_when_moved, cut_when_opened])
def test_a_power_cut_while_a_damaged_journal_is_saved_costs_nothing(
    tmp_path: Path, cut: Callable[[Path], object]
) -> None:
    first = Start(tmp_path).filled()
    last = first.journal.append([some(10, 30)], STAMP)[0].seq
    first.journal._connection.execute("update facts set seal = 7")
    first.close()
    cut(tmp_path)
    again = Start(tmp_path)
    assert again.values() == list(range(40))
    assert "the manifest was lost and made anew from 6 partitions" in again.told
    assert (tmp_path / "quarantine" / "journal.db.20260329T000000").exists()
    assert list(tmp_path.glob("journal.db.*")) == []
    assert again.journal.append([some(0), believed(1)], STAMP)[0].seq > last
    again.close()
    assert Start(tmp_path).told == []


def test_a_power_cut_before_the_manifest_is_made_anew_costs_no_partition(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    (tmp_path / "journal.db").unlink()
    cut_when_opened(tmp_path)
    again = Start(tmp_path)
    assert again.told == ["the manifest was lost and made anew from 6 partitions"]
    assert again.values() == list(range(30))
    again.journal._connection.execute("update facts set value = 1, seal = ? where name = 'begun'",
                                      (layout.seal(("begun", 1)),))  # fmt: skip
    again.close()  # as by a power cut just before it was settled
    third = Start(tmp_path)
    assert (third.told, third.values(), third.journal.begun) == ([], list(range(30)), False)


def test_what_was_merged_away_is_not_adopted_beside_the_whole(tmp_path: Path) -> None:
    first = Start(tmp_path).filled(24)
    old = {path.name: path.read_bytes() for path in (tmp_path / "history/readings").glob("*")}
    first.compactor.merge()
    first.close()
    for name, content in old.items():
        (tmp_path / "history" / "readings" / name).write_bytes(content)
    (tmp_path / "journal.db").unlink()
    again = Start(tmp_path)
    readings = [one.name for one in again.journal.partitions() if one.kind == "readings"]
    assert readings == ["readings/000000000001-000000000047-1-0.parquet"]
    assert again.values() == list(range(240))


def test_a_damaged_partition_is_not_adopted(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    bad = min((tmp_path / "history" / "readings").glob("*"))
    bad.write_bytes(bad.read_bytes()[:-9])
    (tmp_path / "journal.db").unlink()
    again = Start(tmp_path)
    assert any(f"{bad.name} was damaged and is kept as quarantine/" in told for told in again.told)
    assert again.values() == list(range(10, 30))


def test_batches_that_do_not_fit_are_set_aside(tmp_path: Path) -> None:
    first = Start(tmp_path)
    first.journal.append([some(5), some(5, 5)], STAMP)
    first.journal._connection.execute("update batches set data = x'0011223344' where seq = 1")
    first.close()
    again = Start(tmp_path)
    assert again.told == [
        "1 batches of journal.db did not fit their checksums, kept in quarantine/"
    ]
    assert (tmp_path / "quarantine" / "batch-1.20260329T000000").read_bytes() == b'\0\x11"3D'
    assert again.values() == [5, 6, 7, 8, 9]


def test_a_sick_disk_is_told_from_a_damaged_file(tmp_path: Path) -> None:
    recover.probe(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        recover.probe(tmp_path / "gone")
    (tmp_path / "journal.db").write_bytes(b"no database" * 4096)
    (tmp_path / "probe").symlink_to("/dev/full")  # every write fails: no space left
    with pytest.raises(StoreError, match="cannot be written: No space left"):
        Start(tmp_path)
    assert not (tmp_path / "quarantine").exists()


def test_an_empty_folder_in_the_place_of_a_disk_is_no_disk(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritable, match="not mounted"):
        recover.present(tmp_path)
    (tmp_path / "journal.db").touch()
    recover.present(tmp_path)


def test_what_nobody_knows_is_cleared(tmp_path: Path) -> None:
    folder = tmp_path / "readings"
    folder.mkdir()
    one, two = (f"00000000000{n}-00000000000{n}-0-0.parquet" for n in (1, 2))
    for name in (one, two, f"{one}.tmp", "notes"):
        (folder / name).touch()
    recover.clear(tmp_path, [f"readings/{two}"])
    assert sorted(path.name for path in folder.iterdir()) == [two, "notes"]


def test_room_to_open_is_made_of_ballast_then_of_the_oldest_readings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ballast").touch()
    folder = tmp_path / "history" / "readings"
    folder.mkdir(parents=True)
    names = [f"00000000000{n}-00000000000{n}-0-0.parquet" for n in (1, 2)]
    for name in names:
        (folder / name).touch()
    told: list[str] = []
    recover._spare(tmp_path, told.append, StoreFull("no room"))
    with pytest.raises(
        StoreFull, match="remove other files"
    ):  # there is room: a quota, or the like
        recover._spare(tmp_path, told.append, StoreFull("no room"))
    assert sorted(path.name for path in folder.iterdir()) == names
    monkeypatch.setattr(recover, "_room", lambda _: 4096)
    recover._spare(tmp_path, told.append, StoreFull("no room"))
    with pytest.raises(StoreFull, match="remove other files from the disk"):
        recover._spare(tmp_path, told.append, StoreFull("no room"))
    assert [words.partition("let go of ")[2] for words in told] == [
        "the ballast; free some",
        f"readings/{names[0]}; free some",
    ]
    assert [path.name for path in folder.iterdir()] == names[1:]


def test_what_finds_no_room_at_all_says_what_to_do(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "history", tmp_path / "temp", Limits())
    (tmp_path / "probe").symlink_to("/dev/full")
    told: list[str] = []
    with pytest.raises(StoreFull, match="remove other files from the disk"):
        recover.opened(engine, tmp_path, NOW, told.append)


def test_what_went_past_the_journal_is_not_lost_with_the_manifest(tmp_path: Path) -> None:
    first = Start(tmp_path)
    first.journal.append([some(10)], STAMP)
    first.compactor.absorb([some(10, 10)])
    first.journal.append([some(10, 20)], STAMP)
    first.compactor.compact()
    first.close()
    (tmp_path / "journal.db").unlink()
    again = Start(tmp_path)
    assert again.values() == list(range(30))
    assert len(files(tmp_path, "readings")) == 3


def test_all_at_once(tmp_path: Path) -> None:
    """A damaged journal, merged and unmerged files, an orphan, half of them damaged."""
    first = Start(tmp_path).filled(24)
    old = {path.name: path.read_bytes() for path in files(tmp_path, "readings")}
    first.compactor.merge()
    for start in range(240, 280, 10):
        first.journal.append([some(10, start)], STAMP)
        first.compactor.compact()
    first.journal.append([some(10, 280)], STAMP)
    first.close()
    for name, content in list(old.items())[:3]:
        (tmp_path / "history" / "readings" / name).write_bytes(content)
    parts = files(tmp_path, "readings")
    merged = next(path for path in parts if "-1-0." in path.name)
    late = [path for path in parts if path.name > "000000000049"]
    assert len(late) == 4
    spoil(late[1])
    late[2].write_bytes(b"")
    (tmp_path / "journal.db").write_bytes(b"no database" * 4096)
    again = Start(tmp_path)
    assert again.values() == [*range(250), *range(270, 280)]
    assert merged.exists()
    kept = {path.name.partition(".parquet")[0] for path in (tmp_path / "quarantine").iterdir()}
    assert kept >= {late[1].stem, late[2].stem, "journal.db.20260329T000000"}
    again.close()
    assert Start(tmp_path).told == []


def test_the_merged_file_is_damaged_and_those_it_was_made_of_are_there(tmp_path: Path) -> None:
    first = Start(tmp_path).filled(24)
    old = {path: path.read_bytes() for path in files(tmp_path, "readings")}
    first.compactor.merge()
    first.close()
    for path in files(tmp_path, "readings"):
        path.write_bytes(path.read_bytes()[:-20])
    for path, content in old.items():
        path.write_bytes(content)
    (tmp_path / "journal.db").unlink()
    again = Start(tmp_path)
    assert again.values() == list(range(240))


def test_a_journal_of_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    newer = ("pragma user_version = 99", "delete from facts where name = 'format'")
    say(tmp_path / "journal.db", *newer)
    before = sorted(tmp_path.rglob("*.parquet"))
    with pytest.raises(StoreError, match=r"newer version .format 99"):
        Start(tmp_path)
    assert sorted(tmp_path.rglob("*.parquet")) == before
    assert not (tmp_path / "quarantine").exists()


def test_an_empty_journal_is_none(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    (tmp_path / "journal.db").write_bytes(b"")
    again = Start(tmp_path)
    assert again.values() == list(range(30))
    assert again.told == ["the manifest was lost and made anew from 6 partitions"]


def test_files_under_each_other_s_names_are_known_by_what_they_say(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    swap(files(tmp_path, "readings")[0], files(tmp_path, "beliefs")[1])
    (tmp_path / "journal.db").unlink()
    assert Start(tmp_path).values() == list(range(30))


def test_a_file_is_kept_that_the_manifest_may_have_forgotten(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    gone, forgotten = (path.name for path in files(tmp_path, "readings")[:2])
    (tmp_path / "history" / "readings" / gone).unlink()
    say(tmp_path / "journal.db", f"delete from partitions where name = 'readings/{forgotten}'")
    again = Start(tmp_path)
    assert again.told[0].startswith(
        f"readings/{forgotten} is not in the manifest and is kept as quarantine/"
    )
    assert again.told[1] == f"1 partitions are gone from history/: readings/{gone}"
    aside = tmp_path / again.told[0].rpartition(" ")[2]
    assert aside.read_bytes()[:4] == b"PAR1"


def test_of_a_manifest_that_changed_nothing_is_believed(tmp_path: Path) -> None:
    Start(tmp_path).filled().close()
    say(tmp_path / "journal.db", "update partitions set first_us = 10000000000 where lo = 1")
    again = Start(tmp_path)
    assert "what it says of readings/" in again.told[0]
    assert again.told[1] == "the manifest was lost and made anew from 6 partitions"
    assert again.values() == list(range(30))


@pytest.mark.parametrize(
    "column", ["kind = 'reaxings'", "rows = 'many'", "data = 'text'", "rows = -1"]
)
def test_a_batch_of_other_types_stops_no_start(tmp_path: Path, column: str) -> None:
    first = Start(tmp_path)
    first.journal.append([some(5), some(5, 5)], STAMP)
    first.close()
    say(tmp_path / "journal.db", f"update batches set {column} where seq = 1")
    again = Start(tmp_path)
    assert again.told[0].startswith("1 batches of journal.db did not fit")
    assert again.values() == [5, 6, 7, 8, 9]


def logged(folder: Path, n: int) -> Path:
    """A journal as a power cut leaves it, with ``n`` batches in the log beside it."""
    live = folder / "live"
    live.mkdir()
    journal = Journal(live / "journal.db")
    for start in range(0, 10 * n, 10):
        journal.append([some(10, start)], STAMP)
    for path in live.glob("journal.db*"):
        shutil.copy(path, folder)
    journal.close()
    return folder / "journal.db-wal"


def test_damage_in_the_log_costs_what_was_in_that_place_only(tmp_path: Path) -> None:
    log = logged(tmp_path, 20)
    spoil(log)
    start = Start(tmp_path)
    batches = [batch.seq for batch in start.journal.batches(0)]
    assert len(batches) >= 18
    assert batches[-1] == 20
    assert start.told[0].startswith("journal.db was damaged and is kept as quarantine/journal.db.")
    assert "commits follow the damaged place" in start.told[0]
    start.close()
    assert Start(tmp_path).told == []


def test_a_log_that_was_cut_off_is_told(tmp_path: Path) -> None:
    log = logged(tmp_path, 20)
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    start = Start(tmp_path)
    missing = 20 - len(list(start.journal.batches(0)))
    assert 5 < missing < 15
    lacks = f"journal.db lacks the newest {missing} batches that were in it"
    assert start.told == [f"{lacks}: the log beside it was damaged"]
    assert start.journal.append([some(1)], STAMP)[0].seq > 20 + 2**16, "none is given again"
    start.close()
    assert Start(tmp_path).told == []
