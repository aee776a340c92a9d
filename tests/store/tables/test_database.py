import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flexedge.errors import StoreError
from flexedge.store.tables.database import Database, as_row, as_value
from flexedge.store.tables.models import Facts, Leases, Sensors
from tests.store.pg_server import PgServer


def fact(database: Database, name: str) -> str | None:
    return database.read(lambda c: c.scalar(sa.select(Facts.value).where(Facts.name == name)))


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_sqlite_is_set_up_to_be_durable_and_strict(database: Database) -> None:
    expected = {
        "journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1,
        "trusted_schema": 0, "journal_size_limit": 8 * 1024 * 1024, "wal_autocheckpoint": 1000,
        "mmap_size": 0,
    }  # fmt: skip
    found = database.read(
        lambda c: {name: c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
    )
    assert found == expected


@pytest.mark.parametrize("where", ["postgres"], indirect=True)
@pytest.mark.postgres
def test_a_server_is_asked_for_the_same_and_may_have_been_away(
    database: Database, pg_server: PgServer
) -> None:
    name = database.engine.url.database
    pg_server.run(f"alter database {name} set synchronous_commit = off")
    database.execute(sa.insert(Facts).values(name="a", value="1"))
    pg_server.stop()
    with pytest.raises(StoreError):
        fact(database, "a")
    pg_server.start()
    assert fact(database, "a") == "1"
    assert database.read(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar()) == "on"


def test_a_write_is_whole_or_not_at_all(database: Database) -> None:
    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(Facts).values(name="a", value="1"))
        connection.execute(sa.text("CREATE TABLE more (x integer)"))
        connection.execute(sa.insert(Facts).values(name="a", value="2"))

    with pytest.raises(StoreError, match=r"(?i)unique") as caught:
        database.write(work)
    assert str(caught.value).startswith(database.name)
    assert fact(database, "a") is None
    tables = database.read(lambda c: sa.inspect(c).get_table_names())
    assert "more" not in tables


def test_put_adds_keeps_or_replaces(database: Database) -> None:
    database.execute(database.put(Facts, {"name": "a", "value": "1"}))
    database.execute(database.put(Facts, {"name": "a", "value": "2"}))
    assert fact(database, "a") == "1"
    database.execute(database.put(Facts, {"name": "a", "value": "3"}, replace=("value",)))
    assert fact(database, "a") == "3"


def test_writers_that_read_first_wait_for_each_other(database: Database) -> None:
    database.execute(sa.insert(Facts).values(name="n", value="0"))
    failures: list[StoreError] = []

    def count(connection: sa.Connection) -> None:
        number = connection.scalar(sa.select(Facts.value).where(Facts.name == "n"))
        connection.execute(sa.update(Facts).values(value=str(int(number or "0") + 1)))

    def counting() -> None:
        try:
            for _ in range(25):
                database.write(count)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=counting) for _ in range(4)]  # noqa: TID251 (many at once is the test)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert fact(database, "n") == "100"


def test_changes_are_counted(database: Database) -> None:
    before = database.changes
    database.execute(sa.insert(Facts).values(name="a", value="1"))
    assert fact(database, "a") == "1"
    assert database.changes == before + 1


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_damaged_rows_are_a_store_error(database: Database, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO leases VALUES ('a', 9223372036854775807, 0)")
        connection.execute(
            "INSERT INTO sensors (key, name, unit, resolution, knowable, timezone, attributes)"
            " VALUES ('a', 'a', 'kW', 0, 'no json', 'UTC', '{}')"
        )
    connection.close()
    for column in (Leases.since, Sensors.knowable):
        with pytest.raises(StoreError, match=r"state\.db"):
            database.read(lambda c, column=column: c.execute(sa.select(column)).all())  # type: ignore[misc]


def test_errors_tell_no_values(database: Database) -> None:
    database.execute(sa.insert(Facts).values(name="a", value="secret"))
    with pytest.raises(StoreError) as caught:
        database.execute(sa.insert(Facts).values(name="a", value="secret"))
    assert "secret" not in str(caught.value)
    with pytest.raises(StoreError) as caught:
        database.execute(sa.insert(Facts).values(name="secret", value=None))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "where", ["mysql://me:secret@host/x", "nonsense://me:secret@host/x", "oracle+odd://me:secret@h"]
)
def test_other_databases_are_refused_without_telling_the_password(where: str) -> None:
    with pytest.raises(StoreError) as caught:
        Database(where)
    assert "secret" not in str(caught.value)


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(StoreError, match="no URL"):
        Database("what is this")


def test_a_url_of_a_file_will_do(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    assert database.read(lambda c: c.scalar(sa.text("SELECT 7"))) == 7
    database.close()


def test_a_path_may_have_any_name(tmp_path: Path) -> None:
    odd = tmp_path / "100% & what?x=#1.db"
    database = Database(odd)
    database.write(lambda c: c.exec_driver_sql("CREATE TABLE x (y)"))
    assert odd.exists()
    assert database.name == str(odd)
    database.close()


def test_values_and_rows(database: Database) -> None:
    @dataclass(frozen=True)
    class Fact:
        value: str
        name: str

    database.execute(sa.insert(Facts).values(as_row(Fact("1", "a"))))
    row = database.read(lambda c: c.execute(sa.select(Facts.__table__)).one())
    assert as_value(Fact, row) == Fact("1", "a")


def test_numbers_go_on_after_a_given_one(database: Database) -> None:
    def work(connection: sa.Connection) -> sa.Row[Any] | None:
        text = "INSERT INTO sensors (id, key, name, unit, resolution, timezone, attributes)"
        text += " VALUES (7, 'x', 'x', '', 0, '', '{}')"
        connection.execute(sa.text(text))
        database.numbers_from_here(connection, Sensors)
        connection.execute(sa.delete(Sensors))
        return connection.execute(
            sa.text(
                "INSERT INTO sensors (key, name, unit, resolution, timezone, attributes)"
                " VALUES ('a', 'a', '', 0, '', '{}') RETURNING id"
            )
        ).first()

    assert database.write(work) == (8,)


def test_postgresql_takes_the_same_statements(database: Database) -> None:
    database.dialect = "postgresql"
    statement = database.put(Facts, {"name": "a", "value": "1"}, replace=("value",))
    text = str(statement.compile(dialect=sa.make_url("postgresql://").get_dialect()()))
    assert "ON CONFLICT (name) DO UPDATE SET value" in text
