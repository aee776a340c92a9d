"""Copies of assets, with all below them and their sensors; values are not copied."""

from collections.abc import Mapping
from dataclasses import replace

from flexedge.gateway.service import tree
from flexedge.gateway.service.references import Kind, followed
from flexedge.store.beliefs import Beliefs
from flexedge.store.state import State

_REFERRING = ("flex_model", "flex_context", "sensors_to_show", "sensors_to_show_as_kpis")


def copy(
    state: State, beliefs: Beliefs, number: int, parent: int | None, account: int | None
) -> int:
    """Copy an asset and all below it to a place in the tree; the number of the copy.

    What refers to a copied sensor or asset refers to the copy then. What refers to those of other
    accounts goes, but for public ones.
    """
    assets = state.assets.all()
    below = tree.below(assets, number)
    siblings = [
        one.name for one in state.assets.children([parent]).values()
        if parent is not None or one.account_id == account
    ]  # fmt: skip
    new: dict[int, int] = {}
    for old in below:
        asset = replace(
            assets[old], account_id=account, external_id=None, defined_as=None, parent_id=parent
        )
        if old == number:
            asset = replace(asset, name=tree.copy_name(asset.name, siblings))
        else:
            above = assets[old].parent_id
            asset = replace(asset, parent_id=None if above is None else new[above])
        new[old] = state.assets.add(asset)
    _point_to_copies(state, new, _copy_sensors(state, beliefs, new), account)
    return new[number]


def _copy_sensors(state: State, beliefs: Beliefs, new: Mapping[int, int]) -> dict[int, int]:
    """Copy the sensors of copied assets; their new numbers by the old ones."""
    copies = {}
    for number, one in state.placed.of(*new).items():
        asset = new[one.asset_id]
        key = tree.sensor_key(asset, one.name, beliefs.sensors)
        copies[number] = beliefs.register(replace(one, key=key).sensor)
        state.placed.place(copies[number], asset, one.name, one.timezone, one.attributes)
    return copies


def _point_to_copies(
    state: State, new: Mapping[int, int], sensors: Mapping[int, int], account: int | None
) -> None:
    assets = state.assets.all()
    owners = {number: one.asset_id for number, one in state.placed.all().items()}

    def follow(kind: Kind, number: int) -> int | None:
        copied = (sensors if kind == "sensor" else new).get(number)
        if copied is not None:
            return copied
        owner = assets.get(owners.get(number, 0) if kind == "sensor" else number)
        stays = owner is not None and owner.account_id in (None, account)
        return number if stays else None

    for number in new.values():
        asset = assets[number]
        changed = {name: followed(getattr(asset, name), follow) for name in _REFERRING}
        if any(value != getattr(asset, name) for name, value in changed.items()):
            state.assets.change(number, replace(asset, **changed))
