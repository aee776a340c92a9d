"""Several futures, one first step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Device, Storage
from flexedge.optim.market import Commitment, Market, Scenario
from flexedge.optim.problem import Problem
from flexedge.optim.solve import solve

LIMIT = timedelta(seconds=20)
GRID = TimeGrid(datetime(2026, 11, 24, tzinfo=UTC), timedelta(hours=1), 2)
BATTERY = Device("b", np.full(2, -2.0), np.full(2, 2.0), Storage("b", 0.0, 0.0, 4.0))
NOW = 0.20


def first_kw(probability: float, risk_weight: float = 0.0) -> float:
    """Whether to charge now at 0.20, when it may cost 0.90 (or else 0.10) to need it later."""
    load, zero = np.array([0.0, 2.0]), np.zeros(2)
    calm = Market(load, np.array([NOW, 0.10]), zero)
    storm = Scenario(probability, load, np.array([NOW, 0.90]), zero)
    problem = Problem(GRID, (BATTERY,), (calm,), scenarios=(storm,), risk_weight=risk_weight)
    return float(solve(problem, LIMIT).power_kw["b"][0])


def test_the_first_step_is_right_for_what_is_expected() -> None:
    # charging 2 kWh costs 0.40 and saves 0.20 or 1.80: worth it above one eighth
    assert first_kw(0.10) == pytest.approx(0.0)
    assert first_kw(0.15) == pytest.approx(2.0)


def test_who_fears_the_worst_prepares_for_it() -> None:
    assert first_kw(0.05, risk_weight=0.0) == pytest.approx(0.0)
    assert first_kw(0.05, risk_weight=0.5) == pytest.approx(2.0, abs=1e-3)
    assert first_kw(0.05, risk_weight=1.0) == pytest.approx(2.0, abs=1e-3)


def test_costs_told_are_those_of_the_forecast() -> None:
    load, zero = np.array([0.0, 2.0]), np.zeros(2)
    calm = Market(load, np.array([NOW, 0.10]), zero)
    storm = Scenario(0.5, load, np.array([NOW, 0.90]), zero)
    solution = solve(Problem(GRID, (BATTERY,), (calm,), scenarios=(storm,)), LIMIT)
    assert solution.cost == pytest.approx(0.40)
    assert solution.commitment_costs["electricity net energy"] == pytest.approx(0.40)


def test_a_position_of_the_whole_site_follows_its_future() -> None:
    """What happens anyway counts for it, and that differs from future to future."""
    zero = np.zeros(2)
    calm = Market(zero, np.full(2, NOW), zero)
    storm = Scenario(0.5, np.array([0.0, 2.0]), np.full(2, NOW), zero, "storm")
    free = Commitment("p", zero, np.ones(2), zero, (), of_site=True)
    problem = Problem(GRID, (), (calm,), commitments=(free,), scenarios=(storm,))
    own, other = solve(problem, LIMIT).futures
    assert own.cost == pytest.approx(0.0)
    assert other.cost == pytest.approx(2 * NOW + 2 * 1.0)
    part = replace(problem, commitments=(replace(free, of_site=False),))
    assert solve(part, LIMIT).futures[1].cost == pytest.approx(2 * NOW)
