"""The plan as its users see it, read from what the solver found."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim import search
from flexedge.optim.choices import Choice
from flexedge.optim.commitments import Draft
from flexedge.optim.device import per_step
from flexedge.optim.elastic import Given
from flexedge.optim.highs import Basis
from flexedge.optim.meter import Meter
from flexedge.optim.placed import Placed, spread
from flexedge.optim.problem import Problem
from flexedge.optim.program import Block, LinearProgram
from flexedge.optim.search import Found
from flexedge.optim.stocks import Stock

_NOTICED = 1e-4  # kW or kWh: smaller breaches are rounding
_ROUNDING = 1e-8  # kW
_NOTICED_PRICE = 1e-6  # money per kW or kWh: less is a tie-breaker


@dataclass(frozen=True, slots=True, eq=False)
class Formulation:
    """A problem as a linear program, and where to find what in it."""

    problem: Problem
    draft: Draft
    devices: tuple[Placed, ...]
    meters: tuple[Meter, ...]
    stocks: tuple[Stock, ...]
    choices: list[Choice]
    columns: tuple[Block, ...]
    """Those of the problem's own future."""

    @property
    def program(self) -> LinearProgram:
        """The linear program."""
        return self.draft.program

    @property
    def site(self) -> Meter | None:
        """The meter of electricity."""
        site = self.problem.site
        return next((meter for meter in self.meters if meter.market is site), None)


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
class Binding:
    """A limit that costs something: what one more unit of it would save in each step."""

    limit: str
    unit: Literal["kW", "kWh"]
    price: FloatArray
    """Money per unit in this step; 0 where it is slack."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A plan. Arrays have one value per step of the problem's grid."""

    status: Literal["optimal", "feasible", "relaxed"]
    """Feasible: the time limit ended the search before the gap was closed. Relaxed: limits
    contradict each other (``culprits``), and this plan violates them as little as can be."""
    power_kw: Mapping[str, FloatArray]
    """By device."""
    soc_kwh: Mapping[str, FloatArray]
    """At the end of each step, by storage."""
    net_kw: Mapping[str, FloatArray]
    """Net consumption, by commodity."""
    commitment_costs: Mapping[str, float]
    """By FlexMeasures' names; without tie-breakers."""
    preferences: Mapping[str, float]
    """What FlexMeasures charges to break ties, by its names."""
    cost: float
    """What is paid for: commitments without penalties for missed limits."""
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
    bindings: tuple[Binding, ...]
    breaches: tuple[Breach, ...]
    build_seconds: float
    solve_seconds: float
    gap: float
    """How much cheaper a plan could be at most, as a share of the money that moves."""
    binaries: int
    """How many directions had to be decided one by one."""
    bound: float
    """No plan is cheaper than this, tie-breakers included."""
    grid: TimeGrid
    site: str = "electricity"
    basis: Basis | None = None
    """Where the solver ended: the next plan begins there."""
    culprits: tuple[str, ...] = ()
    """Limits that contradict each other: without any one of them the rest could be kept."""

    @property
    def total_cost(self) -> float:
        """All commitments, penalties included; without tie-breakers."""
        return self.cost + self.penalties

    @property
    def objective(self) -> float:
        """What FlexMeasures would report: the total with its tie-breakers."""
        return self.total_cost + sum(self.preferences.values())

    @property
    def grid_kw(self) -> FloatArray:
        """Net consumption of electricity."""
        return self.net_kw[self.site]


def net_cost(problem: Problem, grid_kw: FloatArray) -> float:
    """What electricity and its peaks cost for a profile of net consumption."""
    market, n = problem.site, problem.grid.n
    bought, sold = np.maximum(grid_kw, 0.0), np.maximum(-grid_kw, 0.0)
    energy = market.import_price @ bought - market.export_price @ sold
    cost = float(energy) * problem.grid.hours
    connection = market.connection
    used = per_step(connection.used_kw, n)
    for flow, paid, price in (
        (bought + used, connection.peak_consumption_kw, connection.peak_price),
        (sold - used, connection.peak_production_kw, connection.peak_production_price),
    ):
        if price is not None:
            above = np.maximum(flow - per_step(paid, n), 0.0)
            cost += _highest(above, per_step(price, n), per_step(paid, n))
    return cost


