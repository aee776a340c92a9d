import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flexedge.errors import StoreDamaged, StoreError, StoreUnwritable
from flexedge.store.archive import Stamp
from flexedge.store.local.journal import Journal
from flexedge.store.local.layout import FORMAT
from flexedge.store.local.partition import Partition
from flexedge.store.rows import Readings
from tests.store.local.rows_made import SECOND, STAMP, believed, some


def numbers(journal: Journal) -> list[int]:
    return [batch.seq for batch in journal.batches(0)]


def partition(name: str, hi: int) -> Partition:
    return Partition(name, "readings", 1, hi, 0, 5, 100, 0, 10, "ab")


def test_what_was_appended_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j.db")
    assert first.begun
    first.append([some(3), believed(2)], STAMP)
    first.close()
    again = Journal(tmp_path / "j.db")
    one, two = again.batches(0)
    assert (one.kind, two.kind) == ("readings", "beliefs")
    assert one.rows.value.tolist() == [0.0, 1.0, 2.0]
    assert again.waiting() == 5
    assert [batch.seq for batch in again.append([some(1)], STAMP)] == [3]


def test_it_keeps_what_it_says_with_wal_and_full(journal: Journal) -> None:
    ask = journal._connection.execute
    assert ask("pragma journal_mode").fetchone() == ("wal",)
    assert ask("pragma synchronous").fetchone() == (2,)


def test_nobody_else_may_read_it_or_its_log(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.append([some(1)], STAMP)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "j.db": 0o600, "j.db-wal": 0o600, "j.db-shm": 0o600, "j.db-mark": 0o600}  # fmt: skip


def test_numbers_are_never_used_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.append([some(1), some(1)], STAMP)
    journal.exchange([partition("readings/a", 2)], taken=[1, 2])
    assert journal.reserve(2) == 3
    journal.exchange([partition("readings/b", 4)])
    journal.close()
    again = Journal(tmp_path / "j.db")
    assert again.last == 4
    assert [one.name for one in again.partitions()] == ["readings/a", "readings/b"]
    assert numbers(again) == []


def test_it_is_begun_until_all_is_settled(tmp_path: Path) -> None:
    for begun in (True, True, False):
        journal = Journal(tmp_path / "j.db")
        assert journal.begun is begun
        journal.append([some(1)], STAMP)
        journal.reopen()
        assert journal.begun is begun
        if journal.last > 1:
            journal.settled()
            assert not journal.begun
        journal.close()


def test_what_is_doubtful_counts_only_once_it_is_removed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal._doubtful.add(journal.append([some(1)], STAMP)[0].seq)
    journal._connection.execute(
        "create trigger refusing before delete on batches begin select raise(abort, 'no'); end"
    )
    journal.let_go()
    with pytest.raises(StoreError, match="no"):
        journal.reopen()
    with pytest.raises(StoreUnwritable, match="waits for the disk"):
        journal.kept  # noqa: B018 (it is a look at the file)
    with sqlite3.connect(tmp_path / "j.db") as connection:
        connection.execute("drop trigger refusing")
    connection.close()
    journal.reopen()
    assert (journal.kept, journal.append([some(1)], STAMP)[0].seq) == (0, 2)
    journal.close()


def test_numbers_of_what_could_not_be_saved_are_not_given_again(tmp_path: Path) -> None:
    damaged, other = Journal(tmp_path / "a.db"), Journal(tmp_path / "b.db")
    for start in range(3):
        damaged.append([some(1, start)], STAMP)
    damaged._connection.execute("delete from batches where seq > 1")
    damaged.close()
    assert other.salvage(tmp_path / "a.db") == 1
    other.close()
    again = Journal(tmp_path / "b.db")
    assert again.append([some(1)], STAMP)[0].seq == 4
    again.close()


