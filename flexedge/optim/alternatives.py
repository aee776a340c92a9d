"""When else a storage could have drawn or given a kWh: a plan that exists, and what it costs more.

All else stays as it is: the kWh is moved to another step, as much of it as leaves the stock the
same afterwards, where the stock, the device and the site have room for that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.optim.device import Amount, Device, Storage, per_step
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.stocks import Physics

KW = 1e-3  # less power than this is none
_KWH = 1e-3
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Swap:
    """The best step to move what a device does in a step to."""

    step: int
    to: int
    extra_cost: float
    """Money per kWh that is moved."""


def swaps(problem: Problem, solution: Solution, device: Device) -> Iterator[Swap]:
    """For each step in which a storage draws or gives, the best of the steps in which it idles."""
    storage = device.storage
    if storage is None or not _plain(problem, device):
        return
    power, physics = solution.power_kw[device.name], Physics.of(storage, problem.grid)
    grid_kw, site = solution.grid_kw, problem.site
    more = np.where(grid_kw >= -KW, site.import_price, site.export_price)  # than is consumed
    less = np.where(grid_kw > KW, site.import_price, site.export_price)
    wear = device.wear_price
    emptier, fuller = _stored(problem, solution, storage)
    up, down = _through(problem, solution, device)
    idle, decay = np.abs(power) <= KW, np.cumprod(physics.keep)
    most = [
        ends if soft is None else np.minimum(ends, soft.limit_kw)
        for ends, soft in ((device.max_kw, device.consumption_capacity),
                           (-device.min_kw, device.production_capacity))
    ]  # fmt: skip
    for there, here, price, saved, stored, after, before in (
        (idle & up & (most[0] > KW), down & (power > KW), more + wear, less + wear,
         physics.gain(device), emptier, fuller),
        (idle & down & (most[1] > KW), up & (power < -KW), wear - less, wear - more,
         physics.loss(device), fuller, emptier),
    ):  # fmt: skip
        arrives = stored * decay > _KWH
        for j in np.flatnonzero(here & arrives).tolist():
            first, last = _span(j, after, before)
            steps = first + np.flatnonzero((there & arrives)[first : last + 1])
            if steps.size:
                same = (stored[j] / decay[j]) / (stored[steps] / decay[steps])
                extra = same * price[steps] - saved[j]
                best = int(np.argmin(extra))
                yield Swap(j, int(steps[best]), float(extra[best]))


def _plain(problem: Problem, device: Device) -> bool:
    """Whether a device's kWh cost what the site's energy does, and can be moved one by one."""
    bound = any(device.name in one.devices for one in problem.commitments)
    odd = (device.part_load, device.running, device.coupling, device.charge_taper,
           device.discharge_taper, device.max_rise_kw, device.max_fall_kw)  # fmt: skip
    site = problem.site
    return not (
        bound or device.modes or any(one is not None for one in odd) or problem.scenarios
        or device.commodity != site.commodity or site.connection.phase_capacity_kw is not None
        or (site.import_price < site.export_price).any()
    )  # fmt: skip


def _stored(problem: Problem, solution: Solution, storage: Storage) -> tuple[BoolArray, BoolArray]:
    """Whether a little less, and a little more, could be stored at the end of each step."""
    soc, grid = solution.soc_kwh[storage.name], problem.grid
    low, high = np.full(grid.n, storage.soc_min_kwh), np.full(grid.n, storage.soc_max_kwh)
    for bound in (*storage.minima, *storage.targets):
        for step in _beside(bound.at, problem):
            low[step] = max(low[step], bound.soc_kwh)
    for bound in (*storage.maxima, *storage.targets):
        for step in _beside(bound.at, problem):
            high[step] = min(high[step], bound.soc_kwh)
    return soc > low + _KWH, soc < high - _KWH


def _beside(moment: datetime, problem: Problem) -> set[int]:
    """The steps whose ends lie around a moment: one where it is a tick."""
    grid = problem.grid
    before = (moment - grid.start) // grid.resolution - 1
    after = -((grid.start - moment) // grid.resolution) - 1
    return {step for step in (before, after) if 0 <= step < grid.n}


def _through(problem: Problem, solution: Solution, device: Device) -> tuple[BoolArray, BoolArray]:
    """Whether a little more, and a little less, could flow through the connection and groups."""
    n, connection, flow = problem.grid.n, problem.site.connection, solution.grid_kw
    limits: list[tuple[FloatArray, Amount | None, Amount | None]] = [
        (flow, connection.power_capacity_kw, connection.power_capacity_kw),
        (flow, connection.consumption_capacity_kw, connection.production_capacity_kw),
    ]
    for price, paid, sign in (
        (connection.peak_price, connection.peak_consumption_kw, 1.0),
        (connection.peak_production_price, connection.peak_production_kw, -1.0),
    ):
        if price is not None:
            beyond = np.maximum(per_step(paid, n), max(float((sign * flow).max()), 0.0))
            limits.append((flow, beyond, None) if sign > 0 else (flow, None, beyond))
    for group in problem.groups:
        if device.name in group.devices:
            mine = sum((solution.power_kw[name] for name in group.devices),
                       start=per_step(group.fixed_kw, n))  # fmt: skip
            limits.append((mine, group.power_capacity_kw, group.power_capacity_kw))
            more, less = (None if one is None else one.limit_kw for one in (
                group.consumption_capacity, group.production_capacity
            ))  # fmt: skip
            limits.append((mine, more, less))
    up, down = np.ones(n, dtype=np.bool_), np.ones(n, dtype=np.bool_)
    for power, most, least in limits:
        if most is not None:
            up &= power < per_step(most, n) - KW
        if least is not None:
            down &= -power < per_step(least, n) - KW
    return up, down


def _span(j: int, after: BoolArray, before: BoolArray) -> tuple[int, int]:
    """How far from a step its kWh can be moved, by the room in the stock between."""
    blocked = np.flatnonzero(~after[j:])
    last = j + int(blocked[0]) if blocked.size else len(after) - 1
    blocked = np.flatnonzero(~before[:j])
    first = int(blocked[-1]) + 1 if blocked.size else 0
    return first, last
