"""What is told of limits that are not kept."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.breaches import Breach, given_way, others, unit_of
from flexedge.optim.device import Device, Soft
from flexedge.optim.elastic import Given
from flexedge.optim.market import Connection, Group, Market
from flexedge.optim.problem import Problem
from flexedge.optim.solve import solve
from tests.optim.plain import a_device, a_problem, a_stock

START = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRID = TimeGrid(START, HOUR, 4)


def test_a_breach_is_told_by_the_owners_clock() -> None:
    breach = Breach("site-consumption-capacity", START, START + timedelta(hours=1), 1.234, "kW")
    assert breach.sentence(ZoneInfo("Europe/Amsterdam")) == (
        "site-consumption-capacity is missed from 01:00 to 02:00 by up to 1.23 kW"
    )


def test_what_gave_way_is_told_unless_it_is_known() -> None:
    given = [Given("a power-capacity", np.array([0.0, 1.0, 2.0, 0.0])),
             Given("b soc-min", np.ones(4)), Given("c duration", np.array([3.0]))]  # fmt: skip
    known = [Breach("b soc-min", START, START + HOUR, 1.0, "kWh")]
    assert list(others(GRID, given, known)) == [
        Breach("a power-capacity", START + HOUR, START + 3 * HOUR, 2.0, "kW"),
        Breach("c duration", START, START + 4 * HOUR, 3.0, "times"),
    ]
    assert given_way([*given, Given("b soc-min", np.full(4, 5.0))]) == {
        "a power-capacity": 2.0, "b soc-min": 5.0, "c duration": 3.0,
    }  # fmt: skip


def test_units_are_those_of_the_limit() -> None:
    limits = ("site-power-capacity", "car soc-targets[1]", "car soc-min", "wash duration",
              "my soc-meter consumption-capacity")  # fmt: skip
    assert [unit_of(limit) for limit in limits] == ["kW", "kWh", "kWh", "times", "kW"]


def test_a_start_outside_the_band_is_told_until_it_is_repaired() -> None:
    car = a_device("car", np.zeros(4), np.full(4, 2.0), a_stock(1.0, 6.0, 9.0))
    plan = solve(a_problem(GRID, (car,), np.zeros(4), np.full(4, 0.3), np.full(4, 0.1)), 60 * HOUR)
    assert plan.power_kw["car"][:3] == pytest.approx([2.0, 2.0, 1.0])
    (breach,) = plan.breaches
    assert breach == Breach("car soc-min", START, START + 2 * HOUR, breach.by, "kWh")
    assert breach.by == pytest.approx(3.0)


def test_sites_and_connections_are_told() -> None:
    connection = Connection(consumption_capacity_kw=2.0)
    plan = solve(
        a_problem(GRID, (), np.array([1.0, 3.0, 4.0, 0.0]), np.ones(4), np.ones(4), connection),
        HOUR,
    )
    (breach,) = plan.breaches
    assert breach.limit == "site-consumption-capacity"
    assert (breach.start, breach.end, breach.by) == (START + HOUR, START + 3 * HOUR, 2.0)


def test_agreed_capacities_of_devices_and_groups_are_told() -> None:
    power, zero = np.array([1.0, 3.0, 0.0, 0.0]), np.zeros(4)
    rod = Device("rod", power, power, consumption_capacity=Soft(2.0, 1.0))
    pv = Device("pv", -power, -power, production_capacity=Soft(2.5, 1.0))
    group = Group("g", ("rod", "pv"), 2.0, production_capacity=Soft(zero, 1.0),
                  consumption_capacity=Soft(np.array([2.0, 1.0, 2.0, 2.0]), 1.0))  # fmt: skip
    plan = solve(Problem(GRID, (rod, pv), (Market(zero, zero, zero),), (group,)), HOUR)
    told = {one.limit: one.by for one in plan.breaches}
    assert told == pytest.approx({
        "rod consumption-capacity": 1.0,
        "pv production-capacity": 0.5,
        "group g consumption-capacity": 1.0,
    })  # fmt: skip
    second = START + HOUR, START + 2 * HOUR
    assert {(one.start, one.end) for one in plan.breaches} == {second}
