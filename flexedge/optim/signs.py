"""Which steps really need a decision between two directions.

The linear program may use both directions of a device at once, to burn energy that has a
negative price or no place to go. It is asked first; where it does so the smaller direction is
held at zero and it is asked again; what that costs too much is settled with binaries for those
steps alone, which proves the optimum when no other step overlaps in the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.errors import Infeasible, SolverGaveUp
from flexedge.optim.highs import Answer, Model
from flexedge.optim.program import Block, IntArray, LinearProgram, Term

OVERLAP_KW = 1e-6
_A_CENT = 0.01
_ROUNDING = 1e-9  # relative: what HiGHS loses beside large penalties
_SHARE = 0.8  # of what time is left goes to a search with binaries; the rest is for its duals
GOOD_ENOUGH = 1e-5  # gap below which the search ends


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two directions of which only one may be used in a step."""

    up: Block
    down: Block
    most: tuple[FloatArray, FloatArray]
    """Bounds of both."""
    weight: tuple[FloatArray, FloatArray]
    """What is stored per unit of both: says which of them prevails."""

    def overlaps(self, primal: FloatArray) -> NDArray[np.bool_]:
        """The steps in which a point uses both."""
        both: NDArray[np.bool_] = np.minimum(self.up.of(primal), self.down.of(primal)) > OVERLAP_KW
        return both

    def lesser(self, primal: FloatArray, where: NDArray[np.bool_]) -> IntArray:
        """The columns of the direction that does not prevail, in these steps."""
        net = self.weight[0] * self.up.of(primal) - self.weight[1] * self.down.of(primal)
        return np.concatenate([
            self.down.index(np.flatnonzero(where & (net >= 0))),
            self.up.index(np.flatnonzero(where & (net < 0))),
        ])  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """An answer that uses one direction at a time."""

    answer: Answer
    primal: FloatArray
    gap: float
    """How much cheaper a plan could be at most, as a share of the money that moves."""
    seconds: float
    binaries: int


Overlaps = list[NDArray[np.bool_]]


class _Search:
    """One search: the time it may take and what it has seen."""

    def __init__(self, program: LinearProgram, pairs: Sequence[Pair], time_limit: float) -> None:
        self.program = program
        self.pairs = pairs
        self.left = time_limit
        self.spent = 0.0
        self.money = 1.0
        self.seen: Overlaps = [np.zeros(pair.up.size, dtype=np.bool_) for pair in pairs]

    def ask(self, model: Model, share: float = 1.0) -> Answer:
        answer = model.solve(self.left * share)
        self.spent += answer.seconds
        self.left -= answer.seconds
        return answer

    def look(self, primal: FloatArray) -> Overlaps:
        now = [pair.overlaps(primal) for pair in self.pairs]
        self.seen = [seen | new for seen, new in zip(self.seen, now, strict=True)]
        return now

    def lesser(self, primal: FloatArray, where: Overlaps) -> IntArray:
        columns = [p.lesser(primal, w) for p, w in zip(self.pairs, where, strict=True)]
        return np.concatenate([np.empty(0, dtype=np.int32), *columns])


def settle(
    program: LinearProgram, pairs: Sequence[Pair], time_limit: float, turnover: FloatArray
) -> Found:
    """Solve the program with one direction at a time, within ``time_limit`` seconds.

    ``turnover`` weighs the columns that are paid for: the money that moves, against which a gap
    counts. Raises ``Infeasible`` or ``SolverGaveUp``.
    """
    search = _Search(program, pairs, time_limit)
    model = Model(program)
    relaxed = search.ask(model)
    if relaxed.status == "infeasible":
        raise Infeasible(model.conflict())
    if relaxed.status == "stopped" or relaxed.primal is None:
        raise SolverGaveUp("time limit", search.spent)
    search.money = max(float(turnover @ relaxed.primal), _A_CENT)
    repaired = _repair(search, model, relaxed)
    best = repaired if repaired.status == "optimal" else None
    bound, binaries = relaxed.objective, 0
    if best is None or best.objective - bound > GOOD_ENOUGH * search.money:
        branched = _branch(search, best, bound)
        if branched.infeasible:
            raise Infeasible(model.conflict())
        bound, best, binaries = branched.bound, branched.better or best, branched.binaries
    if best is None or best.primal is None:
        raise SolverGaveUp("time limit", search.spent)
    rounding = _ROUNDING * abs(best.objective)
    gap = max(best.objective - bound - rounding, 0.0) / search.money
    return Found(best, best.primal, gap, search.spent, binaries)


