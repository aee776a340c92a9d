"""What a plan tells of itself."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.market import Connection
from flexedge.optim.reference import net_cost
from flexedge.optim.solve import formulate, solve
from tests.optim.plain import a_device, a_problem, a_stock

START = datetime(2026, 11, 24, tzinfo=UTC)
PROBLEM = a_problem(
    TimeGrid(START, timedelta(minutes=30), 3),
    (a_device("battery", np.full(3, -2.0), np.full(3, 2.0), a_stock(0.0, 0.0, 4.0)),),
    np.array([1.0, 1.0, 1.0]),
    np.array([0.1, 0.2, 0.4]),
    np.array([0.05, 0.05, 0.05]),
    Connection(peak_consumption_kw=2.0, peak_price=0.01),
)


def test_cost_is_energy_and_peak() -> None:
    grid_kw = np.array([3.0, -1.0, 0.0])
    assert net_cost(PROBLEM, grid_kw) == pytest.approx(0.5 * (0.3 - 0.05) + 0.01)


def test_the_parts_of_the_objective_add_up() -> None:
    solution = solve(PROBLEM, timedelta(seconds=20))
    total = formulate(PROBLEM).program.arrays().cost
    assert len(total) > 0
    assert solution.cost == pytest.approx(net_cost(PROBLEM, solution.grid_kw))
    assert solution.grid_kw == pytest.approx(1.0 + solution.power_kw["battery"])
    assert abs(solution.tie_break) < 1e-3
    assert solution.build_seconds > 0
    assert solution.solve_seconds > 0


def test_times_and_gap_do_not_hide_in_the_plan() -> None:
    one, two = (solve(PROBLEM, timedelta(seconds=20)) for _ in range(2))
    assert (one.power_kw["battery"] == two.power_kw["battery"]).all()
    assert one.gap == two.gap == 0
