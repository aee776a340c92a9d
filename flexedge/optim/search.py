"""From a linear program to a plan that keeps every choice.

The linear program may use both directions of a device at once, or a power that it does not have.
It is asked first; where it cheats, the point is repaired and it is asked again. Where that costs
more than is good enough, it is asked with what can be said about choices without binaries, for a
better bound and another point to repair. What is left is settled with binaries in the steps where
cheating pays, which proves the optimum when no other step cheats in the end. Whatever is found
within the time counts; what is missing to the proof is told as the gap.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.errors import Infeasible, SolverGaveUp
from flexedge.optim.choices import BoolArray, Bounds, Choice, Pair
from flexedge.optim.highs import Answer, Basis, Model
from flexedge.optim.problem import GOOD_ENOUGH
from flexedge.optim.program import LinearProgram

_A_CENT = 0.01
_ROUNDING = 1e-9  # relative: what HiGHS loses beside large penalties
_SHARE = 0.8  # of what time is left goes to a search with binaries; the rest is for its duals
_WHOLE = 1e-6  # numbers this near to whole ones are
_LEAST_SECONDS = 0.7  # a plan is worth that: the first linear program may take it in any case
_ROUNDS = 50
_LEAST_SHARE = 0.01  # of the money that moves: the least that a gap is told against


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """An answer that keeps every choice."""

    answer: Answer
    primal: FloatArray
    bound: float
    """No plan is cheaper than this."""
    gap: float
    """How much cheaper a plan could be at most, as a share of what this one costs (of a hundredth
    of the money that moves where it costs less, of all of it where penalties cost more)."""
    seconds: float
    binaries: int
    basis: Basis
    """Where the linear program ended, to begin a later one from."""


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where to begin: where a program like this one ended, some of its steps earlier."""

    basis: Basis
    steps: int
    of: int
    """How many steps the program has."""


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """When a search ends: after some seconds, or when the gap is good enough."""

    seconds: float
    turnover: FloatArray | None = None
    """Weighs the columns that are paid for: the money that moves."""
    good_enough: float = GOOD_ENOUGH
    grace: float = _LEAST_SECONDS
    """Seconds more that it may take for a plan at all."""


class _Search:
    """One search: the time it may take and what it has seen."""

    def __init__(
        self,
        program: LinearProgram,
        choices: Sequence[Choice],
        aim: Aim,
    ) -> None:
        self.program = program
        self.choices = choices
        self._end = perf_counter() + aim.seconds
        self._grace = aim.grace
        self.spent = 0.0
        self.good_enough = aim.good_enough
        self.money = _A_CENT
        self.integer = np.flatnonzero(program.integers())
        self.seen: list[BoolArray] = [np.zeros(one.size, dtype=np.bool_) for one in choices]

    @property
    def left(self) -> float:
        """Seconds that are left; negative after the end."""
        return self._end - perf_counter()

    def ask(self, model: Model, share: float = 1.0, least: float = 0.0) -> Answer:
        """Solve within a share of what is left; ``least`` may reach beyond the end, all in all."""
        beyond = min(least, self.left + self._grace)
        answer = model.solve(max(self.left * share, beyond))
        self.spent += answer.seconds
        return answer

    def worth(self, objective: float) -> float:
        """What a gap counts against."""
        return max(min(abs(objective), self.money), _LEAST_SHARE * self.money, _A_CENT)

    def gap(self, best: Answer, bound: float) -> float:
        """How much cheaper than the best plan another could be, as a share of its cost."""
        rounding = _ROUNDING * abs(best.objective)
        missing = max(best.objective - bound - rounding, 0.0)
        return missing / self.worth(best.objective)

    def settled(self, best: Answer | None, bound: float) -> bool:
        """Whether a plan is good enough."""
        return best is not None and self.gap(best, bound) <= self.good_enough

    @cached_property
    def tight(self) -> LinearProgram:
        """The program with all that can be said about its choices without binaries."""
        program = self.program.copy()
        for choice in self.choices:
            choice.tighten(program)
        return program

    def look(self, primal: FloatArray) -> bool:
        """Remember where a point cheats; whether it does anywhere."""
        cheats = False
        for number, choice in enumerate(self.choices):
            broken = choice.broken(primal)
            if broken.any():
                cheats = True
                whole = not isinstance(choice, Pair)
                self.seen[number] = self.seen[number] | (whole | broken)
        return cheats

    def fractional(self, primal: FloatArray) -> bool:
        values = primal[self.integer]
        return bool((np.abs(values - np.round(values)) > _WHOLE).any())

    def decide_bands(self) -> None:
        """Leave nothing for later but directions: a point of which can always be repaired."""
        for number, choice in enumerate(self.choices):
            if not isinstance(choice, Pair):
                self.seen[number] = np.ones_like(self.seen[number])

    def follow(self, duals: FloatArray) -> None:
        """Remember where cheating would cost nothing, for choices that cheat at all."""
        for number, choice in enumerate(self.choices):
            if self.seen[number].any():
                self.seen[number] = self.seen[number] | choice.tempted(duals)

    def repair(self, model: Model, primal: FloatArray, *, everywhere: bool = False) -> None:
        """Keep each choice where it was ever broken, near to a point."""
        for choice, seen in zip(self.choices, self.seen, strict=True):
            where = np.ones_like(seen) if everywhere else seen
            if where.any():
                model.bind(choice.repair(primal, where))

    def mend(self, model: Model, primal: FloatArray) -> None:
        """The same, near on the whole."""
        for choice, seen in zip(self.choices, self.seen, strict=True):
            if seen.any():
                model.bind(choice.mend(primal, seen))

    def whole(self, primal: FloatArray) -> Bounds:
        """Bounds that hold whole numbers where they are."""
        values = np.round(primal[self.integer])
        return Bounds(self.integer.astype(np.int32), values, values)


