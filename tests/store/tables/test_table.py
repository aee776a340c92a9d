from dataclasses import replace

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account

FIRST = Account("first", ["Consultancy"], attributes={"a": [1, None]}, logo_url="https://x/y.png")


def test_rows_come_change_and_go(state: State) -> None:
    first = state.accounts.add(FIRST)
    second = state.accounts.add(Account("second", consultancy_account_id=first))
    assert state.accounts.get(first) == FIRST
    assert list(state.accounts.all()) == [first, second]
    changed = replace(FIRST, name="other", attributes={})
    state.accounts.change(first, changed)
    assert state.accounts.get(first) == changed
    assert state.accounts.remove(second)
    assert not state.accounts.remove(second)
    assert state.accounts.get(second) is None
    assert state.accounts.add(Account("third")) > second  # a number is not given twice


def test_rows_are_found_by_their_columns(state: State) -> None:
    first = state.accounts.add(FIRST)
    second = state.accounts.add(Account("second", consultancy_account_id=first))
    assert list(state.accounts.find(consultancy_account_id=first)) == [second]
    assert list(state.accounts.find(consultancy_account_id=None)) == [first]
    assert list(state.accounts.find(name="second", consultancy_account_id=None)) == []


def test_what_a_table_does_not_allow_is_a_store_error(state: State) -> None:
    state.accounts.add(FIRST)
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.accounts.add(FIRST)
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.accounts.add(Account("second", plan_id=9))
    with pytest.raises(StoreError, match="accounts: there is no 9"):
        state.accounts.change(9, FIRST)