def test_what_was_refused_is_not_there_after_all(journal: Journal) -> None:
    journal.append([some(1)], STAMP)
    journal.append([some(2)], STAMP)
    journal._doubtful.add(2)  # as after a COMMIT that failed, but whose pages are on the disk
    journal.reopen()
    assert numbers(journal) == [1]
    journal.append([some(3)], STAMP)
    journal.reopen()
    assert numbers(journal) == [1, 3]


def test_a_refused_append_takes_its_number_along(journal: Journal) -> None:
    journal._connection.execute("pragma query_only = on")
    with pytest.raises(StoreError, match="readonly"):
        journal.append([some(1)], STAMP)
    assert journal._doubtful == {1}
    journal._connection.execute("pragma query_only = off")
    assert journal.append([some(1)], STAMP)[0].seq == 2


def test_manifest_and_journal_change_together_or_not_at_all(journal: Journal) -> None:
    journal.append([some(1)], STAMP)
    journal.exchange([partition("readings/a", 1)], facts={"rolled": 1})
    with pytest.raises(StoreError, match="UNIQUE"):
        journal.exchange([partition("readings/a", 1)], facts={"rolled": 9}, taken=[1])
    assert numbers(journal) == [1]
    assert journal.fact("rolled") == 1
    assert journal.fact("nothing") is None


def test_a_damaged_batch_is_passed_over_and_told(journal: Journal) -> None:
    journal.append([some(1), some(2), some(3)], STAMP)
    journal._connection.execute("update batches set data = x'00112233445566' where seq = 2")
    assert numbers(journal) == [1, 3]
    assert journal.damaged() == [(2, bytes.fromhex("00112233445566"))]
    journal.drop([2])
    assert journal.damaged() == []


def test_readings_of_an_untrusted_clock_wait_until_they_are_dated(journal: Journal) -> None:
    journal.append([some(2)], Stamp("other boot", 0, trusted=False))
    journal.append([some(2)], Stamp("boot", 5 * SECOND, trusted=False))
    journal.append([some(1)], Stamp("boot", 9 * SECOND, trusted=True))
    assert numbers(journal) == [3]
    assert journal.waiting(trusted=False) == 4
    (dated,) = journal.redate(Stamp("boot", 9 * SECOND, trusted=True))
    assert isinstance(dated.rows, Readings)
    assert dated.rows.event_us.tolist() == [4 * SECOND, 5 * SECOND]
    assert numbers(journal) == [3, dated.seq] == [3, 4]
    assert journal.redate(Stamp("boot", 99 * SECOND, trusted=True)) == []
    assert journal.waiting(trusted=False) == 2


def test_names_are_kept(journal: Journal) -> None:
    journal.introduce("sensor", 1, "a")
    journal.introduce("sensor", 1, "b")
    journal.introduce("source", 1, "c")
    assert journal.known("sensor") == {1: "b"}


def test_a_damaged_file_is_refused_and_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = Journal(path)
    for start in range(200):
        journal.append([some(40, start)], STAMP)
    journal.introduce("sensor", 7, "seven")
    journal.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match=r"j\.db"):
        Journal(path)
    other = Journal(tmp_path / "new.db")
    saved = other.salvage(path)
    assert 150 * 40 < saved < 200 * 40
    assert saved == other.waiting()
    assert other.known("sensor") == {7: "seven"}
    assert other.begun


@pytest.mark.parametrize(("old", "new"), [(b"first_us, last", b"first_uq, last"),
                                          (b"a name", b"a n\xffme")])  # fmt: skip
