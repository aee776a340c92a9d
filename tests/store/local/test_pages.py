import os
from pathlib import Path

import pytest

from flexedge.errors import StoreDamaged, StoreFull, StoreUnwritable
from flexedge.store.local.pages import connect, demand_readable, shrink, told


def test_it_writes_ahead_syncs_fully_and_in_small_pages(tmp_path: Path) -> None:
    ask = connect(tmp_path / "a.db").execute
    assert ask("pragma journal_mode").fetchone() == ("wal",)
    assert ask("pragma synchronous").fetchone() == (2,)
    assert ask("pragma page_size").fetchone() == (1024,)


def test_a_full_disk_is_told_from_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    connection.execute("create table t (x)")
    connection.execute("pragma max_page_count = 5")
    with pytest.raises(StoreFull, match=r"a\.db: database or disk is full"), told(path):
        connection.execute("insert into t values (zeroblob(9000))")
    connection.close()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreDamaged, match="not a database"):
        connect(path)


def test_a_file_that_cannot_be_made_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritable, match="unable to open"):
        connect(tmp_path / "none" / "a.db")


def test_what_sqlite_does_not_check_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    connection.execute("create table t (name text)")
    connection.execute("insert into t values ('a name')")
    demand_readable(connection, path, {"t": "name"})
    with pytest.raises(StoreDamaged, match="no such column: nam"):
        demand_readable(connection, path, {"t": "nam"})
    connection.execute("update t set name = cast(x'ff' as text)")
    with pytest.raises(StoreDamaged, match="UTF-8"), told(path):
        demand_readable(connection, path, {"t": "name"})
    with pytest.raises(StoreDamaged, match=r"a\.db: b'\\xff'"), told(path):
        b"\xff".decode()


def test_a_burst_leaves_no_large_file_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    connection.execute("create table t (id integer primary key, x)")
    connection.execute("insert into t values (7, 'stays')")
    blob = os.urandom(1 << 20)
    connection.executemany("insert into t (x) values (?)", [(blob,)] * 16)
    assert not shrink(connection)
    connection.execute("delete from t where id > 12")
    assert not shrink(connection)  # more than a quarter is in use
    connection.execute("delete from t where id > 7")
    assert shrink(connection)
    assert path.stat().st_size < 10_000
    assert path.with_name("a.db-wal").stat().st_size == 0
    assert connection.execute("select * from t").fetchall() == [(7, "stays")]
    assert not shrink(connection)
