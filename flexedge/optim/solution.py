"""The plan as its users see it, read from what the solver found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim import breaches
from flexedge.optim.breaches import Breach, Unit
from flexedge.optim.choices import Choice
from flexedge.optim.commitments import Draft
from flexedge.optim.conflict import Contradiction
from flexedge.optim.device import Device, Soft, per_step
from flexedge.optim.even import Owned
from flexedge.optim.highs import Basis
from flexedge.optim.market import Group, Scenario
from flexedge.optim.meter import Meter
from flexedge.optim.placed import Placed, fullness
from flexedge.optim.problem import Problem
from flexedge.optim.program import Block, LinearProgram
from flexedge.optim.scenarios import Future
from flexedge.optim.search import Found
from flexedge.optim.stocks import Stock

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
    rows: tuple[Block, ...]
    """Those of the problem's own future."""
    owned: Owned
    """Those of each device alone."""
    others: "tuple[tuple[Scenario, Formulation], ...]" = ()
    """The same program's part for each future that may come instead."""
    worst: Block | None = None
    """The row that makes the worst future cost no less than the problem's own."""

    @property
    def program(self) -> LinearProgram:
        """The linear program."""
        return self.draft.program

    @property
    def site(self) -> Meter | None:
        """The meter of electricity."""
        site = self.problem.site
        return next((meter for meter in self.meters if meter.market is site), None)


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """A limit that costs something: what one more unit of it would save in each step."""

    limit: str
    unit: Unit
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
    """How much cheaper a plan could be at most, as a share of its cost; infinite: not known."""
    binaries: int
    """How many directions had to be decided one by one."""
    bound: float
    """No plan is cheaper than this, tie-breakers included."""
    grid: TimeGrid
    site: str = "electricity"
    basis: Basis | None = None
    """Where the solver ended: the next plan begins there."""
    futures: tuple[Future, ...] = ()
    """Where there are scenarios: what each future costs with this first step, the own one first."""
    culprits: tuple[str, ...] = ()
    """Limits that contradict each other: all that ``contradictions`` name."""
    contradictions: tuple[Contradiction, ...] = ()
    given_way: Mapping[str, float] = field(default_factory=dict)
    """By how much at most each limit gave way that gave way, in kW or kWh."""

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


def read(formulation: Formulation, found: Found, build_seconds: float) -> Solution:
    """The plan in a program's solution."""
    problem, program, primal = formulation.problem, formulation.program, found.primal
    ledger, power = formulation.draft.ledger, {}
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
        for name, blocks in ledger.entries.items()
    }
    repairs = sum(
        program.cost_of(block, primal) for stock in formulation.stocks for block in stock.repaired
    )
    penalties = repairs + sum(cost for name, cost in paid.items() if name in ledger.penalties)
    held = [stock.level for stock in formulation.stocks]
    plain = [p for p in formulation.devices if p.device.storage is None and not p.device.wear_price]
    held += [p.up for p in plain if p.up is not None]
    duals = found.answer.row_dual
    site = formulation.site
    return Solution(
        status="optimal" if found.gap <= problem.good_enough else "feasible",
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
        breaches=(
            *breaches.of_sites(formulation.meters, net, problem.grid),
            *breaches.of_soft(_agreed(problem, power), problem.grid),
            *breaches.of_stocks(formulation.stocks, soc, problem.grid),
        ),
        build_seconds=build_seconds,
        solve_seconds=found.seconds,
        gap=found.gap,
        binaries=found.binaries,
        bound=found.bound,
        site=problem.site.commodity,
        basis=found.basis,
        grid=problem.grid,
    )


def _agreed(
    problem: Problem, power_kw: Mapping[str, FloatArray]
) -> Iterator[tuple[str, Soft | None, FloatArray]]:
    """The agreed capacities of devices and groups, each with what flows in its direction."""
    flows: list[tuple[str, Device | Group, FloatArray]] = [
        (device.name, device, power_kw[device.name]) for device in problem.devices
    ]
    for group in problem.groups:
        members = (power_kw[name] for name in group.devices)
        flow = sum(members, start=per_step(group.fixed_kw, problem.grid.n))
        flows.append((f"group {group.name}", group, flow))
    for name, one, flow in flows:
        yield f"{name} consumption-capacity", one.consumption_capacity, flow
        yield f"{name} production-capacity", one.production_capacity, -flow


