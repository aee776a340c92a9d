"""Watches the machine's clock: when to trust it, follow it, or begin anew because it was set."""

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from flexedge.daemon.clock import WallClock
from flexedge.daemon.trust import SAME_US, Facts, Trusted, judge
from flexedge.errors import StoreError
from flexedge.gateway.health import Health
from flexedge.store.archive import Stamp
from flexedge.store.state import State

EVERY = timedelta(seconds=5)
_NOTE_US = 600_000_000  # how often the last trusted moment is written down
_STEP_US = 1_000_000
_FACT = "clock"
_REMEDY = (
    "no plans are made until it is: let the machine reach a time server (timedatectl), "
    "or set clock-trust: always if the clock is right"
)
_log = structlog.get_logger()


class Timekeeping:
    """The step of a loop. What the process lives by never jumps.

    A trusted clock that was set by up to a minute is followed at 5 %; by more, or by more than a
    second when trust comes, ``on_step`` is called: everything begins anew, on the new time.
    ``on_trust`` is called once, when the clock is right: what was read before gets its date.
    """

    def __init__(
        self,
        clock: WallClock,
        facts: Callable[[], Facts],
        state: State,
        health: Health,
        *,
        always: bool,
    ) -> None:
        self._clock = clock
        self._facts = facts
        self._state = state
        self._health = health
        self._always = always
        self._last = Trusted.of(state.fact(_FACT))
        self._noted_us: int | None = None
        self._dated = False
        self.on_trust: Callable[[Stamp], object] = lambda _stamp: None
        self.on_step: Callable[[], None] = lambda: None
        clock.trusted = False

    def step(self, now: datetime) -> datetime:
        """Look at the clock. Returns when to come again."""
        facts, (up_us, utc_us) = self._facts(), self._clock.machine()
        self._clock.boot = facts.boot
        off_us = utc_us - up_us - self._clock.stamp().offset_us
        verdict = judge(up_us, utc_us, facts, self._last, always=self._always)
        if verdict.trusted:
            self._health.alarm("clock", "")
            if abs(off_us) > (SAME_US if self._clock.trusted else _STEP_US):
                _log.warning("the clock was set", by_s=off_us / 1e6, why=verdict.why)
                self.on_step()
            else:
                self._follow(Trusted(facts.boot, utc_us - up_us, utc_us), verdict.why)
        elif self._clock.trusted:
            self._health.alarm(
                "clock",
                f"the machine's clock was set by {off_us / 1e6:.0f} s and {verdict.why}: "
                "flexedge keeps its own time until it is synchronised",
            )
        else:
            self._health.alarm("clock", f"clock is not trusted: {verdict.why}; {_REMEDY}")
        self._health.time_known = self._clock.trusted and self._dated
        return now + EVERY

    def _follow(self, seen: Trusted, why: str) -> None:
        self._clock.follow(seen.offset_us)
        if not self._clock.trusted:
            self._clock.trusted = True
            _log.info("the clock is trusted", why=why)
        self._last = seen
        with contextlib.suppress(StoreError):  # told by who flushes every 5 s; tried again
            if not self._dated:
                self.on_trust(self._clock.stamp())
                self._dated = True
            if self._noted_us is None or seen.utc_us - self._noted_us >= _NOTE_US:
                self._state.remember(_FACT, seen.text())
                self._noted_us = seen.utc_us
