"""What the site file owns, and nobody changes through the API."""

from typing import Final

from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import forbidden

_FIXED: Final = {
    "name": "name", "parent_id": "parent_asset_id", "kind": "generic_asset_type_id",
    "latitude": "latitude", "longitude": "longitude", "flex_model": "flex_model",
    "flex_context": "flex_context",
}  # fmt: skip


def defined_elsewhere(what: str) -> str:
    """Why something cannot be changed here."""
    return f"{what} is defined in the site file: change it there, and the gateway will follow."


def demand_free(before: Asset, after: Asset) -> None:
    """Refuse to change what the site file defines of an asset (403)."""
    if before.defined_as is None:
        return
    for name, told in _FIXED.items():
        if getattr(before, name) != getattr(after, name):
            forbidden(defined_elsewhere(f"The {told} of the asset '{before.name}'"))
