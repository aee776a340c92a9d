"""Whether an asset may become what somebody wants it to be."""

from collections.abc import Mapping
from typing import Any, Final

from flexedge.domain.rights import may
from flexedge.errors import BadField
from flexedge.gateway.service import tree
from flexedge.gateway.service.flexconfig import check_context, check_model
from flexedge.gateway.service.references import referred
from flexedge.gateway.service.shown import check_charts, check_figures
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call, Json, forbidden, invalid
from flexedge.web.api.parts import Parts
from flexedge.web.api.told import readable_sensors, types

PUBLIC: Final = "Only site admins may create public assets (account_id=None)."
_NAMES: Final = {"generic_asset_type_id": "kind", "parent_asset_id": "parent_id"}
"""What requests call otherwise than the store."""
_NULLABLE: Final = frozenset(
    {"description", "parent_asset_id", "latitude", "longitude", "external_id", "account_id"}
)
_CHARTS: Final = "sensors_to_show"
_FIGURES: Final = "sensors_to_show_as_kpis"


def demand_place(parts: Parts, call: Call[Any, Any], given: Json) -> None:
    """Refuse a new asset that the caller may not put there; completes its account."""
    parent, account = given.get("parent_asset_id"), given.get("account_id")
    above = None if parent is None else parts.state.assets.get(parent)
    if parent is not None and above is None:
        invalid({"parent_asset_id": [f"Parent GenericAsset with id {parent} doesn't exist."]})
    if account is not None and parts.state.accounts.get(account) is None:
        invalid({"account_id": [f"Account with Id {account} doesn't exist."]})
    if above is not None:
        parts.demand(call.caller, "create-children", parts.thing(above))
        if given.setdefault("account_id", above.account_id) == above.account_id:
            return
    if account is None:
        if not call.caller.is_admin:
            forbidden(PUBLIC)
    elif account == call.caller.account_id:
        if above is None:
            parts.demand(call.caller, "create-children", parts.account(account))
    elif not may(call.caller, "create-children", parts.account(account)):
        invalid({"account_id": ["User is not allowed to create assets for this account."]})


def demand_move(parts: Parts, call: Call[Any, Any], asset: Asset) -> None:
    """Refuse to put an asset below another one that is of other people, or below itself."""
    if asset.parent_id is None or asset.parent_id == call.found.parent_id:
        return
    above = parts.state.assets.get(asset.parent_id)
    wrong = None
    if above is None:
        wrong = f"Parent GenericAsset with id {asset.parent_id} doesn't exist."
    elif asset.account_id is not None and above.account_id != asset.account_id:
        wrong = "Parent asset must belong to the same account as the child asset."
    elif tree.is_below(parts.state.assets, asset.parent_id, call.number):
        wrong = "An asset cannot be below itself: choose a parent that is not below it."
    if wrong is not None or above is None:
        invalid({"parent_asset_id": [wrong]})
    parts.demand(call.caller, "create-children", parts.thing(above))


def stored(parts: Parts, given: Json) -> Json:
    """The fields of a request as those of an asset. Refuses what is null, and unknown types."""
    wrong = {
        name: ["Field may not be null."]
        for name, value in given.items()
        if value is None and name not in _NULLABLE
    }
    fields = {_NAMES.get(name, name): value for name, value in given.items()}
    kind = fields.get("kind")
    if kind is not None:
        fields["kind"] = types(parts.state).names.get(kind)
        if fields["kind"] is None:
            said = f"GenericAssetType with id {kind} doesn't exist."
            wrong["generic_asset_type_id"] = [said]
    if "external_id" in fields:
        fields["external_id"] = (fields["external_id"] or "").strip() or None
    if wrong:
        invalid(wrong)
    return fields


def demand_sound(
    parts: Parts, call: Call[Any, Any], asset: Asset, given: Json, number: int | None
) -> None:
    """Refuse a name or external number that is taken, and flex fields and charts of no use."""
    wrong: Json = {}
    if number is None or {"name", "parent_asset_id"} & given.keys():
        said = tree.taken(parts.state.assets, asset, number)
        if said is not None:
            wrong["name"] = [said]
    theirs = asset.external_id if "external_id" in given else None
    if theirs is not None and parts.state.assets.external(theirs).keys() - {number}:
        wrong["external_id"] = [f"Another asset is '{theirs}' already."]
    wrong |= _demand_json(parts, call, asset, given)
    if wrong:
        invalid(wrong)


def _demand_json(parts: Parts, call: Call[Any, Any], asset: Asset, given: Json) -> Json:
    fields = ("flex_model", "flex_context", _CHARTS, _FIGURES)
    numbers = {name: set(referred(getattr(asset, name))) for name in fields if name in given}
    known = readable_sensors(parts.state, call.caller, set().union(*numbers.values()))
    wrong: Json = {}
    for name, wanted in numbers.items():
        sensors = {one: known[one] for one in wanted if one in known}
        try:
            _check(parts, name, asset, sensors)
        except BadField as error:
            said = [f"{error.message.rstrip('.')}."]
            wrong[name] = said if error.path == name else {error.path: said}
    return wrong


def _check(parts: Parts, name: str, asset: Asset, sensors: Mapping[int, PlacedSensor]) -> None:
    match name:
        case "flex_model":
            check_model(asset.flex_model, sensors)
        case "flex_context":
            check_context(asset.flex_context, sensors)
        case "sensors_to_show":
            check_charts(asset.sensors_to_show, sensors, parts.state.assets.get)
        case _:
            check_figures(asset.sensors_to_show_as_kpis, sensors)
