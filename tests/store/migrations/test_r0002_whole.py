from datetime import UTC, datetime, timedelta
from pathlib import Path

from flexedge.domain.asset import Sensor
from flexedge.store.state import State
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.revisions import NEWEST
from tests.store.migrations.conftest import Ask

THEN = datetime(2026, 4, 21, 11, 20, 7, 250_000, tzinfo=UTC)


def test_what_was_there_is_there_after_it(begun: Path) -> None:
    assert migrate(begun, "0002") == ("0001", "0002")
    state = State(begun)
    assert state.fact("web.password") == "a hash"
    assert state.session("token") == (THEN, THEN + timedelta(seconds=300.25), None)
    assert state.held() == {"battery.battery.power": THEN}
    state.close()


def test_there_is_a_way_back(begun: Path, ask: Ask) -> None:
    state = State(begun)
    state.sensor_id(Sensor("battery.power", "kW"))
    state.close()
    assert migrate(begun, "0002") == (NEWEST, "0002")
    assert migrate(begun, "0001") == ("0002", "0001")
    assert ask("SELECT * FROM facts") == [("web.password", "a hash")]
    assert ask("SELECT * FROM sessions") == [("token", 1776770407.25, 1776770707.5)]
    assert ask("SELECT * FROM held") == [("battery.battery.power", 1776770407.25)]
    tables = ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    assert {name for (name,) in tables} == {"alembic_version", "facts", "sessions", "held"}
    assert migrate(begun, "0002") == ("0001", "0002")