def _highest(above: FloatArray, price: FloatArray, paid: FloatArray) -> float:
    """The price of the highest excess in each run of equal price and paid peak."""
    ends = np.flatnonzero((np.diff(price) != 0) | (np.diff(paid) != 0)) + 1
    runs = np.split(np.arange(len(price)), ends)
    return float(sum(price[run[0]] * above[run].max() for run in runs))


def read(formulation: Formulation, found: Found, build_seconds: float) -> Solution:
    """The plan in a program's solution."""
    problem, program, primal = formulation.problem, formulation.program, found.primal
    power = {}
    for placed in formulation.devices:
        device = placed.device
        kw = np.clip(placed.power_kw(primal), device.min_kw, device.max_kw)
        power[device.name] = np.where(np.abs(kw) < _ROUNDING, 0.0, kw)
    soc = {stock.storage.name: stock.level.of(primal).copy() for stock in formulation.stocks}
    net = {
        market.commodity: sum(
            (power[d.name] for d in problem.devices if d.commodity == market.commodity),
            start=market.inflexible_kw,
        )
        for market in problem.markets
    }
    paid = {
        name: sum(program.cost_of(block, primal) for block in blocks)
        for name, blocks in formulation.draft.ledger.entries.items()
    }
    repairs = sum(
        program.cost_of(block, primal) for stock in formulation.stocks for block in stock.repaired
    )
    penalties = repairs + sum(cost for name, cost in paid.items() if _is_penalty(name))
    held = [stock.level for stock in formulation.stocks]
    held += [p.up for p in formulation.devices if p.device.storage is None and p.up is not None]
    duals = found.answer.row_dual
    site = formulation.site
    return Solution(
        status="optimal" if found.gap <= search.GOOD_ENOUGH else "feasible",
        power_kw=power,
        soc_kwh=soc,
        net_kw=net,
        commitment_costs=paid,
        preferences=_preferences(problem, soc),
        cost=sum(paid.values()) + repairs - penalties,
        penalties=penalties,
        tie_break=sum(program.cost_of(block, primal) for block in held),
        # One more kW of inflexible load takes one from the right-hand side of the site's balance.
        energy_value=(
            np.zeros(problem.grid.n)
            if site is None
            else -site.balance.of(duals) / problem.grid.hours
        ),
        stored_value={s.storage.name: -s.balance.of(duals) for s in formulation.stocks},
        limit_value=_limit_value(formulation, found),
        peak_value=_peak_value(formulation, found),
        bindings=tuple(_bindings(formulation, found)),
        breaches=(*_site_breaches(formulation, net), *_soc_breaches(formulation, soc)),
        build_seconds=build_seconds,
        solve_seconds=found.seconds,
        gap=found.gap,
        binaries=found.binaries,
        bound=found.bound,
        site=problem.site.commodity,
        basis=found.basis,
        grid=problem.grid,
    )


def _is_penalty(name: str) -> bool:
    """Whether an entry is charged for missing a limit rather than paid to somebody."""
    words = name.split()
    return "breach" in words or "breaches" in words or name[:8] in ("any soc ", "all soc ")


def _preferences(problem: Problem, soc_kwh: Mapping[str, FloatArray]) -> dict[str, float]:
    """What FlexMeasures charges for storages that are not full: 1e-4 of the spread of prices.

    Its price falls from that over the number of steps to nothing, per MWh and step.
    """
    n, index = problem.grid.n, {device.name: i for i, device in enumerate(problem.devices)}
    least = 1e-4 * (spread(problem.site.import_price) or 1e-3) / n
    found = {}
    for storage, feeders in problem.storages:
        if storage.prefer_charging_sooner and np.isfinite(storage.soc_max_kwh):
            falling = np.linspace(least, 0.0, n)
            slope = falling if storage.prefer_sooner_less else np.full(n, least)
            missing = storage.soc_max_kwh - soc_kwh[storage.name]
            name = f"prefer a full storage {index[feeders[0].name]} sooner"
            found[name] = float(slope @ missing) / problem.grid.hours
    return found


