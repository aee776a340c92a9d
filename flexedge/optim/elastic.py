"""The nearest plan where limits contradict each other.

Every limit that people set may give way, the least important first; physics may not. First the
violations are made as small as can be, then the plan is made with what is left.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.errors import Infeasible, SolverGaveUp
from flexedge.optim import search
from flexedge.optim.choices import Choice
from flexedge.optim.program import Block, LinearProgram, Term

_LAST = 5
_LADDER = 30.0  # one rung counts this many times the one below
_EVEN = 0.1  # of a step's price: what the largest violation counts beside the sum
_SLACK = 1e-5  # what violations may be above the least, for rounding

Rank = Callable[[str], int | None]
"""How important a limit is, from 0 upwards; None for physics."""

_RANKS = (
    ("maximum-starts-per-day", 0),
    ("duration", 0),
    ("soc-targets", 1),
    ("soc-minima", 1),
    ("soc-maxima", 1),
    ("soc-min", 2),
    ("site-consumption-capacity", 3),
    ("site-production-capacity", 3),
    ("power-capacity", 4),
    ("site-phase-capacity L1", 4),
    ("site-phase-capacity L2", 4),
    ("site-phase-capacity L3", 4),
    ("soc-max", _LAST),
    ("node", _LAST),
    ("ramp-up-limit", _LAST),
    ("ramp-down-limit", _LAST),
    ("charging-power-curve", _LAST),
    ("minimum-up-time", _LAST),
    ("minimum-down-time", _LAST),
)


def rank(label: str) -> int | None:
    """The rung of a limit.

    What was asked of a process or a storage gives way first, then what a storage keeps in reserve,
    what the site agreed to, and what its wires can bear. Last are the balance of an internal node,
    a storage fuller than full or emptier than empty, and a device that begins where it cannot be:
    those only where nothing else is left.
    """
    for ending, rung in _RANKS:
        if label.endswith(ending):
            return rung
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """By how much a limit gives way in each row or column it stands for."""

    limit: str
    by: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Slack:
    label: str
    block: Block
    rung: int


def relax(
    program: LinearProgram,
    choices: Sequence[Choice],
    hours: float,
    seconds: float,
    of: Rank = rank,
) -> tuple[LinearProgram, tuple[Given, ...]]:
    """A program in which limits give way by no more than they have to, and by how much.

    What counts is a violation times its hours; of equal ones the more even.
    Raises ``Infeasible`` where even physics contradicts itself.
    """
    loose = program.copy()
    slacks = [*_loosen_columns(loose, program, of), *_loosen_rows(loose, program, of)]
    costs = [loose.costs(block) for block in loose.columns]
    for block in loose.columns:
        loose.set_costs(block, 0.0)
    for slack in slacks:
        n = slack.block.size
        price = _LADDER**slack.rung * hours
        worst = loose.add_columns(f"{slack.label} worst", 1, (0.0, math.inf), _EVEN * price)
        terms = [Term(slack.block), Term(worst, -1.0, at=np.zeros(n, dtype=np.intp))]
        loose.add_rows(f"{slack.label} worst", (-math.inf, 0.0), terms, n=n)
        loose.set_costs(slack.block, price)
    found = search.settle(loose, choices, seconds, np.zeros(loose.width))
    for block in loose.columns:
        loose.set_costs(block, 0.0)
    for block, cost in zip(loose.columns, costs, strict=False):
        loose.set_costs(block, cost)
    given = []
    for slack in slacks:
        least = np.maximum(slack.block.of(found.primal), 0.0)
        loose.set_bounds(slack.block, 0.0, least + _SLACK)
        if least.max(initial=0.0) > _SLACK:
            given.append(Given(slack.label, least))
    return loose, tuple(given)


def irreducible(
    program: LinearProgram, choices: Sequence[Choice], culprits: Sequence[str], seconds: float
) -> tuple[str, ...]:
    """Of limits that contradict each other, those without any one of which they would not.

    All limits that are not among them are let go, one after the other is tried without.
    """
    kept = list(culprits)
    for label in culprits:
        fewer = _only(program, {one for one in kept if one != label})
        try:
            search.settle(fewer, choices, seconds, np.zeros(fewer.width))
        except Infeasible:
            kept.remove(label)
        except SolverGaveUp:
            continue
    return tuple(kept)


def _only(program: LinearProgram, labels: set[str]) -> LinearProgram:
    """The program with some of the limits people set, and all that nobody did; without costs."""
    fewer = program.copy()
    for block in program.columns:
        lower, upper = (bound.copy() for bound in program.bounds(block))
        if block.limits[0] is not None and block.limits[0] not in labels:
            lower[:] = -math.inf
        if block.limits[1] is not None and block.limits[1] not in labels:
            upper[:] = math.inf
        fewer.set_bounds(block, lower, upper)
        fewer.set_costs(block, 0.0)
    for rows in program.rows:
        for sign, label in zip((1.0, -1.0), rows.limits, strict=True):
            if label is not None and label not in labels:
                free = fewer.add_columns(f"{label} free", rows.size, (0.0, math.inf))
                fewer.extend_rows(rows, Term(free, sign))
    return fewer


def _loosen_columns(loose: LinearProgram, program: LinearProgram, of: Rank) -> list[_Slack]:
    """Move the bounds of columns that people set into rows that can give way."""
    slacks = []
    for block in program.columns:
        lower, upper = (bound.copy() for bound in loose.bounds(block))
        for sign, label, bound in ((-1.0, block.limits[0], lower), (1.0, block.limits[1], upper)):
            rung = None if label is None else of(label)
            at = np.flatnonzero(np.isfinite(bound))
            if label is None or rung is None or not len(at):
                continue
            reserve = np.full(len(at), math.inf)
            if label.endswith(" soc-min"):  # down to empty, and below that only as a last resort
                reserve = np.maximum(bound[at], 0.0)
                slacks.append(_Slack(label, _slack(loose, label, math.inf, len(at)), _LAST))
            slacks.append(_Slack(label, _slack(loose, label, reserve, len(at)), rung))
            mine = [slack.block for slack in slacks if slack.label == label]
            terms = [Term(block, sign, at=at), *(Term(one, -1.0) for one in mine)]
            loose.add_rows(f"{label} given", (-math.inf, sign * bound[at]), terms, n=len(at))
            bound[at] = -math.inf if sign < 0 else math.inf
        loose.set_bounds(block, lower, upper)
    return slacks


def _slack(loose: LinearProgram, label: str, most: FloatArray | float, n: int) -> Block:
    return loose.add_columns(f"{label} given", n, (0.0, most))


def _loosen_rows(loose: LinearProgram, program: LinearProgram, of: Rank) -> list[_Slack]:
    """Let rows that people set give way."""
    slacks = []
    for rows in program.rows:
        for sign, label in zip((1.0, -1.0), rows.limits, strict=True):
            rung = None if label is None else of(label)
            if label is None or rung is None:
                continue
            slack = loose.add_columns(f"{label} given", rows.size, (0.0, math.inf))
            loose.extend_rows(rows, Term(slack, sign))
            slacks.append(_Slack(label, slack, rung))
    return slacks
