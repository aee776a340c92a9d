"""The plan as its users see it, read from what the solver found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim import signs
from flexedge.optim.commitments import Meter, SocCommitment
from flexedge.optim.problem import Problem
from flexedge.optim.program import Block, LinearProgram
from flexedge.optim.signs import Found, Pair
from flexedge.optim.storage import Placed

_NOTICED = 1e-4  # kW or kWh: smaller breaches are rounding
_ROUNDING = 1e-8  # kW


@dataclass(frozen=True, slots=True, eq=False)
class Formulation:
    """A problem as a linear program, and where to find what in it."""

    problem: Problem
    program: LinearProgram
    devices: tuple[Placed, ...]
    meter: Meter
    soc: tuple[SocCommitment, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that the plan does not keep: from when to when, by how much at most."""

    limit: str
    start: datetime
    end: datetime
    by: float
    unit: Literal["kW", "kWh"]

    def sentence(self, zone: tzinfo = UTC) -> str:
        """What is missed, when by the clock of ``zone``, and by how much."""
        start, end = self.start.astimezone(zone), self.end.astimezone(zone)
        when = f"at {start:%H:%M}" if start == end else f"from {start:%H:%M} to {end:%H:%M}"
        return f"{self.limit} is missed {when} by up to {self.by:.2f} {self.unit}"


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A plan. Arrays have one value per step of the problem's grid."""

    status: Literal["optimal", "feasible"]
    """Feasible: the time limit ended the search before the gap was closed."""
    power_kw: Mapping[str, FloatArray]
    soc_kwh: Mapping[str, FloatArray]
    """At the end of each step, for devices with storage."""
    grid_kw: FloatArray
    cost: float
    """Net energy and peak, without penalties and tie-breakers."""
    penalties: float
    """What missed soft limits are charged with."""
    tie_break: float
    """What the tiny preferences add: full sooner, curtail later."""
    energy_value: FloatArray
    """What one more kWh consumed on site in each step would cost, limits and peak included."""
    stored_value: Mapping[str, FloatArray]
    """What one more kWh in the storage during each step would save."""
    limit_value: FloatArray
    """What one more kWh through the site's capacity in each step would save; 0 where it is slack.

    The peak's price is not in it.
    """
    peak_value: FloatArray
    """The part of the peak's price that falls on one more kWh of consumption in each step."""
    breaches: tuple[Breach, ...]
    build_seconds: float
    solve_seconds: float
    gap: float
    """How much cheaper a plan could be at most, as a share of the money that moves."""
    binaries: int
    """How many directions had to be decided one by one."""


def net_cost(problem: Problem, grid_kw: FloatArray) -> float:
    """What energy and peak cost for a profile of net consumption."""
    bought, sold = np.maximum(grid_kw, 0.0), np.maximum(-grid_kw, 0.0)
    energy = problem.import_price @ bought - problem.export_price @ sold
    connection = problem.connection
    above = max(float(bought.max()) - connection.peak_consumption_kw, 0.0)
    return float(energy) * problem.grid.hours + above * (connection.peak_price or 0.0)


