import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from flexedge.domain.asset import Sensor, Source
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.revisions import NEWEST
from flexedge.store.tables.schedules import Header
from flexedge.store.tables.seals import demand_sealed
from tests.store.migrations.conftest import Ask

NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)


def filled(path: Path) -> None:
    state = State(path)
    state.remember("web.password", "a hash")
    state.hold("battery.power", NOW)
    state.assets.add(Asset("home", "building", latitude=52.4, attributes={"a": [1, None]}))
    state.cursors.move("cloud", {state.sensor_id(Sensor("battery.power", "kW")): 7})
    source = state.source_id(Source("planner", "scheduler"))
    state.schedules.keep(Header("s", NOW, NOW, source, "ok", 0.1 + 0.2))
    state.jobs.add(Job("1", "plan", "queued", {"a": 1}, None, NOW))
    state.audit.add(Entry(NOW, "ann", "did"))
    state.close()


Columns = dict[str, str]


def columns(path: Path) -> Columns:
    """Those of each table but what tables say of themselves, and what later became others."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = {name for (name,) in connection.execute(query)}
        query = "SELECT name FROM pragma_table_info('{}') WHERE name NOT IN ('role', 'scope')"
        return {
            table: ", ".join(name for (name,) in connection.execute(query.format(table)))
            for table in tables - {"alembic_version", "meta", "sqlite_sequence"}
        }


def content(path: Path, wanted: Columns) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT {names} FROM {table}").fetchall()
            for table, names in wanted.items()
        }


def test_what_was_there_is_there_and_sealed(path: Path, tmp_path: Path) -> None:
    migrate(tmp_path / "unsealed.db", "0002")
    wanted = columns(tmp_path / "unsealed.db")
    filled(path)
    whole = content(path, wanted)
    assert len(whole) == 12
    assert migrate(path, "0002") == (NEWEST, "0002")
    assert content(path, wanted) == whole
    State(path).close()
    assert content(path, wanted) == whole
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
