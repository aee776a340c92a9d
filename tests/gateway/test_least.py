from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.series import TimeGrid
from flexedge.gateway.least import solve_in_steps
from flexedge.optim.device import Device, SocBound, Storage
from flexedge.optim.market import Market
from flexedge.optim.problem import Problem
from flexedge.optim.solve import solve

START = datetime(2026, 4, 14, 12, tzinfo=UTC)
LIMIT = timedelta(seconds=5)
LEAST = 4.14


def car(n: int, wants_kwh: float, surplus_kw: float, prices: np.ndarray) -> Problem:
    """A car that is to have some energy by the end, beside a surplus of sun."""
    grid = TimeGrid(START, timedelta(minutes=15), n)
    storage = Storage("car", 10.0, 0.0, 60.0, minima=(SocBound(grid.end, 10.0 + wants_kwh),))
    device = Device("car", np.zeros(n), np.full(n, 11.04), storage)
    market = Market(np.full(n, -surplus_kw), prices, np.full(n, 0.07))
    return Problem(grid, (device,), (market,))


def test_a_surplus_too_small_for_the_charger_is_left_and_the_rest_planned_around_it() -> None:
    problem = car(16, 6.0, 1.0, np.full(16, 0.30))
    loose = solve(problem, LIMIT).power_kw["car"]
    assert ((loose > 0.01) & (loose < LEAST - 0.01)).any()
    strict = solve_in_steps(problem, {"car": np.full(16, LEAST)}, LIMIT)
    power = strict.power_kw["car"]
    assert not ((power > 0.01) & (power < LEAST - 0.01)).any()
    assert strict.soc_kwh["car"][-1] >= 16.0 - 0.3  # at most one step of the least is missing


def test_devices_that_can_do_any_power_are_solved_as_they_are() -> None:
    problem = car(8, 2.0, 1.0, np.full(8, 0.30))
    assert solve_in_steps(problem, {}, LIMIT).power_kw["car"] == pytest.approx(
        solve(problem, LIMIT).power_kw["car"]
    )


def test_a_least_power_above_the_most_is_not_forced() -> None:
    problem = car(8, 2.0, 0.0, np.full(8, 0.30))
    solution = solve_in_steps(problem, {"car": np.full(8, 20.0)}, LIMIT)
    assert solution.power_kw["car"].max() <= 11.04


@given(
    st.floats(0.0, 20.0),
    st.floats(0.0, 6.0),
    st.lists(st.floats(0.05, 0.6), min_size=12, max_size=12),
)
def test_there_is_always_a_plan_within_the_powers(
    wants: float, surplus: float, prices: list[float]
) -> None:
    problem = car(12, wants, surplus, np.array(prices))
    power = solve_in_steps(problem, {"car": np.full(12, LEAST)}, LIMIT).power_kw["car"]
    assert power.min() >= 0.0
    assert power.max() <= 11.04 + 1e-9
