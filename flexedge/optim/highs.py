"""The door to HiGHS: arrays in, arrays out. Nothing else imports highspy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import highspy
import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray
from flexedge.errors import SolverGaveUp
from flexedge.optim.choices import Bounds
from flexedge.optim.program import Arrays, Block, LinearProgram

Status = Literal["optimal", "infeasible", "stopped"]
_STATUS: dict[Any, Status] = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible",
    highspy.HighsModelStatus.kTimeLimit: "stopped",
}
_OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    "threads": 1,  # more gain nothing on programs of this size
    "presolve": "off",  # nor does presolve on the LP; integer programs switch it on
    # The tie-breakers are worth about 1e-8: coarser tolerances would not see them.
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-10,
    "mip_feasibility_tolerance": 1e-9,
    "mip_rel_gap": 0.0,  # relative to penalties it would mean nothing
}
_PRIMAL = int(highspy.simplex_constants.SimplexStrategy.kSimplexStrategyPrimal)
_SUBSEARCHES = ("mip_heuristic_run_rins", "mip_heuristic_run_rens",
                "mip_heuristic_run_root_reduced_cost")  # fmt: skip
_AGAIN = (("presolve", "on"), ("primal_feasibility_tolerance", 1e-7),
          ("dual_feasibility_tolerance", 1e-7), ("solver", "ipm"))  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the solver found.

    ``primal`` is None where it found no point. Duals are what the objective gains per unit of a
    row's (or column's) active bound; those of a program with integers mean nothing.
    """

    status: Status
    primal: FloatArray | None
    row_dual: FloatArray
    column_dual: FloatArray
    objective: float
    bound: float
    """No point is cheaper than this."""
    iterations: int
    """Of the simplex method."""
    seconds: float


