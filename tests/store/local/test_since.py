import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flexedge.errors import StoreError, StoreUnwritable
from flexedge.store.archive import Since
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.journal import Journal
from flexedge.store.local.since import last_of
from flexedge.store.rows import Beliefs, Readings
from flexedge.store.spans import Spans, without
from tests.store.coming import Reader, Told
from tests.store.local.rows_made import NOW, STAMP, believed, some

# What every archive must do is in tests/store/test_archive.py.
SILENCE, NONE = Readings.empty(), Beliefs.empty()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def archive(folder: Path) -> Iterator[LocalArchive]:
    archive = LocalArchive(folder, NOW)
    yield archive
    archive.close()


def values(archive: LocalArchive, lo: int = 0) -> list[float]:
    return [float(one) for one in archive.since(Since(1, lo, archive.top())).rows.value]


def test_numbers_of_a_batch_end_before_those_of_the_next() -> None:
    assert last_of(0) == 0
    assert last_of(1) == 2 * 2**20 - 1
    assert last_of(7) + 1 == 8 << 20


def test_what_goes_past_the_journal_is_awaited(archive: LocalArchive) -> None:
    archive.commit(SILENCE, believed(2), STAMP)
    before = archive.top()

    def parts() -> Iterator[Beliefs]:
        assert archive.top() >= before
        yield believed(3, 10)
        archive.commit(SILENCE, believed(1, 20), STAMP)
        assert archive.top() == before, "three rows will come in before that one"
        yield believed(3, 30)
        assert archive.top() == before

    archive.absorb(parts)
    assert values(archive, before) == [10, 11, 12, 20, 30, 31, 32]
    reader = Reader(archive, 1, None, newest_first=False)
    told = Told()
    for rows in (believed(2), believed(3, 10), believed(1, 20), believed(3, 30)):
        told.commit(rows)
    reader.settle(told)


def test_what_does_not_come_after_all_is_not_awaited_for_ever(archive: LocalArchive) -> None:
    def parts() -> Iterator[Beliefs]:
        yield believed(3)
        raise StoreError("enough")

    with pytest.raises(StoreError, match="enough"):
        archive.absorb(parts)
    archive.commit(SILENCE, believed(1, 20), STAMP)
    assert values(archive) == [20]


def test_a_run_never_tells_of_more_than_the_next_one_begins_with(
    archive: LocalArchive, folder: Path, tmp_path: Path
) -> None:
    archive.commit(SILENCE, believed(1), STAMP)
    archive._compactor.number()  # one that sums would have
    top = archive.top()
    shutil.copytree(folder, tmp_path / "cut")
    again = LocalArchive(tmp_path / "cut", NOW)
    again.commit(SILENCE, believed(1, 5), STAMP)
    assert values(again, top) == [5]
    again.close()


def test_files_that_hold_no_such_numbers_are_not_read(archive: LocalArchive, folder: Path) -> None:
    edges = [archive.top()]
    for step in range(3):
        archive.commit(SILENCE, believed(2, 2 * step), STAMP)
        archive._compactor.compact()
        edges.append(archive.top())
    old, middle, new = sorted((folder / "history" / "beliefs").glob("*"))
    old.write_bytes(b"no Parquet")
    new.write_bytes(b"no Parquet")
    assert archive.since(Since(1, edges[1], edges[2])).rows.value.tolist() == [2, 3]
    assert [one.count for one in archive.tally(edges[1], edges[2])] == [2]
    assert archive.conditions()["store-damaged"] == ""
    assert middle.exists()


def test_merged_files_tell_the_same(archive: LocalArchive) -> None:
    for step in range(30):
        archive.commit(some(1, step), believed(3, 3 * step), STAMP)
        archive._compactor.compact()
    whole = archive.since(Since(1, 0, archive.top())).rows
    assert archive._compactor.merge()
    again = archive.since(Since(1, 0, archive.top())).rows
    assert again.number.tolist() == whole.number.tolist()
    assert again.value.tolist() == whole.value.tolist() == list(range(90))


