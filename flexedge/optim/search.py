"""From a linear program to a plan that keeps every choice.

The linear program may use both directions of a device at once, or a power that it does not have.
It is asked first; where it cheats, the point is repaired and it is asked again; what that costs
too much is settled with binaries for those steps alone, which proves the optimum when no other
step cheats in the end. Whatever is found within the time counts; what is missing to the proof is
told as the gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.errors import Infeasible, SolverGaveUp
from flexedge.optim.choices import Bands, BoolArray, Bounds, Choice
from flexedge.optim.highs import Answer, Basis, Model
from flexedge.optim.program import LinearProgram

_A_CENT = 0.01
_ROUNDING = 1e-9  # relative: what HiGHS loses beside large penalties
_SHARE = 0.8  # of what time is left goes to a search with binaries; the rest is for its duals
_WHOLE = 1e-6  # numbers this near to whole ones are
_LEAST_SECONDS = 0.7  # a plan is worth that: the first linear program may take it in any case
_ROUNDS = 50
GOOD_ENOUGH = 1e-5  # gap below which the search ends


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """An answer that keeps every choice."""

    answer: Answer
    primal: FloatArray
    bound: float
    """No plan is cheaper than this."""
    gap: float
    """How much cheaper a plan could be at most, as a share of the money that moves."""
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


class _Search:
    """One search: the time it may take and what it has seen."""

    def __init__(
        self,
        program: LinearProgram,
        choices: Sequence[Choice],
        seconds: float,
        grace: float = _LEAST_SECONDS,
    ) -> None:
        self.program = program
        self.choices = choices
        self._end = perf_counter() + seconds
        self._grace = grace
        self.spent = 0.0
        self.money = 1.0
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

    def look(self, primal: FloatArray) -> bool:
        """Remember where a point cheats; whether it does anywhere."""
        cheats = False
        for number, choice in enumerate(self.choices):
            broken = choice.broken(primal)
            if broken.any():
                cheats = True
                whole = isinstance(choice, Bands)
                self.seen[number] = self.seen[number] | (whole | broken)
        return cheats

    def fractional(self, primal: FloatArray) -> bool:
        values = primal[self.integer]
        return bool((np.abs(values - np.round(values)) > _WHOLE).any())

    def repair(self, model: Model, primal: FloatArray, *, everywhere: bool = False) -> None:
        """Keep each choice where it was ever broken, near to a point."""
        for choice, seen in zip(self.choices, self.seen, strict=True):
            where = np.ones_like(seen) if everywhere else seen
            if where.any():
                model.bind(choice.repair(primal, where))

    def whole(self, primal: FloatArray) -> Bounds:
        """Bounds that hold whole numbers where they are."""
        values = np.round(primal[self.integer])
        return Bounds(self.integer.astype(np.int32), values, values)


def settle(  # noqa: PLR0913, PLR0917 - the last three are for those who know more
    program: LinearProgram,
    choices: Sequence[Choice],
    time_limit: float,
    turnover: FloatArray,
    start: Start | None = None,
    known: FloatArray | None = None,
    grace: float = _LEAST_SECONDS,
) -> Found:
    """Solve the program with all its choices, within ``time_limit`` seconds.

    ``turnover`` weighs the columns that are paid for: the money that moves, against which a gap
    counts. ``known`` is a point that keeps every choice: what is found is no worse. For a plan at
    all it may take ``grace`` seconds more. Raises ``Infeasible`` or ``SolverGaveUp``.
    """
    search = _Search(program, choices, time_limit, grace)
    model = Model(program, relaxed=True)
    if start is not None:
        model.begin_from(start.basis, start.steps, start.of)
    relaxed = search.ask(model, least=_LEAST_SECONDS)
    basis = model.basis
    if relaxed.status == "infeasible":
        raise Infeasible(())
    if relaxed.status == "stopped" or relaxed.primal is None:
        raise SolverGaveUp("time limit", search.spent)
    search.money = max(float(turnover @ np.abs(relaxed.primal)), _A_CENT)
    fractional = search.fractional(relaxed.primal)
    best = None if fractional else _repaired(search, model, relaxed)
    if best is None and known is not None:
        along = _along(search, known)
        best = along if along.status == "optimal" else None
    bound, binaries = relaxed.objective, 0
    if best is None or best.objective - bound > GOOD_ENOUGH * search.money:
        if fractional:
            search.look(relaxed.primal)
        branched = _branch(search, best, bound)
        if branched.infeasible:
            raise Infeasible(())
        bound, best, binaries = branched.bound, branched.better or best, branched.binaries
    if best is None or best.primal is None:
        raise SolverGaveUp("time limit", search.spent)
    rounding = _ROUNDING * abs(best.objective)
    missing = max(best.objective - bound - rounding, 0.0)
    gap = missing / search.money
    return Found(best, best.primal, bound, gap, search.spent, binaries, basis)


def _repaired(search: _Search, model: Model, answer: Answer) -> Answer | None:
    """Keep each choice near to where the program broke it, until it breaks none.

    None where that makes a fraction of what should be whole.
    """
    for _ in range(_ROUNDS):
        if answer.primal is None or answer.status != "optimal":
            return None
        if not search.look(answer.primal):
            return None if search.fractional(answer.primal) else answer
        search.repair(model, answer.primal)
        answer = search.ask(model, least=_LEAST_SECONDS)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Branched:
    """What the search with binaries brought."""

    bound: float
    binaries: int = 0
    better: Answer | None = None
    infeasible: bool = False


def _branch(search: _Search, best: Answer | None, bound: float) -> _Branched:
    """Decide the steps that ever cheated with binaries, until no other step does."""
    binaries = 0
    while search.left > 0:
        mixed, columns = _mixed(search)
        binaries = int(mixed.integers().sum())
        model = Model(mixed, GOOD_ENOUGH * search.money)
        if best is not None and best.primal is not None:
            model.begin_at(_with_binaries(search, best.primal))
        answer = search.ask(model, _SHARE)
        if answer.status == "infeasible":
            return _Branched(bound, binaries, infeasible=best is None)
        bound = max(bound, answer.bound)
        if answer.primal is None:
            break
        primal = answer.primal[:columns]
        if search.look(primal) and answer.status == "optimal":
            continue
        final = _along(search, primal)
        worse = best is not None and best.objective <= final.objective
        better = None if worse or final.status != "optimal" else final
        return _Branched(bound, binaries, better)
    return _Branched(bound, binaries)


def _mixed(search: _Search) -> tuple[LinearProgram, int]:
    """The program with binaries for all that was seen to cheat, and how many columns it had."""
    program = search.program.copy()
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
