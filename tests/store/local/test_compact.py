from pathlib import Path

import pytest

from flexedge.errors import StoreError
from flexedge.store.local import compact
from flexedge.store.local.compact import Compactor
from flexedge.store.local.engine import Engine
from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import Kind
from flexedge.store.local.shelf import Window
from tests.store.local.rows_made import SECOND, STAMP, believed, some


def values(compactor: Compactor, engine: Engine, kind: Kind = "readings") -> list[float]:
    with compactor.shelf.view() as view:
        rows = compactor.shelf.relation(view, kind, Window())
        return [value for (value,) in engine.run(f"select value from {rows} order by value")]


def files(history: Path, kind: Kind = "readings") -> list[str]:
    return sorted(path.name for path in (history / kind).glob("*"))


def test_rows_move_from_the_journal_into_one_partition_of_each_kind(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path
) -> None:
    for start in range(0, 30, 10):
        journal.append([some(10, start), believed(1, start)], STAMP)
    assert compactor.compact()
    assert not compactor.compact()
    assert journal.waiting() == 0
    assert files(history) == ["000000000001-000000000005-0-0.parquet"]
    assert values(compactor, engine) == list(range(30))
    assert values(compactor, engine, "beliefs") == [0.0, 10.0, 20.0]


def test_many_rows_make_several_partitions(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(compact, "CHUNK", 15)
    for start in range(0, 40, 10):
        journal.append([some(10, start)], STAMP)
    compactor.compact()
    assert len(files(history)) == 2
    compactor.absorb([some(31, 40), believed(3)])
    assert len(files(history)) == 5
    assert values(compactor, engine) == list(range(71))
    assert journal.append([some(1, 71)], STAMP)[0].seq == 9


def test_small_partitions_are_merged_and_their_files_go(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path
) -> None:
    for start in range(24):
        journal.append([some(2, 2 * start)], STAMP)
        compactor.compact()
    assert len(files(history)) == 24
    assert compactor.merge()
    assert files(history) == ["000000000001-000000000024-1-0.parquet"]
    assert not compactor.merge()
    assert values(compactor, engine) == list(range(48))


def test_a_reader_keeps_the_files_it_began_with(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path
) -> None:
    for start in range(24):
        journal.append([some(1, start)], STAMP)
        compactor.compact()
    with compactor.shelf.view() as view:
        compactor.merge()
        rows = compactor.shelf.relation(view, "readings", Window())
        assert engine.run(f"select count(*) from {rows}") == [(24,)]
        assert len(files(history)) == 25
    assert len(files(history)) == 1


def test_what_is_too_large_to_merge_is_raised_a_level(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(compact, "_LARGEST", 3)
    for start in range(24):
        journal.append([some(2, 2 * start)], STAMP)
        compactor.compact()
    assert compactor.merge()
    assert len(files(history)) == 24
    levels = [one.level for one in journal.partitions()]
    assert sorted(levels) == [0] * 23 + [1]
    assert values(compactor, engine) == list(range(48))


def test_old_partitions_go_as_a_whole_once_they_are_summed_up(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path
) -> None:
    for start in (0, 10):
        journal.append([some(10, start)], STAMP)
        compactor.compact()
    assert compactor.prune("readings", 30 * SECOND, 20 * SECOND) == 0
    journal.exchange([], facts={"rolled": 2})
    compactor.show()
    assert compactor.prune("readings", 30 * SECOND, 20 * SECOND) > 100
    assert values(compactor, engine) == list(range(10, 20))
    assert len(files(history)) == 1


def test_a_clock_that_is_years_ahead_lets_nothing_go(
    compactor: Compactor, engine: Engine, journal: Journal
) -> None:
    journal.append([believed(10)], STAMP)
    compactor.compact()
    assert compactor.prune("beliefs", 10**17, 2 * 86_400 * SECOND) == 0
    assert len(values(compactor, engine, "beliefs")) == 10


def test_rows_are_deleted_for_good(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path
) -> None:
    journal.append([some(10)], STAMP)
    compactor.compact()
    journal.append([some(10, 10)], STAMP)
    gone = compactor.delete(("readings",), Window((0,), 4 * SECOND, 12 * SECOND))
    assert gone == 4
    left = [0, 1, 2, 3, 5, 7, 9, 11, *range(12, 20)]
    assert values(compactor, engine) == left
    assert values(Compactor(engine, journal, history), engine) == left
    assert compactor.delete(("readings",), Window((7,))) == 0
    assert len(files(history)) == 2


def test_everything_in_a_partition_may_be_deleted(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path
) -> None:
    journal.append([some(4)], STAMP)
    assert compactor.delete(("readings",), Window()) == 4
    assert values(compactor, engine) == []
    assert files(history) == []


def test_a_failed_write_changes_nothing(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path
) -> None:
    journal.append([some(4)], STAMP)
    (history / "readings").write_text("in the way")
    with pytest.raises(StoreError, match="readings"):
        compactor.compact()
    assert journal.waiting() == 4
    (history / "readings").unlink()
    compactor.compact()
    assert values(compactor, engine) == [0, 1, 2, 3]


def test_new_rows_are_seen_by_the_next_who_looks(
    compactor: Compactor, engine: Engine, journal: Journal
) -> None:
    for start in (0, 2):
        with compactor.gate:
            compactor.came(journal.append([some(2, start)], STAMP))
    assert values(compactor, engine) == [0, 1, 2, 3]
    engine.begin_anew()
    with compactor.gate:
        compactor.came(journal.append([some(2, 4)], STAMP))
    with pytest.raises(StoreError, match="Table with name"):
        values(compactor, engine)
    compactor.show()
    assert values(compactor, engine) == list(range(6))


def test_a_merge_that_finds_no_room_is_put_off(
    compactor: Compactor, journal: Journal, history: Path
) -> None:
    for start in range(24):
        journal.append([some(2, 2 * start)], STAMP)
        compactor.compact()
    size = sum(path.stat().st_size for path in (history / "readings").iterdir())
    assert not compactor.merge(size - 1)
    assert compactor.merge(size)


def test_what_is_let_go_is_known_to_be_gone(
    compactor: Compactor, engine: Engine, journal: Journal, history: Path
) -> None:
    for start in (0, 10, 20):
        journal.append([some(10, start)], STAMP)
        compactor.compact()
    first, second, _ = compactor.shelf.newest.partitions
    with compactor.shelf.view():
        compactor.let_go([second])
        assert compactor.shelf.held() >= {second.name}
        assert len(files(history)) == 3
    assert compactor.shelf.held() == {one.name for one in journal.partitions()}
    assert len(files(history)) == 2
    assert journal.fact("pruned") == 19 * SECOND + 1
    compactor.let_go([first])
    assert journal.fact("pruned") == 19 * SECOND + 1
    compactor.let_go([])
    assert values(compactor, engine) == list(range(20, 30))
