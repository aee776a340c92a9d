"""What is expected of the site's own flows, kept as beliefs: others plan with it, too.

Who asks for a schedule over the API, and a centre that plans, know of the days ahead what is kept
here. The gateway's own plan asks the same predictor, but only for as long as it reaches.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from flexedge.config.sensors import AVAILABLE
from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid, floor
from flexedge.errors import StoreError
from flexedge.gateway.health import Health
from flexedge.gateway.plant import Plant
from flexedge.gateway.predict import RESOLUTION, Predictor
from flexedge.store.beliefs import Beliefs

FORECASTER: Final = Source("flexedge-forecast", "forecaster")
AHEAD: Final = timedelta(hours=60)
"""FlexMeasures plans 48 hours ahead unless told otherwise; from the next hour on, perhaps."""
_BEFORE: Final = timedelta(microseconds=1)
"""The plan that is made at the same moment says what it expects, too, of the same sensors. It goes
first for it is later; said at one time, the one would take the place of the other, and no centre
lets a belief be replaced."""


class Foreseer:
    """Keeps forecasts of all that happens without being planned, and of what the sun may give.

    For the thread that plans, which the predictor is for.
    """

    def __init__(
        self, plant: Plant, predictor: Predictor, beliefs: Beliefs, health: Health
    ) -> None:
        self._plant = plant
        self._predictor = predictor
        self._beliefs = beliefs
        self._health = health

    def step(self, now: datetime) -> None:
        """Keep what is new. A store that refuses is told of; plans do without."""
        if not self._health.time_known:
            return
        try:
            self._beliefs.flush()
            self._beliefs.save(list(self._foreseen(now)), FORECASTER)
        except StoreError as error:
            self._health.alarm("forecasts", f"forecasts could not be saved: {error}")
        else:
            self._health.alarm("forecasts", "")

    def _foreseen(self, now: datetime) -> Iterator[Belief]:
        grid = TimeGrid.covering(floor(now, RESOLUTION), now + AHEAD, RESOLUTION)
        since = now - _BEFORE
        sensors = self._plant.sensors
        for unit in self._plant.units:
            solar = unit.asset.type == "solar"
            if unit.power not in sensors or not (solar or self._plant.happens(unit)):
                continue
            if solar:
                power = self._predictor.production(unit, grid, now)
            else:
                power = self._predictor.forecast(unit.power, grid, now)
            yield Belief(unit.power, FORECASTER.name, since, power)
            available = f"{unit.name}.{AVAILABLE}"
            if available in sensors:
                can = Series(grid, np.abs(power.values))
                yield Belief(available, FORECASTER.name, since, can)
