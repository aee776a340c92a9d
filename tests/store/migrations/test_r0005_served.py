import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.columns import Model
from flexedge.store.tables.database import Database
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.revisions import NEWEST
from flexedge.store.tables.seals import demand_sealed, seal_anew
from flexedge.store.tables.users import Token, User
from tests.store.migrations.conftest import Ask

NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)
BEFORE = """
INSERT INTO assets VALUES (1, NULL, 'home', 'building', 'ean-1', 52.4, 4.9, '{}', '{}', '{}', NULL);
INSERT INTO users VALUES (4, 'anna', 'anna@example.org', 'hash', 'admin', 1, 0, NULL, NULL);
INSERT INTO tokens VALUES (7, 'hash', 4, 'script', 'read', 0, NULL, NULL);
INSERT INTO sessions VALUES ('token', 0, 0, NULL);
"""


def test_users_of_before_get_an_account_and_lists(path: Path) -> None:
    migrate(path, "0004")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BEFORE)
    database = Database(path)
    database.write(lambda c: seal_anew(c, Model.metadata.tables))
    database.close()
    state = State(path)
    account = state.users.all()[4].account_id
    assert state.accounts.all() == {account: Account("Users of before")}
    assert state.users.all()[4].roles == ["admin"]
    token = state.users.token("hash", NOW)
    assert token is not None
    assert (token.kind, token.scopes) == ("key", ["read"])
    assert state.session("token") is not None
    home = state.assets.get(1)
    assert home == Asset("home", "building", external_id="ean-1", latitude=52.4, longitude=4.9)
    assert [one.name for one in state.asset_types.all().values()][:2] == ["solar", "wind"]
    state.close()
    demand_sealed(path)


def test_the_way_back_keeps_what_has_a_place(path: Path, ask: Ask) -> None:
    migrate(path, "0004")
    tables = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    before: dict[str, str] = dict(ask(tables))
    state = State(path)
    first, second = (state.accounts.add(Account(name)) for name in ("first", "second"))
    for account in (first, second):
        state.assets.add(Asset("home", "building", account_id=account))
    user = state.users.add(User("anna", first, NOW, roles=["account-admin", "consultant"]))
    state.users.issue("hash", Token(user, "access", "script", [], NOW))
    state.open_session("owner's", NOW)
    state.close()
    assert migrate(path, "0004") == (NEWEST, "0004")
    assert dict(ask(tables)).keys() == before.keys()
    assert ask("SELECT name, role FROM users") == [("anna", "account-admin")]
    assert ask("SELECT token_hash, scope FROM tokens") == [("hash", "")]
    assert ask("SELECT name FROM assets ORDER BY id") == [("home",), ("home (2)",)]
    assert ask("SELECT token_hash FROM sessions") == [("owner's",)]
    again = State(path)
    assert again.users.all()[user].roles == ["account-admin"]
    again.close()
    demand_sealed(path)
