from flexedge.store.state import State
from flexedge.store.tables.accounts import FIRST_TYPES, Account, AssetType, Plan


def test_the_first_types_are_there_from_the_beginning(state: State) -> None:
    assert list(state.asset_types.all().values()) == list(FIRST_TYPES)
    assert list(state.asset_types.all()) == list(range(1, 9))
    assert state.asset_types.add(AssetType("heater")) == 9


def test_an_account_has_a_plan(state: State) -> None:
    plan = Plan("small", "10 per minute", "1 per 5 minutes", "account-asset", 3, 4, 5, legacy=True)
    number = state.plans.add(plan)
    account = state.accounts.add(Account("first", plan_id=number))
    found = state.accounts.get(account)
    assert found is not None
    assert found.plan_id == number
    assert state.plans.get(number) == plan
