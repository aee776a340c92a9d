"""What costs money beside energy: limits that may be exceeded, and positions deviated from.

A limit on a sum of flows or stocks has prices for exceeding it, charged on the largest excess of
each run of equal limit and price ("any"), on each excess ("all"), or on both. Without a price the
limit is hard.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.optim.choices import Pair
from flexedge.optim.device import Amount, per_step
from flexedge.optim.market import Commitment
from flexedge.optim.placed import Flow
from flexedge.optim.program import Block, LinearProgram, Term

Steps = NDArray[np.intp]
ROOM_KW = 1.0
"""Between what flows can be and bounds that nobody set: where these bound, duals would lie."""


@dataclass(slots=True)
class Ledger:
    """What each commitment costs, by FlexMeasures' name for it: the blocks that are paid for."""

    entries: dict[str, list[Block]] = field(default_factory=dict)
    penalties: set[str] = field(default_factory=set)
    """The entries that are charged for missing a limit rather than paid to somebody."""

    def open(self, name: str, *blocks: Block) -> None:
        """Put blocks under a name; a name without blocks costs nothing, but is reported."""
        self.entries.setdefault(name, []).extend(blocks)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A formulation in the making."""

    program: LinearProgram
    ledger: Ledger
    hours: float
    """Length of a step."""
    watched: list[tuple[str, Block, Steps]] = field(default_factory=list)
    """Rows whose duals tell what a limit costs: its label, and the step of each row."""

    def watch(self, label: str, rows: Block, at: Steps | None = None) -> Block:
        """Remember which limit these rows stand for, and in which steps."""
        self.watched.append((label, rows, np.arange(rows.size) if at is None else at))
        return rows

    def prices(
        self, price: Amount | None, limit: FloatArray, at: Steps, other: Amount = 0.0
    ) -> "Prices":
        """A breach price at some of all steps: on the largest, and on breach times hours.

        A step whose limit is not a number ends a run, unless all others are the same. ``other`` is
        the price of the other direction, whose changes end runs, too.
        """
        if price is None:
            return Prices()
        n = len(limit)
        whole = per_step(price, n)
        run = runs(limit, whole, per_step(other, n))
        return Prices(whole[at], whole[at] * self.hours, run[at])


@dataclass(frozen=True, slots=True)
class Names:
    """What a limit is called: by people, and in the ledger."""

    limit: str
    any: str
    all: str

    @classmethod
    def of(cls, limit: str, what: str, of_what: str = "") -> "Names":
        """``Names.of("site-consumption-capacity", "electricity {} consumption breach{}")``."""
        return cls(limit, what.format("any", "") + of_what, what.format("all", "es") + of_what)


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Per unit of the largest excess, and per unit of each row's; None for both is hard."""

    any: FloatArray | None = None
    each: FloatArray | None = None
    run: Steps | None = None
    """Which run of equal limit and price each row belongs to."""


def commit(
    draft: Draft,
    names: Names,
    terms: Sequence[Term],
    limit: FloatArray,
    prices: Prices,
    at: Steps,
) -> tuple[Block, ...]:
    """Limit the sum of terms from above, one row for each number in ``limit``: in those blocks.

    ``at`` are the steps that the rows stand for, in order.
    """
    program, n = draft.program, len(limit)
    rows = []
    if prices.each is not None:
        draft.ledger.penalties |= {names.any, names.all}
    for kind, price in (("any", prices.any), ("all", prices.each)):
        if price is None:
            continue
        name = getattr(names, kind)
        draft.ledger.open(name)
        if n == 0:
            continue
        group = np.arange(n)
        if kind == "any" and prices.run is not None:
            group = np.cumsum(np.diff(prices.run, prepend=prices.run[0]) != 0)
        first = np.flatnonzero(np.diff(group, prepend=-1))
        beyond = program.add_columns(name, len(first), (0.0, math.inf), price[first])
        draft.ledger.open(name, beyond)
        bounded = [*terms, Term(beyond, -1.0, at=group)]
        rows.append(program.add_rows(name, (-math.inf, limit), bounded, n=n))
    if prices.any is None and prices.each is None and n:
        limits = (None, names.limit)
        rows.append(program.add_rows(names.limit, (-math.inf, limit), terms, n=n, limits=limits))
    for block in rows:
        draft.watch(names.limit, block, at)
    return tuple(rows)


def runs(limit: FloatArray, *prices: FloatArray) -> Steps:
    """Which run of equal limit and prices each step belongs to; no number equals no other.

    As with FlexMeasures it is one run where limit and prices never change, whatever gaps there are.
    What only rounding tells apart is equal.
    """
    known = limit[~np.isnan(limit)]
    if all(_equal(values, values[:1]).all() for values in (known, *prices)):
        return np.zeros(len(limit), dtype=np.intp)
    same = np.logical_and.reduce([_equal(values[1:], values[:-1]) for values in (limit, *prices)])
    found: Steps = np.concatenate(([0], np.cumsum(~same)))
    return found


def _equal(one: FloatArray, other: FloatArray) -> NDArray[np.bool_]:
    return np.isclose(one, other, rtol=1e-9, atol=1e-12)


def bind(draft: Draft, commitment: Commitment, flow: Flow, name: str) -> Pair | None:
    """Pay for deviations of a flow from a position.

    Returns the two directions where deviating up earns what deviating down costs, so that only
    one of them may be counted.
    """
    program, n = draft.program, len(commitment.baseline_kw)
    draft.ledger.open(name)
    priced = (commitment.up_price != 0) | (commitment.down_price != 0)
    at = np.flatnonzero(np.isfinite(commitment.baseline_kw) & priced)
    if not len(at):
        return None
    baseline = commitment.baseline_kw[at]
    fixed = per_step(commitment.fixed_kw, n)[at]
    up, down = commitment.up_price[at], commitment.down_price[at]
    most = np.maximum(flow.most[at] - baseline, 0.0), np.maximum(baseline - flow.least[at], 0.0)
    above = program.add_columns(f"{name} above", len(at), (0.0, most[0] + ROOM_KW), up)
    below = program.add_columns(f"{name} below", len(at), (0.0, most[1] + ROOM_KW), -down)
    draft.ledger.open(name, above, below)
    terms = [Term(t.block, _some(t.coefficient, at), at=at) for t in flow.terms]
    terms += [Term(above, -1.0), Term(below, 1.0)]
    program.add_rows(name, (baseline - fixed, baseline - fixed), terms, n=len(at))
    if (up >= down).all():
        return None
    ones = np.ones(len(at))
    return Pair(above, below, most, (ones, ones))


def _some(coefficient: FloatArray | float, at: Steps) -> FloatArray | float:
    return coefficient[at] if isinstance(coefficient, np.ndarray) else coefficient