def read(formulation: Formulation, found: Found, build_seconds: float) -> Solution:
    """The plan in a program's solution."""
    problem, program, primal = formulation.problem, formulation.program, found.primal
    power, soc = {}, {}
    for placed in formulation.devices:
        device = placed.device
        kw = np.clip(placed.power_kw(primal), device.min_kw, device.max_kw)
        power[device.name] = np.where(np.abs(kw) < _ROUNDING, 0.0, kw)
        if placed.stock is not None:
            soc[device.name] = placed.stock.of(primal).copy()
    grid_kw = problem.inflexible_kw + sum(power.values(), start=np.zeros(problem.grid.n))
    cost = net_cost(problem, grid_kw)
    preferences = [
        placed.up if placed.stock is None else placed.stock for placed in formulation.devices
    ]
    return Solution(
        status="optimal" if found.gap <= signs.GOOD_ENOUGH else "feasible",
        power_kw=power,
        soc_kwh=soc,
        grid_kw=grid_kw,
        cost=cost,
        penalties=sum(program.cost_of(block, primal) for block in _excess(formulation)),
        tie_break=sum(program.cost_of(block, primal) for block in preferences if block),
        # One more kW of inflexible load takes one from the right-hand side of the site's balance.
        energy_value=-formulation.meter.balance.of(found.answer.row_dual) / problem.grid.hours,
        stored_value={
            placed.device.name: -placed.balance.of(found.answer.row_dual)
            for placed in formulation.devices
            if placed.balance is not None
        },
        limit_value=_limit_value(formulation, found),
        peak_value=_peak_value(formulation, found),
        breaches=(*_site_breaches(formulation, grid_kw), *_soc_breaches(formulation, soc)),
        build_seconds=build_seconds,
        solve_seconds=found.seconds,
        gap=found.gap,
        binaries=found.binaries,
    )


def _excess(formulation: Formulation) -> Iterator[Block]:
    for capacity in formulation.meter.capacities:
        yield from capacity.commitment.excess
    for soc in formulation.soc:
        yield from soc.commitment.excess
    for placed in formulation.devices:
        yield from placed.repaired


def _limit_value(formulation: Formulation, found: Found) -> FloatArray:
    """From the duals of the hard bounds and of the agreed capacities' rows."""
    meter, value = formulation.meter, np.zeros(formulation.problem.grid.n)
    for flow, limited, capacity in zip(
        (meter.consumption, meter.production), meter.limited, meter.capacities, strict=True
    ):
        value += np.where(limited, np.maximum(-flow.of(found.answer.column_dual), 0.0), 0.0)
        for rows in capacity.commitment.rows:
            value[capacity.at] += np.maximum(-rows.of(found.answer.row_dual), 0.0)
    return value / formulation.problem.grid.hours


def _peak_value(formulation: Formulation, found: Found) -> FloatArray:
    n, hours = formulation.problem.grid.n, formulation.problem.grid.hours
    if formulation.meter.peak is None:
        return np.zeros(n)
    (rows,) = formulation.meter.peak.rows
    return np.maximum(-rows.of(found.answer.row_dual), 0.0) / hours


def _site_breaches(formulation: Formulation, grid_kw: FloatArray) -> Iterator[Breach]:
    grid = formulation.problem.grid
    for capacity, sign in zip(formulation.meter.capacities, (1.0, -1.0), strict=True):
        beyond = sign * grid_kw - capacity.limit_kw
        for first, end in _runs(beyond):
            yield Breach(capacity.name, grid.start + first * grid.resolution,
                         grid.start + end * grid.resolution, float(beyond[first:end].max()),
                         "kW")  # fmt: skip


def _soc_breaches(formulation: Formulation, soc_kwh: Mapping[str, FloatArray]) -> Iterator[Breach]:
    grid = formulation.problem.grid
    for placed in formulation.devices:
        storage, name = placed.device.storage, placed.device.name
        if storage is None:
            continue
        soc = soc_kwh[name]
        for field, beyond in (
            ("soc-min", storage.soc_min_kwh - soc),
            ("soc-max", soc - storage.soc_max_kwh),
        ):
            for first, end in _runs(beyond):
                yield Breach(f"{name} {field}", grid.start + first * grid.resolution,
                             grid.start + end * grid.resolution, float(beyond[first:end].max()),
                             "kWh")  # fmt: skip
    for placed_soc in formulation.soc:
        soc = soc_kwh[placed_soc.device]
        missed = placed_soc.missed_kwh(grid, soc)
        for bound, by in zip(placed_soc.bounds, missed, strict=True):
            if by > _NOTICED:
                yield Breach(placed_soc.name, bound.at, bound.at, float(by), "kWh")


def _runs(beyond: FloatArray) -> list[tuple[int, int]]:
    """The runs of steps with a breach worth mentioning: first step, and the one after the last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], beyond > _NOTICED, [False]))))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]
