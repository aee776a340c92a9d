from pathlib import Path

import pytest

from flexedge.store.local.compact import Compactor
from flexedge.store.local.engine import Engine
from flexedge.store.local.journal import Journal
from flexedge.store.local.shelf import DamagedPartition, Shelf, View, Window
from tests.store.local.rows_made import SECOND, STAMP, some


def view() -> View:
    return View((), {})


def test_garbage_waits_for_the_last_reader_of_what_was_before(history: Path) -> None:
    shelf, gone = Shelf(history, view(), lambda: None), list[str]()
    with shelf.view() as first:
        shelf.publish(view(), [lambda: gone.append("first")])
        with shelf.view() as second:
            assert second is shelf.newest is not first
            shelf.publish(view(), [lambda: gone.append("second")])
        assert gone == []  # the first is still read, and may need what the second threw away
    assert gone == ["first", "second"]


def test_garbage_goes_at_once_where_nobody_reads(history: Path) -> None:
    shelf, gone = Shelf(history, view(), lambda: None), list[str]()
    shelf.publish(view(), [lambda: gone.append("first")])
    assert gone == ["first"]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(), [0, 1, 2, 3, 4, 5]),
        (Window((1,)), [1, 3, 5]),
        (Window(()), []),
        (Window(None, 2 * SECOND, 4 * SECOND), [2, 3]),
        (Window((0,), 1 * SECOND), [2, 4]),
    ],
)
def test_a_window_picks_from_files_and_hot_rows(
    window: Window, expected: list[int], engine: Engine, journal: Journal, compactor: Compactor
) -> None:
    journal.append([some(3)], STAMP)
    compactor.show()
    compactor.compact()
    journal.append([some(3, 3)], STAMP)
    compactor.show()
    shelf = compactor.shelf
    with shelf.view() as seen:
        rows = shelf.relation(seen, "readings", window)
        found = [int(value) for (value,) in engine.run(f"select value from {rows} order by all")]
        assert len(seen.partitions) == 1
    assert found == expected


def test_of_rows_kept_twice_the_later_counts(
    engine: Engine, journal: Journal, compactor: Compactor
) -> None:
    for value in (1.0, 2.0, 3.0):
        rows = some(1)
        rows.value[0] = value
        journal.append([rows], STAMP)
        if value < 3:
            compactor.compact()
    compactor.show()
    with compactor.shelf.view() as seen:
        for once, expected in ((True, [3.0]), (False, [1.0, 2.0, 3.0])):
            rows_sql = compactor.shelf.relation(seen, "readings", Window(), once=once)
            found = engine.run(f"select value from {rows_sql} order by all")
            assert [value for (value,) in found] == expected


def test_a_file_that_changed_is_not_read(
    engine: Engine, journal: Journal, history: Path, compactor: Compactor
) -> None:
    journal.append([some(100)], STAMP)
    compactor.compact()
    (path,) = history.glob("readings/*")
    content = bytearray(path.read_bytes())
    content[60] ^= 4
    path.write_bytes(content)
    again = Compactor(engine, journal, history).shelf
    with again.view() as seen:
        with pytest.raises(DamagedPartition, match="does not fit its checksum") as caught:
            again.relation(seen, "readings", Window())
        assert caught.value.name == seen.partitions[0].name
        path.unlink()
        with pytest.raises(DamagedPartition, match="is gone"):
            again.relation(seen, "readings", Window())
        assert "read_parquet" not in again.relation(seen, "readings", Window(None, 10**12))
