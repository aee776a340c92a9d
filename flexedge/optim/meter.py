"""The grid connection of a commodity in the program: energy prices, capacities, peaks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.optim.choices import Pair
from flexedge.optim.commitments import ROOM_KW, Draft, Names, Prices, commit, runs
from flexedge.optim.device import ELECTRICITY, Amount, Soft, per_step
from flexedge.optim.market import Group, Market
from flexedge.optim.placed import Flow, Placed
from flexedge.optim.program import Block, Term


@dataclass(frozen=True, slots=True, eq=False)
class Capacity:
    """An agreed limit of the site's consumption or production; infinite where there is none."""

    name: str
    sign: float
    limit_kw: FloatArray
    at: NDArray[np.intp]
    """The steps its rows stand for: no other could exceed it."""
    rows: tuple[Block, ...]


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
    peaks: tuple[tuple[Block, ...], ...]
    pair: Pair | None
    """The two directions, where buying and selling at once would earn."""


def connect(draft: Draft, market: Market, devices: Sequence[Placed]) -> Meter:
    """Add a grid connection: the balance, energy prices, capacities, peak prices."""
    program, n, connection = draft.program, len(market.inflexible_kw), market.connection
    flow = Flow.of(devices, market.inflexible_kw)
    far = np.maximum(flow.most, 0.0), np.maximum(-flow.least, 0.0)
    hard = per_step(_or_infinite(connection.power_capacity_kw), n)
    most = np.minimum(far[0], hard), np.minimum(far[1], hard)
    consumption, production = (
        program.add_columns(
            f"{market.commodity} net {name}", n, (0.0, upper), cost * draft.hours,
            limits=(None, f"{_prefix(market.commodity)}site-power-capacity"),
        )
        for name, upper, cost in (
            ("consumption", np.minimum(far[0] + ROOM_KW, hard), market.import_price),
            ("production", np.minimum(far[1] + ROOM_KW, hard), -market.export_price),
        )
    )  # fmt: skip
    draft.ledger.open(f"{market.commodity} net energy", consumption, production)
    terms = [*flow.terms, Term(consumption, -1.0), Term(production, 1.0)]
    anyway = -market.inflexible_kw
    balance = program.add_rows(f"{market.commodity} balance", (anyway, anyway), terms, n=n)
    pair = None
    if (market.import_price < market.export_price).any():
        ones = np.ones(n)
        pair = Pair(consumption, production, far, (ones, ones))  # the limit may give way
    agreed = (
        ("consumption", (consumption, production), most[0],
         connection.consumption_capacity_kw, connection.consumption_breach_price),
        ("production", (production, consumption), most[1],
         connection.production_capacity_kw, connection.production_breach_price),
    )  # fmt: skip
    peaks = (
        ("consumption", (consumption, production),
         connection.peak_consumption_kw, connection.peak_price,
         connection.used_kw),
        ("production", (production, consumption), connection.peak_production_kw,
         connection.peak_production_price, -per_step(connection.used_kw, n)),
    )  # fmt: skip
    return Meter(
        market,
        consumption,
        production,
        balance,
        limited=(far[0] > hard, far[1] > hard),
        capacities=tuple(_agree(draft, market.commodity, one) for one in agreed),
        peaks=tuple(_peak(draft, market.commodity, one) for one in peaks if one[3] is not None),
        pair=pair,
    )


def _or_infinite(amount: Amount | None) -> Amount:
    return math.inf if amount is None else amount


_Ways = tuple[Block, Block]
"""What is limited, and what flows the other way."""
_Agreed = tuple[str, _Ways, FloatArray, Amount | None, Amount | None]
_Peak = tuple[str, _Ways, Amount, Amount | None, Amount]


