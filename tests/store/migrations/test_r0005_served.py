import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from flexedge.domain.asset import Sensor, Source
from flexedge.store.state import State
from flexedge.store.tables.accounts import FIRST_TYPES, Account
from flexedge.store.tables.annotations import Annotation
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.cursors import Cursor
from flexedge.store.tables.database import Database
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.revisions import NEWEST
from flexedge.store.tables.seals import demand_sealed
from flexedge.store.tables.users import Token, User
from tests.store.migrations.conftest import Ask
from tests.store.pg_server import PgServer

NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)
US = 1_795_654_800_000_000
OLD = (
    (
        "INSERT INTO assets (id, parent_id, name, kind, external_id, attributes, flex_model,"
        """ flex_context) VALUES (3, NULL, 'home', 'building', 'ean', '{"a": 1}', '{}', '{}')"""
    ),
    (
        "INSERT INTO assets (id, parent_id, name, kind, attributes, flex_model, flex_context)"
        """ VALUES (4, 3, 'cellar', 'battery', '{}', '{"soc-max": "10 kWh"}', '{}')"""
    ),
    (
        "INSERT INTO sensors (id, key, asset_id, name, unit, resolution, timezone, attributes)"
        " VALUES (2, 'cellar.power', 4, 'power', 'kW', 0, 'UTC', '{}')"
    ),
    (
        "INSERT INTO users (id, name, email, password_hash, role, active, created)"
        f" VALUES (5, 'anna', 'a@example.org', 'hash', 'admin', true, {US})"
    ),
    (
        "INSERT INTO tokens (id, token_hash, user_id, name, scope, created)"
        f" VALUES (6, 'hash', 5, 'script', 'read', {US})"
    ),
    (
        "INSERT INTO sources (id, name, kind, model, version, account, user_id, attributes)"
        " VALUES (7, 'anna', 'user', '', '', '', 5, '{}')"
    ),
    (
        "INSERT INTO jobs (id, queue, status, payload, queued)"
        f" VALUES ('j', 'scheduling', 'queued', '{{}}', {US})"
    ),
    f"INSERT INTO audit (id, at, who, what) VALUES (8, {US}, 'cli', 'restore')",
    f"INSERT INTO sessions (token_hash, created, seen) VALUES ('owner', {US}, {US})",
    "INSERT INTO cursors (destination, sensor_id, position) VALUES ('cloud', 2, 9)",
)
"""What revision 0004 can hold of the tables that change."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def where(request: pytest.FixtureRequest, path: Path) -> Path | str:
    if request.param == "sqlite":
        return path
    server: PgServer = request.getfixturevalue("pg_server")
    return server.new_database()


def old(where: Path | str, statements: tuple[str, ...] = OLD) -> None:
    migrate(where, "0004")
    database = Database(where)
    for statement in statements:
        database.execute(sa.text(statement))
    database.close()


def test_what_was_there_is_there_under_an_account(where: Path | str) -> None:
    old(where)
    assert migrate(where) == ("0004", NEWEST)
    if isinstance(where, Path):
        demand_sealed(where)
    state = State(where)
    assert state.accounts.all() == {1: Account("site")}
    assert state.assets.all() == {
        3: Asset("home", "building", None, 1, external_id="ean", attributes={"a": 1}),
        4: Asset("cellar", "battery", 3, 1, flex_model={"soc-max": "10 kWh"}),
    }
    anna = User("anna", 1, NOW, "a@example.org", "hash", ["admin"])
    assert state.users.all() == {5: anna}
    token = Token(5, "key", "script", ["read"], NOW)
    assert state.users.tokens() == {6: token}
    assert state.users.token("hash", NOW) == token
    assert state.sensors() == {2: Sensor("cellar.power", "kW")}
    assert [(one.asset_id, one.name) for one in state.placed.all().values()] == [(4, "power")]
    assert state.jobs.job("j") == Job("j", "scheduling", "queued", {}, None, NOW)
    assert state.audit.newest() == [Entry(NOW, "cli", "restore")]
    assert state.session("owner") is not None
    assert state.cursors.of("cloud") == {2: Cursor(9)}
    assert state.assets.add(Asset("new", "process")) == (5 if isinstance(where, Path) else 1)
    state.close()


def test_types_of_assets_are_there_in_their_order(where: Path | str) -> None:
    old(where, ())
    state = State(where)
    assert list(state.asset_types.all().items()) == list(enumerate(FIRST_TYPES, 1))
    assert state.accounts.all() == {}  # nobody needs one yet
    state.close()


def content(connection: sa.Connection, table: str) -> list[dict[str, object]]:
    """All of a table but its seals."""
    found = connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1")).mappings()
    return [{key: value for key, value in row.items() if key != "seal"} for row in found]


def test_the_way_back_keeps_what_there_was_a_place_for(where: Path | str) -> None:
    old(where)
    database = Database(where)
    tables = ("assets", "sensors", "users", "tokens", "sources", "jobs", "audit", "sessions",
              "cursors")  # fmt: skip

    def rows() -> dict[str, list[dict[str, object]]]:
        return {table: database.read(partial(content, table=table)) for table in tables}

    before = rows()
    migrate(where)
    assert rows() != before
    assert migrate(where, "0004") == (NEWEST, "0004")
    assert rows() == before | {"cursors": []}  # revision 0006 lets all be sent anew
    database.close()


def test_what_has_no_place_goes(path: Path, ask: Ask) -> None:
    state = State(path)
    for name in ("home", "office"):
        number = state.accounts.add(Account(name))
        state.assets.add(Asset("roof", "solar", account_id=number, description="south"))
    ben = state.users.add(User("ben", 2, NOW, roles=["account-admin", "consultant"]))
    state.users.add(User("cleo", 2, NOW))
    state.users.issue("h", Token(ben, "access", "log-in", ["data", "read"], NOW))
    number = state.sensor_id(Sensor("roof.power", "kW"))
    state.placed.place(number, 1, "power", "UTC", {})
    state.jobs.add(Job("j", "plan", "queued", {}, None, NOW, asset_id=1, fingerprint="f"))
    state.audit.add(Entry(NOW, "ben", "did", account_id=2))
    source = state.source_id(Source("ben", "user"))
    state.annotations.add(Annotation("holiday", NOW, NOW, "holiday", source), "account", 1)
    state.close()
    migrate(path, "0004")
    demand_sealed(path)
    assert ask("SELECT id, name FROM assets") == [(1, "roof"), (2, "roof (2)")]
    assert ask("SELECT name, role FROM users") == [("ben", "account-admin"), ("cleo", "")]
    assert ask("SELECT token_hash, scope FROM tokens") == [("h", "data")]
    assert ask("SELECT asset_id, name FROM sensors") == [(1, "power")]
    state = State(path)
    assert state.users.all()[1].roles == ["account-admin"]
    assert state.users.all()[2].roles == []  # of no word comes no role
    state.close()


def test_the_way_back_leaves_no_trace(path: Path) -> None:
    def shape() -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
            return [
                (table, *row[1:])
                for (table,) in connection.execute(tables).fetchall()
                for pragma in ("table_info", "index_list", "foreign_key_list")
                for row in sorted(connection.execute(f"PRAGMA {pragma}({table})"), key=str)
            ]

    migrate(path, "0004")
    before = sorted(shape(), key=str)
    migrate(path)
    assert migrate(path, "0004") == (NEWEST, "0004")
    after = sorted(shape(), key=str)
    assert {row[:2] for row in after} == {row[:2] for row in before}
