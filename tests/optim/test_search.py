"""One direction at a time: against all patterns of directions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.domain.series import TimeGrid
from flexedge.errors import Infeasible
from flexedge.optim import search
from flexedge.optim.choices import Pair
from flexedge.optim.highs import Answer
from flexedge.optim.highs import solve as solve_program
from flexedge.optim.market import Connection
from flexedge.optim.problem import GOOD_ENOUGH, Problem
from flexedge.optim.program import LinearProgram, Term
from flexedge.optim.solve import formulate, settle, solve
from tests.optim.plain import a_device, a_problem, a_stock

START = datetime(2026, 11, 24, tzinfo=UTC)
LIMIT = timedelta(seconds=20)


def burner(prices: list[float], load: list[float], start: float, capacity: float) -> Problem:
    """A lossy battery where energy may be unwelcome."""
    n = len(prices)
    storage = a_stock(start, 0.0, 4.0, charging_efficiency=0.8, discharging_efficiency=0.7)
    return a_problem(
        TimeGrid(START, timedelta(hours=1), n),
        (a_device("battery", np.full(n, -3.0), np.full(n, 3.0), storage),),
        np.array(load),
        np.array(prices),
        np.array(prices) - 0.02,
        Connection(power_capacity_kw=capacity),
    )


def cheapest(problem: Problem) -> float | None:
    """The objective of the best plan, by solving every pattern of directions as its own problem."""
    (device,) = problem.devices
    best = None
    for pattern in product((0.0, 1.0), repeat=problem.grid.n):
        up = np.array(pattern)
        fixed = replace(device, min_kw=device.min_kw * (1 - up), max_kw=device.max_kw * up)
        one = replace(problem, devices=(fixed,))
        try:
            objective = settle(formulate(one), LIMIT).answer.objective
        except Infeasible:
            continue
        best = objective if best is None else min(best, objective)
    return best


def relaxed(problem: Problem) -> Answer:
    """The linear program alone, which may use both directions."""
    return solve_program(formulate(problem).program, 20.0)


money = st.floats(-0.5, 0.3).map(lambda x: round(x, 2))


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    st.lists(st.tuples(money, st.floats(-6, 3)), min_size=1, max_size=5),
    st.floats(0, 4),
    st.floats(1, 7),
)
def test_the_plan_is_the_best_of_all_patterns(
    steps: list[tuple[float, float]], start: float, capacity: float
) -> None:
    problem = burner([p for p, _ in steps], [kw for _, kw in steps], start, capacity)
    best = cheapest(problem)
    if best is None:
        with pytest.raises(Infeasible):
            settle(formulate(problem), LIMIT)
        return
    found = settle(formulate(problem), LIMIT)
    assert found.answer.objective <= best + GOOD_ENOUGH * max(abs(best), 0.1)
    exactly = settle(formulate(replace(problem, good_enough=0.0)), LIMIT)
    assert exactly.answer.objective == pytest.approx(best, rel=1e-7, abs=1e-7)


def several(n: int) -> Problem:
    """Lossy batteries of three sizes that are paid for using energy at noon, behind one limit."""
    grid = TimeGrid(START, timedelta(minutes=30), n)
    noon = np.abs(np.arange(n) % 48 - 24) < 4
    price = np.where(noon, np.full(n, -0.15), 0.2)
    devices = tuple(
        a_device(f"battery{k}", np.full(n, -2.0 - k), np.full(n, 2.0 + k),
                 a_stock(3.0, 1.0, 8.0 + k, charging_efficiency=0.9 + 0.03 * k))
        for k in range(3)
    )  # fmt: skip
    return a_problem(grid, devices, np.full(n, 1.0), price, price - 0.02,
                     Connection(power_capacity_kw=9.0))  # fmt: skip


def test_a_tighter_program_proves_more_than_the_linear_one() -> None:
    problem = several(96)
    loose = relaxed(problem)
    found = settle(formulate(problem), LIMIT)
    assert found.gap <= GOOD_ENOUGH
    assert found.bound > loose.objective + 1e-4 * abs(loose.objective)
    assert found.bound <= found.answer.objective + 1e-9
    assert len(found.answer.row_dual) == len(loose.row_dual)


def test_less_is_good_enough_for_who_says_so() -> None:
    problem = several(96)
    rough = settle(formulate(replace(problem, good_enough=0.05)), LIMIT)
    exact = settle(formulate(replace(problem, good_enough=1e-7)), LIMIT)
    assert rough.binaries == 0 < exact.binaries
    assert exact.gap <= 1e-7
    assert exact.answer.objective < rough.answer.objective
    assert rough.answer.objective - exact.answer.objective <= 0.05 * abs(exact.answer.objective)


def test_a_later_plan_begins_where_the_one_before_ended() -> None:
    problem = several(96)
    later = replace(problem, grid=replace(problem.grid, start=START + timedelta(minutes=30)))
    first = solve(problem, LIMIT)
    assert solve(later, LIMIT, first).total_cost == pytest.approx(
        solve(later, LIMIT).total_cost, rel=2 * GOOD_ENOUGH
    )


def test_binaries_are_used_only_where_both_directions_were() -> None:
    found = settle(formulate(burner([-0.4, -0.4, 0.3, 0.3], [0.0] * 4, 3.0, 9.0)), LIMIT)
    assert 0 < found.binaries < 4
    assert found.gap <= GOOD_ENOUGH


def test_no_binaries_where_energy_has_a_price() -> None:
    found = settle(formulate(burner([0.1, 0.2, 0.3], [1.0] * 3, 3.0, 9.0)), LIMIT)
    assert found.binaries == 0
    assert found.gap == 0


def test_energy_that_could_only_be_burnt_has_no_plan() -> None:
    """The linear program would burn it; a battery cannot."""
    problem = burner([0.2, 0.2], [-5.0, -5.0], 4.0, 4.9)
    assert relaxed(problem).status == "optimal"
    with pytest.raises(Infeasible):
        settle(formulate(problem), LIMIT)
    nearest = solve(problem, LIMIT)
    assert nearest.status == "relaxed"
    assert "site-power-capacity" in nearest.culprits
    beyond = np.maximum(-nearest.grid_kw - 4.9, 0.0)
    # room for 0.1 kW in the second hour is made in the first: better than 0.1 in both
    assert beyond == pytest.approx([0.1 + 0.1 * 0.8 * 0.7, 0.0], abs=1e-4)


def test_nothing_is_burnt_by_charging_and_discharging_at_once() -> None:
    problem = burner([-0.3] * 6, [0.0] * 6, 3.0, 9.0)
    found = settle(formulate(problem), LIMIT)
    assert found.answer.objective > relaxed(problem).objective + 0.1
    assert (found.primal[:6] * found.primal[6:12] < 1e-5).all()  # charging, discharging


def test_what_is_whole_stays_so_when_choices_are_repaired() -> None:
    """Both directions at once make y 2; one alone would make it 2.5."""
    lp = LinearProgram()
    up = lp.add_columns("up", 1, (0.0, 1.25), -1.0)
    down = lp.add_columns("down", 1, (0.0, 1.0), -0.1)
    y = lp.add_columns("y", 1, (0.0, 9.0), integer=True)
    lp.add_rows("y", (0.0, 0.0), [Term(up, 2.0), Term(down, -0.5), Term(y, -1.0)], n=1)
    one = np.ones(1)
    pair = Pair(up, down, (1.25 * one, one), (one, one))
    found = search.settle(lp, [pair], search.Aim(10.0))
    assert found.primal[:3] == pytest.approx([1.0, 0.0, 2.0])


def test_a_point_that_is_known_is_never_lost() -> None:
    """Without any time, and a linear program that leaves fractions."""
    lp = LinearProgram()
    x = lp.add_columns("x", 3, (0.0, 1.0), np.array([-3.0, -2.0, -2.0]), integer=True)
    lp.add_total("room", (-np.inf, 2.5), [(x, np.array([2.0, 1.0, 1.0]))])
    assert search.settle(lp, [], search.Aim(0.0)).answer.objective == pytest.approx(-4.0)
    known = np.array([0.0, 1.0, 0.0])
    found = search.settle(lp, [], search.Aim(0.0), known=known)
    assert found.primal == pytest.approx(known)
    assert found.gap > 0
