import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store import sqlite

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "what is 100% #1?.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)")
        connection.execute("CREATE INDEX i ON t (y)")
        rows = [(n, f"text {n}") for n in range(2000)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    return path


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def test_a_sound_file_is_sound(path: Path) -> None:
    sqlite.check(path)
    sqlite.check(path, whole=True)


@pytest.mark.parametrize("at", [0, 18, 60, PAGE + 3, 3 * PAGE])
def test_a_damaged_file_is_told(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at : at + 40] = bytes(255 - byte for byte in data[at : at + 40])
    path.write_bytes(data)
    with pytest.raises(StoreDamaged, match="what is 100%"):
        sqlite.check(path)


def test_a_file_cut_short_is_told(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 5 * PAGE + 100])
    with pytest.raises(StoreDamaged):
        sqlite.check(path)


def test_an_index_that_lies_is_found_by_the_whole_check(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX i ON t (x)'"
                           " WHERE name = 'i'")  # fmt: skip
    sqlite.check(path)
    with pytest.raises(StoreDamaged):
        sqlite.check(path, whole=True)


def test_words_about_damage_that_are_no_text(path: Path) -> None:
    data = path.read_bytes()
    at = data.index(b"CREATE INDEX i ON t")
    path.write_bytes(data[:at] + b"CREATE INDEX i ON \xe5" + data[at + 19 :])
    with pytest.raises(StoreDamaged):
        sqlite.check(path)


def test_what_is_not_there_or_in_use_is_not_damaged(path: Path, tmp_path: Path) -> None:
    for use in (sqlite.check, lambda path: sqlite.copy(path, tmp_path / "copy")):
        with pytest.raises(StoreError, match="unable to open") as caught:
            use(tmp_path / "none.db")
        assert not isinstance(caught.value, StoreDamaged)
    assert not (tmp_path / "none.db").exists()
    assert path.exists()


@pytest.mark.parametrize("make", [sqlite.copy, sqlite.vacuum_into])
def test_a_copy_is_one_file_as_it_was_while_others_write(
    path: Path, tmp_path: Path, writer: sqlite3.Connection, make: object
) -> None:
    writer.execute("INSERT INTO t VALUES (5000, 'committed')")
    writer.commit()
    writer.execute("INSERT INTO t VALUES (5001, 'not committed')")
    target = tmp_path / "copy.db"
    make(path, target)  # type: ignore[operator]
    writer.commit()
    assert sorted(file.name for file in tmp_path.glob("copy*")) == ["copy.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sqlite.rows(target, "SELECT count(*), max(x) FROM t") == [(2001, 5000)]
    assert sqlite.rows(target, "PRAGMA journal_mode") == [("delete",)]


def test_a_copy_of_a_damaged_file_is_refused(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreDamaged, match="not a database"):
        sqlite.copy(path, tmp_path / "copy.db")


def test_a_query_that_fails_is_a_store_error(path: Path) -> None:
    with pytest.raises(StoreError, match="no such table"):
        sqlite.rows(path, "SELECT * FROM none")
