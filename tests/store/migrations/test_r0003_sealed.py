import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from flexedge.domain.asset import Sensor, Source
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.cursors import Cursor
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.revisions import NEWEST
from flexedge.store.tables.schedules import Header
from flexedge.store.tables.seals import demand_sealed
from tests.store.migrations.conftest import Ask

OLD = ("facts", "sessions", "leases", "assets", "sensors", "sources", "jobs", "schedules",
       "cursors", "audit")  # fmt: skip
LATER = {
    "sessions": {"seal", "user_id"},
    "assets": {"seal", "account_id", "defined_as", "description", "sensors_to_show",
               "sensors_to_show_as_kpis"},
    "sensors": {"seal", "turns_at", "deleted"},
    "jobs": {"seal", "error", "fingerprint", "asset_id", "sensor_id", "user_id"},
    "cursors": {"seal", "gaps"},
    "audit": {"seal", "user_id", "account_id", "asset_id", "affected_user_id"},
}  # fmt: skip
"""Columns of later revisions."""
NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)


def filled(path: Path) -> None:
    state = State(path)
    state.remember("web.password", "a hash")
    state.hold("battery.power", NOW)
    state.assets.add(Asset("home", "building", latitude=52.4, attributes={"a": [1, None]}))
    state.cursors.move({("cloud", state.sensor_id(Sensor("battery.power", "kW"))): Cursor(7)})
    source = state.source_id(Source("planner", "scheduler"))
    state.schedules.keep(Header("s", NOW, NOW, source, "ok", 0.1 + 0.2))
    state.jobs.add(Job("1", "plan", "queued", {"a": 1}, None, NOW))
    state.audit.add(Entry(NOW, "ann", "did"))
    state.close()


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All but seals, revision, what came later and what the tables say of themselves."""
    with closing(sqlite3.connect(path)) as connection:
        tables = OLD
        found = {}
        for table in tables:
            query = f"SELECT name FROM pragma_table_info('{table}')"
            names = {name for (name,) in connection.execute(query)} - LATER.get(table, {"seal"})
            query = f"SELECT {', '.join(sorted(names))} FROM {table}"
            found[table] = connection.execute(query).fetchall()
        return found


def test_what_was_there_is_there_and_sealed(path: Path) -> None:
    filled(path)
    whole = content(path)
    assert whole["cursors"]
    whole["cursors"] = []  # on the way back from revision 0006 all is to be sent anew
    assert migrate(path, "0002") == (NEWEST, "0002")
    assert content(path) == whole
    State(path).close()
    assert content(path) == whole
    demand_sealed(path)
    with closing(sqlite3.connect(path)) as connection:
        for table in whole:
            query = f"SELECT count(*) FROM {table} WHERE seal IS NULL"
            assert connection.execute(query).fetchone() == (0,)


def test_the_way_back_leaves_no_trace(path: Path, ask: Ask) -> None:
    migrate(path, "0002")
    tables = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    before = ask(tables)
    migrate(path, "0003")
    assert migrate(path, "0002") == ("0003", "0002")
    assert ask(tables) == before
    assert ask("SELECT name FROM meta WHERE name = 'schema'") == []
