"""Users."""

import re
from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, AliasChoices, Field

from flexedge.wire.accounts import AccountTold, Number
from flexedge.wire.lists import ListAsked, Page
from flexedge.wire.shape import Shape, Told, Whole

_EMAIL: Final = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,253}")


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("Not a valid email address.")
    return text.lower()


def _timezone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(f"Timezone {text} doesn't exist.")
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("A user needs a name.")
    return text.strip()


Email = Annotated[str, Field(max_length=300), AfterValidator(_email)]
Username = Annotated[str, Field(max_length=200), AfterValidator(_filled)]
Timezone = Annotated[str, Field(max_length=100), AfterValidator(_timezone)]


class UserTold(Told):
    """A user."""

    id: int
    username: str
    email: str | None
    """None: a service account, which has keys only."""
    account_id: int
    active: bool
    timezone: str
    flexmeasures_roles: list[int]
    """The numbers of the user's roles."""
    last_login_at: str | None
    """In UTC, without offset."""
    last_seen_at: str | None


class OneUser(UserTold):
    """A user by itself."""

    status: int = 200


class MadeUser(UserTold):
    """A user that was made; who has an email address can choose a password with the code."""

    password_code: str | None = None
    """To be passed on to the user: it is told once, lasts 24 h, and goes to /api/setPassword."""
    status: int = 201


class UserListed(UserTold):
    """A user in a list."""

    flexmeasures_roles: list[str]  # type: ignore[assignment] # FlexMeasures' lists have names
    account: AccountTold


class UserPage(Page):
    """A page of a list of users."""

    data: list[UserListed]


class UsersAsked(ListAsked):
    """Which users are told."""

    account: Annotated[
        Number | None, Field(validation_alias=AliasChoices("account", "account_id"))
    ] = None
    """Only those of this account."""
    include_inactive: bool = False
    sort_by: Literal["username", "email", "lastLogin", "lastSeen"] | None = None


class NewUser(Shape):
    """A user to be made."""

    email: Email | None
    """null: a service account, which cannot log in but has keys."""
    username: Username
    account_id: Number


class ChangedUser(Shape):
    """What is to be changed of a user."""

    email: Email = ""
    username: Username = ""
    active: bool = True
    timezone: Timezone = ""
    flexmeasures_roles: list[Whole] = []
    """The numbers of all roles that the user is to have."""


class Code(Told):
    """With what a user chooses a password."""

    password_code: str
    """Told once; lasts until ``expires`` and goes to /api/setPassword."""
    expires: datetime
    message: str
    status: int = 200
