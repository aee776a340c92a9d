"""What became of commands, on disk."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flexedge.gateway.sync.orders import Result, keep, results
from flexedge.store.state import State

NOW = datetime(2026, 4, 14, 10, 5, tzinfo=UTC)
ONE = Result(id="1", command="override", fate="done", why="it is", at=NOW, by="Jane",
             forget=NOW + timedelta(hours=1), number=7)  # fmt: skip


def test_results_are_kept_for_each_centre(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    assert results(state, "main") == ()
    keep(state, "main", [ONE])
    state.close()
    state = State(tmp_path / "state.db")
    assert results(state, "main") == (ONE,)
    assert results(state, "second") == ()
    state.remember("gateway.commands.main", '[{"id": 1}]')
    assert results(state, "main") is None
    state.close()
