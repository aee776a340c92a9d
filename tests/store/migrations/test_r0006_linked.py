from datetime import UTC, datetime
from pathlib import Path

from flexedge.domain.asset import Sensor
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre, Link
from flexedge.store.tables.cursors import Cursor
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.revisions import NEWEST
from flexedge.store.tables.seals import demand_sealed
from tests.store.migrations.conftest import Ask

NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)


def test_an_older_program_is_linked_with_nobody_and_all_is_sent_again(path: Path) -> None:
    state = State(path)
    sensor = state.sensor_id(Sensor("battery.power", "kW"))
    state.cursors.move({("1/", sensor): Cursor(9, ((2, 4),))})
    centre = state.centres.add(Centre("main", "https://ems.example.org", 3, "site", "", NOW, []))
    state.links.add(Link(centre, "sensor", sensor, 17))
    state.close()
    assert migrate(path, "0005") == (NEWEST, "0005")
    demand_sealed(path)
    again = State(path)
    assert (again.centres.all(), again.links.all(), again.unwanted.all()) == ({}, {}, {})
    assert again.cursors.of("1/") == {}, "the next centre may have that number, too"
    again.close()


def test_the_way_back_leaves_no_trace(path: Path, ask: Ask) -> None:
    migrate(path, "0005")
    tables = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    before = ask(tables)
    assert migrate(path, "0006") == ("0005", "0006")
    assert migrate(path, "0005") == ("0006", "0005")
    assert ask(tables) == before
