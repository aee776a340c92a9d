import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flexedge.store.state import State
from flexedge.store.tables.database import Database
from flexedge.store.tables.watch import FileWatch, NoWatch, ServerWatch, Versions


def write(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {number}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "x.db", 7)
    return tmp_path / "x.db"


def test_a_file_says_when_others_wrote_to_it(file: Path) -> None:
    watch = FileWatch(file)
    assert not watch.look()  # there is nothing yet that it could be newer than
    assert not watch.look()
    write(file, 8)
    assert watch.look()
    assert not watch.look()
    watch.close()


def test_ones_own_changes_do_not_count(file: Path) -> None:
    watch = FileWatch(file)
    watch.look()
    write(file, 8)
    watch.own(8)
    assert not watch.look()
    write(file, 9)  # somebody else's
    write(file, 10)
    watch.own(10)
    assert watch.look()
    write(file, 11)
    assert watch.look()  # before it was said whose it is
    watch.own(11)
    assert not watch.look()
    watch.close()


def test_a_file_that_cannot_be_read_may_have_changed(file: Path) -> None:
    watch = FileWatch(file)
    watch.look()
    file.write_bytes(b"no database" * 1000)
    assert watch.look()
    assert watch.look()
    watch.close()


def test_versions_tell_tables_apart(file: Path) -> None:
    versions = Versions(FileWatch(file))
    before = versions.of("a", "b")
    assert versions.of("a", "b") == before
    versions.wrote(["c"], 0)
    assert versions.of("a", "b") == before
    versions.wrote(["b", "c"], 0)
    after = versions.of("a", "b")
    assert after != before
    write(file, 8)
    assert versions.of("a", "b") != after
    assert versions.others == 1
    versions.close()


def test_what_nobody_looks_after_may_have_changed() -> None:
    versions = Versions(NoWatch())
    assert versions.of("a") != versions.of("a")


@pytest.mark.postgres
@pytest.mark.parametrize("where", ["postgres"], indirect=True)
def test_a_server_that_was_away_may_have_been_written_to(state: State, where: str) -> None:
    database = Database(where)
    watch = ServerWatch(database.engine, "me")
    assert not watch.look()
    assert not watch.look()
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE query LIKE 'LISTEN flexedge%%'"
    )
    database.read(lambda connection: connection.exec_driver_sql(end).all())
    assert any(watch.look() for _ in range(100_000))
    assert watch.look()  # connected anew: what was said meanwhile nobody heard
    assert not watch.look()
    state.remember("a", "1")
    assert any(watch.look() for _ in range(100_000))
    watch.close()
    database.close()
