"""Audit logs as FlexMeasures writes them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from flexedge.wire.shape import KebabShape, KebabTold, Told


class LogAsked(KebabShape):
    """Which part of a log is told."""

    page: int | None = Field(None, ge=1, le=1_000_000)
    per_page: int = Field(10, ge=1, le=1000)
    filter: str | None = None
    """Words, and phrases in quotes: each has to be in the event or in the name of who did it."""
    sort_by: Literal["event_datetime"] | None = None
    sort_dir: Literal["asc", "desc"] | None = None
    """Without it the newest comes first."""


class Event(Told):
    """What somebody did."""

    event: str
    event_datetime: datetime
    active_user_name: str | None
    active_user_id: int | None
    """None: the gateway itself, its owner or a program on the machine."""


class Log(KebabTold):
    """A page of a log."""

    data: list[Event]
    num_records: int
    """All there are."""
    filtered_records: int
    """Those that fit the filter."""
    status: int = 200