def settle(
    program: LinearProgram,
    choices: Sequence[Choice],
    aim: Aim,
    start: Start | None = None,
    known: FloatArray | None = None,
) -> Found:
    """Solve the program with all its choices.

    ``known`` is a point that keeps every choice: what is found is no worse. Raises ``Infeasible``
    or ``SolverGaveUp``.
    """
    search = _Search(program, choices, aim)
    model = Model(program, relaxed=True)
    if start is not None:
        model.begin_later(start.basis, start.steps, start.of)
    relaxed = search.ask(model, least=math.inf)
    if relaxed.status == "stopped" and start is not None:  # that was no good place to begin
        model = Model(program, relaxed=True)
        relaxed = search.ask(model, least=_LEAST_SECONDS)
    if relaxed.status == "infeasible":
        raise Infeasible(())
    if relaxed.status == "stopped" or relaxed.primal is None:
        raise SolverGaveUp("time limit", search.spent)
    basis = model.basis
    if aim.turnover is not None:
        search.money = max(float(aim.turnover @ np.abs(relaxed.primal)), _A_CENT)
    (best, bound), binaries = _without_binaries(search, model, relaxed, basis), 0
    if best is None and known is not None:
        along = _along(search, known)
        best = along if along.status == "optimal" else None
    if not search.settled(best, bound):
        branched = _branch(search, best, bound)
        if branched.infeasible:
            raise Infeasible(())
        bound, best, binaries = branched.bound, branched.better or best, branched.binaries
    if best is None or best.primal is None:
        raise SolverGaveUp("time limit", search.spent)
    gap = search.gap(best, bound)
    return Found(best, best.primal, bound, gap, search.spent, binaries, basis)


def _without_binaries(
    search: _Search, model: Model, relaxed: Answer, basis: Basis
) -> tuple[Answer | None, float]:
    """The best plan that linear programs alone come to, if any, and the best bound."""
    bound = relaxed.objective
    if relaxed.primal is None or search.fractional(relaxed.primal):
        if relaxed.primal is not None:
            search.look(relaxed.primal)
        return None, bound
    best = _repaired(search, model, relaxed, search.repair)
    if search.settled(best, bound):
        return best, bound
    return _tightened(search, basis, best, bound)


def _repaired(
    search: _Search, model: Model, answer: Answer, repair: Callable[[Model, FloatArray], None]
) -> Answer | None:
    """Keep each choice near to where the program broke it, until it breaks none.

    None where that makes a fraction of what should be whole.
    """
    for _ in range(_ROUNDS):
        if answer.primal is None or answer.status != "optimal":
            return None
        if search.fractional(answer.primal):
            return None
        if not search.look(answer.primal):
            return answer
        repair(model, answer.primal)
        answer = search.ask(model, least=_LEAST_SECONDS)
    return None


