"""What a plan does not keep: which limit, from when to when, by how much at most."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import Soft
from flexedge.optim.elastic import Given
from flexedge.optim.meter import Meter
from flexedge.optim.stocks import Stock

Unit = Literal["kW", "kWh", "times"]
_UNITS: dict[str, Unit] = {
    "duration": "times", "maximum-starts-per-day": "times",
    "soc-min": "kWh", "soc-max": "kWh", "soc-minima": "kWh", "soc-maxima": "kWh",
    "soc-targets": "kWh", "state-of-charge": "kWh",
}  # fmt: skip
_NOTICED = 1e-4  # kW or kWh: smaller breaches are rounding


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that the plan does not keep: from when to when, by how much at most."""

    limit: str
    start: datetime
    end: datetime
    by: float
    unit: Unit

    def sentence(self, zone: tzinfo = UTC) -> str:
        """What is missed, when by the clock of ``zone``, and by how much."""
        start, end = self.start.astimezone(zone), self.end.astimezone(zone)
        when = f"at {start:%H:%M}" if start == end else f"from {start:%H:%M} to {end:%H:%M}"
        return f"{self.limit} is missed {when} by up to {self.by:.2f} {self.unit}"


def unit_of(limit: str) -> Unit:
    """The unit in which a limit is exceeded, by the field that its name ends with."""
    kind = limit.rsplit(" ", 1)[-1].split("[", maxsplit=1)[0]
    return _UNITS.get(kind, "kW")


def of_sites(
    meters: Iterable[Meter], net_kw: Mapping[str, FloatArray], grid: TimeGrid
) -> Iterator[Breach]:
    """Agreed capacities of grid connections."""
    for meter in meters:
        for capacity in meter.capacities:
            beyond = np.zeros(grid.n)
            flow = capacity.sign * net_kw[meter.market.commodity]
            beyond[capacity.at] = (flow - capacity.limit_kw)[capacity.at]
            yield from _over_time(capacity.name, beyond, grid)


def of_soft(
    agreed: Iterable[tuple[str, Soft | None, FloatArray]], grid: TimeGrid
) -> Iterator[Breach]:
    """Agreed capacities of devices and groups: what each is called, and the flow in its way."""
    for limit, soft, flow in agreed:
        if soft is not None:
            yield from _over_time(limit, flow - soft.limit_kw, grid)


def of_stocks(
    stocks: Iterable[Stock], soc_kwh: Mapping[str, FloatArray], grid: TimeGrid
) -> Iterator[Breach]:
    """The bands of storages, and what was asked of them."""
    for stock in stocks:
        storage = stock.storage
        soc = soc_kwh[storage.name]
        yield from _over_time(f"{storage.name} soc-min", storage.soc_min_kwh - soc, grid)
        yield from _over_time(f"{storage.name} soc-max", soc - storage.soc_max_kwh, grid)
        for asked in stock.asked:
            missed = asked.missed_kwh(grid, soc)
            for bound, by in zip(asked.bounds, missed, strict=True):
                if by > _NOTICED:
                    yield Breach(asked.name, bound.at, bound.at, float(by), "kWh")


def given_way(given: Iterable[Given]) -> dict[str, float]:
    """By how much at most each limit gave way."""
    found: dict[str, float] = {}
    for one in given:
        found[one.limit] = max(float(one.by.max()), found.get(one.limit, 0.0))
    return found


def others(grid: TimeGrid, given: Iterable[Given], known: Iterable[Breach]) -> Iterator[Breach]:
    """The limits that gave way, and when: those that are not known already."""
    limits = {breach.limit for breach in known}
    for one in given:
        if one.limit in limits:
            continue
        if len(one.by) == grid.n:
            yield from _over_time(one.limit, one.by, grid)
        else:
            by = float(one.by.max())
            yield Breach(one.limit, grid.start, grid.end, by, unit_of(one.limit))


def _over_time(limit: str, beyond: FloatArray, grid: TimeGrid) -> Iterator[Breach]:
    """A breach for each run of steps in which it is worth mentioning."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], beyond > _NOTICED, [False]))))
    for first, end in edges.reshape(-1, 2).tolist():
        yield Breach(
            limit, grid.start + first * grid.resolution, grid.start + end * grid.resolution,
            float(beyond[first:end].max()), unit_of(limit),
        )  # fmt: skip
