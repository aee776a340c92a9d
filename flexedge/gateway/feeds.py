"""What an optimisation asks of the site's sensors: forecasts, prices, beliefs, on its own grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from flexedge.config.prices import Prices
from flexedge.domain.context import CommodityContext
from flexedge.domain.series import FloatArray, Series, TimeGrid
from flexedge.domain.variable import PriceFromSensor
from flexedge.errors import PlanError
from flexedge.gateway.plant import Plant
from flexedge.gateway.predict import Predictor
from flexedge.gateway.received import Received
from flexedge.optim.request.believed import ALL, Filter
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import Asset, Points, Sensor, Span
from flexedge.store.beliefs import Beliefs

QUARTER = timedelta(minutes=15)
"""What storage-efficiency refers to, and the resolution of schedules."""
ROOT = "the site"
_PRICES_AHEAD = timedelta(hours=6)  # less of them is told: those of tomorrow are late
Turn = Literal["as-is", "negated", "magnitude"]
"""Sensors have the sign they have everywhere inside, consumption positive; what an optimisation
asks for is positive for production, too, and capacities have no sign."""
_SIGNS: Mapping[Turn, str] = {"as-is": "", "negated": "-", "magnitude": "|"}


@dataclass(frozen=True, slots=True)
class Feed:
    """The data of a sensor: readings and what is forecast from them, or what sources believe.

    Of a sensor that comes from a centre: what that believes.
    """

    sensor: str
    turn: Turn = "as-is"
    believers: tuple[str, ...] = ()
    sky: bool = False
    """Of a solar asset: what the sky will give, where nobody has seen it yet."""

    @property
    def name(self) -> str:
        """How the optimisation knows it."""
        mark = _SIGNS[self.turn]
        of = f" of {', '.join(self.believers)}" if self.believers else ""
        sky = " by the sky" if self.sky else ""
        return f"{mark}{self.sensor}{mark if mark == '|' else ''}{of}{sky}"


class Feeds:
    """A source of data for ``optim.request``: one for each plan, for one thread."""

    def __init__(
        self,
        plant: Plant,
        predictor: Predictor,
        prices: Prices,
        beliefs: Beliefs,
        received: Received,
    ) -> None:
        self._plant = plant
        self._predictor = predictor
        self._prices = prices
        self._beliefs = beliefs
        self._received = received
        self._grid: TimeGrid | None = None
        self._now: datetime | None = None
        self._feeds: dict[str, Feed] = {}
        self._fixed: dict[str, FloatArray] = {}
        self._sensors: dict[str, Sensor] = {}
        self._assets: dict[str, Asset] = {}

    def begin(self, grid: TimeGrid, now: datetime, context: Mapping[str, object]) -> None:
        """Forget the last plan; what follows is for this one."""
        self._grid, self._now = grid, now
        self._feeds, self._fixed, self._sensors = {}, {}, {}
        root = Asset(ROOT, None, Fields({}, ""), Fields(context, "flex-context"))
        self._assets = {ROOT: root}

    def signature(self) -> int:
        """Another one after each time that something came from a centre."""
        return self._received.versions

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """All sensors that were introduced for this plan."""
        return self._sensors

    @property
    def assets(self) -> Mapping[str, Asset]:
        """The site and what is planned on it."""
        return self._assets

    def plan(self, name: str, model: Mapping[str, object], path: str) -> None:
        """Introduce something to be planned, and the sensor its schedule is for."""
        self.schedule(name)
        self._assets[name] = Asset(name, ROOT, Fields(model, path), Fields({}, ""))

    def schedule(self, name: str) -> None:
        """Introduce the sensor of a schedule."""
        self._sensors[name] = Sensor(name, "kW", QUARTER, name, None)

    def feed(self, feed: Feed) -> str:
        """Introduce a sensor's data; returns how the optimisation knows it."""
        unit = self._plant.sensors[feed.sensor].unit
        self._feeds[feed.name] = feed
        self._sensors[feed.name] = Sensor(feed.name, unit, self._on.resolution, ROOT, None)
        return feed.name

    def power(self, name: str, values_kw: FloatArray) -> str:
        """Introduce a power that is known."""
        self._fixed[name] = values_kw
        self._sensors[name] = Sensor(name, "kW", self._on.resolution, ROOT, None)
        return name

    def check_prices(self, context: CommodityContext) -> list[str]:
        """Notes on prices that end soon. Raises ``PlanError`` where nothing is known of one."""
        grid, notes = self._on, list[str]()
        for price in (context.consumption_price, context.production_price):
            if not isinstance(price, PriceFromSensor) or price.default is not None:
                continue
            unknown = np.isnan(self.values(Feed(price.sensor)))
            if unknown.all():
                raise PlanError(f"the price {price.sensor!r} is not known for the time ahead")
            ends = grid.start + int(unknown.argmax()) * grid.resolution
            if unknown.any() and ends - (self._now or ends) < _PRICES_AHEAD:
                at = f"{ends.astimezone(self._plant.zone):%d %b %H:%M}"
                notes.append(
                    f"the price {price.sensor!r} is not known from {at} on: planned is with the"
                    " nearest one that is"
                )
        return notes

    @property
    def _on(self) -> TimeGrid:
        if self._grid is None:
            raise ValueError("begin comes first")
        return self._grid

    def points(
        self,
        sensor: str,
        prior: datetime | None,  # noqa: ARG002
        only: Filter = ALL,  # noqa: ARG002
        span: Span | None = None,  # noqa: ARG002
    ) -> Points | None:
        """What is expected of a sensor in each step; None for schedules.

        Whose word counts is part of the feed that was introduced.
        """
        grid = self._on
        if sensor in self._fixed:
            values = self._fixed[sensor]
        elif sensor in self._feeds:
            values = self.values(self._feeds[sensor])
        else:
            return None
        unit = self._sensors[sensor].unit
        return Points(tuple(grid.times()), values, grid.resolution, unit)

    def values(self, feed: Feed) -> FloatArray:
        """What is expected of a sensor in each step; NaN where nothing is known."""
        values = self._expected(feed).values
        if feed.turn == "negated":
            return 0.0 - values
        return np.abs(values) if feed.turn == "magnitude" else values

    def _expected(self, feed: Feed) -> Series:
        grid, now = self._on, self._now
        if feed.sensor in self._prices.names():
            return self._prices.series(feed.sensor, grid)
        if feed.believers:
            known = Series.constant(grid, np.nan)
            for source in feed.believers:
                known = known.or_else(self._beliefs.believed(feed.sensor, source, grid))
            return known
        if feed.sensor in self._received.coming:
            return self._received.known(feed.sensor, grid)
        if now is None:  # pragma: no cover - begin sets both
            raise ValueError("begin comes first")
        for unit in self._plant.units:
            if feed.sky and unit.power == feed.sensor:
                return self._predictor.production(unit, grid, now)
        return self._predictor.forecast(feed.sensor, grid, now)
