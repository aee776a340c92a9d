import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flexedge.errors import StoreDamaged
from flexedge.store.local import wal

ROWS = 60
HEAD, FRAME = 32, 24 + 1024


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """One commit for each row, all of them in the log."""
    with closing(sqlite3.connect(tmp_path / "live.db", isolation_level=None)) as connection:
        for words in ("page_size=1024", "journal_mode=wal", "synchronous=full",
                      "wal_autocheckpoint=0"):  # fmt: skip
            connection.execute(f"pragma {words}")
        connection.execute("create table t (a integer primary key, b text)")
        for n in range(ROWS):
            connection.execute("insert into t values (?, ?)", (n, f"{n} " * 100))
        yield connection


def copied(path: Path) -> Path:
    """As the files are, while they are in use: as after a power cut."""
    copy = path.with_name("copy.db")
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{copy}{end}")
    return copy


@pytest.fixture
def path(tmp_path: Path, writer: sqlite3.Connection) -> Path:
    assert writer.execute("select count(*) from t").fetchone() == (ROWS,)
    return copied(tmp_path / "live.db")


def log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def flip(path: Path, at: int) -> None:
    data = bytearray(log(path).read_bytes())
    data[at] ^= 1 << at % 8
    log(path).write_bytes(data)


def kept(path: Path) -> set[int]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(wal.image(path))
        return {n for (n,) in connection.execute("select a from t")}


def test_a_log_as_sqlite_wrote_it_is_whole(path: Path) -> None:
    wal.demand_whole(path)
    assert kept(path) == set(range(ROWS))
    log(path).unlink()
    wal.demand_whole(path)
    log(path).write_bytes(b"")
    wal.demand_whole(path)


def test_sqlite_itself_says_nothing(path: Path) -> None:
    flip(path, HEAD + 30 * FRAME + 99)
    with closing(sqlite3.connect(path)) as connection:
        (n,) = connection.execute("select count(*) from t").fetchone()
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    assert 10 < n < ROWS - 10


@pytest.mark.parametrize("seed", range(40))
def test_a_bit_anywhere_but_in_the_last_commits_is_found(path: Path, seed: int) -> None:
    size = log(path).stat().st_size - 8 * FRAME
    flip(path, size * seed // 40 + 11 * seed)
    with pytest.raises(StoreDamaged, match=r"copy\.db-wal is damaged: \d+ commits follow"):
        wal.demand_whole(path)
    # One commit's page at most is as before; the rest is there, as later pages have it.
    assert len(kept(path)) >= ROWS - 4


@pytest.mark.parametrize("at", [0, 5, 9, 13, 17, 25, 31])
def test_so_is_one_in_the_head(path: Path, at: int) -> None:
    flip(path, at)
    with pytest.raises(StoreDamaged, match="is damaged"):
        wal.demand_whole(path)
    assert kept(path) == set(range(ROWS))


@pytest.mark.parametrize("frames", [1, 2])
def test_an_unfinished_end_is_none(path: Path, frames: int) -> None:
    data = log(path).read_bytes()
    log(path).write_bytes(data[: -frames * FRAME + 500] + bytes(frames * FRAME - 500))
    wal.demand_whole(path)
    log(path).write_bytes(data[:-300])
    wal.demand_whole(path)


def test_what_a_log_that_was_begun_anew_has_behind_it_does_not_count(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    writer.execute("pragma wal_checkpoint(full)")
    writer.execute("insert into t values (1000, 'first of the new log')")
    path = copied(tmp_path / "live.db")
    wal.demand_whole(path)
    assert kept(path) == {*range(ROWS), 1000}
    flip(path, HEAD + 200)
    wal.demand_whole(path)  # as if the only commit had not been finished
    assert kept(path) == set(range(ROWS))


def test_a_database_that_became_smaller_is_so(tmp_path: Path, writer: sqlite3.Connection) -> None:
    writer.execute("delete from t where a > 2")
    writer.execute("vacuum")
    path = copied(tmp_path / "live.db")
    wal.demand_whole(path)
    assert kept(path) == {0, 1, 2}
    assert len(wal.image(path)) < 8 * 1024


def test_a_page_size_that_is_damaged_beside_a_damaged_head_is_survived(path: Path) -> None:
    flip(path, 5)
    data = bytearray(path.read_bytes())
    data[16:18] = (4099).to_bytes(2, "big")
    path.write_bytes(data)
    wal.demand_whole(path)  # SQLite says what is wrong with the file itself
    assert wal.image(path)[:16] == b"SQLite format 3\0"


def test_a_hole_in_the_one_commit_that_was_not_finished_is_no_damage(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    before = log(tmp_path / "live.db").stat().st_size
    writer.execute("insert into t values (1000, ?)", ("many pages " * 900,))
    path = copied(tmp_path / "live.db")
    data = log(path).read_bytes()
    assert len(data) > before + 5 * FRAME
    log(path).write_bytes(data[:before] + bytes(FRAME) + data[before + FRAME :])
    wal.demand_whole(path)
