"""One duty of a centre as its turn comes: when it is due, how often it failed, how it fares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from flexedge.errors import CentreAway, CentreLocked, CentreRefused, StoreClosed, StoreError
from flexedge.gateway.guard import guarded
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Duty, Heard, Linked

LATER: Final = timedelta(seconds=2), timedelta(minutes=30)
"""After how long a duty is tried again that failed for a reason of its own: at first, at most."""
LATER_AWAY: Final = timedelta(seconds=1), timedelta(minutes=5)
"""The same where the centre did not answer it: others are tried before it comes again."""
PACED: Final = timedelta(seconds=1)
_DOUBLINGS: Final = 16  # no more than that: numbers stay small


@runtime_checkable
class Counting(Protocol):
    """A duty that has something to count, as what it sent."""

    def counts(self) -> Mapping[str, int]:
        """Numbers by what they count, since the start. From any thread."""


@runtime_checkable
class Pausing(Protocol):
    """A duty that leaves single sensors alone for a while."""

    @property
    def troubles(self) -> Mapping[int, str]:
        """Why, by the numbers of links. From any thread."""


@runtime_checkable
class Hurrying(Protocol):
    """A duty with several things to do, each at its own time."""

    def hurry(self) -> None:
        """All of them are due now."""


@runtime_checkable
class Ending(Protocol):
    """A duty that has something to take back when the centre is unlinked."""

    def end(self, linked: Linked) -> None:
        """Nothing of this centre is in force any more."""


@dataclass(slots=True)
class Turn:
    """A duty and its times. For one thread."""

    duty: Duty
    due: datetime
    before: int = 0
    """How many turns had been taken when it had its last one: of two that are due, the other."""
    last_good: datetime | None = None
    """When a step ended well, or as far as our own pace allowed."""
    trouble: str = ""
    failed: int = 0
    """So often in a row."""
    unanswered: bool = False
    """Whether the last failure was the centre's not answering."""
    _error: CentreAway | CentreLocked | None = field(default=None, repr=False)
    _paced: bool = False

    def take(self, linked: Linked, health: Health, now: datetime) -> None:
        """Let the duty do what is due, and decide when its turn comes again.

        That our own pace allows no more now is no failure. Raises ``CentreAway``, ``CentreLocked``
        (both are about all duties) and ``StoreClosed``.
        Whatever else goes wrong is this duty's own: it is told as an alarm, and tried again later
        and later.
        """
        self.failed += 1
        self._error, self._paced = None, False
        about = f"centre {linked.centre.name}: {self.duty.name}"
        due = guarded(about, health, self._step(linked, health, about))(now)
        if self._error is not None:
            raise self._error
        if due is None:
            raise StoreClosed("the program ends")
        if self._paced:
            self.failed -= 1
        elif self.failed:
            self.unanswered = False
            self.trouble = self.trouble or health.alarms.get(f"loop {about}", "")
            due = max(due, now + _later(self.failed, LATER))
        self.due = max(due, now)

    def _step(self, linked: Linked, health: Health, about: str) -> Callable[[datetime], datetime]:
        """The step with all that is to be expected of it caught."""

        def step(now: datetime) -> datetime:
            before, self.trouble = self.trouble, ""
            try:
                due = self.duty.step(linked, now)
            except (CentreAway, CentreLocked) as error:
                self.trouble = before
                return self._put_off(error, now)
            except StoreClosed:
                raise
            except (CentreRefused, StoreError) as error:
                self.trouble = str(error)
                health.alarm(about, f"{self.trouble}; tried again later")
                return now
            self.failed, self.unanswered, self.last_good = 0, False, now
            health.alarm(about, "")
            return due

        return step

    def _put_off(self, error: CentreAway | CentreLocked, now: datetime) -> datetime:
        """Nobody answered: not the duty's fault, but others come first."""
        if isinstance(error, CentreAway) and error.kind == "paced":
            self._paced = True
            return now + (error.retry_after or PACED)
        self._error = error
        self.unanswered = True
        self.due = now + _later(self.failed, LATER_AWAY)
        return self.due

    def answered(self, now: datetime) -> None:
        """All it asked was answered, though our own pace may have ended the step: that is good."""
        if self._paced:
            self.last_good, self.unanswered = now, False

    def again(self, now: datetime) -> None:
        """Let its turn come now, as if it had never failed."""
        self.due, self.failed, self.unanswered = min(self.due, now), 0, False
        if isinstance(self.duty, Hurrying):
            self.duty.hurry()

    def end(self, linked: Linked) -> None:
        """The centre is let go of."""
        if isinstance(self.duty, Ending):
            self.duty.end(linked)

    def heard(self) -> Heard:
        """How it fares, for people."""
        counts = dict(self.duty.counts()) if isinstance(self.duty, Counting) else {}
        return Heard(self.duty.name, self.last_good, self.trouble, counts)


def _later(failed: int, limits: tuple[timedelta, timedelta]) -> timedelta:
    first, most = limits
    doublings: int = 2 ** min(failed - 1, _DOUBLINGS)
    return min(first * doublings, most)
