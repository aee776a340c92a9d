from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.gateway.service import tree
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

FOREST = {
    1: Asset("a", "building"), 2: Asset("b", "building", 1), 3: Asset("c", "building", 2),
    4: Asset("d", "building", 1), 5: Asset("e", "building"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("root", "depth", "found"),
    [
        (1, None, [1, 2, 4, 3]), (1, 0, [1]), (1, 1, [1, 2, 4]), (3, None, [3]),
        (None, 0, [1, 5]), (None, 1, [1, 5, 2, 4]), (None, None, [1, 5, 2, 4, 3]),
    ],
)  # fmt: skip
def test_what_is_below_comes_level_by_level(
    root: int | None, depth: int | None, found: list[int]
) -> None:
    assert tree.below(FOREST, root, depth) == found


def test_a_circle_is_walked_once() -> None:
    circle = {1: Asset("a", "building", 2), 2: Asset("b", "building", 1)}
    assert tree.below(circle, 1) == [1, 2]


def test_who_is_below_whom(tmp_path: Path) -> None:
    assets = State(tmp_path / "state.db").assets
    for asset in FOREST.values():
        assets.add(asset)
    assert tree.is_below(assets, 3, 1)
    assert tree.is_below(assets, 3, 3)
    assert not tree.is_below(assets, 1, 3)
    assert not tree.is_below(assets, 99, 1)


def test_names_are_unique_among_siblings_and_among_roots(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    one, two = state.accounts.add(Account("one")), state.accounts.add(Account("two"))
    site = state.assets.add(Asset("site", "building", account_id=one))
    child = state.assets.add(Asset("bat", "battery", site, one))
    state.assets.add(Asset("market", "building"))

    def taken(name: str, parent: int | None, account: int | None, own: int = 0) -> str | None:
        return tree.taken(state.assets, Asset(name, "battery", parent, account), own)

    assert taken("bat", site, one) == (
        f"An asset with the name 'bat' already exists under parent asset {site}"
    )
    assert taken("bat", site, one, child) is None
    assert taken("bat", child, one) is None
    assert taken("bat", None, one) is None
    assert taken("site", None, one) == (
        f"An asset with the name 'site' already exists as a top-level asset in account {one}"
    )
    assert taken("site", None, two) is None
    assert taken("market", None, None) == (
        "An asset with the name 'market' already exists as a public top-level asset"
    )


def test_copies_are_counted() -> None:
    assert tree.copy_name("a", ["a"]) == "a (Copy)"
    assert tree.copy_name("a", ["a", "a (Copy)"]) == "a (Copy 2)"
    assert tree.copy_name("a", ["a (Copy)", "a (Copy 7)", "b (Copy 9)"]) == "a (Copy 8)"
    assert tree.copy_name("a.c", ["abc (Copy 5)", "a.c (Copy)"]) == "a.c (Copy 2)"


def test_keys_are_given_once() -> None:
    assert tree.sensor_key(7, "power", []) == "7/power"
    assert tree.sensor_key(7, "power", ["7/power", "7/power~2"]) == "7/power~3"


def test_sensors_of_the_site_file_have_other_keys() -> None:
    def sensor(key: str) -> PlacedSensor:
        return PlacedSensor(key, 1, "power", "kW", timedelta(0), "UTC")

    assert tree.is_defined(sensor("battery.power"))
    assert tree.is_defined(sensor("grid/3"))
    assert not tree.is_defined(sensor("7/power~2"))
