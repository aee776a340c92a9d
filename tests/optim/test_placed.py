"""A device's columns and what binds it alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Coupling, Device, Running, SocBound, Storage
from flexedge.optim.market import Market
from flexedge.optim.placed import fullness, spread
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.solve import solve

LIMIT = timedelta(seconds=20)
START = datetime(2026, 11, 24, tzinfo=UTC)


def plan(prices: list[float], *devices: Device, markets: Any = ()) -> Solution:
    n = len(prices)
    grid = TimeGrid(START, timedelta(hours=1), n)
    site = Market(np.zeros(n), np.array(prices), np.array(prices) - 0.01)
    return solve(Problem(grid, devices, (site, *markets)), LIMIT)


def battery(n: int, **kw: Any) -> Device:
    return Device("b", np.full(n, -2.0), np.full(n, 2.0), Storage("b", 0.0, 0.0, 4.0), **kw)


def test_wear_makes_small_differences_not_worth_it() -> None:
    prices = [0.10, 0.20]
    assert plan(prices, battery(2)).power_kw["b"] == pytest.approx([2, -2])
    assert plan(prices, battery(2, wear_price=0.06)).power_kw["b"] == pytest.approx([0, 0])
    worn = plan(prices, battery(2, wear_price=0.03))
    assert worn.commitment_costs["wear b"] == pytest.approx(0.03 * 4)


def test_ramps_bind_from_step_to_step_and_from_what_was_before() -> None:
    prices = [0.1, 0.1, 0.5, 0.5]
    gentle = plan(prices, battery(4, max_rise_kw=1.0, max_fall_kw=1.5, power_before_kw=0.0))
    power = np.concatenate(([0.0], gentle.power_kw["b"]))
    assert np.diff(power).max() <= 1.0 + 1e-6
    assert np.diff(power).min() >= -1.5 - 1e-6
    free = plan(prices, battery(4, max_rise_kw=1.0))
    assert free.power_kw["b"][0] == pytest.approx(2.0)


def test_modes_are_kept() -> None:
    found = plan([0.1, 0.2, 0.5, 0.6], battery(4, modes=((-2.0, -1.9), (0.0, 0.0), (1.5, 1.6))))
    for kw in found.power_kw["b"]:
        assert any(low - 1e-6 <= kw <= high + 1e-6 for low, high in
                   ((-2.0, -1.9), (0.0, 0.0), (1.5, 1.6)))  # fmt: skip


def test_coupled_devices_keep_their_ratio_and_a_node_its_balance() -> None:
    n = 2
    heat = Market(np.full(n, 3.0), np.zeros(n), np.zeros(n), commodity="heat", internal=True)
    gas = Market(np.zeros(n), np.full(n, 0.08), np.full(n, 0.08), commodity="gas")
    chp = (
        Device("burner", np.zeros(n), np.full(n, 20.0), commodity="gas",
               coupling=Coupling("chp", 1.0)),
        Device("heat", np.full(n, -10.0), np.zeros(n), commodity="heat",
               coupling=Coupling("chp", -0.5)),
        Device("power", np.full(n, -6.0), np.zeros(n), coupling=Coupling("chp", -0.3)),
    )  # fmt: skip
    found = plan([0.3, 0.3], *chp, markets=(gas, heat))
    assert found.power_kw["burner"] == pytest.approx([6, 6])
    assert found.power_kw["power"] == pytest.approx([-1.8, -1.8])
    assert found.commitment_costs["gas net energy"] == pytest.approx(2 * 6 * 0.08)
    assert found.net_kw["heat"] == pytest.approx([0, 0])


def test_a_spread_of_rounding_is_none() -> None:
    assert spread(np.array([0.1 + 0.2, 0.3])) == 0.0
    assert spread(np.array([0.1, 0.3])) == pytest.approx(0.2)


def test_fullness_counts_where_prices_are_known_and_by_what_is_known() -> None:
    grid = TimeGrid(START, timedelta(minutes=15), 5)
    found = fullness(grid, np.array([np.nan, 0.1, 0.2, 0.3, np.nan]))
    assert found == pytest.approx(np.array([0, 0.75, 0.5, 0.25, 0]) * 1e-4 * 0.2 / 5 * 4)
    flat = fullness(grid, np.full(5, 0.3))
    assert flat[0] == pytest.approx(1e-4 * 1e-3 / 5 * 4)
    assert fullness(grid, np.full(5, np.nan)).tolist() == [0, 0, 0, 0, 0]


def begun(**kw: Any) -> Device:
    """A charger in whose first step half the time is over already."""
    most = np.array([2.0, 4.0, 4.0])
    car = Storage("c", 0.0, 0.0, 99.0, targets=(SocBound(START + timedelta(hours=3), 5.0),))
    return Device("c", np.zeros(3), most, car, share=np.array([0.5, 1.0, 1.0]), **kw)


def test_of_a_step_that_has_begun_its_share_counts() -> None:
    banded = plan([0.1, 0.5, 0.3], begun(modes=((0.0, 0.0), (3.0, 4.0))))
    assert banded.power_kw["c"] == pytest.approx([2.0, 0.0, 3.0])  # 3 to 4 kW for half an hour
    least = plan([0.5, 0.1, 0.3], begun(modes=((0.0, 0.0), (3.0, 4.0)), running=Running()))
    assert least.power_kw["c"] == pytest.approx([1.5, 3.5, 0.0])


def test_a_ramp_goes_by_the_power_and_not_by_the_mean_of_a_step_that_has_begun() -> None:
    found = plan([0.1, 0.2, 0.3], begun(max_rise_kw=1.0, max_fall_kw=1.0, power_before_kw=2.0))
    assert found.power_kw["c"][0] == pytest.approx(1.5)  # 3 kW for half an hour
    assert found.power_kw["c"][1] <= 4.0 + 1e-6
    assert found.power_kw["c"][1] >= 2.0 - 1e-6