def _bindings(formulation: Formulation, found: Found) -> Iterator[Binding]:
    """From the duals of rows that were watched and of columns at bounds that people set."""
    n, draft = formulation.problem.grid.n, formulation.draft
    prices: dict[str, FloatArray] = {}
    for label, rows, at in draft.watched:
        dual = np.abs(rows.of(found.answer.row_dual))
        np.add.at(prices.setdefault(label, np.zeros(n)), at, dual)
    for block in formulation.columns:
        dual = block.of(found.answer.column_dual)
        for name, side in zip(block.limits, (dual, -dual), strict=True):
            if name is not None and block.size == n:
                prices.setdefault(name, np.zeros(n))[:] += np.maximum(side, 0.0)
    for label, price in prices.items():
        if price.max(initial=0.0) > _NOTICED_PRICE:
            unit: Literal["kW", "kWh"] = "kWh" if " soc-" in label else "kW"
            yield Binding(label, unit, np.where(price > _NOTICED_PRICE, price, 0.0))


def _limit_value(formulation: Formulation, found: Found) -> FloatArray:
    """From the duals of the hard bounds and of the agreed capacities' rows."""
    meter, value = formulation.site, np.zeros(formulation.problem.grid.n)
    if meter is None:
        return value
    for flow, limited, capacity in zip(
        (meter.consumption, meter.production), meter.limited, meter.capacities, strict=True
    ):
        value += np.where(limited, np.maximum(-flow.of(found.answer.column_dual), 0.0), 0.0)
        for rows in capacity.limit.rows:
            value[capacity.at] += np.maximum(-rows.of(found.answer.row_dual), 0.0)
    return value / formulation.problem.grid.hours


def _peak_value(formulation: Formulation, found: Found) -> FloatArray:
    problem, meter = formulation.problem, formulation.site
    value = np.zeros(problem.grid.n)
    if meter is None or problem.site.connection.peak_price is None:
        return value
    counted = np.isfinite(per_step(problem.site.connection.peak_consumption_kw, problem.grid.n))
    for rows in meter.peaks[0].rows:
        value[counted] = np.maximum(-rows.of(found.answer.row_dual), 0.0)
    return value / problem.grid.hours


def _site_breaches(formulation: Formulation, net_kw: Mapping[str, FloatArray]) -> Iterator[Breach]:
    grid = formulation.problem.grid
    for meter in formulation.meters:
        for capacity in meter.capacities:
            beyond = capacity.sign * net_kw[meter.market.commodity] - capacity.limit_kw
            for first, end in _runs(beyond):
                yield Breach(capacity.name, grid.start + first * grid.resolution,
                             grid.start + end * grid.resolution, float(beyond[first:end].max()),
                             "kW")  # fmt: skip


def given_way(grid: TimeGrid, given: Iterable[Given], plan: Solution) -> Iterator[Breach]:
    """The limits that gave way, and when: those a plan does not tell of already."""
    known = {breach.limit for breach in plan.breaches}
    for one in given:
        unit: Literal["kW", "kWh"] = "kWh" if " soc-" in one.limit else "kW"
        if one.limit in known:
            continue
        if len(one.by) != grid.n:
            yield Breach(one.limit, grid.start, grid.end, float(one.by.max()), unit)
            continue
        for first, end in _runs(one.by):
            yield Breach(one.limit, grid.start + first * grid.resolution,
                         grid.start + end * grid.resolution, float(one.by[first:end].max()),
                         unit)  # fmt: skip


def _soc_breaches(formulation: Formulation, soc_kwh: Mapping[str, FloatArray]) -> Iterator[Breach]:
    grid = formulation.problem.grid
    for stock in formulation.stocks:
        storage = stock.storage
        soc = soc_kwh[storage.name]
        for field, beyond in (
            ("soc-min", storage.soc_min_kwh - soc),
            ("soc-max", soc - storage.soc_max_kwh),
        ):
            for first, end in _runs(beyond):
                yield Breach(f"{storage.name} {field}", grid.start + first * grid.resolution,
                             grid.start + end * grid.resolution, float(beyond[first:end].max()),
                             "kWh")  # fmt: skip
        for asked in stock.asked:
            missed = asked.missed_kwh(grid, soc)
            for bound, by in zip(asked.bounds, missed, strict=True):
                if by > _NOTICED:
                    yield Breach(asked.name, bound.at, bound.at, float(by), "kWh")


def _runs(beyond: FloatArray) -> list[tuple[int, int]]:
    """The runs of steps with a breach worth mentioning: first step, and the one after the last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], beyond > _NOTICED, [False]))))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]
