"""Schedules that are made at the centre: asked for, waited for, fetched, checked, then in force.

Everything here is in memory alone. What is lost with it is asked for anew, and the gateway falls to
its own plan meanwhile, or leaves the asset to itself.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import structlog

from flexedge.config.centre import CentreRules
from flexedge.config.settings import Plan
from flexedge.domain.series import Series, TimeGrid, floor
from flexedge.errors import CentreAway, CentreRefused
from flexedge.gateway.elsewhere import Given
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.plan import FRESH_FOR, VALID_FOR
from flexedge.gateway.sync.asking import Question, Wanted, question, there
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.verified import UNIT, Unfit, verified
from flexedge.gateway.sync.veto import vetoed

LEAST: Final = timedelta(minutes=1)
"""Between two questions that nothing calls for but the time."""
SOON: Final = timedelta(seconds=30)
"""Between two questions at least, whatever changes."""
SLOWEST: Final = timedelta(hours=1)
WATCH: Final = timedelta(seconds=15)
"""How often is looked whether something changed."""
POLL: Final = timedelta(seconds=2)
MOST: Final = 5
SPAN: Final = timedelta(minutes=5)
"""So many questions in so much time at most: FlexMeasures takes 10 from an account, which may have
more gateways than this one."""
AT_ONCE: Final = 4
"""How many schedules are fetched in one step."""
_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)
_RULES = CentreRules()
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A question that was asked and is not answered in full."""

    job: str
    at: datetime
    wanted: tuple[Wanted, ...]
    """Whose schedules are still to be fetched."""
    step: timedelta


@dataclass(slots=True)
class _Course:
    """How it goes with one centre."""

    waiting: _Waiting | None = None
    asked: deque[datetime] = field(default_factory=lambda: deque(maxlen=MOST))
    due: datetime | None = None
    slow: int = 1
    """By how much less often than usual is asked."""
    seen: tuple[object, ...] = ()
    prices: Mapping[str, Series] = field(default_factory=dict)


