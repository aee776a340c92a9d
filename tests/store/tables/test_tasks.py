from datetime import UTC, datetime, timedelta

from flexedge.store.state import State
from flexedge.store.tables.tasks import TaskRun

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


def test_the_latest_run_of_each_task_is_known(state: State) -> None:
    assert state.tasks.get("prices") is None
    first = TaskRun("prices", NOW, good=True)
    other = TaskRun("weather", NOW, good=True)
    state.tasks.note(first)
    state.tasks.note(other)
    assert state.tasks.get("prices") == first
    later = TaskRun("prices", NOW + timedelta(hours=1), good=False)
    state.tasks.note(later)
    assert state.tasks.get("prices") == later
    assert state.tasks.get("weather") == other
