"""What was changed of an asset, in the words of FlexMeasures' audit log."""

from collections.abc import Iterator
from typing import Any, Final

from flexedge.store.tables.assets import Asset

_JSON: Final = ("flex_model", "flex_context", "sensors_to_show")
_NAMES: Final = {
    "name": "name", "description": "description", "parent_id": "parent_asset_id",
    "account_id": "account_id", "latitude": "latitude", "longitude": "longitude",
    "external_id": "external_id", "kind": "generic_asset_type",
    "sensors_to_show_as_kpis": "sensors_to_show_as_kpis",
}  # fmt: skip
_MISSING: Final = object()


def changes(before: Asset, after: Asset) -> list[str]:
    """A sentence for each field that differs."""
    said = [
        f"Updated: {told}, From: {getattr(before, name)}, To: {getattr(after, name)}"
        for name, told in _NAMES.items()
        if getattr(before, name) != getattr(after, name)
    ]
    keys = dict.fromkeys((*before.attributes, *after.attributes))
    said += [
        f"Updated Attr: {key}, From: {before.attributes.get(key)}, To: {after.attributes.get(key)}"
        for key in keys
        if before.attributes.get(key, _MISSING) != after.attributes.get(key, _MISSING)
    ]
    for name in _JSON:
        told = list(_differences(getattr(before, name), getattr(after, name), ""))
        if told:
            listed = "\n".join(f"{i}. {one}" for i, one in enumerate(told, 1))
            said.append(f"Updated {name}:\n{listed}")
    return said


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        keys: list[Any] = sorted(before.keys() | after.keys())
        places = [f"{path}.{key}" if path else str(key) for key in keys]
        ends = [(before.get(key, _MISSING), after.get(key, _MISSING)) for key in keys]
    elif isinstance(before, list) and isinstance(after, list):
        n = max(len(before), len(after))
        places = [f"{path}[{i}]" for i in range(n)]
        ends = [
            (before[i] if i < len(before) else _MISSING, after[i] if i < len(after) else _MISSING)
            for i in range(n)
        ]
    else:
        if before != after:
            yield f"Changed {path}: {before} → {after}"
        return
    for place, (had, has) in zip(places, ends, strict=True):
        if had is _MISSING:
            yield f"Added {place}: {has}"
        elif has is _MISSING:
            yield f"Removed {place} (was: {had})"
        else:
            yield from _differences(had, has, place)
