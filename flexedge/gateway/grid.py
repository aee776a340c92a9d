"""What flows through the grid connection now, and what may, as the guard needs to know it."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from flexedge.domain.series import Series, TimeGrid
from flexedge.domain.variable import DataReference, VariablePower, fixed
from flexedge.gateway.latest import Latest
from flexedge.gateway.measured import Measured, measure
from flexedge.gateway.plant import Plant
from flexedge.gateway.received import Received

_AHEAD: Final = timedelta(hours=48)
"""So far it is held in memory what a centre told: the guard must not wait for a store."""
_ANEW: Final = timedelta(hours=1)


class Grid:
    """The grid connection, by what is fixed, measured and received.

    A limit that a sensor tells is the sensor's present value, or its default while it is silent.
    Of one that comes from a centre, that is what the centre told last of this moment, and never
    more than the default: nobody from afar lets more through than the installer did.
    """

    def __init__(self, plant: Plant, latest: Latest, received: Received) -> None:
        self._plant = plant
        self._latest = latest
        self._received = received
        self._told: Mapping[str, Series] = {}
        """In kW, as a site file must say, of the sensors from centres."""
        self._of: tuple[int, frozenset[str]] | None = None
        self._read_at: datetime | None = None

    def step(self, now: datetime) -> None:
        """Read what centres told of limits, where there is news. ``StoreError``."""
        coming = self._received.coming
        mine = frozenset(
            limit.sensor
            for limit in self._limits()
            if isinstance(limit, DataReference) and not limit.believers and limit.sensor in coming
        )
        of = self._received.versions, mine
        recent = self._read_at is not None and timedelta(0) <= now - self._read_at < _ANEW
        if of == self._of and recent:
            return
        told = {}
        for name in mine:
            grid = TimeGrid.covering(now, now + _AHEAD, coming[name].resolution)
            told[name] = self._received.known(name, grid)
        self._told, self._of, self._read_at = told, of, now

    def measured(self, now: datetime) -> Measured:
        """What its meter and those of the assets show."""
        return measure(self._plant, self._latest, now)

    def limits_kw(self, now: datetime) -> tuple[float, float]:
        """Most import and most export; infinite where nothing is said."""
        power, bought, sold = (self._present(limit, now) for limit in self._limits())
        return min(power, bought), min(power, sold)

    def _limits(self) -> tuple[VariablePower | None, ...]:
        context = self._plant.context.electricity
        return (
            context.site_power_capacity,
            context.site_consumption_capacity,
            context.site_production_capacity,
        )

    def _present(self, limit: VariablePower | None, now: datetime) -> float:
        known = fixed(limit)
        most = math.inf if known is None else known
        if isinstance(limit, DataReference) and not limit.believers:
            series = self._told.get(limit.sensor)
            if series is not None:
                value = series.at(now)
                return most if value is None else min(abs(value), most)
            value = self._latest.value(limit.sensor, now, self._plant.max_age(limit.sensor))
            if value is not None:
                return abs(value)
        return most
