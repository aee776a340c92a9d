"""Grid connections, groups, phases, soft capacities."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Device, Soft, Storage
from flexedge.optim.market import Commitment, Connection, Group, Market
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.solve import solve

LIMIT = timedelta(seconds=20)
GRID = TimeGrid(datetime(2026, 11, 24, tzinfo=UTC), timedelta(hours=1), 4)


def site(load: Any, *devices: Device, **more: Any) -> Solution:
    connection = Connection(**more.pop("connection", {}))
    prices = np.array(more.pop("prices", [0.2] * 4))
    market = Market(np.zeros(4) + load, prices, prices - 0.05, connection)
    return solve(Problem(GRID, devices, (market,), **more), LIMIT)


def load(name: str, kw: float) -> Device:
    """Something that draws as it likes, and is paid to: energy below it is worth more."""
    return Device(name, np.zeros(4), np.full(4, kw), Storage(name, 0.0, 0.0, 99.0,
                  value_at_end=((np.inf, 1.0),)))  # fmt: skip


def test_the_highest_breach_counts_once_in_each_run_of_equal_limits() -> None:
    limits = np.array([1.0, 1.0, 2.0, 2.0])
    agreed = {"consumption_capacity_kw": limits, "consumption_breach_price": 7.0}
    found = site([2.0, 4.0, 0.0, 3.0], connection=agreed)
    assert found.commitment_costs["electricity any consumption breach"] == pytest.approx(
        7 * (3 + 1)
    )
    assert found.commitment_costs["electricity all consumption breaches"] == pytest.approx(7 * 5)


def test_a_run_goes_on_through_steps_that_cannot_exceed_it() -> None:
    agreed = {"consumption_capacity_kw": 1.0, "consumption_breach_price": 7.0}
    found = site([3.0, 0.0, 0.0, 2.0], connection=agreed)
    assert found.commitment_costs["electricity any consumption breach"] == pytest.approx(7 * 2)


def test_each_period_of_a_peak_price_has_its_own_peak() -> None:
    peaks = {"peak_price": np.array([10.0, 10.0, 20.0, 20.0]), "peak_consumption_kw": 1.0,
             "peak_production_price": 3.0}  # fmt: skip
    found = site([2.0, 4.0, 3.0, -5.0], connection=peaks)
    assert found.commitment_costs["electricity consumption peak"] == pytest.approx(30 + 40)
    assert found.commitment_costs["electricity production peak"] == pytest.approx(15)
    free = {"peak_price": 10.0, "peak_consumption_kw": np.array([np.inf, 0.0, np.inf, 0.0])}
    assert site([9.0, 4.0, 9.0, 3.0], connection=free).cost > 40


def test_a_group_is_hard_in_what_it_bears_and_soft_in_what_it_agreed() -> None:
    hard = Group("g", ("a", "b"), 1.0, power_capacity_kw=4.0)
    found = site(1.0, load("a", 3.0), load("b", 3.0), groups=(hard,))
    assert found.power_kw["a"] + found.power_kw["b"] == pytest.approx([3.0] * 4)
    soft = replace(hard, power_capacity_kw=None, consumption_capacity=Soft(2.0, 0.5))
    loose = site(1.0, load("a", 3.0), load("b", 3.0), groups=(soft,))
    assert loose.commitment_costs["group g all consumption breaches"] > 0
    pv = Device("pv", np.full(4, -5.0), np.zeros(4))
    out = Group("roof", ("pv",), production_capacity=Soft(3.0, 10.0))
    assert site(0.0, pv, groups=(out,)).power_kw["pv"] == pytest.approx([-3.0] * 4)


def test_a_device_may_exceed_its_agreed_capacity_at_a_price() -> None:
    device = replace(load("a", 3.0), consumption_capacity=Soft(1.0, 0.05))
    found = site(0.0, device)
    assert found.power_kw["a"] == pytest.approx([3.0] * 4)
    assert found.commitment_costs["any consumption breach device 0"] == pytest.approx(0.1)
    dear = replace(device, consumption_capacity=Soft(1.0, 5.0))
    assert site(0.0, dear).power_kw["a"] == pytest.approx([1.0] * 4)


def test_each_phase_has_its_own_limit() -> None:
    one = replace(load("one", 6.0), phases=(1.0, 0.0, 0.0))
    three = replace(load("three", 9.0), phases=(1 / 3, 1 / 3, 1 / 3))
    found = site(3.0, one, three, connection={"phase_capacity_kw": 4.0})
    first = found.power_kw["one"] + found.power_kw["three"] / 3 + 1.0
    assert first.max() <= 4.0 + 1e-6
    assert found.power_kw["three"] == pytest.approx([9.0] * 4)


def test_positions_are_paid_for_when_deviated_from() -> None:
    ones = np.ones(4)
    position = Commitment("day-ahead", 2 * ones, 0.5 * ones, -0.1 * ones, ("a",))
    found = site(0.0, load("a", 3.0), commitments=(position,))
    assert found.power_kw["a"] == pytest.approx([3.0] * 4)
    assert found.commitment_costs["day-ahead"] == pytest.approx(4 * 0.5)
    some = replace(position, baseline_kw=np.array([2.0, np.nan, 2.0, np.nan]), up_price=2 * ones)
    told = site(0.0, load("a", 3.0), commitments=(some,))
    assert told.power_kw["a"] == pytest.approx([2, 3, 2, 3])


def test_a_reward_in_both_directions_is_earned_once() -> None:
    """Up costs less than down earns: without a choice both would be claimed at once."""
    ones = np.ones(4)
    bonus = Commitment("flex", ones, 0.1 * ones, 0.4 * ones, ("a",))
    found = site(0.0, load("a", 3.0), commitments=(bonus,))
    deviation = found.power_kw["a"] - 1.0
    paid = np.where(deviation > 0, 0.1 * deviation, 0.4 * deviation).sum()
    assert found.commitment_costs["flex"] == pytest.approx(paid)


def test_buying_and_selling_at_once_is_no_business() -> None:
    market = Market(np.zeros(4), np.full(4, 0.1), np.full(4, 0.3))
    found = solve(Problem(GRID, (load("a", 1.0),), (market,)), LIMIT)
    assert found.grid_kw == pytest.approx(found.power_kw["a"])
    assert found.cost < 0


def test_what_was_drawn_of_a_step_before_the_plan_begins_counts_for_the_peak() -> None:
    eager = load("eager", 10.0)
    paid = {"peak_consumption_kw": 4.0, "peak_price": 50.0}
    used = np.array([3.0, 0.0, 0.0, 0.0])
    assert site(0.0, eager, connection=paid).grid_kw == pytest.approx([4, 4, 4, 4])
    begun = site(0.0, eager, connection=paid | {"used_kw": used})
    assert begun.grid_kw == pytest.approx([1, 4, 4, 4])
    given = site(0.0, eager, connection=paid | {"used_kw": -used})  # it gave before: there is room
    assert given.grid_kw == pytest.approx([7, 4, 4, 4])
    once = site(
        [6.0, 9.0, 0.0, 0.0], connection={"peak_price": 50.0, "used_kw": used}
    ).commitment_costs["electricity consumption peak"]
    assert once == pytest.approx(50 * 9.0)  # the highest of all, charged once


def test_what_is_given_in_the_rest_of_a_step_makes_up_for_what_was_drawn_before() -> None:
    peaks = {"peak_consumption_kw": 1.0, "peak_price": 50.0, "peak_production_price": 20.0}
    used = np.array([6.0, 0.0, 0.0, -3.0])
    found = site([-4.0, 0.0, 0.0, 4.0], connection=peaks | {"used_kw": used})
    assert found.commitment_costs["electricity consumption peak"] == pytest.approx(50 * (6 - 4 - 1))
    assert found.commitment_costs["electricity production peak"] == pytest.approx(0.0)


def test_a_group_may_hold_nothing_that_can_be_controlled() -> None:
    group = Group("g", (), fixed_kw=2.0, consumption_capacity=Soft(1.0, 7.0))
    found = site(2.0, groups=(group,))
    costs = found.commitment_costs
    assert costs["group g any consumption breach"] == pytest.approx(7.0)
    hard = replace(group, power_capacity_kw=1.0)
    assert site(2.0, groups=(hard,)).culprits == ("group g power-capacity",)