def test_a_portion_may_be_of_nothing_but_what_was_replaced(archive: LocalArchive) -> None:
    archive.commit(SILENCE, believed(4), STAMP)
    newer = believed(4)
    archive.commit(SILENCE, Beliefs.of({**newer.columns(), "value": -newer.value}), STAMP,
                   replacing=True)  # fmt: skip
    top, seen = archive.top(), []
    left: Spans = ((0, top),)
    while left:
        found = archive.since(Since(1, *left[0], limit=4))
        left = without(left, (found.lo, found.hi))
        seen.append(found.rows.value.tolist())
    assert seen == [[], [0, -1, -2, -3], []]
    assert archive.since(Since(1, 0, top)).rows.value.tolist() == [0, -1, -2, -3]


def test_of_another_source_nothing_is_replaced(archive: LocalArchive) -> None:
    archive.commit(SILENCE, Beliefs.joined([believed(2), believed(2, 0, 2)]), STAMP, replacing=True)
    assert values(archive) == [0, 1, 0, 1]


@pytest.mark.parametrize("harm", ["journal gone", "journal damaged", "all gone"])
def test_after_a_loss_numbers_begin_a_new_epoch_or_beyond_all_there_were(
    archive: LocalArchive, folder: Path, harm: str
) -> None:
    archive.commit(SILENCE, believed(2), STAMP)
    archive.maintain(NOW)
    archive.commit(SILENCE, believed(2, 2), STAMP)
    top, epoch = archive.top(), archive.epoch()
    archive.close()
    journal = folder / "journal.db"
    match harm:
        case "journal gone":
            journal.unlink()
        case "journal damaged":
            page = journal.read_bytes()
            at = page.index(b"known")
            journal.write_bytes(page[:at] + b"knowm" + page[at + 5 :])
        case _:
            shutil.rmtree(folder)
    again = LocalArchive(folder, NOW)
    assert again.epoch() != epoch or again.top() >= top
    again.commit(SILENCE, believed(1, 9), STAMP)
    if again.epoch() == epoch:
        assert values(again, top) == [9]
    else:
        assert values(again)[-1] == 9
    again.close()


def test_a_journal_that_can_be_saved_keeps_its_epoch(archive: LocalArchive, folder: Path) -> None:
    archive.commit(SILENCE, believed(2), STAMP)
    archive.commit(SILENCE, believed(2, 2), STAMP)
    top, epoch = archive.top(), archive.epoch()
    archive._journal._connection.execute("update facts set seal = 7")
    archive.close()
    again = LocalArchive(folder, NOW)
    assert "journal.db was damaged" in again.alarms[0]
    assert (again.epoch(), again.top() > top) == (epoch, True)
    again.commit(SILENCE, believed(1, 9), STAMP)
    assert values(again, top) == [9]
    assert values(again) == [0, 1, 2, 3, 9]
    again.close()


def test_what_turns_out_to_be_on_the_disk_is_seen_with_its_number(archive: LocalArchive) -> None:
    archive.commit(SILENCE, believed(1), STAMP)
    top = archive.top()
    archive._guard._fell_sick(StoreUnwritable("the disk is away"))
    after_all = Journal(archive._journal._path)
    after_all.append([believed(1, 5)], STAMP)
    after_all.close()
    assert archive._guard._back(NOW)
    assert (archive.top() > top, values(archive, top)) == (True, [5])


def test_a_batch_that_failed_half_way_does_not_come_later(archive: LocalArchive) -> None:
    journal = archive._journal
    journal._doubtful.add(journal.append([believed(1)], STAMP)[0].seq)
    archive.commit(SILENCE, believed(1, 5), STAMP)
    journal.touch()
    archive._compactor.show()
    assert values(archive) == [5]


def test_rows_of_one_sensor_are_found_among_those_of_many(
    archive: LocalArchive,
) -> None:
    n = 60
    rows = Beliefs.of({"sensor": np.repeat(np.arange(n), n), "source": np.ones(n * n),
                       "event_us": np.tile(np.arange(n), n), "belief_us": np.zeros(n * n),
                       "probability": np.full(n * n, 0.5), "value": np.arange(n * n)})  # fmt: skip
    archive.commit(SILENCE, rows, STAMP)
    top = archive.top()
    for sensor in (0, 7, n - 1):
        found = archive.since(Since(sensor, 0, top)).rows
        assert found.value.tolist() == list(range(n * sensor, n * sensor + n))
    assert len(archive.tally(0, top)) == n
