import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.errors import StoreError
from flexedge.store.sqlite import BESIDE
from flexedge.store.state import State

NOW = datetime(2026, 4, 21, 11, 20, 7, 250_000, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    state = State(path)
    yield state
    state.close()


def test_facts_are_remembered_replaced_and_forgotten(state: State) -> None:
    assert state.fact("owner") is None
    state.remember("owner", "first")
    state.remember("owner", "second")
    state.remember("other", "thing")
    assert state.fact("owner") == "second"
    state.forget("owner")
    state.forget("owner")
    assert (state.fact("owner"), state.fact("other")) == (None, "thing")


def test_sessions_live_until_they_are_closed(state: State) -> None:
    assert state.session("a") is None
    state.open_session("a", NOW)
    state.open_session("b", NOW)
    state.touch_session("a", LATER)
    assert state.session("a") == (NOW, LATER, None)
    assert state.session("b") == (NOW, NOW, None)
    state.close_session("a")
    assert state.session("a") is None
    state.close_sessions()
    assert state.session("b") is None


def test_touching_or_closing_what_is_not_there_does_nothing(state: State) -> None:
    state.touch_session("none", NOW)
    state.close_session("none")
    assert state.session("none") is None


def test_a_session_is_opened_once(state: State) -> None:
    state.open_session("a", NOW)
    with pytest.raises(StoreError, match=r"state\.db"):
        state.open_session("a", LATER)
    assert state.session("a") == (NOW, NOW, None)


def test_held_controls_keep_their_first_time(state: State) -> None:
    state.hold("battery.battery.power", NOW)
    state.hold("battery.battery.power", LATER)
    state.hold("charger.ev.power", LATER)
    assert state.held() == {"battery.battery.power": NOW, "charger.ev.power": LATER}
    state.let_go("battery.battery.power")
    state.let_go("battery.battery.power")
    assert state.held() == {"charger.ev.power": LATER}


def test_everything_is_there_again_after_a_crash(state: State, path: Path) -> None:
    state.remember("owner", "me")
    state.hold("charger.ev.power", NOW)
    again = State(path)  # the first one was never closed
    assert again.fact("owner") == "me"
    assert again.held() == {"charger.ev.power": NOW}
    again.close()


def test_writes_are_durable_and_the_file_is_private(state: State, path: Path) -> None:
    with state._database.engine.connect() as connection:
        modes = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        ]
    assert modes == ["wal", 2]  # 2: FULL
    state.remember("a", "secret")
    parts = list(path.parent.glob("state.db*"))
    assert {part.name for part in parts} == {path.name + end for end in ("", *BESIDE)}
    assert {stat.S_IMODE(part.stat().st_mode) for part in parts} == {0o600}


def test_what_others_could_read_they_cannot_any_more(state: State, path: Path) -> None:
    for part in path.parent.glob("state.db*"):
        part.chmod(0o644)
    again = State(path)
    assert {stat.S_IMODE(part.stat().st_mode) for part in path.parent.glob("state.db*")} == {0o600}
    again.close()
    assert state.held() == {}


def test_a_folder_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        State(tmp_path / "none" / "state.db")


def test_a_file_that_is_no_database_is_a_store_error(path: Path) -> None:
    path.write_bytes(b"this is not a database, but long enough to be read as one" * 50)
    with pytest.raises(StoreError, match=r"state\.db"):
        State(path)


def test_a_lost_table_is_a_store_error(state: State, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE facts")
    connection.close()
    with pytest.raises(StoreError, match="facts"):
        state.fact("owner")
