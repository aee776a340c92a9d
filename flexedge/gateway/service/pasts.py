"""What a forecast learns from: what came of a sensor, what was expected of it, and remarks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.errors import BadField
from flexedge.gateway.service.stored import admits, latest
from flexedge.optim.request import believed
from flexedge.optim.request.believed import Filter
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.source import on_grid
from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.state import State

_EXPECTING = frozenset({"forecaster", "scheduler"})
_THINGS: tuple[Literal["account", "asset", "sensor"], ...] = ("account", "asset", "sensor")


@dataclass(frozen=True, slots=True)
class Reference:
    """A sensor, and whose word about it counts."""

    sensor: int
    only: Filter = believed.ALL

    @classmethod
    def read(cls, raw: Any, path: str) -> "Reference":
        """Of a number, or an object with filters. Raises ``BadField``."""
        if isinstance(raw, Mapping):
            fields = Fields(raw, path)
            fields.refuse_unknown(("sensor", *believed.FILTERS))
            name = fields.name("sensor")
            if not name.isdecimal():
                fields.fail("sensor", "should be the number of a sensor")
            return cls(int(name), believed.read(fields))
        return cls(int(raw))


class Pasts:
    """Reads what is believed of sensors onto grids. Raises ``BadField``, ``StoreError``."""

    def __init__(self, state: State, beliefs: Beliefs, prior: datetime | None) -> None:
        self._state = state
        self._beliefs = beliefs
        self._prior = prior
        self._sources = state.sources()

    def realised(self, of: Reference, grid: TimeGrid) -> FloatArray:
        """What came of it: what no forecaster or scheduler says; NaN where nothing is known."""
        return self._values(of, grid, _EXPECTING if of.only == believed.ALL else frozenset())

    def expected(self, of: Reference, grid: TimeGrid) -> FloatArray:
        """What is known or expected of it; what is missing is the nearest that is not."""
        values = self._values(of, grid, frozenset())
        known = np.flatnonzero(~np.isnan(values))
        if not known.size:
            return values
        whole: FloatArray = np.interp(np.arange(grid.n), known, values[known])
        return whole

    def _values(self, of: Reference, grid: TimeGrid, but: frozenset[str]) -> FloatArray:
        placed = self._state.placed.get(of.sensor)
        if placed is None:
            raise BadField("config", f"No sensor found with ID {of.sensor}.")
        asked = Asked(
            (), grid.start - placed.resolution, grid.end, believed_until=self._prior
        )  # fmt: skip
        held = self._beliefs.ask([placed.key], asked)
        numbers = [
            number for number in np.unique(held.source).tolist()
            if self._sources_of(number).kind not in but
            and admits(of.only, number, self._sources_of(number))
        ]  # fmt: skip
        held = held.take(np.isin(held.source, numbers))
        if not len(held):
            return np.full(grid.n, np.nan)
        return on_grid(latest(held, placed), grid)

    def _sources_of(self, number: int) -> Any:
        if number not in self._sources:
            self._sources = self._state.sources()
        return self._sources[number]

    def remarked(self, said: Mapping[str, Any], grid: TimeGrid) -> FloatArray:
        """1 in steps that a remark of a kind touches, 0 elsewhere."""
        thing = next(name for name in _THINGS if said.get(name) is not None)
        found = self._state.annotations.about(thing, said[thing], grid.start, grid.end)
        values = np.zeros(grid.n)
        for one in found.values():
            if one.kind == said.get("annotation-type", "holiday"):
                first = (one.start - grid.start) // grid.resolution
                last = -((grid.start - one.end) // grid.resolution)
                values[max(first, 0) : max(last, 0)] = 1.0
        return values
