"""The duty that brings values of the centre's sensors here: prices, weather, limits, forecasts.

What is asked for is always the same span around now, so a step that was cut off is made good by the
next one, and what the centre changed later arrives. Nothing is believed that cannot be.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from flexedge.config.coming import Coming
from flexedge.domain.runs import Run
from flexedge.domain.series import FloatArray, Series, TimeGrid, floor
from flexedge.errors import CentreRefused
from flexedge.gateway.health import Health
from flexedge.gateway.received import Received
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.naming import unit_name
from flexedge.gateway.sync.ours import RECEIVED
from flexedge.store.state import State
from flexedge.store.tables.centres import Link

_AT_ONCE: Final = 4
"""So many sensors are asked for in one step."""
_HOUR: Final = timedelta(hours=1)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER_REFUSAL: Final = timedelta(minutes=5)
"""A sensor that the centre refuses is not asked for more often."""


class Receive:
    """Asks for each sensor that is to be received, as often as the site file says."""

    name = "receive"

    def __init__(self, received: Received, state: State, health: Health) -> None:
        self._received = received
        self._state = state
        self._health = health
        self._noted = False
        self._due: dict[str, datetime] = {}
        self._kept = self._not_believed = 0

    def counts(self) -> Mapping[str, int]:
        """What came that was new, and what was not believed."""
        return {"values received": self._kept, "values not believed": self._not_believed}

    def hurry(self) -> None:
        """Somebody wants all of it now."""
        self._due.clear()

    def step(self, linked: Linked, now: datetime) -> datetime:
        """Ask for what is due. Raises ``CentreAway``, ``CentreLocked``, ``StoreError``."""
        name, allowed = linked.centre.name, linked.may("data")
        mine = {key: one for key, one in self._received.coming.items() if one.centre == name}
        if not self._noted:
            self._note(linked.number, mine if allowed else {})
        if not mine or not allowed:
            return now + _HOUR
        waiting = sorted(mine, key=lambda key: self._due.get(key, _LONG_AGO))
        for key in waiting[:_AT_ONCE]:
            if self._due.get(key, now) <= now:
                self._due[key] = now  # the last one in the row, if no answer to it is any good
                self._due[key] = self._ask(linked, key, mine[key], now)
        return min(self._due.get(key, now) for key in mine)

    def _note(self, centre: int, mine: Mapping[str, Coming]) -> None:
        """Keep as links which sensor here is which there: flex-models refer to them, too."""
        numbers = {sensor.name: number for number, sensor in self._state.sensors().items()}
        wanted = {numbers[key]: one.number for key, one in mine.items() if key in numbers}
        for number, link in self._state.links.find(centre_id=centre, role=RECEIVED).items():
            there = wanted.pop(link.local_id, None)
            if there is None:
                self._state.links.remove(number)
            elif there != link.central_id:
                self._state.links.change(number, replace(link, central_id=there))
        for local, there in wanted.items():
            self._state.links.add(Link(centre, "sensor", local, there, RECEIVED))
        self._noted = True

    def _ask(self, linked: Linked, key: str, one: Coming, now: datetime) -> datetime:
        """Receive one sensor; returns when it is due again."""
        grid = asked(one, now)
        about, again = f"centre {linked.centre.name}: {key}", now + one.every
        try:
            run = linked.central.values(
                one.number, grid.start, grid.end - grid.start, unit_name(one.unit), grid.resolution
            )
        except CentreRefused as error:
            self._health.alarm(about, f"{key} is not received: {error}; what came before counts")
            return max(again, now + _AFTER_REFUSAL)
        values, n, trouble = believable(run, one, grid)
        self._not_believed += n
        self._kept += self._received.keep(key, Series(grid, values), now)
        self._health.alarm(about, f"{key}: {trouble}" if trouble else "")
        return again


def asked(one: Coming, now: datetime) -> TimeGrid:
    """The steps that are asked for.

    From one full hour to another: FlexMeasures leaves out events that do not lie within what is
    asked for as a whole, so an hourly price would be missing for the rest of the present hour.
    """
    start, end = floor(now - one.back, _HOUR), floor(now + one.ahead, _HOUR) + _HOUR
    return TimeGrid.covering(start, end, one.resolution)


def believable(run: Run, one: Coming, grid: TimeGrid) -> tuple[FloatArray, int, str]:
    """What of an answer can be believed, on the steps that were asked for.

    Also of how many values that is not so, and in a sentence why ("": all is well).
    """
    values = np.full(grid.n, np.nan)
    misfit = _misfit(run, one, grid)
    if misfit:
        return values, len(run.values), f"the answer is not believed: {misfit}"
    first = (run.start - grid.start) // grid.resolution
    mine = run.values[max(-first, 0) : max(grid.n - first, 0)]
    told = np.array([np.nan if value is None else value for value in mine], np.float64)
    low, high = one.valid
    wrong = ~np.isnan(told) & ~((told >= low) & (told <= high))
    begin, n = max(first, 0), int(wrong.sum())
    values[begin : begin + len(told)] = np.where(wrong, np.nan, told)
    if not n:
        return values, 0, ""
    example = f"{told[wrong][0]:g} {one.unit}: it should be from {low:g} to {high:g}"
    return values, n, f"{n} of {len(told)} values are not believed, as {example}"


def _misfit(run: Run, one: Coming, grid: TimeGrid) -> str:
    if not run.values:
        return ""
    if run.unit not in (one.unit, unit_name(one.unit)):
        return f"it is in {run.unit!r}, not in {one.unit!r}"
    if run.step != grid.resolution:
        return f"its values are {run.step} apart, not {grid.resolution}"
    if (run.start - grid.start) % grid.resolution:
        return f"it begins at {run.start.isoformat()}, between two steps"
    return ""
