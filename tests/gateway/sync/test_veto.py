"""The owner's say."""

from datetime import UTC, datetime
from pathlib import Path

from flexedge.gateway.sync.veto import Vetoed, veto, vetoed
from flexedge.store.state import State

NOW = datetime(2026, 4, 14, 10, 5, tzinfo=UTC)


def test_a_veto_holds_until_it_is_lifted(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = State(path)
    assert vetoed(state) is None
    assert veto(state, "Ann", NOW, on=True)
    assert not veto(state, "Bob", NOW, on=True)
    state.close()
    state = State(path)
    assert vetoed(state) == Vetoed(NOW, "Ann")
    assert veto(state, "Bob", NOW, on=False)
    assert vetoed(state) is None
    assert not veto(state, "Bob", NOW, on=False)
    assert [(one.who, one.what) for one in state.audit.newest()] == [
        ("Bob", "Lifted the veto on what centres ask for"),
        ("Ann", "Vetoed what centres ask for"),
    ]
    assert {one.account_id for one in state.audit.newest()} == {1}
    state.close()


def test_a_veto_that_cannot_be_read_is_one(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    state.remember("gateway.veto", "{")
    assert vetoed(state) is not None
    state.close()
