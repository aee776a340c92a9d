"""The tree of assets: who is below whom, and what an asset may be called."""

import re
from collections.abc import Iterable, Mapping

from flexedge.store.tables.assets import Asset, AssetTree
from flexedge.store.tables.placed import PlacedSensor


def below(assets: Mapping[int, Asset], root: int | None, depth: int | None = None) -> list[int]:
    """A root and what is below it, level by level, so many levels at most.

    None: all that are at the top, and what is below these.
    """
    children: dict[int | None, list[int]] = {}
    for number, asset in assets.items():
        children.setdefault(asset.parent_id, []).append(number)
    level = children.get(None, []) if root is None else [root]
    found: dict[int, None] = {}
    while level and (depth is None or depth >= 0):
        found |= dict.fromkeys(level)
        level = [child for one in level for child in children.get(one, []) if child not in found]
        depth = None if depth is None else depth - 1
    return list(found)


def is_below(tree: AssetTree, number: int, root: int) -> bool:
    """Whether an asset is below another one, or the same."""
    seen: set[int] = set()
    at: int | None = number
    while at is not None and at not in seen:
        if at == root:
            return True
        seen.add(at)
        asset = tree.get(at)
        at = None if asset is None else asset.parent_id
    return False


def taken(tree: AssetTree, asset: Asset, number: int | None = None) -> str | None:
    """Why an asset may not be called so, in FlexMeasures' words; ``number``: its own, if any."""
    others = [one for key, one in tree.named(asset.name).items() if key != number]
    if asset.parent_id is not None:
        if any(one.parent_id == asset.parent_id for one in others):
            return (
                f"An asset with the name '{asset.name}' already exists under parent asset "
                f"{asset.parent_id}"
            )
        return None
    if all(one.parent_id is not None or one.account_id != asset.account_id for one in others):
        return None
    where = (
        "a public top-level asset"
        if asset.account_id is None
        else f"a top-level asset in account {asset.account_id}"
    )
    return f"An asset with the name '{asset.name}' already exists as {where}"


def copy_name(name: str, siblings: Iterable[str]) -> str:
    """What a copy is called: "Home (Copy)", "Home (Copy 2)" and so on."""
    known = set(siblings)
    first = f"{name} (Copy)"
    if first not in known:
        return first
    pattern = re.compile(rf"{re.escape(name)} \(Copy (\d+)\)")
    numbers = [int(found[1]) for one in known if (found := pattern.fullmatch(one))]
    return f"{name} (Copy {max([1, *numbers]) + 1})"


def sensor_key(asset: int, name: str, known: Iterable[str]) -> str:
    """What the time series call a new sensor of an asset for good: "7/power", "7/power~2"."""
    keys = set(known)
    key, n = f"{asset}/{name}", 1
    while key in keys:
        n += 1
        key = f"{asset}/{name}~{n}"
    return key


def is_defined(sensor: PlacedSensor) -> bool:
    """Whether the site file defines a sensor; those of the API have the key of ``sensor_key``."""
    return re.match(r"\d+/", sensor.key) is None
