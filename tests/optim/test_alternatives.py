"""What a device could have done at another time, and that it really could have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.domain.series import TimeGrid
from flexedge.optim.alternatives import Swap, swaps
from flexedge.optim.device import Device, SocBound, Soft, Storage
from flexedge.optim.market import Commitment, Market
from flexedge.optim.problem import Problem
from flexedge.optim.solve import follow, solve
from tests.optim.test_reasons import random_site

START = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMIT = timedelta(seconds=20)
LITTLE = 5e-4


def car(**more: Any) -> Device:
    asked = (SocBound(START + 3 * HOUR, 1.5),)
    return Device("car", np.zeros(4), np.full(4, 2.0), Storage("car", 0.0, 0.0, 9.0, minima=asked),
                  **more)  # fmt: skip


def problem(device: Device) -> Problem:
    price = np.array([0.3, 0.1, 0.15, 0.05])
    market = Market(np.ones(4), price, price - 0.02)
    return Problem(TimeGrid(START, HOUR, 4), (device,), (market,))


def found(asked: Problem) -> list[Swap]:
    (device,) = asked.devices
    return list(swaps(asked, solve(asked, LIMIT), device))


def test_a_kwh_is_moved_to_the_next_cheapest_hour_in_time() -> None:
    """Not to the cheapest of all: that comes after the car has left."""
    (swap,) = found(problem(car()))
    assert (swap.step, swap.to) == (1, 2)
    assert swap.extra_cost == pytest.approx(0.05)


def test_what_is_lost_meanwhile_is_made_up_for() -> None:
    asked = problem(car())
    (device,) = asked.devices
    assert device.storage is not None
    lossy = replace(device, storage=replace(device.storage, storage_efficiency=0.9))
    (swap,) = [one for one in found(problem(lossy)) if one.step == 1]
    assert swap.to == 2
    assert swap.extra_cost == pytest.approx(0.9 * 0.15 - 0.1)


def test_where_other_things_are_paid_for_none_is_told() -> None:
    asked = problem(car())
    zero = np.zeros(4)
    assert found(replace(asked, commitments=(Commitment("x", zero, zero, zero, ("car",)),))) == []
    assert found(problem(car(max_rise_kw=5.0))) == []


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 2**31))
def test_the_other_plan_exists_and_costs_no_more_than_is_told(seed: int) -> None:
    asked = random_site(seed)
    plan = solve(asked, LIMIT)
    for device in asked.devices:
        for swap in swaps(asked, plan, device):
            power = plan.power_kw[device.name]
            kw = float(np.sign(power[swap.step])) * min(LITTLE, abs(float(power[swap.step])))
            moved = power.copy()
            moved[swap.step] -= kw
            physics = 0.99 if device.name == "battery" else 1.0
            moved[swap.to] += kw * physics ** (swap.to - swap.step)
            other = follow(asked, {**plan.power_kw, device.name: moved}, LIMIT)
            assert other.status == "optimal"
            extra = other.total_cost - plan.total_cost
            assert extra <= swap.extra_cost * abs(kw) * asked.grid.hours + 1e-6
            assert extra >= -1e-6


def test_what_is_agreed_for_the_device_is_no_place_to_move_to() -> None:
    agreed = Soft(np.array([2.0, 2.0, 0.0, 2.0]), 100.0)
    (swap,) = found(problem(car(consumption_capacity=agreed)))
    assert (swap.step, swap.to) == (1, 0)
