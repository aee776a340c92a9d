from pathlib import Path

import pytest

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.local import durable
from flexedge.store.local.engine import Engine
from flexedge.store.local.partition import Partition, Place, adopted, write
from tests.store.local.rows_made import SECOND, some

PLACE = Place("readings", 3, 9, 1)
GIVEN = "select *, 7::bigint as ord from given"


def written(engine: Engine, history: Path, n: int) -> Partition | None:
    return write(engine, history, PLACE, GIVEN, some(n).columns())


def test_a_partition_is_sorted_and_says_what_it_holds(engine: Engine, history: Path) -> None:
    one = written(engine, history, 5)
    assert one is not None
    assert one.name == "readings/000000000003-000000000009-1-0.parquet"
    assert (one.rows, one.first_us, one.last_us) == (5, 0, 4 * SECOND)
    path = history / one.name
    assert (one.size, one.sha256) == (path.stat().st_size, durable.sha256(path))
    found = engine.run(f"select sensor, value from read_parquet('{path}')")
    assert found == [(0, 0.0), (0, 2.0), (0, 4.0), (1, 1.0), (1, 3.0)]
    assert adopted(engine, history, one.name) == one


def test_a_name_is_never_taken_twice(engine: Engine, history: Path) -> None:
    first, second = written(engine, history, 5), written(engine, history, 4)
    assert first is not None
    assert second is not None
    assert second.name == "readings/000000000003-000000000009-1-1.parquet"
    assert (history / first.name).exists()


def test_no_rows_make_no_file(engine: Engine, history: Path) -> None:
    assert written(engine, history, 0) is None
    assert list(history.glob("*/*")) == []


def test_a_write_that_fails_leaves_nothing(engine: Engine, history: Path) -> None:
    place = Place("readings", 1, 1, 0)
    with pytest.raises(StoreError, match="not found"):
        write(engine, history, place, "select 1 as sensor, 1 as event_us, 0 as nothing")
    assert list((history / "readings").iterdir()) == []


def test_a_refused_write_leaves_no_name(engine: Engine, history: Path) -> None:
    with pytest.raises(StoreError, match="nothing"):
        write(engine, history, PLACE, "select nothing", some(1).columns())
    assert list(history.glob("*/*.parquet")) == []


def test_a_file_of_somebody_else_is_not_adopted(engine: Engine, history: Path) -> None:
    engine.run(f"copy (select 1 as a) to '{history / 'x.parquet'}'")
    with pytest.raises(StoreDamaged, match="does not say what it holds"):
        adopted(engine, history, "x.parquet")
