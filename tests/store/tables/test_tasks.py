from datetime import UTC, datetime

from flexedge.store.state import State
from flexedge.store.tables.tasks import TaskRun

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


def test_only_the_latest_run_is_kept(state: State) -> None:
    assert state.tasks.get("backup") is None
    state.tasks.note(TaskRun("backup", NOW, good=True))
    state.tasks.note(TaskRun("other", NOW, good=True))
    state.tasks.note(TaskRun("backup", NOW, good=False))
    assert state.tasks.get("backup") == TaskRun("backup", NOW, good=False)
