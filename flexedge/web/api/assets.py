"""One asset: made, told, changed, deleted."""

from dataclasses import replace
from functools import partial
from typing import Any

from flexedge.gateway.service import tree
from flexedge.gateway.service.changes import changes
from flexedge.gateway.service.removal import remove_asset
from flexedge.store.tables.assets import Asset
from flexedge.web.api.asset_check import demand_move, demand_place, demand_sound, stored
from flexedge.web.api.desk import room
from flexedge.web.api.op import Call, On, Op, Reply, forbidden, invalid
from flexedge.web.api.owned import defined_elsewhere, demand_free
from flexedge.web.api.parts import Parts
from flexedge.web.api.tags import demand_seen
from flexedge.web.api.told import asset_told, entry, given_in
from flexedge.wire.assets import AssetChange, AssetShown, AssetTold, NewAsset, TypeWhole


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be asked of one asset."""
    assets = Assets(parts)
    path = "/api/v3_0/assets"
    return (
        Op(method="GET", path=f"{path}/types", run=assets.types, tag="Assets",
           summary="List the types of assets", answers={200: list[TypeWhole]}),
        Op(method="POST", path=path, run=assets.add, tag="Assets", scope="manage",
           summary="Create an asset", body=NewAsset, answers={201: AssetTold}),
        Op(method="GET", path=f"{path}/{{id}}", run=assets.get, tag="Assets",
           summary="Fetch an asset", on=On("asset", "read"), answers={200: AssetShown}),
        Op(method="PATCH", path=f"{path}/{{id}}", run=assets.change, tag="Assets", scope="manage",
           summary="Update an asset", on=On("asset", "update"), body=AssetChange,
           answers={200: AssetShown, 412: dict[str, Any]}),
        Op(method="DELETE", path=f"{path}/{{id}}", run=assets.delete, tag="Assets", scope="manage",
           summary="Delete an asset, all below it, and their sensors and data",
           on=On("asset", "delete"), answers={204: None}),
    )  # fmt: skip


class Assets:
    """Makes, tells, changes and deletes assets."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state = parts.state

    def types(self, _call: Call[None, None]) -> Reply:
        """All types of assets."""
        return Reply([
            TypeWhole(id=number, name=one.name, description=one.description)
            for number, one in self._state.asset_types.all().items()
        ])  # fmt: skip

    def get(self, call: Call[None, None]) -> Reply:
        """The asset that was found."""
        return self._shown(call.number, call.found)

    def add(self, call: Call[None, NewAsset]) -> Reply:
        """Make an asset: at the top of an account, or below another asset."""
        given = given_in(call.body)
        demand_place(self._parts, call, given)
        if given.get("account_id") is not None:
            room(self._state, given["account_id"], "assets")
        asset = Asset(**stored(self._parts, given))
        demand_sound(self._parts, call, asset, given, None)
        number = self._state.assets.add(asset)
        what = f"Created asset '{asset.name}': {number}"
        self._state.audit.add(entry(call, what, number, asset))
        return Reply(asset_told(self._state, number, asset), 201)

    def change(self, call: Call[None, AssetChange]) -> Reply:
        """Change what is given of the asset that was found."""
        given = given_in(call.body)
        demand_seen(call.headers, lambda: self._shown(call.number, call.found))
        if not given:
            invalid({"_schema": ["No JSON data provided."]})
        if given.pop("account_id", call.found.account_id) != call.found.account_id:
            invalid({"account_id": ["Whose an asset is cannot be changed."]})
        asset = replace(call.found, **stored(self._parts, given))
        demand_free(call.found, asset)
        demand_move(self._parts, call, asset)
        demand_sound(self._parts, call, asset, given, call.number)
        said = changes(call.found, asset)
        if said:
            self._state.assets.change(call.number, asset)
            self._state.audit.add(*(entry(call, what, call.number, asset) for what in said))
        return self._shown(call.number, asset)

    def delete(self, call: Call[None, None]) -> Reply:
        """Delete the asset that was found, and all below it."""
        assets = self._state.assets.all()
        for number in tree.below(assets, call.number):
            if assets[number].defined_as is not None:
                forbidden(defined_elsewhere(f"The asset '{assets[number].name}'"))
        note = partial(entry, call)
        remove_asset(self._state, self._parts.beliefs, call.number, note, call.now)
        return Reply(status=204)

    def _shown(self, number: int, asset: Asset) -> Reply:
        told = asset_told(self._state, number, asset)
        return Reply(AssetShown.model_construct(**dict(told), status=200))