def _repair(search: _Search, model: Model, answer: Answer) -> Answer:
    """Hold the lesser direction at zero where both are used, until none is."""
    while answer.primal is not None and answer.status == "optimal":
        overlaps = search.look(answer.primal)
        if not any(o.any() for o in overlaps):
            break
        model.fix(search.lesser(answer.primal, overlaps))
        answer = search.ask(model)
    return answer


@dataclass(frozen=True, slots=True, eq=False)
class _Branched:
    """What the search with binaries brought."""

    bound: float
    binaries: int = 0
    better: Answer | None = None
    infeasible: bool = False


def _branch(search: _Search, best: Answer | None, bound: float) -> _Branched:
    """Decide the steps that ever overlapped with binaries, until no other step does."""
    binaries = 0
    while search.left > 0:
        mixed, columns = _mixed(search)
        binaries = mixed.columns[-1].start + mixed.columns[-1].size - columns
        model = Model(mixed, GOOD_ENOUGH * search.money)
        if best is not None and best.primal is not None:
            model.begin_at(_with_signs(search, best.primal))
        answer = search.ask(model, _SHARE)
        if answer.status == "infeasible":
            return _Branched(bound, binaries, infeasible=best is None)
        bound = max(bound, answer.bound)
        if answer.primal is None:
            break
        primal = answer.primal[:columns]
        if answer.status == "optimal" and any(o.any() for o in search.look(primal)):
            continue
        final = _along(search, primal)
        worse = best is not None and best.objective <= final.objective
        better = None if worse or final.status != "optimal" else final
        return _Branched(bound, binaries, better)
    return _Branched(bound, binaries)


def _mixed(search: _Search) -> tuple[LinearProgram, int]:
    """The program with a binary for each step seen to overlap, and how many columns it had."""
    program = search.program.copy()
    columns = program.columns[-1].start + program.columns[-1].size
    for pair, seen in zip(search.pairs, search.seen, strict=True):
        at = np.flatnonzero(seen)
        name = f"{pair.up.name} or not"
        sign = program.add_columns(name, len(at), (0.0, 1.0), integer=True)
        up, down = (most[at] for most in pair.most)
        program.add_rows(name, (-np.inf, 0.0), (Term(pair.up, at=at), Term(sign, -up)),
                         n=len(at))  # fmt: skip
        program.add_rows(name, (-np.inf, down), (Term(pair.down, at=at), Term(sign, down)),
                         n=len(at))  # fmt: skip
    return program, columns


def _with_signs(search: _Search, primal: FloatArray) -> FloatArray:
    """A point of the program with the binaries it implies."""
    signs = [
        (pair.up.of(primal)[seen] > OVERLAP_KW).astype(np.float64)
        for pair, seen in zip(search.pairs, search.seen, strict=True)
    ]
    return np.concatenate([primal, *signs])


def _along(search: _Search, primal: FloatArray) -> Answer:
    """The linear program again, in the directions that a point uses: for its duals.

    The steps that never overlapped stay free, unless they do so now.
    """
    model = Model(search.program)
    model.fix(search.lesser(primal, search.seen))
    answer = search.ask(model)
    if answer.primal is not None and any(o.any() for o in search.look(answer.primal)):
        everywhere = [np.ones(pair.up.size, dtype=np.bool_) for pair in search.pairs]
        model = Model(search.program)
        model.fix(search.lesser(primal, everywhere))
        answer = search.ask(model)
    return answer
