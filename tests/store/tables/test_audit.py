from datetime import UTC, datetime

from flexedge.store.state import State
from flexedge.store.tables.audit import Entry, Sought

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
    assert able == {"add", "newest", "search"}


def test_entries_are_searched_by_what_they_are_about_and_their_words(state: State) -> None:
    for i in range(4):
        state.audit.add(Entry(NOW, "anna" if i else "Bert", f"step {i}", account_id=1, asset_id=i))
    state.audit.add(Entry(NOW, "anna", "of the account", account_id=1))
    found = state.audit.search(Sought({"account_id": 1}, ("ANNA", "step"), first=1, most=1))
    assert ([one.what for one in found.entries], found.fitting, found.whole) == (["step 2"], 3, 5)
    oldest = state.audit.search(Sought({"account_id": 1}, newest_first=False, most=1))
    assert oldest.entries[0].who == "Bert"
    own = state.audit.search(Sought({"account_id": 1, "asset_id": None}))
    assert [one.what for one in own.entries] == ["of the account"]


def test_entries_of_one_change_are_written_as_one(state: State) -> None:
    before = state.changes
    state.audit.add(Entry(NOW, "anna", "one"), Entry(NOW, "anna", "two"))
    assert [one.what for one in state.audit.newest()] == ["two", "one"]
    assert state.changes == before + 1
