"""Accounts and the plans they are on."""

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StrictBool

from flexedge.domain.rate import rate_of
from flexedge.wire.lists import ListAsked, Page
from flexedge.wire.shape import JsonText, Shape, Told, Whole

Number = Annotated[Whole, Field(ge=1, lt=2**63)]
_COLOR: Final = re.compile(r"#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text):
        raise ValueError(f"{text} is not a valid hex color code, such as #1a3443.")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"'{text}' is not a valid URL, such as https://example.com/logo.png.")
    return text


def _mapping(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError("Not a JSON object.")
    return value


def _rate(text: str) -> str:
    rate_of(text)
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("Account name cannot be empty.")
    return text.strip()


Name = Annotated[str, Field(max_length=200), AfterValidator(_filled)]
Color = Annotated[str, AfterValidator(_color)]
Link = Annotated[str, Field(max_length=2000), AfterValidator(_url)]
RateText = Annotated[str, Field(max_length=100), AfterValidator(_rate)]
Count = Annotated[Whole, Field(ge=0, lt=2**31)]


class Role(Told):
    """A role of accounts."""

    id: int
    name: str


class AccountTold(Told):
    """An account."""

    id: int
    name: str
    account_roles: list[Role]
    attributes: JsonText
    consultancy_account_id: int | None
    plan_id: int | None
    primary_color: str | None
    secondary_color: str | None
    logo_url: str | None


class OneAccount(AccountTold):
    """An account by itself."""

    status: int = 200


class AccountListed(AccountTold):
    """An account on a page of a list."""

    user_count: int
    asset_count: int


class AccountPage(Page):
    """A page of a list of accounts."""

    data: list[AccountListed]


class AccountsAsked(ListAsked):
    """Which accounts are told."""

    role: str | None = None
    """The name of a role that they have."""
    sort_by: Literal["id", "name", "assets", "users"] | None = None


class NewAccount(Shape):
    """An account to be made."""

    name: Name
    consultancy_account_id: Number | None = None
    """Whose consultants act for it; of who is a consultant it is the own account."""


class ChangedAccount(Shape):
    """What is to be changed of an account."""

    name: Name = ""
    primary_color: Color | None = None
    secondary_color: Color | None = None
    logo_url: Link | None = None
    consultancy_account_id: Number | None = None
    plan_id: Number | None = None
    attributes: Annotated[JsonText, AfterValidator(_mapping)] = Field(default_factory=dict)
    account_roles: list[Whole] = []
    """The numbers of all roles that it is to have."""


class PlanFields(Shape):
    """What a plan says. Rates as "500 per minute", "10 per 5 minutes" or "unlimited"."""

    default_rate_limit: RateText | None = None
    """Of requests of each user. None: as the settings say."""
    trigger_rate_limit: RateText | None = None
    """Of triggers of schedules and forecasts. None: as the settings say."""
    rate_limit_key: Literal["account", "account-asset", "user"] | None = None
    """Whose triggers are counted together."""
    max_users: Count | None = None
    max_assets: Count | None = None
    max_clients: Count | None = None
    legacy: StrictBool = False
    """Whether accounts can no longer be put on it."""


class NewPlan(PlanFields):
    """A plan to be made."""

    name: Name


class ChangedPlan(PlanFields):
    """What is to be changed of a plan."""

    name: Name = ""


class PlanTold(Told):
    """A plan."""

    id: int
    name: str
    default_rate_limit: str | None
    trigger_rate_limit: str | None
    rate_limit_key: str | None
    max_users: int | None
    max_assets: int | None
    max_clients: int | None
    legacy: bool
