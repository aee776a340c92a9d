"""Accounts, what their plans let them use, and the types of assets."""

from dataclasses import dataclass, field

from flexedge.store.tables.columns import Json, List


@dataclass(frozen=True, slots=True)
class Account:
    """Who assets and users belong to."""

    name: str
    roles: List = field(default_factory=list)
    consultancy_account_id: int | None = None
    """The account whose consultants may act for it."""
    plan_id: int | None = None
    primary_color: str | None = None
    secondary_color: str | None = None
    logo_url: str | None = None
    attributes: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an account may use. Rates are texts such as "500 per minute"; None: the usual."""

    name: str
    default_rate_limit: str | None = None
    trigger_rate_limit: str | None = None
    rate_limit_key: str | None = None
    """Whose triggers are counted together: "account", "account-asset" or "user"."""
    max_users: int | None = None
    max_assets: int | None = None
    max_clients: int | None = None
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class AssetType:
    """A kind of asset."""

    name: str
    description: str = ""


FIRST_TYPES = (
    AssetType("solar", "solar panel(s)"),
    AssetType("wind", "wind turbine"),
    AssetType("one-way_evse", "uni-directional Electric Vehicle Supply Equipment"),
    AssetType("two-way_evse", "bi-directional Electric Vehicle Supply Equipment"),
    AssetType("battery", "stationary battery"),
    AssetType("building", "building"),
    AssetType("process", "process"),
    AssetType("heat-storage", "thermal storage / buffer"),
)
"""Those that are there from the beginning, in the order of FlexMeasures' numbers."""
