"""How often a server is asked, and when it is tried again: decided without a clock or a socket."""

from datetime import datetime
from random import Random

from flexedge.errors import CentreAway


class Pace:
    """The pace of requests to one server. Not for several threads.

    ``chance``: so that a fleet does not come back all at once.
    """

    def __init__(self, requests_per_min: int, chance: Random) -> None:
        raise NotImplementedError

    def take(self, now: datetime, size: int) -> None:
        """A request of so many bytes is about to be made. Raises ``CentreAway`` ("paced")."""
        raise NotImplementedError

    def succeeded(self, now: datetime) -> None:
        """The server answered."""
        raise NotImplementedError

    def failed(self, error: CentreAway, now: datetime) -> datetime:
        """When to try again: soon, then later and later, with chance in it; as the server said."""
        raise NotImplementedError

    def first(self, now: datetime) -> datetime:
        """When to come for the first time after a start."""
        raise NotImplementedError
