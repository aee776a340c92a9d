"""The site's prices as beliefs, so that others can read them: for plans they are asked directly."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from flexedge.config.prices import Prices
from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import TimeGrid, floor
from flexedge.store.beliefs import Beliefs

STEP: Final = timedelta(minutes=15)
"""The resolution of price sensors: changes of tariffs are on the quarter hour."""
AHEAD: Final = timedelta(hours=48)
_TARIFF: Final = Source("tariff", "script")


class Tariffs:
    """Keeps what prices are known to be for the next two days. One caller."""

    def __init__(self, prices: Prices, beliefs: Beliefs) -> None:
        self._prices = prices
        self._beliefs = beliefs

    def step(self, now: datetime) -> None:
        """Keep what is new: what says the same as before is not kept again. ``StoreError``."""
        grid = TimeGrid.covering(floor(now, STEP), now + AHEAD, STEP)
        self._beliefs.save(self._known(grid, now), _TARIFF)

    def _known(self, grid: TimeGrid, now: datetime) -> Sequence[Belief]:
        return [
            Belief(name, _TARIFF.name, now, self._prices.series(name, grid))
            for name in self._prices.names()
        ]
