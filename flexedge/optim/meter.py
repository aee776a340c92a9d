"""The grid connection of a commodity in the program: energy prices, capacities, peaks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.optim.commitments import Ledger, Limit, Names, Prices, commit
from flexedge.optim.device import Amount, Soft, per_step
from flexedge.optim.market import Group, Market
from flexedge.optim.placed import Flow, Placed
from flexedge.optim.program import Block, LinearProgram, Term
from flexedge.optim.signs import Pair


@dataclass(frozen=True, slots=True, eq=False)
class Capacity:
    """An agreed limit of the site's consumption or production; infinite where there is none."""

    name: str
    sign: float
    limit_kw: FloatArray
    at: NDArray[np.intp]
    """The steps its rows stand for: no other could exceed it."""
    limit: Limit


@dataclass(frozen=True, slots=True, eq=False)
class Meter:
    """A grid connection in the program: what flows in and out, each at least 0."""

    market: Market
    consumption: Block
    production: Block
    balance: Block
    """Rows that make them follow from the devices' powers."""
    limited: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """Where site-power-capacity is what bounds them."""
    capacities: tuple[Capacity, ...]
    peaks: tuple[Limit, ...]
    pair: Pair | None
    """The two directions, where buying and selling at once would earn."""


def connect(
    program: LinearProgram,
    ledger: Ledger,
    market: Market,
    devices: Sequence[Placed],
    hours: float,
) -> Meter:
    """Add a grid connection: the balance, energy prices, capacities, peak prices."""
    n, connection = len(market.inflexible_kw), market.connection
    flow = Flow.of(devices, market.inflexible_kw)
    far = np.maximum(flow.most, 0.0), np.maximum(-flow.least, 0.0)
    hard = per_step(_or_infinite(connection.power_capacity_kw), n)
    most = np.minimum(far[0], hard), np.minimum(far[1], hard)
    what = "" if market.commodity == "electricity" else f"{market.commodity} "
    consumption, production = (
        program.add_columns(
            f"{market.commodity} net {name}", n, (0.0, upper), cost * hours,
            limits=(None, f"{what}site-power-capacity"),
        )
        for name, upper, cost in (
            ("consumption", most[0], market.import_price),
            ("production", most[1], -market.export_price),
        )
    )  # fmt: skip
    ledger.open(f"{market.commodity} net energy", consumption, production)
    terms = [*flow.terms, Term(consumption, -1.0), Term(production, 1.0)]
    anyway = -market.inflexible_kw
    balance = program.add_rows(f"{market.commodity} balance", (anyway, anyway), terms, n=n)
    pair = None
    if (market.import_price < market.export_price).any():
        ones = np.ones(n)
        pair = Pair(consumption, production, most, (ones, ones))
    agreed = (
        ("consumption", consumption, most[0],
         connection.consumption_capacity_kw, connection.consumption_breach_price),
        ("production", production, most[1],
         connection.production_capacity_kw, connection.production_breach_price),
    )  # fmt: skip
    peaks = (
        ("consumption", consumption, connection.peak_consumption_kw, connection.peak_price),
        ("production", production,
         connection.peak_production_kw, connection.peak_production_price),
    )  # fmt: skip
    return Meter(
        market,
        consumption,
        production,
        balance,
        limited=(far[0] > hard, far[1] > hard),
        capacities=tuple(
            _agree(program, ledger, what, market.commodity, one, hours) for one in agreed
        ),
        peaks=tuple(
            _peak(program, ledger, market.commodity, direction, block, paid, price)
            for direction, block, paid, price in peaks
            if price is not None
        ),
        pair=pair,
    )


def _or_infinite(amount: Amount | None) -> Amount:
    return math.inf if amount is None else amount


