import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flexedge.errors import StoreDamaged
from flexedge.store.local.journal import Journal
from flexedge.store.local.layout import FORMAT, SEALED
from flexedge.store.local.partition import Partition
from tests.store.local.damaging import say
from tests.store.local.rows_made import STAMP, some

OLD = """
create table facts_1 (name text primary key, value integer not null) without rowid;
insert into facts_1 select name, value from facts;
drop table facts;
alter table facts_1 rename to facts;
create table known_1 (
    kind text, number integer, words text not null, primary key (kind, number)) without rowid;
insert into known_1 select kind, number, words from known;
drop table known;
alter table known_1 rename to known;
pragma user_version = 1;
"""
"""Makes of a journal one as format 1 had it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with a row in every table."""
    path = tmp_path / "j.db"
    journal = Journal(path)
    journal.append([some(2)], STAMP)
    journal.exchange([Partition("readings/a", "readings", 2, 3, 0, 5, 100, 0, 10, "ab")])
    journal.exchange([], facts={"rolled": 5, "spread": True})
    for number, words in ((1, "ä name"), (2, "another")):
        journal.introduce("sensor", number, words)
    journal.close()
    return path


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        columns = SEALED | {"batches": "*"}
        return {
            table: connection.execute(f"select {names} from {table}").fetchall()
            for table, names in columns.items()
        }


def test_format_1_is_brought_up_with_all_there_was(path: Path) -> None:
    Journal(path).close()
    whole = content(path)
    assert all(whole.values())
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD)
    journal = Journal(path)
    assert journal.fact("rolled") == 5
    assert journal.known("sensor") == {1: "ä name", 2: "another"}
    journal.close()
    whole["facts"][0] = ("begun", 0)  # it was there before
    assert content(path) == whole
    say(path, "update facts set value = 6")
    with pytest.raises(StoreDamaged):
        Journal(path)


def test_a_version_that_changed_makes_no_new_seals(path: Path) -> None:
    for version in range(FORMAT):
        say(path, f"pragma user_version = {version}", "update facts set value = 6")
        with pytest.raises(StoreDamaged):
            Journal(path)


def test_what_only_seems_newer_is_damage(path: Path) -> None:
    say(path, f"pragma user_version = {FORMAT + 32}")
    with pytest.raises(StoreDamaged, match="the number of its format has changed to 34"):
        Journal(path)


def test_a_lost_column_is_damage(path: Path) -> None:
    say(path, "alter table batches rename data to dbta")
    with pytest.raises(StoreDamaged, match="no such column: data"):
        Journal(path)


def test_a_header_that_sqlite_does_not_know_is_damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[47] ^= 0x10  # the format of the schema
    path.write_bytes(data)
    with pytest.raises(StoreDamaged, match="unsupported file format"):
        Journal(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update facts set value = 4 where name = 'rolled'", "rolled"),
        ("update facts set name = 'rollee' where name = 'rolled'", "rollee"),
        ("update facts set seal = null where name = 'rolled'", "rolled"),
        ("update known set words = 'ä namf' where number = 1", "1 sensor"),
        ("update known set number = 3 where number = 1", "3 sensor"),
        ("update known set kind = 'sentor' where number = 1", "1 sentor"),
        ("update partitions set hi = 9", "readings/a"),
    ],
)
def test_a_row_that_changed_is_damage(path: Path, change: str, told: str) -> None:
    say(path, change)
    words = re.escape(f"j.db: what it says of {told} has changed")
    with pytest.raises(StoreDamaged, match=words):
        Journal(path)


def test_only_what_fits_its_seal_is_saved(path: Path) -> None:
    say(path, "update known set words = 'ä namf' where number = 1")
    saved = Journal(path.with_name("new.db"))
    assert saved.salvage(path) == 2
    assert saved.known("sensor") == {2: "another"}
    saved.close()
    Journal(path.with_name("new.db")).close()


def test_of_format_1_all_that_can_be_read_is_saved(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD)
    saved = Journal(path.with_name("new.db"))
    assert saved.salvage(path) == 2
    assert saved.known("sensor") == {1: "ä name", 2: "another"}
    saved.close()
    Journal(path.with_name("new.db")).close()
