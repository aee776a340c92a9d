"""What costs money: net energy, peaks, breaches of soft limits.

A commitment is a limit on a sum of flows or stocks and a price for exceeding it, charged on the
largest excess ("any"), on each ("each"), or on both. Without a price the limit is hard.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.problem import Amount, Problem, SocBound, per_step
from flexedge.optim.program import Block, LinearProgram, Term
from flexedge.optim.storage import Placed


@dataclass(frozen=True, slots=True)
class Prices:
    """Per unit of the largest excess, and per unit of each row's; None for both is hard."""

    any: float | None = None
    each: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Commitment:
    """A limit in the program: its rows, and the columns that tell by how much it is exceeded."""

    rows: tuple[Block, ...]
    excess: tuple[Block, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Capacity:
    """An agreed limit of the site's consumption or production; infinite where there is none."""

    name: str
    limit_kw: FloatArray
    at: NDArray[np.intp]
    """The steps its rows stand for: no other could exceed it."""
    commitment: Commitment


@dataclass(frozen=True, slots=True, eq=False)
class Meter:
    """The grid connection in the program: what flows in and out, each at least 0."""

    consumption: Block
    production: Block
    balance: Block
    """Rows that make them follow from the devices' powers."""
    most: tuple[FloatArray, FloatArray]
    """Bounds of both."""
    limited: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """Where site-power-capacity is what bounds them."""
    capacities: tuple[Capacity, Capacity]
    peak: Commitment | None


def commit(
    program: LinearProgram,
    name: str,
    terms: Sequence[Term],
    limit: FloatArray,
    prices: Prices,
) -> Commitment:
    """Limit the sum of terms from above, one row for each number in ``limit``."""
    n = len(limit)
    rows, excess = [], []
    for kind, price, size in (("any", prices.any, 1), ("each", prices.each, n)):
        if price is None:
            continue
        beyond = program.add_columns(f"{name} ({kind})", size, (0.0, math.inf), price)
        at = np.zeros(n, dtype=np.intp) if size == 1 else None
        excess.append(beyond)
        rows.append(
            program.add_rows(f"{name} ({kind})", (-math.inf, limit),
                             [*terms, Term(beyond, -1.0, at=at)], n=n)
        )  # fmt: skip
    if not rows:
        rows.append(program.add_rows(name, (-math.inf, limit), terms, n=n, limits=(None, name)))
    return Commitment(tuple(rows), tuple(excess))


def connect(program: LinearProgram, problem: Problem, devices: Sequence[Placed]) -> Meter:
    """Add the grid connection: the site's balance, energy prices, capacities, peak price."""
    n, hours, connection = problem.grid.n, problem.grid.hours, problem.connection
    far = (
        np.maximum(problem.inflexible_kw + sum(p.device.max_kw for p in devices), 0.0),
        np.maximum(-problem.inflexible_kw - sum(p.device.min_kw for p in devices), 0.0),
    )
    hard = per_step(_or_infinite(connection.power_capacity_kw), n)
    most = np.minimum(far[0], hard), np.minimum(far[1], hard)
    consumption, production = (
        program.add_columns(
            f"net {name}", n, (0.0, upper), cost * hours, limits=(None, "site-power-capacity")
        )
        for name, upper, cost in (
            ("consumption", most[0], problem.import_price),
            ("production", most[1], -problem.export_price),
        )
    )
    terms = [term for p in devices for term in p.power]
    terms += [Term(consumption, -1.0), Term(production, 1.0)]
    inflexible = -problem.inflexible_kw
    balance = program.add_rows("site balance", (inflexible, inflexible), terms, n=n)
    peak = None
    if connection.peak_price is not None:
        paid = np.full(n, connection.peak_consumption_kw)
        peak = commit(
            program, "consumption peak", [Term(consumption)], paid, Prices(connection.peak_price)
        )
    return Meter(
        consumption,
        production,
        balance=balance,
        most=most,
        limited=(far[0] > hard, far[1] > hard),
        capacities=(
            _agree(program, problem, consumption, most[0]),
            _agree(program, problem, production, most[1]),
        ),
        peak=peak,
    )


def _or_infinite(amount: Amount | None) -> Amount:
    return math.inf if amount is None else amount


def _agree(program: LinearProgram, problem: Problem, flow: Block, most: FloatArray) -> Capacity:
    """Limit consumption or production to what was agreed, in the steps that could exceed it."""
    n, connection = problem.grid.n, problem.connection
    direction = flow.name.removeprefix("net ")
    soft: Amount | None = getattr(connection, f"{direction}_capacity_kw")
    price: float | None = getattr(connection, f"{direction}_breach_price")
    limit = per_step(_or_infinite(soft), n)
    at = np.flatnonzero(most > limit)
    prices = Prices() if price is None else Prices(price, price * problem.grid.hours)
    name = f"site-{direction}-capacity"
    return Capacity(name, limit, at, commit(program, name, [Term(flow, at=at)], limit[at], prices))


@dataclass(frozen=True, slots=True, eq=False)
class SocCommitment:
    """Bounds of one kind on one stock: sign +1 for upper bounds, -1 for lower ones."""

    device: str
    name: str
    bounds: tuple[SocBound, ...]
    sign: float
    start_kwh: float
    commitment: Commitment

    def missed_kwh(self, grid: TimeGrid, soc_kwh: FloatArray) -> FloatArray:
        """By how much each bound is missed when the stock runs evenly from tick to tick."""
        step, share = positions(self.bounds, grid)
        path = np.concatenate(([self.start_kwh], soc_kwh))
        there = (1 - share) * path[step] + share * path[step + 1]
        wanted = np.array([bound.soc_kwh for bound in self.bounds])
        missed: FloatArray = np.maximum(self.sign * (there - wanted), 0.0)
        return missed


def positions(
    bounds: Sequence[SocBound], grid: TimeGrid
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The step each bound lies in, and which share of it has gone by then: in (0, 1]."""
    ticks = np.array([(bound.at - grid.start) / grid.resolution for bound in bounds])
    step = np.ceil(ticks - 1e-9).astype(np.intp) - 1
    return step, np.clip(ticks - step, 0.0, 1.0)


def bind_stock(
    program: LinearProgram, placed: Placed, problem: Problem
) -> tuple[SocCommitment, ...]:
    """Add soc-minima, -maxima and -targets of a device, priced by the SoC breach price."""
    storage, stock, grid = placed.device.storage, placed.stock, problem.grid
    if storage is None or stock is None:
        return ()
    price = problem.soc_breach_price
    prices = Prices() if price is None else Prices(price, price * grid.hours)
    made = []
    for field, sign, all_bounds in (
        ("soc-minima", -1.0, storage.minima),
        ("soc-maxima", +1.0, storage.maxima),
        ("soc-targets", -1.0, storage.targets),
        ("soc-targets", +1.0, storage.targets),
    ):
        bounds = tuple(bound for bound in all_bounds if grid.start < bound.at <= grid.end)
        if not bounds:
            continue
        step, share = positions(bounds, grid)
        before = sign * (1 - share)
        limit = sign * np.array([bound.soc_kwh for bound in bounds])
        limit -= np.where(step == 0, before * storage.soc_start_kwh, 0.0)
        terms = (Term(stock, sign * share, at=step), Term(stock, before, at=step - 1))
        device = placed.device.name
        name = f"{device} {field}"
        commitment = commit(program, name, terms, limit, prices)
        made.append(SocCommitment(device, name, bounds, sign, storage.soc_start_kwh, commitment))
    return tuple(made)