def _agree(
    program: LinearProgram,
    ledger: Ledger,
    what: str,
    commodity: str,
    agreed: tuple[str, Block, FloatArray, Amount | None, Amount | None],
    hours: float,
) -> Capacity:
    """Limit consumption or production to what was agreed, in the steps that could exceed it."""
    direction, flow, most, capacity, price = agreed
    limit = per_step(_or_infinite(capacity), len(most))
    at = np.flatnonzero(most > limit)
    name = f"{what}site-{direction}-capacity"
    names = Names.of(name, f"{commodity} {{}} {direction} breach{{}}")
    prices = _prices(price, len(most), hours, at)
    made = commit(program, ledger, names, [Term(flow, at=at)], limit[at], prices, at)
    return Capacity(name, 1.0 if direction == "consumption" else -1.0, limit, at, made)


def _prices(price: Amount | None, n: int, hours: float, at: NDArray[np.intp]) -> Prices:
    if price is None:
        return Prices()
    there = per_step(price, n)[at]
    return Prices(there, there * hours)


def _peak(
    program: LinearProgram,
    ledger: Ledger,
    commodity: str,
    direction: str,
    flow: Block,
    paid: Amount,
    price: Amount,
) -> Limit:
    """Charge for the highest power above what was paid for already."""
    n = flow.size
    limit = per_step(paid, n)
    at = np.flatnonzero(np.isfinite(limit))
    name = f"{commodity} {direction} peak"
    return commit(
        program, ledger, Names(name, name, name), [Term(flow, at=at)], limit[at],
        Prices(any=per_step(price, n)[at]), at,
    )  # fmt: skip


def gather(
    program: LinearProgram,
    ledger: Ledger,
    group: Group,
    devices: Sequence[Placed],
    hours: float,
) -> None:
    """Limit what flows to some of the devices together."""
    n = len(devices[0].device.min_kw)
    flow = Flow.of(devices, per_step(group.fixed_kw, n))
    if group.power_capacity_kw is not None:
        hard, fixed = per_step(group.power_capacity_kw, n), per_step(group.fixed_kw, n)
        label = f"group {group.name} power-capacity"
        program.add_rows(label, (-hard - fixed, hard - fixed), flow.terms, n=n,
                         limits=(label, label))  # fmt: skip
    what = f"group {group.name} {{}} {{direction}} breach{{}}"
    soften(program, ledger, what, f"group {group.name}", flow, group.consumption_capacity,
           group.production_capacity, per_step(group.fixed_kw, n), hours)  # fmt: skip


def soften_device(
    program: LinearProgram, ledger: Ledger, placed: Placed, index: int, hours: float
) -> None:
    """Let a device exceed its capacities at a price."""
    device = placed.device
    nothing = np.zeros(len(device.min_kw))
    soften(program, ledger, f"{{}} {{direction}} breach{{}} device {index}", device.name,
           Flow.of([placed], nothing), device.consumption_capacity, device.production_capacity,
           nothing, hours)  # fmt: skip


def soften(
    program: LinearProgram,
    ledger: Ledger,
    what: str,
    who: str,
    flow: Flow,
    consumption: Soft | None,
    production: Soft | None,
    fixed: FloatArray,
    hours: float,
) -> None:
    """Charge for what a flow exceeds its agreed capacities by."""
    n = len(fixed)
    for direction, sign, soft, most in (
        ("consumption", 1.0, consumption, flow.most),
        ("production", -1.0, production, -flow.least),
    ):
        if soft is None:
            continue
        limit = per_step(soft.limit_kw, n)
        at = np.flatnonzero(most > limit)
        names = Names(
            f"{who} {direction}-capacity",
            *(what.replace("{direction}", direction).format(kind, ending)
              for kind, ending in (("any", ""), ("all", "es"))),
        )  # fmt: skip
        terms = [Term(t.block, sign * float(t.coefficient), at=at) for t in flow.terms]
        prices = _prices(soft.price, n, hours, at)
        commit(program, ledger, names, terms, limit[at] - sign * fixed[at], prices, at)
