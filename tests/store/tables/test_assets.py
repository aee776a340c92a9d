from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flexedge.domain.asset import Sensor, Source
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.annotations import Annotation
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.secrets import Secret

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
HOME = Asset("home", "building", external_id="ean-1", latitude=52.4, longitude=4.9)


def test_assets_are_a_tree(state: State) -> None:
    home = state.assets.add(HOME)
    battery = Asset(
        "garage",
        "battery",
        home,
        flex_model={"soc-max": "10 kWh"},
        flex_context={"site-power-capacity": "17 kVA"},
        attributes={"a": [1, None]},
    )
    number = state.assets.add(battery)
    assert state.assets.all() == {home: HOME, number: battery}
    changed = replace(battery, name="cellar", flex_model={})
    state.assets.change(number, changed)
    assert state.assets.all()[number] == changed
    with pytest.raises(StoreError, match="no asset 9"):
        state.assets.change(9, changed)


def test_names_are_unique_among_siblings(state: State) -> None:
    home = state.assets.add(HOME)
    state.assets.add(Asset("battery", "battery", home))
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.assets.add(Asset("battery", "battery", home))
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.assets.add(Asset("home", "building"))
    other = state.assets.add(Asset("office", "building"))
    state.assets.add(Asset("battery", "battery", other))
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.assets.add(replace(HOME, name="again"))  # by its external id


def test_roots_have_names_of_their_own_in_each_account_and_among_public_ones(state: State) -> None:
    first, second = (state.accounts.add(Account(name)) for name in ("first", "second"))
    for account in (first, second, None):
        state.assets.add(Asset("home", "building", account_id=account))
        with pytest.raises(StoreError, match=r"(?i)unique"):
            state.assets.add(Asset("home", "building", account_id=account))


def test_what_hangs_below_goes_with_an_asset_but_numbers_of_sensors_stay(state: State) -> None:
    home = state.assets.add(HOME)
    battery = state.assets.add(Asset("battery", "battery", home))
    number = state.sensor_id(Sensor("battery.power", "kW"))
    state.placed.place(number, battery, "power", "UTC", {})
    assert state.assets.get(battery) == Asset("battery", "battery", home)
    state.assets.remove(home, NOW)
    assert state.assets.all() == {}
    assert state.assets.get(battery) is None
    assert state.placed.all() == {}
    assert list(state.sensors()) == [number]
    assert state.assets.add(HOME) > battery  # a number is not given twice


def test_a_parent_that_is_not_there_is_refused(state: State) -> None:
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.assets.add(Asset("battery", "battery", 5))


def test_assets_are_found_by_parents_names_and_what_others_call_them(state: State) -> None:
    home, shed = state.assets.add(HOME), state.assets.add(Asset("shed", "building"))
    battery = state.assets.add(Asset("battery", "battery", home))
    other = state.assets.add(Asset("battery", "battery", shed))
    assert list(state.assets.children([home])) == [battery]
    assert list(state.assets.children([shed, home])) == [battery, other]
    assert list(state.assets.children([None])) == [home, shed]
    assert list(state.assets.named("battery")) == [battery, other]
    assert state.assets.external("ean-1") == {home: HOME}


def test_what_is_kept_secret_and_said_of_an_asset_goes_with_it(state: State) -> None:
    home, shed = state.assets.add(HOME), state.assets.add(Asset("shed", "building"))
    battery = state.assets.add(Asset("battery", "battery", home))
    source = state.source_id(Source("ann", "user"))
    for asset in (battery, shed):
        state.secrets.add(Secret("asset", asset, "key", "sealed", "k1"))
        state.annotations.add(Annotation("hot", NOW, NOW, "label", source), "asset", asset)
    state.assets.remove(home, NOW)
    assert [one.thing_id for one in state.secrets.all().values()] == [shed]
    assert state.annotations.about("asset", battery) == {}
    assert len(state.annotations.about("asset", shed)) == 1
