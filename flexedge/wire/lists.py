"""Lists of accounts and users, told page by page, and what was done to them."""

from typing import Literal

from pydantic import Field

from flexedge.wire.shape import KebabShape, KebabTold, Told


class ListAsked(KebabShape):
    """Which part of a list is told."""

    page: int | None = Field(None, ge=1, le=1_000_000)
    """From 1 on; without it all are told, as a plain list."""
    per_page: int = Field(10, ge=1, le=1000)
    filter: str | None = Field(None, max_length=1000)
    """Words, and phrases in quotes: each has to be in what is told."""
    sort_dir: Literal["asc", "desc"] | None = None


class Page(KebabTold):
    """A page of a list."""

    num_records: int
    """All there are."""
    filtered_records: int
    """Those that fit the filter."""
    status: int = 200


class AccountEvent(Told):
    """What somebody did."""

    event: str
    event_datetime: str
    """In UTC, without offset."""
    active_user_id: int | None
    """None: the gateway itself, its owner or a program on the machine."""


class UserEvent(AccountEvent):
    """What somebody did to a user."""

    active_user_name: str | None


class EventsAsked(ListAsked):
    """Which part of a log is told."""

    sort_by: Literal["event_datetime", "username", "email", "lastLogin", "lastSeen"] | None = None
    """Only "event_datetime" has a meaning; FlexMeasures takes the others, too."""


class EventPage(Page):
    """A page of a log."""

    data: list[UserEvent]
