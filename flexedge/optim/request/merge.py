"""What is stored about assets and what is sent: one flex-model, one flex-context.

What is sent wins over what is stored, field by field; an asset's context over that of the assets
above it; the inflexible devices are overridden as a block.
"""

from collections.abc import Iterator
from typing import Any

from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import Asset, Source

_INFLEXIBLE = ("inflexible-consumption", "inflexible-production", "inflexible-device-sensors")


def context(request: Fields, source: Source, asset: str | None) -> Fields:
    """The flex-context of a request over those of the asset and of all above it."""
    sent = request.data.get("flex-context")
    if isinstance(sent, list):
        sent = {"commodities": sent}
    own = Fields({} if sent is None else sent, "flex-context")
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for above in (*(one.flex_context for one in reversed(list(_upwards(source, asset)))), own):
        merged = _over(above.data, merged)
        origins |= dict.fromkeys(above.data, above.path)
    return Fields(merged, "flex-context", origins)


def _over(upper: Any, lower: dict[str, Any]) -> dict[str, Any]:
    below = dict(lower)
    if any(key in upper for key in _INFLEXIBLE):
        below = {key: value for key, value in below.items() if key not in _INFLEXIBLE}
    return below | dict(upper)


def _upwards(source: Source, asset: str | None) -> Iterator[Asset]:
    seen = set()
    while asset is not None and asset in source.assets and asset not in seen:
        seen.add(asset)
        yield source.assets[asset]
        asset = source.assets[asset].parent


def entries(request: Fields, source: Source, asset: str | None) -> list[Fields]:
    """The devices of a request over those that are stored below the asset."""
    sent = request.data.get("flex-model")
    if sent is None:
        sent = []
    listed = [sent] if isinstance(sent, dict) else request.items("flex-model")
    paths = ["flex-model"] if isinstance(sent, dict) else [
        f"flex-model[{number}]" for number in range(len(listed))
    ]  # fmt: skip
    stored = {
        name: one.flex_model
        for name, one in source.assets.items()
        if one.flex_model.data and any(up.name == asset for up in _upwards(source, name))
    }
    merged, met = [], set()
    for one, path in zip(listed, paths, strict=True):
        fields = Fields(one, path)
        place = _asset(fields, source)
        if place in stored:
            met.add(place)
            below = stored[place]
            origins = {key: below.path for key in below.data if key not in fields.data}
            fields = Fields({**below.data, **fields.data}, path, origins)
        merged.append(fields)
    rest = [
        Fields({"asset": name, **fields.data}, fields.path)
        for name, fields in stored.items()
        if name not in met
    ]
    return rest + merged


def _asset(fields: Fields, source: Source) -> str | None:
    """The asset an entry belongs to: its own, that of its sensor, or of its state of charge."""
    if fields.has("asset"):
        return fields.name("asset")
    for name in (fields.data.get("sensor"), _reference(fields.data.get("state-of-charge"))):
        if name is not None and str(name) in source.sensors:
            return source.sensors[str(name)].asset
    return None


def _reference(raw: Any) -> Any:
    return raw.get("sensor") if isinstance(raw, dict) else None
