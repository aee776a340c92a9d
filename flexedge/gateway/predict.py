"""What sensors will probably show: yesterday's profile, the sun, the installer's default."""

import math
from datetime import datetime, timedelta

import numpy as np

from flexedge.domain.series import Series, TimeGrid, floor
from flexedge.forecast import profile, sun
from flexedge.gateway.latest import Latest
from flexedge.gateway.plant import Plant, Unit
from flexedge.store.beliefs import Beliefs

RESOLUTION = timedelta(minutes=15)
_PAST = timedelta(days=8)
_SEEN = timedelta(hours=3)


class Predictor:
    """Forecasts on demand; the history behind them is read once a quarter hour. One caller."""

    def __init__(self, plant: Plant, beliefs: Beliefs, latest: Latest) -> None:
        self._plant = plant
        self._beliefs = beliefs
        self._latest = latest
        self._histories: dict[str, Series] = {}

    def _history(self, sensor: str, now: datetime) -> Series:
        end = floor(now, RESOLUTION)
        known = self._histories.get(sensor)
        if known is None or known.grid.end != end:
            grid = TimeGrid.covering(end - _PAST, end, RESOLUTION)
            known = self._beliefs.mean(sensor, grid)
            self._histories[sensor] = known
        return known

    def forecast(
        self, sensor: str, grid: TimeGrid, now: datetime, default: float | None = None
    ) -> Series:
        """The mean of a sensor in each step; ``default`` where nothing is known (else NaN)."""
        latest = self._latest.value(sensor, now, self._plant.max_age(sensor))
        return self._profile(sensor, grid, now, latest).filled(default)

    def _profile(self, sensor: str, grid: TimeGrid, now: datetime, latest: float | None) -> Series:
        history = self._history(sensor, now)
        return profile.persistence(history, grid, now, latest, self._plant.zone)

    def production(self, unit: Unit, grid: TimeGrid, now: datetime) -> Series:
        """What a solar asset will probably do in each step, in kW (at most 0).

        Yesterday's profile; without one the clear sky, scaled by what was seen of it just now.
        """
        peak_kw = -unit.range_kw[0] if math.isfinite(unit.range_kw[0]) else 0.0
        expected = self.forecast(unit.power, grid, now).values
        unseen = np.isnan(self._profile(unit.power, grid, now, None).values)
        if unseen.any():
            sunny = self._sunny(unit, grid, now, peak_kw).filled(0.0).values
            expected = np.where(unseen, sunny, expected)
        low = -peak_kw if peak_kw > 0.0 else -math.inf
        return Series(grid, np.clip(expected, low, 0.0))

    def _sunny(self, unit: Unit, grid: TimeGrid, now: datetime, peak_kw: float) -> Series:
        """The clear sky's production, scaled by what was seen of it in the last hours."""
        place = self._plant.site.site.location
        clear = sun.clear_sky(grid, place.latitude, place.longitude, peak_kw)
        recent = TimeGrid.covering(now - _SEEN, floor(now, RESOLUTION), RESOLUTION)
        past = sun.clear_sky(recent, place.latitude, place.longitude, peak_kw)
        measured = self._history(unit.power, now).on(recent)
        return sun.scaled(clear, sun.share_of_clear_sky(measured, past, now))