class Plans:
    """The duty for one gateway and all its centres; ``step`` is for one thread per centre."""

    name = "plans"

    def __init__(self, gateway: Gateway, settings: Plan) -> None:
        self._gateway = gateway
        self._horizon = settings.horizon
        self._finest = settings.resolution
        self._every = max(settings.every, LEAST)
        self._courses: dict[int, _Course] = {}

    def step(self, linked: Linked, now: datetime) -> datetime:
        """Ask, or look whether what was asked for is there. Raises ``CentreAway``."""
        if not self._planned_at(linked):
            self.end(linked)
            return now + SPAN
        course = self._courses.setdefault(linked.number, _Course())
        if course.waiting is not None:
            return self._collect(linked, course, course.waiting, now)
        due = self._due(course, now)
        if now < due:
            return min(due, now + WATCH)
        return self._ask(linked, course, now)

    def end(self, linked: Linked) -> None:
        """The centre is not to plan any more: nothing of it is in force."""
        self._courses.pop(linked.number, None)
        self._gateway.elsewhere.drop(linked.centre.name)

    def _planned_at(self, linked: Linked) -> bool:
        """Whether this centre plans anything here: of several the first that may.

        None does while somebody on site vetoes what centres ask for.
        """
        if vetoed(self._gateway.state) is not None:
            return False
        centres, rules = self._gateway.state.centres.all(), self._gateway.plant.site.centres
        may = (
            number
            for number, one in sorted(centres.items())
            if "plans" in one.scopes
            and (one.name not in rules or "plans" in rules[one.name].scopes)
        )
        theirs = any(unit.asset.planner != "local" for unit in self._gateway.plant.controlled)
        return theirs and linked.may("plans") and next(may, linked.number) == linked.number

    def _due(self, course: _Course, now: datetime) -> datetime:
        """When to ask next: at the usual time, or soon where something changed; never too often."""
        due = now if course.due is None else course.due
        if course.asked and course.slow == 1 and self._changed(course, now):
            due = min(due, course.asked[-1] + SOON)
        if len(course.asked) == MOST:
            due = max(due, course.asked[0] + SPAN)
        return due

    def _changed(self, course: _Course, now: datetime) -> bool:
        """Whether a plug, a limit, what is known of a storage or a price is not as it was asked."""
        prices = self._gateway.prices
        return course.seen != self._signature(now) or any(
            not np.array_equal(prices.series(name, old.grid).values, old.values, equal_nan=True)
            for name, old in course.prices.items()
        )

    def _signature(self, now: datetime) -> tuple[object, ...]:
        gateway = self._gateway
        ranges = (gateway.overrides.range_kw(unit, now) for unit in gateway.plant.controlled)
        return (gateway.storages.signature(now), *ranges)

    def _ask(self, linked: Linked, course: _Course, now: datetime) -> datetime:
        at = there(self._gateway, linked.number, self._finest)
        if at is None:
            self._tell(linked, "the site is not linked yet: nothing is planned there")
            return now + LEAST
        asked = question(self._gateway, at, now, self._horizon)
        for asset, why in asked.lacking.items():
            self._gateway.elsewhere.trouble(asset, why)
        self._noted(course, now)
        self._tell(linked, self._said(linked))
        if not asked.wanted:
            return min(course.due or now, now + WATCH)
        try:
            job = linked.central.trigger(asked.site, asked.body)
        except CentreRefused as error:
            self._slow_down(course, now, timedelta(0))
            self._failed(linked, asked.wanted, f"it does not plan: {error.message}")
            return now + WATCH
        except CentreAway as error:
            wait = error.retry_after or timedelta(0)
            if error.kind not in ("busy", "paced") or wait < SOON:
                course.due = now  # as soon as may be
                raise
            self._slow_down(course, now, wait)
            return now + WATCH
        course.asked.append(now)
        course.slow = max(course.slow - 1, 1)
        course.waiting = _waiting(asked, job, now)
        return now + POLL

    def _noted(self, course: _Course, now: datetime) -> None:
        """What the question is asked with, and when the next one is due."""
        prices, grid = self._gateway.prices, TimeGrid.covering(now, now + _DAY, _QUARTER)
        course.prices = {name: prices.series(name, grid) for name in prices.names()}
        course.seen = self._signature(now)
        course.due = floor(now, timedelta(minutes=1)) + self._every * course.slow

    def _slow_down(self, course: _Course, now: datetime, at_least: timedelta) -> None:
        """Ask less often: others of the account do too, or something is wrong with the question."""
        course.slow = min(course.slow * 2, max(int(SLOWEST / self._every), 1))
        course.due = now + max(self._every * course.slow, at_least)

    def _collect(
        self, linked: Linked, course: _Course, waiting: _Waiting, now: datetime
    ) -> datetime:
        """Fetch what is there; a refusal is of the whole question, a late answer is given up."""
        for one in waiting.wanted[:AT_ONCE]:
            try:
                run = linked.central.schedule(
                    one.sensor, waiting.job, VALID_FOR + waiting.step, UNIT
                )
            except CentreRefused as error:
                course.waiting = None
                self._failed(linked, waiting.wanted, self._reason(linked, waiting.job, error))
                return now + WATCH
            except CentreAway:  # also where its answer to this one question is no answer
                self._wait(linked, course, waiting, now)
                raise
            if run is None:
                return self._wait(linked, course, waiting, now)
            until = min(waiting.at + VALID_FOR, run.end)
            fit = verified(run, one.body, until, now)
            if isinstance(fit, Unfit):
                self._failed(linked, (one,), f"it is not carried out: {fit.why}")
            else:
                given = Given(linked.centre.name, waiting.at, until, fit)
                self._gateway.elsewhere.put(given)
            waiting = replace(waiting, wanted=waiting.wanted[1:])
            course.waiting = waiting
        if waiting.wanted:
            return now
        course.waiting = None
        self._tell(linked, self._said(linked))
        return min(self._due(course, now), now + WATCH)

    def _wait(self, linked: Linked, course: _Course, waiting: _Waiting, now: datetime) -> datetime:
        if now - waiting.at < FRESH_FOR:
            return now + POLL
        course.waiting = None
        minutes = FRESH_FOR / timedelta(minutes=1)
        self._failed(linked, waiting.wanted, f"it is not planned within {minutes:g} minutes")
        return now + WATCH

    def _reason(self, linked: Linked, job: str, error: CentreRefused) -> str:
        """Why a job did not come to a schedule, in the server's words."""
        try:
            told = linked.central.job(job).message
        except CentreRefused:
            told = ""
        return f"it is not planned: {told or error.message}"

    def _failed(self, linked: Linked, wanted: tuple[Wanted, ...], why: str) -> None:
        known = self._gateway.elsewhere.troubles
        assets = [one.body.asset for one in wanted]
        for asset in assets:
            self._gateway.elsewhere.trouble(asset, why)
        if not known.keys() >= set(assets):
            name = linked.centre.name
            _log.warning("no schedule of a centre", centre=name, assets=assets, why=why)
        self._tell(linked, self._said(linked))

    def _said(self, linked: Linked) -> str:
        """All that is wrong with what the centre plans, in words."""
        by_why: dict[str, list[str]] = {}
        units = (one for one in self._gateway.plant.controlled if one.asset.planner != "local")
        troubles = self._gateway.elsewhere.troubles
        for unit in units:
            if unit.name in troubles:
                by_why.setdefault(troubles[unit.name], []).append(unit.name)
        return "; ".join(
            f"no schedule of {linked.centre.name} for {', '.join(assets)}: {why}"
            for why, assets in by_why.items()
        )

    def _tell(self, linked: Linked, message: str) -> None:
        self._gateway.health.alarm(f"centre {linked.centre.name}: schedules", message)


def _waiting(asked: Question, job: str, now: datetime) -> _Waiting:
    return _Waiting(job, now, asked.wanted, asked.step)