_Statuses = NDArray[np.int8]
_LOWER, _BASIC, _UPPER, _FREE = range(4)  # as HiGHS numbers them
_STATUSES = np.array([
    highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic,
    highspy.HighsBasisStatus.kUpper, highspy.HighsBasisStatus.kZero,
], dtype=object)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Where the solver ended in a program: to begin from there in one like it."""

    columns: Sequence[Block]
    rows: Sequence[Block]
    of_columns: _Statuses
    of_rows: _Statuses

    def onto(self, program: LinearProgram, steps: int, n: int) -> Any:
        """The same for another program, ``steps`` of ``n`` later; new blocks begin as they come."""
        found, by = highspy.HighsBasis(), (steps, n)
        columns = _moved(self.columns, self.of_columns, program.columns, by, _LOWER)
        rows = _moved(self.rows, self.of_rows, program.rows, by, _BASIC)
        found.col_status, found.row_status = _STATUSES[columns].tolist(), _STATUSES[rows].tolist()
        found.valid = found.alien = True  # alien: HiGHS makes it whole where it does not fit
        return found


def _status(
    basic: NDArray[np.int32], value: FloatArray, lower: FloatArray, upper: FloatArray
) -> _Statuses:
    """Who is basic, and at which of their bounds the others are."""
    nearer = upper - value < value - lower
    found = np.where(nearer, _UPPER, _LOWER).astype(np.int8)
    found[np.isinf(lower) & np.isinf(upper)] = _FREE
    found[basic] = _BASIC
    return found


def _moved(
    blocks: Sequence[Block],
    statuses: _Statuses,
    wanted: Sequence[Block],
    by: tuple[int, int],
    otherwise: int,
) -> _Statuses:
    """Statuses by the names of blocks, moved by some steps; the last ones stay."""
    steps, n = by
    known: dict[tuple[str, int], _Statuses] = {}
    for block, key in zip(blocks, _keys(blocks), strict=True):
        part = statuses[block.start : block.start + block.size]
        known[key] = np.append(part[steps:], part[n - steps :]) if block.size == n else part
    parts = [np.empty(0, dtype=np.int8)]
    for block, key in zip(wanted, _keys(wanted), strict=True):
        part = known.get(key, parts[0])
        fits = len(part) == block.size
        parts.append(part if fits else np.full(block.size, otherwise, dtype=np.int8))
    return np.concatenate(parts)


def _keys(blocks: Sequence[Block]) -> list[tuple[str, int]]:
    """The name of each block, and how often it occurred before."""
    seen: dict[str, int] = {}
    keys = []
    for block in blocks:
        keys.append((block.name, seen.get(block.name, 0)))
        seen[block.name] = keys[-1][1] + 1
    return keys


class Model:
    """A program inside HiGHS; solving it again starts from where the last time ended.

    With integers the search ends when no point can be cheaper by more than ``gap``; ``relaxed``
    lets them be any numbers.
    """

    def __init__(self, program: LinearProgram, gap: float = 0.0, *, relaxed: bool = False) -> None:
        self._program = program
        self._arrays = program.arrays()
        if relaxed:
            self._arrays.integer[:] = 0
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in _OPTIONS.items():
            self._highs.setOptionValue(name, value)
        if self._arrays.integer.any():
            self._highs.setOptionValue("presolve", "choose")
            self._highs.setOptionValue("mip_abs_gap", gap)
        self._pass(self._arrays)

    def _pass(self, a: Arrays) -> None:
        _refuse_nan(a)
        status = self._highs.passModel(
            len(a.cost), len(a.row_lower), len(a.value),
            int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), 0.0,
            a.cost, a.lower, a.upper, a.row_lower, a.row_upper,
            a.start, a.index, a.value, a.integer,
        )  # fmt: skip
        if status == highspy.HighsStatus.kError:
            raise SolverGaveUp("the model was refused", 0.0)

    def simplify(self) -> None:
        """Let presolve begin: for questions of feasibility, which it often answers alone."""
        self._highs.setOptionValue("presolve", "on")

    def bind(self, bounds: Bounds) -> None:
        """Give some columns other bounds."""
        count = len(bounds.columns)
        status = self._highs.changeColsBounds(count, bounds.columns, bounds.lower, bounds.upper)
        if status == highspy.HighsStatus.kError:
            raise SolverGaveUp("bounds were refused", 0.0)

    def free_rows(self, first: int) -> None:
        """Let go of all blocks of rows from the ``first`` on."""
        count = sum(block.size for block in self._program.rows[first:])
        rows = np.arange(len(self._arrays.row_lower) - count, len(self._arrays.row_lower))
        free = np.full(count, np.inf)
        change = self._highs.changeRowsBounds  # type: ignore[attr-defined] # its types lack it
        change(count, rows.astype(np.int32), -free, free)

    @property
    def basis(self) -> Basis:
        """Where the solver ended."""
        ask = self._highs.getBasicVariables  # type: ignore[attr-defined] # its types lack it
        _, basic = ask()  # rows are told as -1 - row
        solution, a = self._highs.getSolution(), self._arrays
        return Basis(
            tuple(self._program.columns),
            tuple(self._program.rows),
            _status(basic[basic >= 0], np.array(solution.col_value), a.lower, a.upper),
            _status(-1 - basic[basic < 0], np.array(solution.row_value), a.row_lower, a.row_upper),
        )

    def begin_from(self, basis: Basis) -> None:
        """Begin where a program with the same columns and fewer rows ended."""
        self._highs.setBasis(basis.onto(self._program, 0, 0))

    def begin_later(self, basis: Basis, steps: int, n: int) -> None:
        """Begin where a program like this one, ``steps`` of ``n`` earlier, ended.

        From there the primal simplex has a hundredth of the way that there is from nothing, if it
        is not led astray by perturbed bounds.
        """
        self._highs.setBasis(basis.onto(self._program, steps, n))
        self._highs.setOptionValue("simplex_strategy", _PRIMAL)
        self._highs.setOptionValue("primal_simplex_bound_perturbation_multiplier", 0.0)

    def begin_at(self, primal: FloatArray) -> None:
        """Offer a good point to a program with integers: what is left is mostly the proof."""
        for name in _SUBSEARCHES:  # they take most of the time and rarely find a better one
            self._highs.setOptionValue(name, False)
        columns = np.arange(len(primal), dtype=np.int32)
        self._highs.setSolution(len(primal), columns, primal)

    def solve(self, time_limit: float) -> Answer:
        """Solve within ``time_limit`` seconds. ``SolverGaveUp`` for trouble of any other kind."""
        before = float(self._highs.getRunTime())  # HiGHS counts the time of all its runs
        self._highs.setOptionValue("time_limit", before + max(time_limit, 0.0))
        self._highs.run()
        if self._arrays.integer.any() and _STATUS.get(self._highs.getModelStatus()) == "infeasible":
            # presolve takes some tight programs for infeasible that are not (HiGHS 1.15)
            self._highs.clearSolver()
            self._highs.setOptionValue("presolve", "off")
            self._highs.run()
        for name, value in _AGAIN:
            if self._highs.getModelStatus() in _STATUS:
                break
            self._highs.clearSolver()  # rounding led it astray: from the beginning, differently
            self._highs.setOptionValue(name, value)
            self._highs.run()
        seconds = float(self._highs.getRunTime()) - before
        model_status = self._highs.getModelStatus()
        if model_status not in _STATUS:
            raise SolverGaveUp(str(self._highs.modelStatusToString(model_status)), seconds)
        solution, info = self._highs.getSolution(), self._highs.getInfo()
        integer = bool(self._arrays.integer.any())
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        return Answer(
            status=_STATUS[model_status],
            primal=np.array(solution.col_value) if found else None,
            row_dual=np.array(solution.row_dual),
            column_dual=np.array(solution.col_dual),
            objective=float(info.objective_function_value),
            bound=float(info.mip_dual_bound if integer else info.objective_function_value),
            iterations=int(info.simplex_iteration_count),
            seconds=seconds,
        )


def solve(program: LinearProgram, time_limit: float) -> Answer:
    """Solve a program once, within ``time_limit`` seconds."""
    return Model(program).solve(time_limit)


def _refuse_nan(arrays: Arrays) -> None:
    """HiGHS takes NaN for a number and calls the outcome optimal."""
    for name in ("cost", "lower", "upper", "row_lower", "row_upper", "value"):
        if np.isnan(getattr(arrays, name)).any():
            raise ValueError(f"NaN in the program's {name}")