def _agree(draft: Draft, commodity: str, agreed: _Agreed) -> Capacity:
    """Limit consumption or production to what was agreed, in the steps that could exceed it."""
    direction, ways, most, capacity, price = agreed
    limit = per_step(_or_infinite(capacity), len(most))
    at = np.flatnonzero(most > limit)
    name = f"{_prefix(commodity)}site-{direction}-capacity"
    names = Names.of(name, f"{commodity} {{}} {direction} breach{{}}")
    prices = draft.prices(price, np.where(np.isinf(limit), np.nan, limit), at)
    made = commit(draft, names, _flows(ways, limit < 0, at), limit[at], prices, at)
    return Capacity(name, 1.0 if direction == "consumption" else -1.0, limit, at, made)


def _peak(draft: Draft, commodity: str, peak: _Peak) -> tuple[Block, ...]:
    """Charge for the highest power above what was paid for already.

    In a step that has begun, the other direction makes up for what was used before.
    """
    direction, ways, paid, price, used = peak
    n = ways[0].size
    limit, before = per_step(paid, n), per_step(used, n)
    at = np.flatnonzero(np.isfinite(limit))
    name = f"{commodity} {direction} peak"
    whole = per_step(0.0 if price is None else price, n)
    prices = Prices(any=whole[at], run=runs(limit, whole)[at])
    names = Names(name, name, name)
    terms = _flows(ways, (limit < 0) | (before != 0), at)
    return commit(draft, names, terms, (limit - before)[at], prices, at)


def _flows(ways: _Ways, both: NDArray[np.bool_], at: NDArray[np.intp]) -> list[Term]:
    """What a limit counts: in some steps what flows the other way, too, less."""
    less: FloatArray = np.where(both[at], -1.0, 0.0)
    other = [Term(ways[1], less, at=at)] if less.any() else []
    return [Term(ways[0], at=at), *other]


def _prefix(commodity: str) -> str:
    return "" if commodity == ELECTRICITY else f"{commodity} "


def gather(draft: Draft, group: Group, devices: Sequence[Placed], n: int) -> None:
    """Limit what flows to some of the devices together."""
    fixed = per_step(group.fixed_kw, n)
    flow = Flow.of(devices, fixed)
    if group.power_capacity_kw is not None:
        hard = per_step(group.power_capacity_kw, n)
        label = f"group {group.name} power-capacity"
        rows = draft.program.add_rows(
            label, (-hard - fixed, hard - fixed), flow.terms, n=n, limits=(label, label)
        )
        draft.watch(label, rows)
    label = f"group {group.name}"
    for names, sign, soft in (
        (Names.of(f"{label} consumption-capacity", f"{label} {{}} consumption breach{{}}"), 1.0,
         group.consumption_capacity),
        (Names.of(f"{label} production-capacity", f"{label} {{}} production breach{{}}"), -1.0,
         group.production_capacity),
    ):  # fmt: skip
        _soften(draft, names, flow, fixed, (sign, soft))


def soften(draft: Draft, placed: Placed, index: int) -> None:
    """Let a device exceed its capacities at a price; ``index`` is its place among the devices."""
    device = placed.device
    nothing = np.zeros(len(device.min_kw))
    flow, end = Flow.of([placed], nothing), f" device {index}"
    for names, sign, soft in (
        (Names.of(f"{device.name} consumption-capacity", "{} consumption breach{}", end), 1.0,
         device.consumption_capacity),
        (Names.of(f"{device.name} production-capacity", "{} production breach{}", end), -1.0,
         device.production_capacity),
    ):  # fmt: skip
        _soften(draft, names, flow, nothing, (sign, soft))


def _soften(
    draft: Draft, names: Names, flow: Flow, fixed: FloatArray, side: tuple[float, Soft | None]
) -> None:
    """Charge for what a flow exceeds its agreed capacity by."""
    sign, soft = side
    if soft is None:
        return
    n = len(fixed)
    limit = per_step(soft.limit_kw, n)
    at = np.flatnonzero((flow.most if sign > 0 else -flow.least) > limit)
    terms = [Term(t.block, sign * float(t.coefficient), at=at) for t in flow.terms]
    prices = draft.prices(soft.price, limit, at)
    commit(draft, names, terms, limit[at] - sign * fixed[at], prices, at)
