"""How often a server is asked, and when it is tried again: decided without a clock or a socket."""

from collections import deque
from datetime import datetime, timedelta
from random import Random
from typing import Final, Literal

from flexedge.errors import CentreAway

FIRST: Final = timedelta(minutes=1)
"""Within this time after a start a server is asked for the first time."""
AFTER_AN_OUTAGE: Final = timedelta(minutes=5)
"""What counts as an outage is longer; what waited begins to be sent within this time after it."""
LONGEST_WAIT: Final = timedelta(minutes=15)
"""Between tries, unless the server says otherwise."""
MOST_SAID: Final = timedelta(hours=1)
"""A server that wants to be left alone for longer is asked again after this time."""
TRIGGERS: Final = 10
"""FlexMeasures takes so many triggers of an account"""
TRIGGERS_PER: Final = timedelta(minutes=5)
"""in this time, if nobody says otherwise there."""
_MINUTE: Final = timedelta(minutes=1)
_SECOND: Final = timedelta(seconds=1)
_MOST_DOUBLED: Final = 20
_What = Literal["due", "paid", "triggers", "backfill", "rest", "down", "next"]
"""The next request is due; what was sent late is paid for; no triggers, no backfill and no request
before that; the server is down since; the next try.
"""


class Pace:
    """The pace of requests to one server. Not for several threads.

    ``chance``: so that a fleet does not come back all at once. ``budget_kb_per_min``: for what is
    sent late; None: no bound. A clock that is set back takes what is waited for along.
    """

    def __init__(
        self, requests_per_min: int, chance: Random, budget_kb_per_min: float | None = None
    ) -> None:
        self._chance = chance
        self._burst = max(1, requests_per_min // 4)
        # so many at once and one each spacing: together never more than are allowed in a minute
        self._spacing = _MINUTE / max(1, requests_per_min - self._burst)
        self._bytes_per_min = None if budget_kb_per_min is None else budget_kb_per_min * 1000
        self._at: dict[_What, datetime] = {}
        self._triggers: deque[datetime] = deque(maxlen=TRIGGERS)
        self._seen: datetime | None = None
        self._failures = 0
        self._last: CentreAway | None = None
        self.requests, self.sent = 0, 0
        """Requests and their bytes since the start."""

    def take(self, now: datetime, size: int) -> None:
        """A request of so many bytes is about to be made. Raises ``CentreAway`` ("paced")."""
        self._see(now)
        self._demand(self._at.get("rest"), now, "it wants to be left alone for a time")
        due = max(now, self._at.get("due", now))
        allowed = due - self._spacing * (self._burst - 1)
        self._demand(allowed, now, "enough requests were made for this minute")
        self._at["due"] = due + self._spacing
        self.requests += 1
        self.sent += size

    def backfill(self, now: datetime, size: int) -> None:
        """So many bytes that waited are about to be posted, beside ``take``.

        Raises ``CentreAway`` ("paced"): what is new may be sent nevertheless.
        """
        self._see(now)
        self._demand(self._at.get("backfill"), now, "it was away for long, others come back, too")
        if self._bytes_per_min is not None:
            paid = max(now - _MINUTE, self._at.get("paid", now - _MINUTE))
            self._demand(paid, now, "the budget for what waited is used up")
            self._at["paid"] = paid + _MINUTE * (size / self._bytes_per_min)

    def trigger(self, now: datetime) -> None:
        """A schedule is about to be asked for, beside ``take``. Raises ``CentreAway`` ("paced")."""
        self._see(now)
        words = "enough schedules were asked for in these minutes"
        self._demand(self._at.get("triggers"), now, words)
        if len(self._triggers) == TRIGGERS:
            self._demand(self._triggers[0] + TRIGGERS_PER, now, words)
        self._triggers.append(now)

    def no_triggers(self, now: datetime, wait: timedelta) -> None:
        """The server takes no more triggers for a time; everything else goes on."""
        self._see(now)
        self._at["triggers"] = now + min(wait, MOST_SAID)

    def succeeded(self, now: datetime) -> None:
        """The server answered."""
        self._see(now)
        if now - self._at.pop("down", now) > AFTER_AN_OUTAGE:
            self._at["backfill"] = now + AFTER_AN_OUTAGE * self._chance.random()
        self._last, self._failures = None, 0

    def failed(self, error: CentreAway, now: datetime) -> datetime:
        """When to try again: soon, then later and later, with chance in it; as the server said.

        The same error told twice counts once.
        """
        self._see(now)
        if error.kind == "paced":
            return now + (error.retry_after or _SECOND)
        if error is not self._last:
            self._last, self._at["next"] = error, now + self._wait(error, now)
        return self._at["next"]

    def first(self, now: datetime) -> datetime:
        """When to come for the first time after a start."""
        return now + FIRST * self._chance.random()

    def hurry(self) -> None:
        """Somebody waits for it: forget about waits that only chance put in."""
        self._failures = 0
        for what in ("backfill", "down"):
            self._at.pop(what, None)

    def _wait(self, error: CentreAway, now: datetime) -> timedelta:
        self._at.setdefault("down", now)
        wait = min(LONGEST_WAIT, _SECOND * (1 << min(self._failures, _MOST_DOUBLED)))
        wait *= self._chance.random()
        self._failures += 1
        if error.retry_after is not None:
            said = max(timedelta(0), min(error.retry_after, MOST_SAID))
            self._at["rest"] = now + said
            wait = max(wait, said + min(said, _MINUTE) * self._chance.random())
        return wait

    def _see(self, now: datetime) -> None:
        """Take all moments along when the clock is set back."""
        back = now - (self._seen or now)
        self._seen = now
        if back < timedelta(0):
            self._at = {what: moment + back for what, moment in self._at.items()}
            self._triggers = deque((moment + back for moment in self._triggers), TRIGGERS)

    def _demand(self, moment: datetime | None, now: datetime, words: str) -> None:
        if moment is not None and moment > now:
            raise CentreAway("pace", "paced", words, moment - now)
