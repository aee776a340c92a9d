"""One centre: its duties as they come due, one after the other, and what is to be said of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

import structlog

from flexedge.cloud.pace import Pace
from flexedge.errors import CentreAway, CentreLocked
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Duty, Heard, Linked
from flexedge.gateway.sync.turn import Turn

Contact = Literal["starting", "clock", "in-touch", "away", "locked"]
"""starting: not asked yet; clock: nothing is sent before the gateway's own clock is right;
away: no answer that counts; locked: it does not know us any more."""
LOG_IN_AGAIN: Final = timedelta(minutes=15)
AWAY_FOR_LONG: Final = timedelta(hours=1)
"""After so long it is an alarm that a centre is away: until then it is what networks are like."""
PACED: Final = timedelta(seconds=1)
_CLOCK: Final = timedelta(seconds=5)
_IDLE: Final = timedelta(minutes=5)  # a centre without duties
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with a centre."""

    contact: Contact
    since: datetime | None = None
    """Since when; None before the first step."""
    why: str = ""
    last_contact: datetime | None = None
    """When a duty was last done with it."""
    next_try: datetime | None = None
    duties: tuple[Heard, ...] = ()


class Sync:
    """Keeps in step with one centre. ``step`` is for one thread; all else for any.

    A centre that is away stops all duties until ``Pace`` says to try again, then the one that
    waits longest is tried. A duty that fails for a reason of its own stops nobody else.
    """

    def __init__(self, linked: Linked, duties: Sequence[Duty], pace: Pace, health: Health) -> None:
        self.linked = linked
        self._turns = tuple(Turn(duty) for duty in duties)
        self._pace = pace
        self._health = health
        self._asked = False
        self._begun = False
        self._not_before: datetime | None = None
        self.standing = Standing("starting")
        """Replaced as a whole by each step."""

    def ask(self) -> None:
        """Have everything done at the next step, whatever was waited for."""
        self._asked = True

    def step(self, now: datetime) -> datetime:
        """Do the one thing that is due most; returns when to be called again.

        Raises ``StoreClosed`` when the program ends.
        """
        due = self._step(now)
        heard = tuple(turn.heard() for turn in self._turns)
        self.standing = replace(self.standing, next_try=due, duties=heard)
        self._tell(now)
        return due

    def _step(self, now: datetime) -> datetime:
        if not self._health.time_known:
            self._stand("clock", now, "the clock of this gateway is not known to be right")
            return now + _CLOCK
        self._begin(now)
        if self._not_before is not None and now < self._not_before:
            return self._not_before
        due = min((one.due or now for one in self._turns), default=now + _IDLE)
        if due <= now:
            due = self._take(now)
        return due

    def _take(self, now: datetime) -> datetime:
        """Do what waits longest. Returns when there is something to do again."""
        turn = min(self._turns, key=lambda one: one.due or now)
        try:
            self._admitted()
            turn.take(self.linked, self._health, now)
        except CentreAway as error:
            self._not_before = self._lost(error, now)
            return self._not_before
        except CentreLocked as error:
            self._stand("locked", now, error.message)
            self._not_before = now + LOG_IN_AGAIN
            return self._not_before
        if not turn.failed:
            self._in_touch(now)
        return max(now, min(one.due or now for one in self._turns))

    def _begin(self, now: datetime) -> None:
        """Come the first time when chance says, so that a fleet does not come all at once."""
        if self._asked:
            self._asked, self._begun, self._not_before = False, True, None
            for turn in self._turns:
                turn.again()
        if not self._begun:
            self._begun = True
            self._not_before = self._pace.first(now)
        if self.standing.contact == "clock":
            self._stand("starting", now)

    def _admitted(self) -> None:
        """After it did not know us: nothing is done before it does again."""
        if self.standing.contact == "locked":
            self.linked.central.log_in()
            self.linked.central.whoami()

    def _lost(self, error: CentreAway, now: datetime) -> datetime:
        """Until when all wait."""
        if error.kind == "paced":  # our own doing
            return now + (error.retry_after or PACED)
        if self.standing.contact != "locked":  # of which we know nothing new then
            self._stand("away", now, error.message)
        return self._pace.failed(error, now)

    def _in_touch(self, now: datetime) -> None:
        self._not_before = None
        if self.standing.contact != "in-touch":
            self._stand("in-touch", now)
            for turn in self._turns:
                if turn.unanswered:
                    turn.again()
        self.standing = replace(self.standing, last_contact=now)

    def _stand(self, contact: Contact, now: datetime, why: str = "") -> None:
        """Note how things stand; since when stays while only the reason changes."""
        before = self.standing
        since = before.since if before.contact == contact else now
        if before.contact != contact:
            name = self.linked.centre.name
            _log.info("centre", name=name, contact=contact, why=why)
        self.standing = replace(before, contact=contact, since=since, why=why)

    def _tell(self, now: datetime) -> None:
        """Raise or clear the alarm about the centre as a whole."""
        standing, name = self.standing, self.linked.centre.name
        message = ""
        if standing.contact == "locked":
            message = (
                f"{name} does not accept this gateway any more: {standing.why}; link it again"
                " (flexedge link) or mend its credential; all is kept here until then"
            )
        elif standing.contact == "away" and now - (standing.since or now) >= AWAY_FOR_LONG:
            message = f"{name} is away: {standing.why}; all is kept here until it is back"
        self._health.alarm(f"centre {name}", message)

    def end(self) -> None:
        """Let go of the centre: nobody is to hear of it any more. When no step is under way."""
        about = f"centre {self.linked.centre.name}"
        for name in self._health.alarms:
            if name.removeprefix("loop ").partition(": ")[0] == about:
                self._health.alarm(name, "")
        self.linked.central.close()
