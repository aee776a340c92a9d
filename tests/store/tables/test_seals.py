import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from flexedge.domain.asset import Sensor, Source
from flexedge.errors import StoreDamaged
from flexedge.store import sqlite
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account, Plan
from flexedge.store.tables.annotations import Annotation
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.centres import Centre, Link, Unwanted
from flexedge.store.tables.columns import Model
from flexedge.store.tables.cursors import Cursor
from flexedge.store.tables.database import Database
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.models import Sources
from flexedge.store.tables.schedules import Header
from flexedge.store.tables.seals import demand_sealed, seal_anew
from flexedge.store.tables.secrets import Secret
from flexedge.store.tables.tasks import TaskRun
from flexedge.store.tables.users import Token, User
from flexedge.store.words import sensor_words

NOW = datetime(2026, 11, 26, 1, 2, 3, 456_789, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
TABLES = sorted(Model.metadata.tables)
TO_NULL = {"sensors.asset_id", "sources.user_id"}


def remembered(state: State) -> None:
    for value in ("1", "2"):
        state.remember("a", value)
    state.remember("b", "ü☃")
    state.forget("b")
    for token in ("x", "y"):
        state.open_session(token, NOW)
    state.touch_session("x", LATER)
    state.close_session("y")
    for control in ("battery.power", "car.power", "car.power"):
        state.hold(control, NOW)
    state.let_go("battery.power")


def on_site(state: State) -> None:
    home = state.assets.add(Asset("home", "building", latitude=52.0, longitude=4.9))
    gone = state.assets.add(Asset("shed", "building"))
    battery = state.assets.add(Asset("battery", "battery", gone, attributes={"a": [1.5, None]}))
    state.assets.change(home, Asset("home", "building", latitude=-0.0))
    number = state.sensor_id(Sensor("battery.power", "kW"))
    state.placed.place(number, battery, "power", "UTC", {"ü": 1e300})
    state.sensor_id(Sensor("battery.power", "W", timedelta(minutes=5)))
    state.reinstate("sensor", 7, sensor_words(Sensor("car.power", "kW")))
    state.reinstate("sensor", number, sensor_words(Sensor("pump.power", "kW")))
    state.assets.remove(gone, LATER)
    state.cursors.move({("cloud", number): Cursor(3), ("cloud", 7): Cursor(4)})
    state.cursors.move({("cloud", number): Cursor(1 << 40, ((1, 2),))})


def people(state: State, database: Database) -> None:
    plan = state.plans.add(Plan("small", "1 per minute", max_users=2))
    account = state.accounts.add(Account("first", plan_id=plan))
    state.accounts.change(account, Account("first", ["Consultancy"], plan_id=plan))
    state.accounts.remove(state.accounts.add(Account("second", consultancy_account_id=account)))
    gone = state.users.add(User("ann", account, NOW, roles=["admin"]))
    ben = state.users.add(User("ben", account, NOW))
    state.users.change(ben, User("ben", account, NOW, active=False, seen=LATER))
    state.users.issue("hash", Token(ben, "key", "script", ["read"], NOW))
    state.users.issue("hash of ann's", Token(gone, "access", "script", [], NOW))
    source = state.source_id(Source("tariff", "reporter"))
    database.execute(sa.update(Sources).where(Sources.id == source).values(user_id=gone))
    state.users.remove(gone)


def work(state: State) -> None:
    state.jobs.add(Job("1", "plan", "queued", {"b": 1, "a": [0.1, "x"]}, None, NOW))
    state.jobs.add(Job("2", "plan", "queued", {}, None, LATER))
    state.jobs.add(Job("3", "plan", "queued", {}, None, LATER))
    state.jobs.start("plan", NOW)
    state.jobs.end("1", {"cost": 1.25}, LATER)
    state.jobs.start("plan", NOW)
    state.jobs.requeue()
    source = state.source_id(Source("planner", "scheduler"))
    state.schedules.keep(Header("s", NOW, LATER, source, "ok", 0.1 + 0.2))
    holiday = Annotation("a day off", NOW, LATER, "holiday", source)
    state.annotations.add(holiday, "account", 1)
    state.annotations.add(holiday, "asset", 1)
    secret = state.secrets.add(Secret("asset", 1, "meter.password", "sealed", "k1"))
    state.secrets.change(secret, Secret("asset", 1, "meter.password", "anew", "k2", LATER))
    for good in (True, False):
        state.tasks.note(TaskRun("backup", NOW, good))
    state.audit.add(Entry(NOW, "ann", "did", {"a": None}, {"a": 1}))


def fleet(state: State) -> None:
    main = Centre("main", "https://ems.example.org", 3, "site", "a@example.org", NOW, ["readings"])
    centre = state.centres.add(main)
    state.centres.change(centre, replace(main, account_id=4, details={"version": "1.0.1"}))
    link = state.links.add(Link(centre, "sensor", 1, 17, "forecast", details={"unit": "kW"}))
    state.links.change(link, Link(centre, "sensor", 1, 18, "forecast", made=True))
    refused = Unwanted(centre, link, NOW, 422, "INVALID_UNIT", "no", {"values": [0.1, None]})
    number = state.unwanted.add(refused)
    state.unwanted.change(number, replace(refused, tries=2))


@pytest.fixture
def full(state: State, database: Database) -> State:
    """Every table with rows that were added and changed in every way there is."""
    remembered(state)
    on_site(state)
    people(state, database)
    work(state)
    fleet(state)
    return state


def seals(database: Database) -> dict[str, list[int | None]]:
    def found(connection: sa.Connection) -> dict[str, list[int | None]]:
        return {
            name: list(connection.scalars(sa.select(table.c.seal).order_by(*table.primary_key)))
            for name, table in Model.metadata.tables.items()
        }

    return database.read(found)


@pytest.mark.usefixtures("full")
def test_every_write_leaves_seals_that_fit(database: Database) -> None:
    before = seals(database)
    assert all(before.values())
    assert not [name for name, found in before.items() if None in found]
    database.write(lambda connection: seal_anew(connection, Model.metadata.tables))
    assert seals(database) == before


def test_what_foreign_keys_change_is_changed_by_the_program() -> None:
    keys = [key for table in Model.metadata.tables.values() for key in table.foreign_keys]
    changing = {str(key.parent) for key in keys if key.ondelete not in (None, "CASCADE")}
    assert changing == TO_NULL  # another one must be set to NULL by whoever deletes


def test_many_rows_at_once_are_sealed(database: Database) -> None:
    table = Model.metadata.tables["facts"]
    rows = [{"name": str(n), "value": "x"} for n in range(3)]
    database.write(lambda connection: connection.execute(sa.insert(table), rows))
    assert None not in seals(database)["facts"]
    assert len(set(seals(database)["facts"])) == 3


@pytest.fixture
def closed(full: State, path: Path, tmp_path: Path) -> Path:  # noqa: ARG001 (it is in the file)
    """A copy of its file that nobody has open."""
    sqlite.copy(path, tmp_path / "closed.db")
    demand_sealed(tmp_path / "closed.db")
    return tmp_path / "closed.db"


def changes(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, object]]:
    """Each column with a value that is not what is there."""
    cursor = connection.execute(f"SELECT * FROM {table} LIMIT 1")
    for (name, *_), value in zip(cursor.description, cursor.fetchone(), strict=True):
        other = value[:-1] + chr(ord(value[-1]) ^ 1) if isinstance(value, str) and value else 77
        yield name, other


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_a_value_that_changed_is_damage(closed: Path, table: str) -> None:
    damaged = closed.with_name("damaged.db")
    with closing(sqlite3.connect(closed)) as connection:
        columns = list(changes(connection, table))
    for name, other in [*columns, ("seal", None)]:
        shutil.copy(closed, damaged)
        with closing(sqlite3.connect(damaged)) as connection, connection:
            first = f"SELECT rowid FROM {table} LIMIT 1"
            connection.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ({first})", (other,))
        with pytest.raises(StoreDamaged, match=rf"damaged\.db: the row .* of {table} is not"):
            demand_sealed(damaged)


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = '0002'",
        "UPDATE alembic_version SET version_num = '0013'",
        "DROP INDEX ix_audit_at",
        "UPDATE sqlite_master SET sql = replace(sql, 'TEXT', 'TEXU') WHERE name = 'facts'",
    ],
)
def test_tables_that_changed_are_damage(closed: Path, change: str) -> None:
    with closing(sqlite3.connect(closed)) as connection, connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(change)
    with pytest.raises(StoreDamaged, match="its tables are not what they were made as"):
        State(closed)


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_no_whole_hash_is_told(state: State, path: Path) -> None:
    state.open_session("0123456789" * 6, NOW)
    state.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sessions SET seen = 0")
    with pytest.raises(StoreDamaged, match=r"the row '012345678901234567890123' of sessions"):
        demand_sealed(path)


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_what_has_no_seals_yet_passes(closed: Path, revision: str) -> None:
    migrate(closed, revision)
    demand_sealed(closed)