def test_damage_that_sqlite_does_not_find_is_damage(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "j.db"
    journal = Journal(path)
    journal.append([some(2)], STAMP)
    journal.introduce("sensor", 7, "a name")
    journal.close()
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    with pytest.raises(StoreDamaged, match=r"j\.db"):
        Journal(path)
    saved = Journal(tmp_path / "new.db")
    assert saved.salvage(path) == 2
    assert saved.known("sensor") == ({} if b"\xff" in new else {7: "a name"})


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    Journal(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"pragma user_version = {FORMAT + 1}")
        connection.execute("delete from facts where name = 'format'")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        Journal(path)


def test_check_says_what_is_wrong(journal: Journal) -> None:
    assert journal.check() == ""


def test_it_lets_go_of_its_file_and_takes_it_back(journal: Journal) -> None:
    journal.append([some(1)], STAMP)
    journal.exchange([partition("readings/a", 7)])
    assert journal.reserve(2) == 8
    journal.let_go()
    with pytest.raises(StoreUnwritable, match="waits for the disk"):
        journal.append([some(1)], STAMP)
    assert [path.name for path in journal._path.parent.glob("journal.db-*")] == ["journal.db-mark"]
    journal.reopen()
    assert journal.append([some(1)], STAMP)[0].seq == 11  # numbers given away stay so
    assert numbers(journal) == [1, 11]


def test_a_file_that_is_not_back_can_be_asked_for_again(journal: Journal) -> None:
    journal.append([some(1)], STAMP)
    journal.let_go()
    away = journal._path.parent / "away"
    journal._path.rename(away)
    journal._path.mkdir()
    with pytest.raises(StoreError, match="unable to open"):
        journal.reopen()
    journal._path.rmdir()
    away.rename(journal._path)
    journal.reopen()
    assert numbers(journal) == [1]


def test_a_burst_is_given_back(journal: Journal) -> None:
    chance = np.random.default_rng(1).random(40_000)
    for start in range(30):
        rows = replace(some(40_000, start), value=chance)
        journal.append([rows], STAMP)
    journal.touch()
    assert not journal.shrink()
    journal.drop(numbers(journal))
    assert journal.shrink()
    assert journal._path.stat().st_size < 20_000
    assert journal.last == 30


@pytest.mark.parametrize("change", ["first_us = 5", "hi = 9", "level = 3", "name = 'readings/b'"])
def test_a_manifest_that_changed_is_damage(tmp_path: Path, change: str) -> None:
    path = tmp_path / "j.db"
    journal = Journal(path)
    journal.exchange([partition("readings/a", 2)])
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"update partitions set {change}")
    connection.close()
    with pytest.raises(StoreDamaged, match="what it says of readings/"):
        Journal(path)


def test_numbers_are_not_given_again_when_all_has_gone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.append([some(1), some(1)], STAMP)
    journal.exchange([partition("readings/a", 2)], taken=[1, 2])
    journal.exchange([], ["readings/a"])
    journal.close()
    again = Journal(tmp_path / "j.db")
    assert (again.last, again.lacking) == (2, 0)
    again.append([some(1)], STAMP)
    again.drop([3])
    again.close()
    third = Journal(tmp_path / "j.db")
    assert (third.last, third.lacking) == (3, 0)
    third.close()


def test_only_what_is_on_the_disk_counts_as_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    assert journal.kept == 0
    journal.append([some(1)], STAMP)
    journal.reserve(3)
    assert (journal.kept, journal.last) == (1, 4)
    journal.append([some(1)], STAMP)
    assert journal.kept == 5
    journal.exchange([partition("readings/a", 5)], taken=[1, 5])
    assert journal.kept == 5
    journal.close()
    again = Journal(tmp_path / "j.db")
    assert (again.kept, again.last) == (5, 5)
    again.close()


def test_each_journal_has_an_epoch_of_its_own_for_good(tmp_path: Path) -> None:
    first, other = Journal(tmp_path / "a.db"), Journal(tmp_path / "b.db")
    epoch = first.epoch
    assert len({0, epoch, other.epoch}) == 3
    first.reopen()
    assert first.epoch == epoch
    first.close()
    again = Journal(tmp_path / "a.db")
    assert again.epoch == epoch
    again.close()
    other.salvage(tmp_path / "a.db")
    assert other.epoch == epoch
    other.close()
    same = Journal(tmp_path / "b.db")
    assert same.epoch == epoch
    same.close()
