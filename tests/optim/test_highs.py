"""The door to HiGHS: what goes in is refused or solved, what comes out is named."""

import numpy as np
import pytest

from flexedge.errors import SolverGaveUp
from flexedge.optim.choices import Bounds
from flexedge.optim.highs import Model, solve
from flexedge.optim.program import LinearProgram, Term

NO_X = Bounds(np.array([0], dtype=np.int32), np.zeros(1), np.zeros(1))


def diet(least: float = 3.0) -> LinearProgram:
    """Cheapest x + y of at least ``least`` with x at most 2, y at most 4."""
    program = LinearProgram()
    x = program.add_columns("x", 1, (0.0, 2.0), 1.0, limits=(None, "room for x"))
    y = program.add_columns("y", 1, (0.0, 4.0), 3.0, limits=(None, "room for y"))
    program.add_rows("sum", (least, np.inf), [Term(x), Term(y)], n=1, limits=("need", None))
    return program


def test_a_program_is_solved_with_its_duals() -> None:
    answer = solve(diet(), 10.0)
    assert answer.status == "optimal"
    assert answer.primal is not None
    assert list(answer.primal) == [2.0, 1.0]
    assert answer.objective == answer.bound == pytest.approx(5.0)
    assert answer.row_dual[0] == pytest.approx(3.0)  # one more is made of y
    assert answer.column_dual[0] == pytest.approx(-2.0)  # one more x saves a y


def test_contradictions_are_told() -> None:
    assert Model(diet(least=7.0)).solve(10.0).status == "infeasible"


@pytest.mark.parametrize("where", ["cost", "bounds", "rows", "matrix"])
def test_nan_never_reaches_the_solver(where: str) -> None:
    nan = float("nan")
    program = LinearProgram()
    x = program.add_columns("x", 1, (0.0, nan if where == "bounds" else 1.0),
                            nan if where == "cost" else 1.0)  # fmt: skip
    program.add_rows("r", (0.0, nan if where == "rows" else 1.0),
                     [Term(x, nan if where == "matrix" else 1.0)], n=1)  # fmt: skip
    with pytest.raises(ValueError, match="NaN in the program's"):
        solve(program, 10.0)


def test_fixing_and_solving_again() -> None:
    model = Model(diet())
    model.solve(10.0)
    model.bind(NO_X)
    answer = model.solve(10.0)
    assert answer.primal is not None
    assert list(answer.primal) == [0.0, 3.0]


def test_each_run_has_its_own_time() -> None:
    model = Model(diet())
    for _ in range(50):
        model.bind(NO_X)
        assert model.solve(1.0).status == "optimal"


def test_no_time_is_no_answer() -> None:
    answer = solve(diet(), 0.0)
    assert answer.status == "stopped"


def test_unbounded_programs_are_trouble() -> None:
    program = LinearProgram()
    x = program.add_columns("x", 1, (-np.inf, np.inf), 1.0)
    program.add_rows("r", (-np.inf, 1.0), [Term(x)], n=1)
    with pytest.raises(SolverGaveUp, match="nbounded"):
        solve(program, 10.0)


def test_whole_numbers_start_from_an_offered_point() -> None:
    program = LinearProgram()
    x = program.add_columns("x", 2, (0.0, 3.0), np.array([-1.0, -1.5]), integer=True)
    program.add_rows("r", (-np.inf, 4.5), [Term(x, 1.0, at=np.array([0])),
                                            Term(x, 2.0, at=np.array([1]))], n=1)  # fmt: skip
    model = Model(program)
    model.begin_at(np.array([2.0, 1.0]))
    answer = model.solve(10.0)
    assert answer.objective == pytest.approx(-3.5)
    assert answer.bound == pytest.approx(-3.5)


def falling(costs: list[float], start: float) -> LinearProgram:
    """A stock that is bought for when it is cheap: n columns each."""
    n = len(costs)
    program = LinearProgram()
    buy = program.add_columns("buy", n, (0.0, 3.0), np.array(costs))
    stock = program.add_columns("stock", n, (0.0, 10.0))
    used = np.full(n, -1.0)
    used[0] += start
    terms = [Term(stock), Term(stock, -1.0, at=np.arange(-1, n - 1)), Term(buy, -1.0)]
    program.add_rows("balance", (used, used), terms, n=n)
    return program


def test_a_program_a_step_later_begins_where_the_last_one_ended() -> None:
    costs = [1.0 + 0.5 * np.sin(k / 3) for k in range(61)]
    first = Model(falling(costs[:60], 2.0))
    first.solve(10.0)
    later = falling(costs[1:], 1.5)
    cold = Model(later).solve(10.0)
    warm = Model(later)
    warm.begin_later(first.basis, 1, 60)
    begun = warm.solve(10.0)
    assert begun.objective == pytest.approx(cold.objective, rel=1e-9)
    assert begun.iterations < cold.iterations / 3


def test_a_basis_serves_a_program_with_other_blocks() -> None:
    first = Model(falling([1.0, 2.0, 1.0], 2.0))
    first.solve(10.0)
    other = falling([1.0, 2.0, 1.0, 3.0], 2.0)
    extra = other.add_columns("extra", 2, (0.0, 1.0), -1.0)
    other.add_rows("room", (-np.inf, 1.0), [Term(extra)], n=2)
    model = Model(other)
    model.begin_later(first.basis, 1, 3)
    assert model.solve(10.0).objective == pytest.approx(Model(other).solve(10.0).objective)


def test_rows_can_be_let_go() -> None:
    program = diet()
    program.add_rows("no x", (0.0, 0.0), [Term(program.columns[0])], n=1)
    model = Model(program)
    assert model.solve(10.0).objective == pytest.approx(9.0)
    model.free_rows(1)
    assert model.solve(10.0).objective == pytest.approx(5.0)
