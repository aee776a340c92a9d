"""What came from central servers: kept as beliefs, so that it holds while they are away."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import numpy as np

from flexedge.config.coming import Coming
from flexedge.domain.asset import Sensor, Source
from flexedge.domain.series import Series, TimeGrid
from flexedge.store.beliefs import Beliefs
from flexedge.store.placing import ticks
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import micros

KIND: Final = "centre:"
"""What the kinds of sources begin with that are central servers."""
_ROUNDING: Final = 1e-9
"""What a centre that converts units gets differently from one time to the next."""


def origin(centre: str) -> Source:
    """Who says what comes from a central server. What it says is never sent to it again."""
    return Source(centre, f"{KIND}{centre}")


class Received:
    """The sensors whose values come from central servers. Safe to use from any thread."""

    def __init__(self, coming: Mapping[str, Coming], beliefs: Beliefs) -> None:
        self._coming = coming
        self._beliefs = beliefs
        self._lock = threading.Lock()
        self._versions: dict[str, int] = {}

    @property
    def coming(self) -> Mapping[str, Coming]:
        """All of them, and where they come from."""
        return self._coming

    def known(self, sensor: str, grid: TimeGrid) -> Series:
        """The last word of its centre on each step; NaN where there is none. ``StoreError``."""
        one = self._coming.get(sensor)
        if one is None:
            return Series.constant(grid, np.nan)
        return self._beliefs.believed(sensor, origin(one.centre).name, grid)

    def version(self, sensor: str) -> int:
        """Another one after each time that something new was kept."""
        with self._lock:
            return self._versions.get(sensor, 0)

    @property
    def versions(self) -> int:
        """The same of all of them together."""
        with self._lock:
            return sum(self._versions.values())

    def keep(self, sensor: str, values: Series, now: datetime) -> int:
        """Keep what was received now, on the sensor's own steps; NaN is nothing.

        Returns how many values are news: others than were received last. They are on the disk when
        this returns. ``StoreError``.
        """
        one = self._coming[sensor]
        number = self._beliefs.register(Sensor(sensor, one.unit, one.resolution))
        source = self._beliefs.source(origin(one.centre))
        known = self.known(sensor, values.grid).values
        same = np.isclose(values.values, known, rtol=_ROUNDING, atol=0.0)
        told = ~np.isnan(values.values) & ~same
        n = int(told.sum())
        rows = Rows(
            np.full(n, number, np.int32),
            np.full(n, source, np.int32),
            ticks(values.grid)[told],
            np.full(n, micros(now), np.int64),
            np.full(n, 0.5),
            values.values[told],
        )
        if n:
            self._beliefs.post(rows, overwriting=True)
            with self._lock:
                self._versions[sensor] = self._versions.get(sensor, 0) + 1
        return n
