from dataclasses import replace

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.accounts import FIRST_TYPES, Account, AssetType, Plan

FREE = Plan("free", "60 per minute", "1 per 5 minutes", "account", 2, 3, 4, legacy=True)
HOME = Account("home", ["Consultancy"], attributes={"a": [1, None]})


def test_types_are_there_from_the_beginning(state: State) -> None:
    known = state.asset_types.all()
    assert list(known.items()) == list(enumerate(FIRST_TYPES, 1))
    assert known[5].name == "battery"  # as FlexMeasures numbers them
    number = state.asset_types.add(AssetType("pool", "with a pump"))
    assert number == len(FIRST_TYPES) + 1
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.asset_types.add(AssetType("solar"))


def test_accounts_have_plans_and_consultants(state: State) -> None:
    plan = state.plans.add(FREE)
    assert state.plans.all() == {plan: FREE}
    consultants = state.accounts.add(HOME)
    client = Account("client", [], consultants, plan, "#123456", "#654321", "https://x.org/l.png")
    number = state.accounts.add(client)
    assert state.accounts.all() == {consultants: HOME, number: client}
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.accounts.add(replace(client, consultancy_account_id=None))
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.accounts.add(Account("other", plan_id=99))
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.accounts.remove(consultants)
