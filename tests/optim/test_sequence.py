"""Devices planned one after another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import Coupling, Device, SocBound, Storage
from flexedge.optim.market import Connection, Group, Market
from flexedge.optim.problem import Problem
from flexedge.optim.sequence import one_by_one
from flexedge.optim.solve import follow, solve

START = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMIT = timedelta(seconds=20)
PRICES = np.array([5.0, 1.0, 3.0, 9.0])


def car(name: str, due: int) -> Device:
    """Needs 1 kWh by the end of step ``due``; draws up to 1 kW."""
    asked = (SocBound(START + due * HOUR, 1.0),)
    return Device(name, np.zeros(4), np.ones(4), Storage(name, 0.0, 0.0, 1.0, targets=asked))


def problem(*devices: Device, capacity_kw: float = 1.0, load: FloatArray | None = None) -> Problem:
    market = Market(np.zeros(4) if load is None else load, PRICES, np.zeros(4),
                    Connection(power_capacity_kw=capacity_kw))  # fmt: skip
    return Problem(TimeGrid(START, HOUR, 4), devices, (market,))


def test_the_first_takes_the_cheapest_and_the_second_what_is_left() -> None:
    """FlexMeasures' own example: the one that could wait takes what the other one needs."""
    plan = one_by_one(problem(car("patient", 4), car("hasty", 2)), LIMIT)
    assert plan.power_kw["patient"] == pytest.approx([0, 1, 0, 0], abs=1e-6)
    assert plan.power_kw["hasty"] == pytest.approx([1, 0, 0, 0], abs=1e-6)
    assert plan.total_cost == pytest.approx(1.0 + 5.0, abs=1e-5)
    assert plan.status == "optimal"
    assert solve(problem(car("patient", 4), car("hasty", 2)), LIMIT).total_cost < 6.0 - 1


def test_the_order_is_that_of_the_list() -> None:
    plan = one_by_one(problem(car("hasty", 2), car("patient", 4)), LIMIT)
    assert plan.power_kw["hasty"] == pytest.approx([0, 1, 0, 0], abs=1e-6)
    assert plan.power_kw["patient"] == pytest.approx([0, 0, 1, 0], abs=1e-6)
    assert plan.commitment_costs["electricity net energy"] == pytest.approx(4.0, abs=1e-5)


def test_groups_leave_what_those_before_do_not_take() -> None:
    asked = problem(car("one", 2), car("two", 2), capacity_kw=9.0)
    asked = replace(asked, groups=(Group("g", ("one", "two"), power_capacity_kw=1.0),))
    plan = one_by_one(asked, LIMIT)
    assert plan.power_kw["one"] == pytest.approx([0, 1, 0, 0], abs=1e-6)
    assert plan.power_kw["two"] == pytest.approx([1, 0, 0, 0], abs=1e-6)


def test_what_feeds_one_stock_or_is_coupled_has_one_turn() -> None:
    stock = Storage("tank", 0.0, 0.0, 4.0, targets=(SocBound(START + 4 * HOUR, 4.0),))
    feeders = [Device(name, np.zeros(4), np.full(4, 1.0), stock) for name in ("pump", "rod")]
    gas = Device("gas", np.zeros(4), np.full(4, 2.0), coupling=Coupling("chp", 1.0))
    power = Device("power", np.full(4, -1.0), np.zeros(4), coupling=Coupling("chp", -0.5))
    asked = problem(feeders[0], gas, feeders[1], power, capacity_kw=9.0)
    plan = one_by_one(asked, LIMIT)
    assert plan.soc_kwh["tank"][-1] == pytest.approx(4.0)
    assert plan.power_kw["power"] == pytest.approx(-0.5 * plan.power_kw["gas"], abs=1e-6)
    assert plan.breaches == ()


def test_what_the_last_one_cannot_keep_is_named() -> None:
    hard = [replace(one, storage=replace(one.storage, minima_price=None, maxima_price=None))
            for one in (car("one", 1), car("two", 1)) if one.storage is not None]  # fmt: skip
    plan = one_by_one(problem(*hard), LIMIT)
    assert plan.status == "relaxed"
    assert "two soc-targets" in plan.culprits
    assert [breach.limit for breach in plan.breaches] == ["two soc-targets"]


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(0, 2**31))
def test_together_never_costs_more_than_one_by_one(seed: int) -> None:
    r = np.random.default_rng(seed)
    devices = [
        Device(
            f"d{i}", np.full(4, -r.uniform(0, 3)), np.full(4, r.uniform(0.5, 3)),
            Storage(f"d{i}", r.uniform(0, 4), 0.0, 4.0,
                    minima=(SocBound(START + int(r.integers(1, 5)) * HOUR, r.uniform(0, 4)),)),
            0.9, 0.9,
        )
        for i in range(3)
    ]  # fmt: skip
    connection = Connection(consumption_capacity_kw=r.uniform(1, 5), peak_price=r.uniform(0, 2))
    market = Market(r.uniform(-2, 2, 4), r.uniform(0.1, 1, 4), r.uniform(0, 0.1, 4), connection)
    asked = Problem(TimeGrid(START, HOUR, 4), tuple(devices), (market,))
    apart, together = one_by_one(asked, LIMIT), solve(asked, LIMIT)
    assert together.total_cost <= apart.total_cost + 1e-4 * max(1.0, abs(apart.total_cost))


def test_a_plan_that_is_given_is_told_with_its_costs() -> None:
    asked = problem(car("car", 4), capacity_kw=9.0)
    plan = follow(asked, {"car": np.array([0.25, 0.25, 0.0, 0.0])}, LIMIT)
    assert plan.commitment_costs["electricity net energy"] == pytest.approx(0.25 * 6.0, abs=1e-5)
    assert plan.soc_kwh["car"] == pytest.approx([0.25, 0.5, 0.5, 0.5], abs=1e-6)
    assert plan.breaches[0].by == pytest.approx(0.5, abs=1e-6)


def test_those_before_stay_on_their_phases() -> None:
    cars = [replace(car(name, 2), phases=(1.0, 0.0, 0.0)) for name in ("one", "two")]
    asked = problem(*cars, capacity_kw=9.0)
    on_phases = replace(asked.site, connection=Connection(phase_capacity_kw=1.0))
    plan = one_by_one(replace(asked, markets=(on_phases,)), LIMIT)
    assert plan.power_kw["one"] == pytest.approx([0, 1, 0, 0], abs=1e-6)
    assert plan.power_kw["two"] == pytest.approx([1, 0, 0, 0], abs=1e-6)
    assert plan.status == "optimal"
