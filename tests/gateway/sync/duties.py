"""Duties that do as a test says."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from flexedge.cloud.central import Central
from flexedge.cloud.pace import Pace
from flexedge.config.centre import CentreRules
from flexedge.gateway.sync.duty import Linked
from flexedge.store.tables.centres import Centre

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
MAIN = Centre("main", "https://ems.example.com", 3, "Ours", "anna@example.org", NOW, [],
              {"complete": True})  # fmt: skip
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ALONE = Linked(1, MAIN, CentreRules(), cast("Central", None))
"""For duties that ask nothing of the centre."""


def after(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


class Chore:
    """A duty that is due every so often, and remembers when it was done."""

    def __init__(self, name: str, every: timedelta = MINUTE) -> None:
        self.name = name
        self.every = every
        self.done: list[datetime] = []
        self.tried: list[datetime] = []
        self.fault: Exception | None = None
        self.troubles: Mapping[int, str] = {}

    def step(self, linked: Linked, now: datetime) -> datetime:
        assert linked.centre == MAIN
        self.tried.append(now)
        if self.fault is not None:
            raise self.fault
        self.done.append(now)
        return now + self.every

    def counts(self) -> Mapping[str, int]:
        return {"done": len(self.done)}


class Visit:
    """A duty that asks something of the centre: one request each time."""

    def __init__(self, name: str, pace: Pace, every: timedelta = MINUTE) -> None:
        self.name = name
        self.pace = pace
        self.every = every
        self.tried: list[datetime] = []
        self.faults: list[Exception] = []
        """What happens next; nothing: it is answered."""
        self.requests = 1
        """In each step, while the pace allows them."""

    def step(self, _linked: Linked, now: datetime) -> datetime:
        self.tried.append(now)
        for _ in range(self.requests):
            self.pace.take(now, 100)
            if self.faults:
                raise self.faults.pop(0)
            self.pace.succeeded(now)
        return now + self.every
