"""How far a centre knows what is sent of each of our sensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flexedge.errors import StoreError
from flexedge.gateway.sync.outbox import Outbox
from flexedge.store.state import State

KEPT: Final = timedelta(seconds=10)
"""So long an answer is good: a page asks each second."""
RECEIVED: Final = "received"
_Lags = tuple["Lag", ...]


@dataclass(frozen=True, slots=True)
class Lag:
    """Of one link: what there is, what has arrived, what waits."""

    link: int
    """Its number in ``state.links``."""
    newest_here: datetime | None
    """The start of the newest event there is a value of; None: not known."""
    newest_there: datetime | None
    """The same of what has arrived; None: nothing has since the gateway runs."""
    waiting: int = 0
    """Values still to be sent, about."""

    @property
    def behind(self) -> timedelta:
        """From the newest event that arrived to the newest there is.

        Zero where nothing waits, and where nothing has arrived yet: ``waiting`` tells of that.
        """
        if not self.waiting or self.newest_here is None or self.newest_there is None:
            return timedelta(0)
        return max(self.newest_here - self.newest_there, timedelta(0))


class Lags:
    """Asks the outbox, and not too often. Safe to use from any thread.

    While the store does not answer, what was told last is told on: a page that shows everything
    else must not end with that.
    """

    def __init__(self, state: State, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox
        self._kept: Mapping[int, tuple[datetime, _Lags]] = {}

    def of(self, centre: int, now: datetime) -> _Lags:
        """Of all sensors that are sent to a centre, by its number."""
        kept = self._kept.get(centre)
        if kept is not None and abs(now - kept[0]) < KEPT:
            return kept[1]
        try:
            lags = tuple(self._found(centre))
        except StoreError:
            lags = () if kept is None else kept[1]
        self._kept = {**self._kept, centre: (now, lags)}
        return lags

    def _found(self, centre: int) -> Iterator[Lag]:
        sensors = self._state.sensors()
        links = {
            number: link
            for number, link in self._state.links.find(centre_id=centre, thing="sensor").items()
            if link.role != RECEIVED and link.local_id in sensors
        }
        waits = self._outbox.waiting(*links.values())
        for number, waiting in zip(links, waits, strict=True):
            there = waiting.newest_there
            known = [one for one in (waiting.newest_event, there) if one is not None]
            yield Lag(number, max(known, default=None), there, waiting.count)