def _preferences(problem: Problem, soc_kwh: Mapping[str, FloatArray]) -> dict[str, float]:
    """What FlexMeasures charges for storages that are not full: 1e-4 of the spread of prices.

    Its price falls from that over the number of steps to nothing, per MWh and step.
    """
    index = {device.name: i for i, device in enumerate(problem.devices)}
    falling = problem.preference
    if falling is None:
        falling = fullness(problem.grid, problem.site.import_price)
    found = {}
    for storage, feeders in problem.storages:
        if storage.prefer_charging_sooner and np.isfinite(storage.soc_max_kwh):
            slope = falling if storage.prefer_sooner_less else np.full_like(falling, falling[0])
            missing = np.maximum(storage.soc_max_kwh - soc_kwh[storage.name], 0.0)
            name = f"prefer a full storage {index[feeders[0].name]} sooner"
            found[name] = float(slope @ missing)
    return found


def _bindings(formulation: Formulation, found: Found) -> Iterator[Binding]:
    """From the duals of limits that people set: rows, and columns where they are at a bound.

    A direction that is held at zero, since the other one is used, is at no bound of its own; one
    that a device never has is no limit.
    """
    n, draft = formulation.problem.grid.n, formulation.draft
    prices: dict[str, FloatArray] = {}
    watched = {rows.start for _, rows, _ in draft.watched}
    others = [
        (label, rows, np.arange(n))
        for rows in formulation.rows if rows.size == n and rows.start not in watched
        for label in dict.fromkeys(rows.limits) if label and not label.endswith(" node")
    ]  # fmt: skip
    for label, rows, at in (*draft.watched, *others):
        dual = np.abs(rows.of(found.answer.row_dual))
        np.add.at(prices.setdefault(label, np.zeros(n)), at, dual)
    for block in formulation.columns:
        dual, value = (block.of(vector) for vector in (found.answer.column_dual, found.primal))
        lower, upper = formulation.program.bounds(block)
        for name, side, there in (
            (block.limits[0], dual, lower.any() & (value <= lower + _ROUNDING)),
            (block.limits[1], -dual, upper.any() & (value >= upper - _ROUNDING)),
        ):
            if name is not None and block.size == n:
                price = np.where(there, np.maximum(side, 0.0), 0.0)
                prices.setdefault(name, np.zeros(n))[:] += price
    for label, price in prices.items():
        if price.max(initial=0.0) > _NOTICED_PRICE:
            yield Binding(
                label, breaches.unit_of(label), np.where(price > _NOTICED_PRICE, price, 0.0)
            )


def _limit_value(formulation: Formulation, found: Found) -> FloatArray:
    """From the duals of the hard bounds and of the agreed capacities' rows."""
    meter, value = formulation.site, np.zeros(formulation.problem.grid.n)
    if meter is None:
        return value
    for flow, limited, capacity in zip(
        (meter.consumption, meter.production), meter.limited, meter.capacities, strict=True
    ):
        value += np.where(limited, np.maximum(-flow.of(found.answer.column_dual), 0.0), 0.0)
        for rows in capacity.rows:
            value[capacity.at] += np.maximum(-rows.of(found.answer.row_dual), 0.0)
    return value / formulation.problem.grid.hours


def _peak_value(formulation: Formulation, found: Found) -> FloatArray:
    problem, meter = formulation.problem, formulation.site
    value = np.zeros(problem.grid.n)
    if meter is None or problem.site.connection.peak_price is None:
        return value
    counted = np.isfinite(per_step(problem.site.connection.peak_consumption_kw, problem.grid.n))
    for rows in meter.peaks[0]:
        value[counted] = np.maximum(-rows.of(found.answer.row_dual), 0.0)
    return value / problem.grid.hours