def _tightened(
    search: _Search, basis: Basis, best: Answer | None, bound: float
) -> tuple[Answer | None, float]:
    """A better bound, and perhaps a better plan, from the program that cheats less."""
    model = Model(search.tight, relaxed=True)
    model.begin_from(basis)
    answer = search.ask(model)
    if answer.status != "optimal":
        return best, bound
    bound = max(bound, answer.objective)
    if search.settled(best, bound):
        return best, bound
    other = _repaired(search, model, answer, search.mend)
    search.follow(answer.column_dual)
    if other is None or (best is not None and best.objective <= other.objective):
        return best, bound
    model.free_rows(len(search.program.rows))  # for duals without them
    free = search.ask(model, least=_LEAST_SECONDS)
    kept = free.status == "optimal" and free.primal is not None and not search.look(free.primal)
    return free if kept else other, bound


@dataclass(frozen=True, slots=True, eq=False)
class _Branched:
    """What the search with binaries brought."""

    bound: float
    binaries: int = 0
    better: Answer | None = None
    infeasible: bool = False


def _branch(search: _Search, best: Answer | None, bound: float) -> _Branched:
    """Decide the steps that ever cheated with binaries, until no other step does."""
    binaries, needed = 0, best is None  # a plan is worth some seconds more than there are
    if needed:
        search.decide_bands()
    while search.left > 0 or needed:
        mixed, columns = _mixed(search)
        binaries = int(mixed.integers().sum())
        worth = search.worth(bound if best is None else best.objective)
        model = Model(mixed, search.good_enough * worth)
        if best is not None and best.primal is not None:
            model.begin_at(_with_binaries(search, best.primal))
        answer = search.ask(model, _SHARE, _LEAST_SECONDS if needed else 0.0)
        if answer.status == "infeasible":
            return _Branched(bound, binaries, infeasible=best is None)
        bound = max(bound, answer.bound)
        if answer.primal is None:
            break
        primal = answer.primal[:columns]
        cheats = search.look(primal)
        if cheats and needed and search.left < _LEAST_SECONDS:  # the last time: nothing may cheat
            search.seen = [np.ones_like(seen) for seen in search.seen]
        if cheats and (needed or (answer.status == "optimal" and search.left > 0)):
            continue
        final = _along(search, primal)
        if final.status != "optimal" and not cheats:  # rounding: the point stands, without duals
            nothing = np.zeros_like(answer.row_dual), np.zeros_like(answer.column_dual)
            final = replace(answer, primal=primal, row_dual=nothing[0], column_dual=nothing[1])
        elif final.status != "optimal":
            return _Branched(bound, binaries)
        worse = best is not None and best.objective <= final.objective
        return _Branched(bound, binaries, None if worse else final)
    return _Branched(bound, binaries)


def _mixed(search: _Search) -> tuple[LinearProgram, int]:
    """The program with binaries for all that was seen to cheat, and how many columns it had."""
    program = search.tight.copy()
    columns = program.width
    for choice, seen in zip(search.choices, search.seen, strict=True):
        if seen.any():
            choice.decide(program, seen)
    return program, columns


def _with_binaries(search: _Search, primal: FloatArray) -> FloatArray:
    """A point of the program with the binaries it implies."""
    signs = [
        choice.implied(primal, seen)
        for choice, seen in zip(search.choices, search.seen, strict=True)
        if seen.any()
    ]
    return np.concatenate([primal, *signs])


def _along(search: _Search, primal: FloatArray) -> Answer:
    """The linear program again, along the choices that a point makes: for its duals.

    The steps that never cheated stay free, unless they do so now.
    """
    model = Model(search.program, relaxed=True)
    model.bind(search.whole(primal))
    search.repair(model, primal)
    answer = search.ask(model, least=_LEAST_SECONDS)
    if answer.primal is not None and search.look(answer.primal):
        model = Model(search.program, relaxed=True)
        model.bind(search.whole(primal))
        search.repair(model, primal, everywhere=True)
        answer = search.ask(model, least=_LEAST_SECONDS)
    return answer
