"""The formulation on one page, and the plan that comes out of it.

Minimise   import price · consumption - export price · production      ("net energy")
         + peak prices · what the highest powers exceed                ("... peak")
         + breach prices · (largest breach + breach · hours)           (soft limits)
         + prices · deviations from positions                          (custom commitments)
         + wear · throughput - value · what is stored at the end
         + a tiny preference: full sooner, curtail later               (tie-breakers)
subject to, in every step,
  markets   Σ power + inflexible = consumption - production, or 0 without a grid
  stocks    stock = keep · stock before + Σ gain · charging - Σ loss · discharging - usage
  limits    power within its capacities, stock within soc-min and soc-max, groups and
            consumption and production within their power-capacity, ramps, phases
  coupling  power = coefficient · level, for all that share a level
  choices   a storage either charges or discharges; the site either consumes or produces; a
            device with modes keeps to one of them
            (a linear program at first; binaries only where it breaks these rules: search.py)
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from time import perf_counter

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.errors import Infeasible, SolverGaveUp
from flexedge.optim import (
    breaches,
    conflict,
    elastic,
    even,
    meter,
    placed,
    running,
    scenarios,
    search,
    solution,
    stocks,
    tasks,
)
from flexedge.optim.choices import Choice, Pair
from flexedge.optim.commitments import Draft, Ledger, bind
from flexedge.optim.device import Device, Storage, per_step
from flexedge.optim.market import Commitment
from flexedge.optim.placed import Flow, Placed
from flexedge.optim.problem import Problem
from flexedge.optim.program import LinearProgram, Term
from flexedge.optim.scenarios import Future
from flexedge.optim.search import Aim, Found, Start
from flexedge.optim.solution import Formulation, Solution
from flexedge.optim.stocks import Physics, Stock

_THREE = (1 / 3, 1 / 3, 1 / 3)
_GRACE = 0.7  # seconds after the time limit that a plan is worth
_ROUNDINGS = (1e-8, 1e-6, 1e-4)  # shares by which violations may lie above the least
_TUBE_KW = 1e-7  # how near a plan keeps to powers that are given
_SHARE = 0.3  # of the time, for the first step on the way to the nearest plan
_TWO_SHARES = 0.6  # of what is left then, for the plan itself; the rest is for naming culprits


def solve(problem: Problem, time_limit: timedelta, after: Solution | None = None) -> Solution:
    """Plan. Where limits contradict each other, the nearest plan, with the limits at fault.

    ``after`` is an earlier plan for the same devices: beginning from it is several times faster,
    and costs the same.

    Raises ``Infeasible`` where even physics does (a device that must draw what nothing can
    supply), ``SolverGaveUp`` where there is no plan within the time. Equal problems give equal
    plans, unless the time limit ends the search.
    """
    began = perf_counter()
    return _plan(formulate(problem), time_limit, began, after)


def follow(problem: Problem, power_kw: Mapping[str, FloatArray], time_limit: timedelta) -> Solution:
    """The plan in which each device has this power, and what it costs. Raises as ``solve`` does."""
    began = perf_counter()
    formulation = formulate(problem)
    for p in formulation.devices:
        kw = power_kw[p.device.name]
        signed = (
            (p.up, kw if p.down is None else np.maximum(kw, 0.0)),
            (p.down, np.maximum(-kw, 0.0)),
        )
        for block, value in signed:
            if block is not None:
                least, most = formulation.program.bounds(block)
                ends = (np.clip(value + by, least, most) for by in (-_TUBE_KW, _TUBE_KW))
                formulation.program.set_bounds(block, *ends)
    return _plan(formulation, time_limit, began)


def _plan(
    formulation: Formulation, time_limit: timedelta, began: float, after: Solution | None = None
) -> Solution:
    built = perf_counter() - began
    try:
        return _read(formulation, settle(formulation, time_limit, after), built)
    except Infeasible:
        return _nearest(formulation, began + time_limit.total_seconds(), built)


def _read(formulation: Formulation, found: Found, built: float) -> Solution:
    """The plan, shared evenly between equals, its prices those of the own future alone."""
    program, choices, answer = formulation.program, formulation.choices, found.answer
    primal = even.share(formulation.problem, program, choices, formulation.owned, found.primal)
    scale = scenarios.weight(formulation.worst, answer.row_dual)
    answer = replace(
        answer, row_dual=answer.row_dual / scale, column_dual=answer.column_dual / scale
    )
    plan = solution.read(formulation, replace(found, answer=answer, primal=primal), built)
    return replace(plan, futures=_futures(formulation, plan, primal))


def _futures(formulation: Formulation, plan: Solution, primal: FloatArray) -> tuple[Future, ...]:
    """What each future costs; nothing where there is only one."""
    if not formulation.others:
        return ()
    own = 1.0 - sum(scenario.probability for scenario, _ in formulation.others)
    told = [Future(scenarios.OWN, own, plan.total_cost)]
    for scenario, written in formulation.others:
        blocks = [block for paid in written.draft.ledger.entries.values() for block in paid]
        blocks += [block for stock in written.stocks for block in stock.repaired]
        cost = sum(formulation.program.cost_of(block, primal) for block in blocks)
        share = scenario.probability
        told.append(Future(scenario.name, share, cost * own / share))
    return tuple(told)


def _nearest(formulation: Formulation, end: float, built: float) -> Solution:
    """The plan that violates as little as it must, by the ladder of ``elastic``."""
    program, choices, grid = formulation.program, formulation.choices, formulation.problem.grid
    try:
        relaxed = elastic.relax(
            program, choices, grid.hours, _SHARE * _left(end), grace=_grace(end, _SHARE)
        )
    except Infeasible:
        raise Infeasible(conflict.physics(program, choices, _left(end))) from None
    found = _with_least(formulation, relaxed, end)
    watched = [*formulation.draft.watched, *relaxed.watched]
    formulation = replace(formulation, draft=replace(formulation.draft, watched=watched))
    plan = solution.read(formulation, found, built)
    given = relaxed.given(found.primal)
    if not given:  # what contradicts is less than rounding
        return plan
    named = conflict.contradictions(program, choices, _left(end), suspects=relaxed.suspects)
    culprits = [limit for one in named for limit in one.limits]
    return replace(
        plan,
        status="relaxed",
        culprits=tuple(dict.fromkeys(culprits or [one.limit for one in given])),
        contradictions=named,
        given_way=breaches.given_way(given),
        breaches=(*plan.breaches, *breaches.others(grid, given, plan.breaches)),
    )


def _with_least(formulation: Formulation, relaxed: elastic.Relaxed, end: float) -> Found:
    """Settle with the least violations; with a little more where rounding leaves no point.

    Where there is no time for that, the point of least violations itself, whatever it costs.
    """
    start = Start(relaxed.found.basis, 0, formulation.problem.grid.n)
    for slack in _ROUNDINGS:
        if not _grace(end, 0.0):
            break
        with suppress(Infeasible, SolverGaveUp):
            return _settle(
                relaxed.within(slack), formulation, _TWO_SHARES * _left(end), start,
                relaxed.found.primal, _grace(end, _TWO_SHARES),
            )  # fmt: skip
    return relaxed.anyhow()


def _left(end: float) -> float:
    return max(end - perf_counter(), 0.0)


def _grace(end: float, share: float) -> float:
    """What is left up to a little after the end, beyond a share of what is left up to it."""
    return max(end + _GRACE - perf_counter() - share * _left(end), 0.0)


def formulate(problem: Problem) -> Formulation:
    """Build the linear program of a problem, and of what may happen instead."""
    program = LinearProgram()
    formulation = _write(program, problem)
    if not problem.scenarios:
        return formulation
    own = list(program.columns)
    others = []
    for scenario in problem.scenarios:
        written = _write(program, scenarios.instead(problem, scenario))
        scenarios.share_first_step(program, formulation.devices, written.devices)
        formulation.choices.extend(written.choices)
        others.append((scenario, written))
    columns = [(scenario.probability, written.columns) for scenario, written in others]
    worst = scenarios.weigh(program, own, columns, problem.risk_weight)
    return replace(formulation, others=tuple(others), worst=worst)


def _write(program: LinearProgram, problem: Problem) -> Formulation:
    """Write one future into the program."""
    ledger, start, row = Ledger(), len(program.columns), len(program.rows)
    draft = Draft(program, ledger, problem.grid.hours)
    owned = even.Owned(program, seen=start)
    devices = tuple(_place(owned, device, problem) for device in problem.devices)
    by_name = {p.device.name: p for p in devices}
    placed.couple(program, devices)
    for p in devices:
        running.ease_ramps(draft, p, running.switch(draft, p, problem.day_of_step))
        tasks.perform(draft, p, problem)
    # those that switch or perform are equal to nobody: their columns need no owner
    meters = tuple(
        meter.connect(draft, market, _of(devices, market.commodity))
        for market in problem.markets
        if not market.internal
    )
    _balance(program, problem, devices)
    _limit_phases(draft, problem, devices)
    for group in problem.groups:
        meter.gather(draft, group, [by_name[name] for name in group.devices], problem.grid.n)
    owned.take(None)
    for index, p in enumerate(devices):
        meter.soften(draft, p, index)
        owned.take(p.device.name)
    levels = tuple(
        _fill(owned, draft, storage, [by_name[d.name] for d in feeders], problem)
        for storage, feeders in problem.storages
    )
    choices: list[Choice] = [m.pair for m in meters if m.pair is not None]
    internal = set(ledger.entries)
    for commitment in problem.commitments:
        flow = _flow(commitment, by_name)
        name = f"{commitment.name} (custom)" if commitment.name in internal else commitment.name
        pair = bind(draft, commitment, flow, name)
        choices += [pair] if pair is not None else []
    for p in devices:
        if p.device.wear_price:
            ledger.open(f"wear {p.device.name}", *(t.block for t in p.power))
    choices += _directions(problem, levels)
    choices += [curve for level in levels for curve in level.curves]
    choices += [modes for p in devices for modes in placed.modes(p)]
    columns, rows = tuple(program.columns[start:]), tuple(program.rows[row:])
    return Formulation(problem, draft, devices, meters, levels, choices, columns, rows, owned)


def _place(owned: even.Owned, device: Device, problem: Problem) -> Placed:
    found = placed.place(owned.program, device, problem)
    owned.take(device.name)
    return found


def _fill(
    owned: even.Owned, draft: Draft, storage: Storage, feeders: list[Placed], problem: Problem
) -> Stock:
    found = stocks.stock(draft, storage, feeders, problem)
    owned.take(feeders[0].device.name if len(feeders) == 1 else None)
    return found


def settle(formulation: Formulation, time_limit: timedelta, after: Solution | None = None) -> Found:
    """Solve a program that is built."""
    start = None if after is None else _start(formulation.problem.grid, after)
    seconds = time_limit.total_seconds()
    return _settle(formulation.program, formulation, seconds, start)


def _start(grid: TimeGrid, after: Solution) -> Start | None:
    """Where to begin after an earlier plan, if that goes in the same steps."""
    earlier, steps = after.grid, (grid.start - after.grid.start) / grid.resolution
    alike = earlier.resolution == grid.resolution and earlier.n == grid.n
    if after.basis is None or not alike or steps != int(steps) or not 0 <= steps < grid.n:
        return None
    return Start(after.basis, int(steps), grid.n)


def _settle(
    program: LinearProgram,
    formulation: Formulation,
    seconds: float,
    start: Start | None = None,
    known: FloatArray | None = None,
    grace: float = _GRACE,
) -> Found:
    flows = [block for m in formulation.meters for block in (m.consumption, m.production)]
    turnover = program.turnover(flows)
    aim = Aim(seconds, turnover, formulation.problem.good_enough, grace)
    return search.settle(program, formulation.choices, aim, start, known)


def _of(devices: tuple[Placed, ...], commodity: str) -> list[Placed]:
    return [p for p in devices if p.device.commodity == commodity]


def _flow(commitment: Commitment, by_name: dict[str, Placed]) -> Flow:
    n = len(commitment.baseline_kw)
    fixed = np.zeros(n) + commitment.fixed_kw
    return Flow.of([by_name[name] for name in commitment.devices], fixed)


def _balance(program: LinearProgram, problem: Problem, devices: tuple[Placed, ...]) -> None:
    """Let what is used in a commodity without a grid be what is made there."""
    for market in problem.markets:
        if market.internal:
            terms = [term for p in _of(devices, market.commodity) for term in p.power]
            anyway = -market.inflexible_kw
            name = f"{market.commodity} node"
            program.add_rows(name, (anyway, anyway), terms, n=problem.grid.n, limits=(name, name))


def _limit_phases(draft: Draft, problem: Problem, devices: tuple[Placed, ...]) -> None:
    """Keep each phase of the site's connection within its capacity."""
    connection = problem.site.connection
    if connection.phase_capacity_kw is None:
        return
    capacity = per_step(connection.phase_capacity_kw, problem.grid.n)
    for phase in range(3):
        anyway = problem.site.inflexible_kw * connection.inflexible_phases[phase]
        terms = [
            Term(t.block, float(t.coefficient) * share)
            for p in _of(devices, problem.site.commodity)
            if (share := (p.device.phases or _THREE)[phase])
            for t in p.power
        ]
        if terms or (np.abs(anyway) > capacity).any():
            label = f"site-phase-capacity L{phase + 1}"
            rows = draft.program.add_rows(
                label, (-capacity - anyway, capacity - anyway), terms, n=problem.grid.n,
                limits=(label, label),
            )  # fmt: skip
            draft.watch(label, rows)


def _directions(problem: Problem, levels: tuple[Stock, ...]) -> Iterator[Pair]:
    """The directions of storages, of which only one may be used at a time."""
    for stock in levels:
        physics = Physics.of(stock.storage, problem.grid)
        for p in stock.feeders:
            if p.up is not None and p.down is not None:
                device = p.device
                most = np.maximum(device.max_kw, 0.0), np.maximum(-device.min_kw, 0.0)
                yield Pair(p.up, p.down, most, (physics.gain(device), physics.loss(device)))
