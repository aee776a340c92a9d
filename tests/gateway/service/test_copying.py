from pathlib import Path

import pytest

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.service.copying import copy
from flexedge.store.tables.assets import Asset
from tests.web.api.calls import NOW, QUARTER, Platform, platform


@pytest.fixture
def here(tmp_path: Path) -> Platform:
    return platform(tmp_path)


def test_values_and_what_is_unique_are_not_copied(here: Platform) -> None:
    state, beliefs = here.parts.state, here.parts.beliefs
    site = state.assets.add(
        Asset("site", "building", account_id=1, external_id="x", defined_as="", description="ours")
    )
    here.sensor("load", asset=site)
    series = Series.constant(TimeGrid(NOW, QUARTER, 4), 1.0)
    beliefs.save([Belief(f"{site}/load", "ann", NOW, series)], Source("ann", "user"))
    made = copy(state, beliefs, site, None, 1)
    copied = state.assets.get(made)
    assert copied == Asset("site (Copy)", "building", account_id=1, description="ours")
    assert [(one.key, one.name, one.timezone) for one in state.placed.of(made).values()] == [
        (f"{made}/load", "load", "Europe/Amsterdam")]  # fmt: skip
    assert beliefs.between(f"{made}/load", NOW, NOW + 4 * QUARTER) == []
    assert len(beliefs.between(f"{site}/load", NOW, NOW + 4 * QUARTER)) == 4


def test_the_tree_is_the_same(here: Platform) -> None:
    state = here.parts.state
    site = state.assets.add(Asset("site", "building", account_id=1))
    floor = state.assets.add(Asset("floor", "building", site, 1))
    room = state.assets.add(
        Asset("room", "building", floor, 1, flex_model={"group": {"asset": site}})
    )
    made = copy(state, here.parts.beliefs, site, here.asset, 1)
    below = state.assets.children([made])
    deeper = state.assets.children(below)
    assert [one.name for one in below.values()] == ["floor"]
    assert [one.flex_model for one in deeper.values()] == [{"group": {"asset": made}}]
    old = state.assets.get(room)
    assert old is not None
    assert old.flex_model == {"group": {"asset": site}}


def test_numbers_of_other_accounts_do_not_come_along(here: Platform) -> None:
    state = here.parts.state
    public = state.assets.add(Asset("market", "transmission zone"))
    spot, load = here.sensor("spot", "EUR/MWh", asset=public), here.sensor("load")
    context = {"consumption-price": {"sensor": spot}, "inflexible-device-sensors": [load]}
    site = state.assets.add(Asset("site", "building", account_id=1, flex_context=context))
    for account, kept in ((1, context), (None, context | {"inflexible-device-sensors": []})):
        made = state.assets.get(copy(state, here.parts.beliefs, site, None, account))
        assert made is not None
        assert made.flex_context == kept
