from datetime import UTC, datetime

from flexedge.store.state import State
from flexedge.store.tables.audit import Entry

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


def test_entries_are_added_and_read_the_newest_first(state: State) -> None:
    first = Entry(NOW, "anna", "asset 7", {"name": "garage"}, {"name": "cellar"})
    second = Entry(datetime(1970, 1, 1, tzinfo=UTC), "cli", "restore")  # a clock that was wrong
    state.audit.add(first)
    state.audit.add(second)
    assert state.audit.newest() == [second, first]
    assert state.audit.newest(limit=1) == [second]


def test_nothing_changes_or_removes_an_entry(state: State) -> None:
    able = {name for name in dir(state.audit) if not name.startswith("_")}
    assert able == {"add", "newest"}
