"""Which limits contradict each other: sets of which none can be left out.

A set is found by halving (Junker's QuickXplain, AAAI 2004): a few programs without costs for each
of its members, whatever the number of limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from flexedge.errors import Infeasible, SolverGaveUp
from flexedge.optim import search
from flexedge.optim.choices import Bands, Choice
from flexedge.optim.elastic import Rank, rank
from flexedge.optim.highs import Model
from flexedge.optim.program import LinearProgram, Term
from flexedge.optim.search import Aim

_LARGE = 5_000  # columns from which on presolve is worth its time
_MOST = 8  # sets that are named


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Limits that cannot all be kept; without any one of them the others could."""

    limits: tuple[str, ...]
    """Those that people set."""
    physics: tuple[str, ...]
    """What devices can do, as far as it takes part."""


class _TooLate(Exception):
    """The time is over."""


def contradictions(
    program: LinearProgram,
    choices: Sequence[Choice],
    seconds: float,
    of: Rank = rank,
    suspects: frozenset[str] = frozenset(),
) -> tuple[Contradiction, ...]:
    """Sets of limits that contradict each other, no limit in two of them.

    It is faster with ``suspects``: limits among which a contradiction may be. There are none where
    physics alone contradicts itself, or where the time was too short to find one.
    """
    return _Limits(program, choices, seconds, of).contradictions(suspects)


def physics(program: LinearProgram, choices: Sequence[Choice], seconds: float) -> tuple[str, ...]:
    """What devices cannot do all at once, where that is what contradicts itself."""
    limits = _Limits(program, choices, seconds, rank)
    try:
        return limits.physics()
    except _TooLate:
        return ()


class _Limits:
    """The limits of a program, by what people call them."""

    def __init__(
        self, program: LinearProgram, choices: Sequence[Choice], seconds: float, of: Rank
    ) -> None:
        self._program = program
        self._choices = choices
        self._end = perf_counter() + seconds
        labels = dict.fromkeys(
            label for block in (*program.columns, *program.rows) for label in block.limits
            if label is not None
        )  # fmt: skip
        modes = {_modes(one): None for one in choices if isinstance(one, Bands)}
        self._modes = set(modes)
        self.soft = [label for label in labels if of(label) is not None]
        self.hard = [*(label for label in labels if of(label) is None), *modes]

    def contradictions(self, suspects: frozenset[str]) -> tuple[Contradiction, ...]:
        found: list[Contradiction] = []
        named: set[str] = set()
        try:
            for among in (suspects, frozenset((*self.soft, *self.hard))):
                hard = [label for label in self.hard if label in among or label in self._modes]
                while len(found) < _MOST:
                    soft = [label for label in self.soft if label in among - named]
                    if not soft or self._feasible((*soft, *hard)):
                        break
                    limits = self.least(hard, soft)
                    if not limits:
                        break
                    found.append(Contradiction(tuple(limits), tuple(self.least(limits, hard))))
                    named |= set(limits)
        except _TooLate:
            pass
        return tuple(found)

    def physics(self) -> tuple[str, ...]:
        return () if self._feasible(self.hard) else tuple(self.least((), self.hard))

    def least(self, given: Sequence[str], labels: Sequence[str]) -> list[str]:
        """The labels that contradict each other, or what is given: none of them needlessly."""
        if not labels or not self._feasible(given):
            return []
        return self._halve(list(given), list(labels), tried=True)

    def _halve(self, given: list[str], labels: list[str], *, tried: bool) -> list[str]:
        if not tried and not self._feasible(given):
            return []
        if len(labels) == 1:
            return labels
        half = len(labels) // 2
        first, second = labels[:half], labels[half:]
        late = self._halve(given + first, second, tried=False)
        early = self._halve(given + late, first, tried=not late)
        return early + late

    def _feasible(self, labels: Sequence[str]) -> bool:
        """Whether these limits can be kept together, all others set aside."""
        left = self._end - perf_counter()
        if left <= 0:
            raise _TooLate
        program, kept = only(self._program, set(labels)), set(labels)
        choices = [one for one in self._choices
                   if not isinstance(one, Bands) or _modes(one) in kept]  # fmt: skip
        model = Model(program, relaxed=True)
        if program.width > _LARGE:
            model.simplify()
        answer = model.solve(left)
        if answer.status == "stopped" or (answer.status == "optimal" and answer.primal is None):
            raise _TooLate
        if answer.primal is None or answer.status == "infeasible":
            return False
        whole = answer.primal[program.integers()]
        if (whole == np.round(whole)).all() and not any(
            one.broken(answer.primal).any() for one in choices
        ):
            return True
        try:
            search.settle(program, choices, Aim(left, grace=0.0))
        except Infeasible:
            return False
        except SolverGaveUp as error:
            raise _TooLate from error
        return True


def _modes(choice: Bands) -> str:
    return f"{choice.name} operation-modes"


def only(program: LinearProgram, labels: set[str]) -> LinearProgram:
    """The program with some of its named limits, and all that have no name; without costs."""
    fewer = program.copy()
    for block in program.columns:
        lower, upper = (bound.copy() for bound in program.bounds(block))
        if block.limits[0] is not None and block.limits[0] not in labels:
            lower[:] = -np.inf
        if block.limits[1] is not None and block.limits[1] not in labels:
            upper[:] = np.inf
        fewer.set_bounds(block, lower, upper)
        fewer.set_costs(block, 0.0)
    for rows in program.rows:
        for sign, label in zip((1.0, -1.0), rows.limits, strict=True):
            if label is not None and label not in labels:
                free = fewer.add_columns(f"{label} free", rows.size, (0.0, np.inf))
                fewer.extend_rows(rows, Term(free, sign))
    return fewer
