"""What the site file owns, and nobody changes through the API."""

from typing import Final

from flexedge.gateway.service.inventory import fixed_fields
from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import forbidden

_TOLD: Final = {"parent_id": "parent_asset_id", "kind": "generic_asset_type_id"}
"""What the API calls otherwise than the store."""


def defined_elsewhere(what: str) -> str:
    """Why something cannot be changed here."""
    return f"{what} is defined in the site file: change it there, and the gateway will follow."


def demand_free(before: Asset, after: Asset) -> None:
    """Refuse to change what the site file defines of an asset (403)."""
    for name in sorted(fixed_fields(before)):
        if getattr(before, name) != getattr(after, name):
            told = _TOLD.get(name, name)
            forbidden(defined_elsewhere(f"The {told} of the asset '{before.name}'"))
