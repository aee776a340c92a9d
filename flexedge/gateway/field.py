"""One edited field of an asset or sensor where the API has it: whether it can be, and putting it.

What the site file defines is never put here: an edit lies over that (``amended.is_laid``).
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from flexedge.errors import BadField
from flexedge.gateway.amended import Amendment, Place, is_laid
from flexedge.gateway.service.flexconfig import check_context, check_model
from flexedge.gateway.service.references import referred
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset

Json = dict[str, Any]


def unfit(
    state: State, edit: Amendment, laid: Collection[Place], fellows: Iterable[Amendment] = ()
) -> str:
    """Why a field cannot be as it was edited, whatever the site file says; empty where it can.

    ``laid``: the fields that lie over the site file now. ``fellows``: edits that hold with it.
    """
    if edit.column == "attributes":
        return ""
    asset = state.assets.get(edit.number)
    if asset is None:
        return "there is no such asset any more"
    if edit.theirs is None:
        gone = is_laid(asset, edit) and edit.place[1:] not in {one[1:] for one in laid}
        return f"{edit.field} is what the site file says: take it out there" if gone else ""
    fields = _fields(asset, edit)
    for one in (*fellows, edit):
        if (one.thing, one.number, one.column) == (edit.thing, edit.number, edit.column):
            fields = _with_field(fields, one.field, one.theirs)
    placed = state.placed.all()
    sensors = {number: placed[number] for number in referred(fields) if number in placed}
    check = check_model if edit.column == "flex_model" else check_context
    try:
        check(fields, sensors)
    except BadField as error:
        return f"{error.path}: {error.message}"
    return ""


def put(state: State, edit: Amendment) -> None:
    """Let a field be what it was edited to. Raises ``StoreError``."""
    if edit.thing == "sensor":
        placed = state.placed.get(edit.number)
        if placed is not None:
            fields = _with_field(placed.attributes, edit.field, edit.theirs)
            state.placed.place(edit.number, placed.asset_id, placed.name, placed.timezone, fields)
        return
    asset = state.assets.get(edit.number)
    if asset is None or is_laid(asset, edit):
        return
    fields = _with_field(_fields(asset, edit), edit.field, edit.theirs)
    state.assets.change(edit.number, _changed(asset, edit, fields))


def _fields(asset: Asset, edit: Amendment) -> Json:
    return {
        "flex_model": asset.flex_model,
        "flex_context": asset.flex_context,
        "attributes": asset.attributes,
    }[edit.column]


def _changed(asset: Asset, edit: Amendment, fields: Json) -> Asset:
    match edit.column:
        case "flex_model":
            return replace(asset, flex_model=fields)
        case "flex_context":
            return replace(asset, flex_context=fields)
        case _:
            return replace(asset, attributes=fields)


def _with_field(fields: Json, key: str, value: Any) -> Json:
    rest = {one: kept for one, kept in fields.items() if one != key}
    return rest if value is None else rest | {key: value}
