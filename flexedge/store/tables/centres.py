"""Central servers a gateway is linked with, and what is what there."""

from dataclasses import dataclass, field
from datetime import datetime

from flexedge.store.tables.columns import Json, List


@dataclass(frozen=True, slots=True)
class Centre:
    """A central server: FlexMeasures, or another flexedge. Its numbers are never ours."""

    name: str
    """As the site file and the command line call it ("main")."""
    url: str
    """Where its API starts, without "/api": "https://ems.example.com"."""
    account_id: int
    account: str
    user: str
    """The e-mail address that logs in; "" where there is but a token."""
    linked: datetime
    scopes: List
    """What goes to and comes from there; ``config.centre.Scope``."""
    details: Json = field(default_factory=dict)
    """What it said of itself: "version", "server"."""


@dataclass(frozen=True, slots=True)
class Link:
    """One of our assets or sensors, and which one it is at a centre."""

    centre_id: int
    thing: str
    """ "asset" or "sensor"."""
    local_id: int
    central_id: int
    role: str = ""
    """ "" or, of sensors, what of it goes there: "forecast", "schedule", "outcome"; "received":
    its values come from there."""
    made: bool = False
    """Whether it was made by us there, or found."""
    details: Json = field(default_factory=dict)
    """Of a sensor its "unit" and "resolution" (seconds) there."""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Values that a centre did not take, with what it said."""

    centre_id: int
    link_id: int
    at: datetime
    status: int
    code: str
    message: str
    run: Json
    tries: int = 1
