from dataclasses import replace

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account

HOME = Account("home", primary_color="#123456")


def test_rows_come_change_and_go(state: State) -> None:
    number = state.accounts.add(HOME)
    assert state.accounts.get(number) == HOME
    changed = replace(HOME, name="house", attributes={"a": 1})
    state.accounts.change(number, changed)
    assert state.accounts.get(number) == changed
    assert state.accounts.remove(number)
    assert not state.accounts.remove(number)
    assert state.accounts.get(number) is None
    assert state.accounts.all() == {}
    with pytest.raises(StoreError, match="accounts: there is no 9"):
        state.accounts.change(9, HOME)
    assert state.accounts.add(HOME) == number + 1  # a number is not given twice


def test_rows_are_found_by_what_they_hold(state: State) -> None:
    first, second = state.accounts.add(HOME), state.accounts.add(Account("office"))
    assert state.accounts.find(name="office") == {second: Account("office")}
    assert state.accounts.find(primary_color=None) == {second: Account("office")}
    assert state.accounts.find(primary_color="#123456", name="home") == {first: HOME}
    assert state.accounts.find(primary_color="#123456", name="office") == {}
    assert list(state.accounts.find(id=second)) == [second]
    assert list(state.accounts.all()) == [first, second]
