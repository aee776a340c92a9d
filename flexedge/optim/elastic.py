"""The nearest plan where limits contradict each other.

Every limit that people set may give way, the least important first; physics may not. First the
violations are made as small as can be, then the plan is made with no more of them on any rung of
the ladder.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.optim import search
from flexedge.optim.choices import Choice
from flexedge.optim.highs import Answer
from flexedge.optim.program import Block, LinearProgram, Term
from flexedge.optim.search import Aim, Found

_LAST = 5
_ASKED = 1  # the rung of what is asked of storages at moments
_EVEN = 0.01  # hours: what the largest violation of other limits counts beside the sum
_LADDER = 30.0  # one rung counts this many times the one below
_PRICED = 1e-6
_LEAST = 1e-5  # kW or kWh: less is rounding

Rank = Callable[[str], int | None]
"""How important a limit is, from 0 upwards; None for physics."""

_RANKS = (
    ("maximum-starts-per-day", 0),
    ("duration", 0),
    ("soc-targets", _ASKED),
    ("soc-minima", _ASKED),
    ("soc-maxima", _ASKED),
    ("state-of-charge", _ASKED),
    (" soc-min", 2),
    ("site-consumption-capacity", 3),
    ("site-production-capacity", 3),
    ("site-power-capacity", 4),
    (" power-capacity", 4),
    ("site-phase-capacity L1", 4),
    ("site-phase-capacity L2", 4),
    ("site-phase-capacity L3", 4),
    (" soc-max", _LAST),
    (" node", _LAST),
    ("ramp-up-limit", _LAST),
    ("ramp-down-limit", _LAST),
    ("charging-power-curve", _LAST),
    ("minimum-up-time", _LAST),
    ("minimum-down-time", _LAST),
)
_NUMBER = re.compile(r"\[\d+\]$")


def rank(label: str) -> int | None:
    """The rung of a limit.

    What was asked of a process or a storage gives way first, then what a storage keeps in reserve,
    what the site agreed to, and what its wires can bear. Last are the balance of an internal node,
    a storage fuller than full or emptier than empty, and a device that begins where it cannot be:
    those only where nothing else is left.
    """
    kind = _NUMBER.sub("", label)
    for ending, rung in _RANKS:
        if kind.endswith(ending):
            return rung
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """By how much a limit gives way in each row or column it stands for."""

    limit: str
    by: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Slack:
    """Columns that tell by how much a limit gives way."""

    label: str
    block: Block
    rung: int


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """A program in which limits give way, and by how much they have to."""

    program: LinearProgram
    slacks: tuple[Slack, ...]
    rungs: tuple[tuple[tuple[Block, float], ...], ...]
    """For each rung the columns that count on it, with their weights."""
    watched: tuple[tuple[str, Block, NDArray[np.intp]], ...]
    """Rows that stand for what were bounds of columns: their label, and the step of each."""
    suspects: frozenset[str]
    """The limits on which the least violation depends; with integers perhaps not all."""
    found: Found
    """A point that keeps every choice; what it costs beside violations was not looked at."""

    def within(self, slack: float) -> LinearProgram:
        """The program in which limits give way by no more than they have to.

        ``slack`` is the share (and the amount) by which they may for rounding.
        """
        program, point = self.program.copy(), self.found.primal
        for number, parts in enumerate(self.rungs):
            least = sum(weight * float(block.of(point).sum()) for block, weight in parts)
            if least <= _LEAST:
                for block, _ in parts:
                    program.set_bounds(block, 0.0, np.maximum(block.of(point), 0.0) + slack)
            else:
                most = least * (1 + slack) + slack
                program.add_total(f"rung {number}", (-math.inf, most), parts)
        return program

    def anyhow(self) -> Found:
        """The point itself as a plan, for when there is no time for a cheaper one.

        Nothing is known of prices, nor of how much cheaper another could be.
        """
        answer = self.found.answer
        answer = replace(
            answer,
            row_dual=np.zeros_like(answer.row_dual),
            column_dual=np.zeros_like(answer.column_dual),
        )
        return replace(self.found, answer=answer, bound=-math.inf, gap=math.inf)

    def given(self, primal: FloatArray) -> tuple[Given, ...]:
        """The limits that give way at a point."""
        every = [Given(slack.label, np.maximum(slack.block.of(primal), 0.0))
                 for slack in self.slacks]  # fmt: skip
        return tuple(one for one in every if one.by.max(initial=0.0) > _LEAST)


def relax(
    program: LinearProgram,
    choices: Sequence[Choice],
    hours: float,
    seconds: float,
    of: Rank = rank,
    grace: float = 0.0,
) -> Relaxed:
    """By how much limits have to give way.

    What counts is the sum of violations times hours, plus, for what is asked at moments, the
    largest one (of others that only decides between equals), by the price of the rung: the same at
    any resolution.
    Raises ``Infeasible`` where even physics contradicts itself.
    """
    loose = program.copy()
    watched: list[tuple[str, Block, NDArray[np.intp]]] = []
    slacks = [*_loosen_columns(loose, watched, of), *_loosen_rows(loose, program, of)]
    costs = [loose.costs(block) for block in loose.columns]
    for block in loose.columns:
        loose.set_costs(block, 0.0)
    worst = []
    for slack in slacks:
        n = slack.block.size
        price = _LADDER**slack.rung
        share = 1.0 if slack.rung == _ASKED else _EVEN
        largest = loose.add_columns(f"{slack.label} worst", 1, (0.0, math.inf), share * price)
        terms = [Term(slack.block), Term(largest, -1.0, at=np.zeros(n, dtype=np.intp))]
        loose.add_rows(f"{slack.label} worst", (-math.inf, 0.0), terms, n=n)
        loose.set_costs(slack.block, price * hours)
        worst.append(largest)
    found = search.settle(loose, choices, Aim(seconds, grace=grace))
    for block in worst:
        loose.set_costs(block, 0.0)
    for block, cost in zip(loose.columns, costs, strict=False):
        loose.set_costs(block, cost)
    rungs: dict[int, list[tuple[Block, float]]] = {}
    for slack, largest in zip(slacks, worst, strict=True):
        share = 1.0 if slack.rung == _ASKED else _EVEN
        rungs.setdefault(slack.rung, []).extend([(slack.block, hours), (largest, share)])
    every = tuple(tuple(rungs[rung]) for rung in sorted(rungs))
    suspects = _suspects(loose, watched, found.answer)
    return Relaxed(loose, tuple(slacks), every, tuple(watched), suspects, found)


def _suspects(
    loose: LinearProgram, watched: list[tuple[str, Block, NDArray[np.intp]]], answer: Answer
) -> frozenset[str]:
    """The limits on which the least violation depends, by their shadow prices."""
    rows = [(label, block) for block in loose.rows for label in block.limits]
    rows += [(label, block) for label, block, _ in watched]
    found = {label for label, block in rows
             if label and np.abs(block.of(answer.row_dual)).max(initial=0.0) > _PRICED}  # fmt: skip
    for block in loose.columns:
        if np.abs(block.of(answer.column_dual)).max(initial=0.0) > _PRICED:
            found |= {label for label in block.limits if label}
    return frozenset(found)


def _loosen_columns(
    loose: LinearProgram, watched: list[tuple[str, Block, NDArray[np.intp]]], of: Rank
) -> list[Slack]:
    """Move the bounds of columns that people set into rows that can give way."""
    slacks = []
    for block in tuple(loose.columns):
        lower, upper = (bound.copy() for bound in loose.bounds(block))
        for sign, label, bound in ((-1.0, block.limits[0], lower), (1.0, block.limits[1], upper)):
            rung = None if label is None else of(label)
            at = np.flatnonzero(np.isfinite(bound))
            if label is None or rung is None or not len(at):
                continue
            mine = [Slack(label, _slack(loose, label, math.inf, len(at)), rung)]
            if label.endswith(" soc-min"):  # down to empty, and below that only as a last resort
                reserve = _slack(loose, label, np.maximum(bound[at], 0.0), len(at))
                mine = [Slack(label, mine[0].block, _LAST), Slack(label, reserve, rung)]
            terms = [Term(block, sign, at=at), *(Term(one.block, -1.0) for one in mine)]
            rows = loose.add_rows(f"{label} given", (-math.inf, sign * bound[at]), terms, n=len(at))
            watched.append((label, rows, at))
            bound[at] = -math.inf if sign < 0 else math.inf
            slacks += mine
        loose.set_bounds(block, lower, upper)
    return slacks


def _slack(loose: LinearProgram, label: str, most: FloatArray | float, n: int) -> Block:
    return loose.add_columns(f"{label} given", n, (0.0, most))


def _loosen_rows(loose: LinearProgram, program: LinearProgram, of: Rank) -> list[Slack]:
    """Let rows that people set give way."""
    slacks = []
    for rows in program.rows:
        for sign, label in zip((1.0, -1.0), rows.limits, strict=True):
            rung = None if label is None else of(label)
            if label is None or rung is None:
                continue
            slack = _slack(loose, label, math.inf, rows.size)
            loose.extend_rows(rows, Term(slack, sign))
            slacks.append(Slack(label, slack, rung))
    return slacks
