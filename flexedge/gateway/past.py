"""What was measured until now, as far as a plan has to know it: peaks, starts, hours run."""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import TimeGrid, floor
from flexedge.gateway.latest import Latest
from flexedge.gateway.plant import GRID, Plant, Unit
from flexedge.store.beliefs import Beliefs

BILLED = timedelta(minutes=15)
"""Peaks are means over quarter hours."""
_MINUTE = timedelta(minutes=1)
_NOTHING_KW = 0.05  # less than this is standby


class Past:
    """Asks the store; what was seen of the month's peaks is kept. For the planner's thread."""

    def __init__(self, plant: Plant, latest: Latest, beliefs: Beliefs) -> None:
        self._plant = plant
        self._latest = latest
        self._beliefs = beliefs
        self._month = ""
        self._seen_until: datetime | None = None
        self._peaks_kw = (0.0, 0.0)

    def peaks_kw(self, now: datetime) -> tuple[float, float]:
        """The highest quarter hours of import and of export in this month, by the grid meter.

        The month is that of the calendar on site; the quarter hour that has begun is not in it.
        """
        local = now.astimezone(self._plant.zone)
        first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        until = floor(now, BILLED)
        month = f"{local:%Y-%m}"
        if month != self._month or self._seen_until is None:
            self._month, self._seen_until, self._peaks_kw = month, first, (0.0, 0.0)
        if until > self._seen_until:
            grid = TimeGrid.covering(self._seen_until, until, BILLED)
            means = self._beliefs.mean(f"{GRID}.power", grid).filled(0.0).values
            most, least = float(means.max()), float(means.min())
            self._peaks_kw = max(self._peaks_kw[0], most), max(self._peaks_kw[1], -least)
            self._seen_until = until
        return self._peaks_kw

    def used_kw(self, start: datetime, now: datetime) -> float:
        """What flowed in since ``start`` at the grid connection, as a mean from then to now."""
        if now <= start:
            return 0.0
        grid = TimeGrid(start, now - start, 1)
        return float(self._beliefs.mean(f"{GRID}.power", grid).filled(0.0).values[0])

    def power_kw(self, unit: Unit, now: datetime) -> float | None:
        """The power of an asset now; None where nobody knows."""
        return self._latest.value(unit.power, now, self._plant.max_age(unit.power))

    def ran(self, unit: Unit, since: datetime, now: datetime) -> timedelta:
        """How long an asset ran since a moment, by its power meter, to the minute."""
        return int(self._on(unit, since, now).sum()) * _MINUTE

    def starts(self, unit: Unit, now: datetime) -> int:
        """How often it started since midnight on site."""
        local = now.astimezone(self._plant.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return int((np.diff(self._on(unit, midnight, now).astype(np.int8)) > 0).sum())

    def unchanged(self, unit: Unit, now: datetime, most: timedelta) -> timedelta:
        """How long it has been on, or off, without a change; at most ``most``."""
        on = self._on(unit, now - most, now)
        if not len(on):
            return most
        changes = np.flatnonzero(np.diff(on.astype(np.int8)))
        if not changes.size:
            return most
        return (len(on) - 1 - int(changes[-1])) * _MINUTE

    def _on(self, unit: Unit, since: datetime, now: datetime) -> NDArray[np.bool_]:
        """In which minutes it drew or gave more than half of the least it can do."""
        if now - since < _MINUTE:
            return np.zeros(0, dtype=np.bool_)
        grid = TimeGrid.covering(since, floor(now, _MINUTE), _MINUTE)
        means = self._beliefs.mean(unit.power, grid).filled(0.0).values
        on: NDArray[np.bool_] = np.abs(means) > threshold_kw(unit)
        return on


def threshold_kw(unit: Unit) -> float:
    """From which power on an asset counts as on."""
    return max(unit.least_kw / 2, _NOTHING_KW)
