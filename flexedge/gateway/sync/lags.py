"""How far a centre knows what is sent of one of our sensors."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Lag:
    """Of one link: what there is, what has arrived, what waits."""

    link: int
    """Its number in ``state.links``."""
    newest_here: datetime | None
    """The start of the newest event there is a value of."""
    newest_there: datetime | None
    """The same of what has arrived."""
    waiting: int = 0
    """Values still to be sent, about."""
    paused: str = ""
    """Why nothing of it is sent."""

    @property
    def behind(self) -> timedelta:
        """From the newest event that arrived to the newest there is.

        Zero where nothing waits, and where nothing has arrived yet: ``waiting`` tells of that.
        """
        if not self.waiting or self.newest_here is None or self.newest_there is None:
            return timedelta(0)
        return max(self.newest_here - self.newest_there, timedelta(0))
