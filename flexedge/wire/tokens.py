"""Keys: what programs of users and of service accounts show."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from flexedge.domain.rights import Scope
from flexedge.wire.accounts import Number
from flexedge.wire.shape import Duration, Shape, Told


class NewKey(Shape):
    """A key to be made."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: list[Scope] = ["read"]
    """What it may do: "read", "data" (post and delete values), "plan" (trigger schedules and
    forecasts), "manage" (everything else there is to create, change and delete), "control"
    (override devices)."""
    expires_in: Duration | None = timedelta(days=90)
    """How long it lasts; null: until it is deleted."""
    user: Number | None = None
    """Whose it is, if not one's own: of a service account, or for admins of anybody."""


class KeyTold(Told):
    """A key, without what is shown."""

    id: int
    name: str
    user: int
    scopes: list[str]
    created: datetime
    expires: datetime | None
    """null: it lasts until it is deleted."""
    last_used: datetime | None


class KeyMade(KeyTold):
    """A key that was made."""

    token: str
    """To be sent as the header "Authorization". It is told once."""
    message: str
    status: int = 201


class KeysAsked(Shape):
    """Whose keys are told."""

    user: Number | None = None
    """Without: one's own; admins see all."""
