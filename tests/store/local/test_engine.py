import resource
import threading
from pathlib import Path

import numpy as np
import pytest

from flexedge.errors import StoreClosed, StoreError, StoreFull, StoreSlow, StoreUnwritable
from flexedge.store.local.engine import Engine, Limits
from tests.store.local.loop_disk import LoopDisk


def test_rows_go_in_and_come_out_as_arrays(engine: Engine) -> None:
    engine.make("t", {"a": np.empty(0, np.int32), "b": np.empty(0)})
    engine.load("t", {"a": np.array([1, 2], np.int32), "b": np.array([0.5, np.nan])})
    engine.load("t", {"a": np.array([3], np.int32), "b": np.array([1.5])})
    found = engine.arrays("select a, b from t where a > ? order by a", [1])
    assert found["a"].tolist() == [2, 3]
    assert np.isnan(found["b"][0])
    engine.forget("t")
    engine.forget("t")
    with pytest.raises(StoreError, match="t does not exist"):
        engine.load("t", {"a": np.array([3], np.int32), "b": np.array([1.5])})


def test_a_slow_query_is_given_up(engine: Engine) -> None:
    slow = "select sum(a.i * b.i) from range(1000000) a(i), range(1000000) b(i)"
    with pytest.raises(StoreSlow, match=r"gave up on a query after 0\.05 s"):
        engine.arrays(slow, deadline_s=0.05)
    assert engine.arrays("select 1 as one")["one"].tolist() == [1]


def test_only_its_own_folder_is_read_and_written(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(StoreError, match="ermission"):
        engine.run(f"from read_csv('{tmp_path / 'secret.csv'}')")
    with pytest.raises(StoreError, match="ermission"):
        engine.run(f"copy (select 1) to '{tmp_path / 'out.parquet'}'")
    engine.run(f"copy (select 1) to '{tmp_path / 'history' / 'in.parquet'}'")


def test_what_does_not_fit_into_memory_is_refused(history: Path) -> None:
    small = Engine(history, history.parent / "temp", Limits(memory_mb=16, temp_mb=1))
    with pytest.raises(StoreError, match=r"(?i)memory|temp"):
        small.run("select * from range(20000000) t(i) order by hash(i)")


def test_threads_do_not_see_each_others_rows(engine: Engine) -> None:
    wrong: list[object] = []

    def ask(number: int) -> None:
        for _ in range(50):
            found = engine.arrays("select ? as mine from range(100)", [number])["mine"]
            if set(found.tolist()) != {number}:
                wrong.append(found)

    threads = [threading.Thread(target=ask, args=[n]) for n in range(4)]  # noqa: TID251 (is the test)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_it_can_be_begun_anew_and_closed(engine: Engine) -> None:
    engine.make("t", {"a": np.array([1])})
    engine.begin_anew()
    with pytest.raises(StoreError, match="does not exist"):
        engine.run("from t")
    engine.close()
    with pytest.raises(StoreError):
        engine.run("select 1")


def test_a_disk_that_refuses_is_told_from_a_wrong_query(engine: Engine, history: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(StoreUnwritable, match="File too large"):
            engine.run(f"copy (from range(1000)) to '{history}/a.parquet'")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.disk
def test_a_full_disk_is_told(disk: LoopDisk) -> None:
    engine = Engine(disk.folder, disk.folder / "temp", Limits())
    disk.fill()
    with pytest.raises(StoreFull, match="No space left"):
        engine.run(f"copy (select random() from range(99999)) to '{disk.folder}/a.parquet'")


def test_who_still_works_when_it_is_closed_hears_just_that(engine: Engine) -> None:
    engine.close()
    with pytest.raises(StoreClosed):
        engine.make("t", {"a": np.empty(0, np.int32)})
