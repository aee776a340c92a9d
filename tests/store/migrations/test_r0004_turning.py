import sqlite3
from contextlib import closing
from pathlib import Path

from flexedge.domain.asset import Sensor
from flexedge.store.state import State
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.revisions import NEWEST
from flexedge.store.tables.seals import demand_sealed
from tests.store.migrations.conftest import Ask

METER = Sensor("meter.energy", "kWh")
TURNING = Sensor("meter.energy", "kWh", turns_at=100_000.0)
COUNTER = """
INSERT INTO sensors (key, name, unit, resolution, timezone, attributes, turns_at)
VALUES ('meter.energy', 'energy', 'kWh', 0, 'UTC', '{}', 100000)
"""


def test_of_what_was_there_nothing_is_known_until_it_is_said(path: Path) -> None:
    state = State(path)
    number = state.sensor_id(METER)
    state.close()
    assert migrate(path, "0003") == (NEWEST, "0003")
    demand_sealed(path)
    again = State(path)
    assert again.sensors() == {number: METER}
    assert again.sensor_id(TURNING) == number
    again.close()
    demand_sealed(path)
    assert migrate(path, "0004") == (NEWEST, "0004")
    once_more = State(path)
    assert once_more.sensors() == {number: TURNING}
    once_more.close()


def test_the_way_back_takes_only_that(path: Path, ask: Ask) -> None:
    migrate(path, "0003")
    tables = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    before = ask(tables)
    assert migrate(path, "0004") == ("0003", "0004")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(COUNTER)
    assert ask("SELECT key, turns_at FROM sensors") == [("meter.energy", 100_000.0)]
    assert migrate(path, "0003") == ("0004", "0003")
    assert ask(tables) == before
    assert ask("SELECT key, unit FROM sensors") == [("meter.energy", "kWh")]
    demand_sealed(path)
