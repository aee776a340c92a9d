"""Overrides and temporary limits: kept on disk, each with an end, never around the clamp chain.

When in doubt (the clock is not trusted, or was set back) no override is in force, and every limit
is.
"""

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from flexedge.domain.limits import Bound
from flexedge.errors import RequestError, StoreError
from flexedge.gateway.asked import (
    SLACK,
    Action,
    Override,
    Tightening,
    controlled,
    demand_time,
    power_of,
)
from flexedge.gateway.health import Health
from flexedge.gateway.plant import Plant, Unit
from flexedge.store.state import State

LIMIT: Final = "temporary limit"
"""What people read where a setpoint was cut by one."""
MOST_LIMITS: Final = 32
_FACT = "gateway.overrides"
_ALARM = "overrides"
_AGAIN = timedelta(minutes=1)  # when a note that the disk did not take is tried again
_T = TypeVar("_T", Override, Tightening)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Kept:
    """All there is, as one value: on disk whole or not at all."""

    newest: int = 0
    overrides: tuple[Override, ...] = ()
    limits: tuple[Tightening, ...] = ()


_KEPT = TypeAdapter(_Kept)


class Overrides:
    """What was asked and has not ended. Safe to use from any thread; reading never waits.

    What is asked is on disk before it is in force; what is taken back is out of force at once.
    """

    def __init__(self, plant: Plant, state: State, health: Health, longest: timedelta) -> None:
        self._plant = plant
        self._state = state
        self._health = health
        self.longest = longest
        """How far ahead an end may lie."""
        self._lock = threading.Lock()
        self._again: datetime | None = None
        self._kept = self._read()

    def _read(self) -> _Kept:
        text = self._state.fact(_FACT)
        if text is None:
            return _Kept()
        try:
            return _KEPT.validate_json(text)
        except ValidationError:
            self._health.alarm(_ALARM, "overrides and limits of the last run cannot be read: none is in force")  # fmt: skip  # noqa: E501
            return _Kept()

    def of(self, asset: str, now: datetime) -> Override | None:
        """What an asset shall do instead of what is planned, if it shall."""
        if not self._health.time_known:
            return None
        mine = (one for one in self._kept.overrides if one.asset == asset)
        return next((one for one in mine if one.since - SLACK <= now < one.until), None)

    def limits_of(self, asset: str | None, now: datetime) -> tuple[Tightening, ...]:
        """The limits in force on an asset, or on the grid connection (None)."""
        return tuple(one for one in self.limits(now) if one.asset == asset)

    def overrides(self, now: datetime) -> tuple[Override, ...]:
        """Every override that has not ended, in force or waiting for a trusted clock."""
        known = self._health.time_known
        return tuple(one for one in self._kept.overrides if not known or now < one.until)

    def limits(self, now: datetime) -> tuple[Tightening, ...]:
        """Every limit that has not ended, as far as one can tell."""
        known = self._health.time_known
        return tuple(one for one in self._kept.limits if not known or now < one.until)

    def all(self, now: datetime) -> tuple[Override | Tightening, ...]:
        """Both, whoever asked."""
        return (*self.overrides(now), *self.limits(now))

    def range_kw(self, unit: Unit, now: datetime) -> tuple[float, float]:
        """The range of an asset within all limits in force."""
        low, high = unit.range_kw
        bound = self.bound(unit, now)
        return (low, high) if bound is None else (max(low, bound.low_kw), min(high, bound.high_kw))

    def bound(self, unit: Unit, now: datetime) -> Bound | None:
        """The limits in force on an asset as a link of the clamp chain."""
        mine = self.limits_of(unit.name, now)
        low, high = _tightest(mine)
        return Bound(LIMIT, low, high) if mine else None

    def site(self, now: datetime) -> tuple[float, float]:
        """Most import and most export that limits allow; infinite without one."""
        low, high = _tightest(self.limits_of(None, now))
        return high, -low

    def ask(
        self, asked: tuple[str, Action, float | None], until: datetime, who: str, why: str,
        now: datetime,
    ) -> tuple[Override, Override | None]:  # fmt: skip
        """Override an asset; also gives the override it takes the place of.

        ``asked``: the asset, the action and its power (above zero). Raises ``RequestError`` (409
        where nothing can be asked now, 422 where this cannot) and ``StoreError``; nothing is in
        force then.
        """
        asset, action, power = asked
        unit = controlled(self._plant, asset)
        demand_time(self._health, until, now, self.longest)
        power_kw = power_of(unit, action, power)
        with self._lock:
            before = self.of(asset, now)
            override = Override(
                number=self._kept.newest + 1, asset=asset, action=action, power_kw=power_kw,
                since=now, until=until, who=who, why=why,
            )  # fmt: skip
            others = (one for one in self.overrides(now) if one.asset != asset)
            self._put(replace(self._kept, newest=override.number, overrides=(*others, override)))
        _log.info("override", asset=asset, action=action, power_kw=power_kw, until=until, who=who)
        return override, before

    def tighten(
        self, asset: str | None, range_kw: tuple[float | None, float | None], until: datetime,
        who: str, why: str, now: datetime,
    ) -> Tightening:  # fmt: skip
        """Limit an asset, or the grid connection (None), beside what the installer says.

        ``range_kw`` is most production (zero or negative) and most consumption. Raises as ``ask``.
        """
        unit = None if asset is None else controlled(self._plant, asset)
        demand_time(self._health, until, now, self.longest)
        low, high = range_kw
        if low is None and high is None:
            raise RequestError(422, "Say what is to be limited.")
        if unit is not None:
            _demand_tighter(unit, range_kw)
        if len(self.limits(now)) >= MOST_LIMITS:
            raise RequestError(409, f"There are {MOST_LIMITS} limits already; take one back.")
        with self._lock:
            limit = Tightening(
                number=self._kept.newest + 1, asset=asset, low_kw=low, high_kw=high, since=now,
                until=until, who=who, why=why,
            )  # fmt: skip
            limits = (*self.limits(now), limit)
            self._put(replace(self._kept, newest=limit.number, limits=limits))
        _log.info("limit", asset=asset, low_kw=low, high_kw=high, until=until, who=who)
        return limit

    def _put(self, kept: _Kept) -> None:
        """Keep on disk, then hold; raises ``StoreError`` and holds what was."""
        self._state.remember(_FACT, _KEPT.dump_json(kept).decode())
        self._kept = kept
        self._again = None
        self._health.alarm(_ALARM, "")

    def end(self, number: int, now: datetime) -> Override | Tightening | None:
        """Take an override or a limit back; gives it, None where there is none of that number.

        An override is out of force at once, whatever the disk says; a limit is loosened only when
        that is on disk, or raises ``StoreError``.
        """
        with self._lock:
            kept = self._kept
            limit = next((one for one in kept.limits if one.number == number), None)
            if limit is not None:
                self._put(replace(kept, limits=_without(kept.limits, number)))
                return limit
            override = next((one for one in self.overrides(now) if one.number == number), None)
            if override is not None:
                self._kept = replace(kept, overrides=_without(kept.overrides, number))
                self._note(now)
        if override is not None:
            _log.info("override ended", asset=override.asset, number=number)
        return override

    def _note(self, now: datetime) -> None:
        """Keep on disk what is out of force already; tried again while the disk fails."""
        try:
            self._put(self._kept)
        except StoreError as error:
            self._again = now + _AGAIN
            self._health.alarm(_ALARM, f"what has ended of overrides and limits is still noted: {error}")  # fmt: skip  # noqa: E501

    def step(self, now: datetime) -> None:
        """Forget what has ended; for the dispatcher, who must not wait for a disk in use."""
        kept = self._still(now)
        if kept == self._kept and (self._again is None or now < self._again):
            return
        if not self._lock.acquire(blocking=False):
            return  # somebody asks for something; this can wait for a tick
        try:
            gone = set(self._kept.overrides) | set(self._kept.limits)
            self._kept = kept = self._still(now)
            for one in gone.difference(kept.overrides, kept.limits):
                _log.info("ended", what=type(one).__name__, asset=one.asset, number=one.number)
            self._note(now)
        finally:
            self._lock.release()

    def _still(self, now: datetime) -> _Kept:
        """What has not ended. Nothing is forgotten while nobody knows what time it is."""
        if not self._health.time_known:
            return self._kept
        kept = self._kept
        return replace(
            kept,
            overrides=tuple(o for o in kept.overrides if o.since - SLACK <= now < o.until),
            limits=tuple(one for one in kept.limits if now < one.until),
        )


def _without(some: tuple[_T, ...], number: int) -> tuple[_T, ...]:
    return tuple(one for one in some if one.number != number)


def _tightest(limits: Iterable[Tightening]) -> tuple[float, float]:
    low, high = -math.inf, math.inf
    for one in limits:
        low = low if one.low_kw is None else max(low, one.low_kw)
        high = high if one.high_kw is None else min(high, one.high_kw)
    return low, high


def _demand_tighter(unit: Unit, range_kw: tuple[float | None, float | None]) -> None:
    low, high = range_kw
    least, most = unit.range_kw
    if (low is not None and low < least) or (high is not None and high > most):
        raise RequestError(
            422, f"{unit.name} is limited to {least:g} to {most:g} kW already: "
            "a temporary limit can only be tighter.",
        )  # fmt: skip
