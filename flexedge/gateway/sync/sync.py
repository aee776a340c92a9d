"""One centre: its duties as they come due, one after the other, and what is to be said of it."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import structlog

from flexedge.cloud.pace import Pace
from flexedge.errors import CentreAway, CentreLocked, CentreRefused, RequestError
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Duty, Heard, Linked
from flexedge.gateway.sync.lags import Lag
from flexedge.gateway.sync.turn import Pausing, Turn

Contact = Literal["starting", "clock", "in-touch", "away", "locked"]
"""starting: not asked yet; clock: nothing is sent before the gateway's own clock is right;
away: no answer that counts; locked: it does not know us any more."""
LOG_IN_AGAIN: Final = timedelta(minutes=15)
AWAY_FOR_LONG: Final = timedelta(hours=1)
"""After so long it is an alarm that a centre is away: until then it is what networks are like."""
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before all times: what is due since then comes first."""
_CLOCK: Final = timedelta(seconds=5)
_MEANWHILE: Final = timedelta(seconds=1)
"""How often it is looked whether who links or unlinks is done."""
_PATIENCE_S: Final = 60.0
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
    """When it last answered."""
    next_try: datetime | None = None
    requests: int = 0
    sent: int = 0
    """Requests and their bytes since the start."""
    duties: tuple[Heard, ...] = ()


class Sync:
    """Keeps in step with one centre. ``step`` is for one thread; all else for any.

    A centre that is away stops all duties until ``Pace`` says to try again, then the one that
    waits longest is tried. A duty that fails for a reason of its own stops nobody else.
    """

    def __init__(self, linked: Linked, duties: Sequence[Duty], pace: Pace, health: Health) -> None:
        self.linked = linked
        self._turns = tuple(Turn(duty, BEGINNING) for duty in duties)
        self._taken = 0
        self._busy = threading.Lock()
        """Held during each step, and by who links or unlinks."""
        self._pace = pace
        self._health = health
        self._asked = False
        self._begun = False
        self._not_before: datetime | None = None
        self.standing = Standing("starting")
        """Replaced as a whole by each step."""
        self.lags: Callable[[datetime], Sequence[Lag]] = lambda _now: ()
        """How far the centre knows each sensor; from any thread."""

    @property
    def paused(self) -> Mapping[int, str]:
        """Why nothing of some sensors is sent, by the numbers of their links."""
        every = (turn.duty.troubles for turn in self._turns if isinstance(turn.duty, Pausing))
        return {number: why for one in every for number, why in one.items()}

    def ask(self) -> None:
        """Have everything done at the next step, whatever was waited for."""
        self._asked = True

    def step(self, now: datetime) -> datetime:
        """Do the one thing that is due most; returns when to be called again.

        While it rests, that is soon, and nothing is done. Raises ``StoreClosed`` when the program
        ends.
        """
        if not self._busy.acquire(blocking=False):
            return now + _MEANWHILE
        try:
            return self._whole(now)
        finally:
            self._busy.release()

    @contextmanager
    def resting(self, patience_s: float = _PATIENCE_S) -> Iterator[None]:
        """Take no step meanwhile; the present one is waited for. From any thread.

        Raises ``RequestError`` 409 where that takes too long.
        """
        if not self._busy.acquire(timeout=patience_s):
            name = self.linked.centre.name
            raise RequestError(
                409, f"{name} is being asked something just now and is slow to answer; try again in"
                " a minute."
            )  # fmt: skip
        try:
            yield
        finally:
            self._busy.release()

    def _whole(self, now: datetime) -> datetime:
        due = self._step(now)
        heard = tuple(turn.heard() for turn in self._turns)
        self.standing = replace(
            self.standing, next_try=due, duties=heard, requests=self._pace.requests,
            sent=self._pace.sent,
        )  # fmt: skip
        self._tell(now)
        return due

    def _step(self, now: datetime) -> datetime:
        if not self._health.time_known:
            self._stand("clock", now, "the clock of this gateway is not known to be right")
            return now + _CLOCK
        self._begin(now)
        if self._not_before is not None and now < self._not_before:
            return self._not_before
        due = min((one.due for one in self._turns), default=now + _IDLE)
        if due <= now:
            due = self._take(now)
        return due

    def _take(self, now: datetime) -> datetime:
        """Do what waits longest. Returns when there is something to do again."""
        turn = min(self._turns, key=lambda one: (one.due, one.before))
        self._taken += 1
        turn.before = self._taken
        try:
            self._admitted(now)
            before = self._pace.requests
            turn.take(self.linked, self._health, now)
        except CentreAway as error:
            if error.kind != "paced" and self.standing.contact != "locked":
                self._stand("away", now, error.message)
            self._not_before = self._pace.failed(error, now)
            return self._not_before
        except CentreLocked as error:
            self._stand("locked", now, error.message)
            self._not_before = now + LOG_IN_AGAIN
            return self._not_before
        if self._pace.requests > before:  # and each was answered
            turn.answered(now)
            self._in_touch(now)
        return max(now, min(one.due for one in self._turns))

    def _begin(self, now: datetime) -> None:
        """Come the first time when chance says, so that a fleet does not come all at once."""
        if self._asked:
            self._asked, self._begun, self._not_before = False, True, None
            self._pace.hurry()
            for turn in self._turns:
                turn.again(now)
        elif not self._begun:
            self._begun = True
            self._not_before = self._pace.first(now)
        if self.standing.contact == "clock":
            self._stand("starting", now)

    def _admitted(self, now: datetime) -> None:
        """After it did not know us: nothing is done before it does again."""
        if self.standing.contact == "locked":
            self._not_before = now + LOG_IN_AGAIN
            self.linked.central.log_in()
            with suppress(CentreRefused):  # it knows us; what we may do there, duties find out
                self.linked.central.whoami()
            self._in_touch(now)

    def _in_touch(self, now: datetime) -> None:
        self._not_before = None
        if self.standing.contact != "in-touch":
            self._stand("in-touch", now)
            for turn in self._turns:
                if turn.unanswered:
                    turn.again(now)
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
        """Let go of the centre: nobody is to hear of it any more. While no step is under way."""
        about = f"centre {self.linked.centre.name}"
        for name in self._health.alarms:
            if name.removeprefix("loop ").partition(": ")[0] == about:
                self._health.alarm(name, "")
        for turn in self._turns:
            turn.end(self.linked)
        self.linked.central.close()
