"""What simple rules would cost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Curve, Device, Process, SocBound, Storage
from flexedge.optim.market import Connection, Market
from flexedge.optim.problem import Problem
from flexedge.optim.reference import net_cost, references

START = datetime(2026, 11, 24, tzinfo=UTC)


def costs(load: list[float], *devices: Device) -> dict[str, float]:
    n = len(load)
    market = Market(np.array(load), np.full(n, 0.3), np.full(n, 0.1))
    grid = TimeGrid(START, timedelta(hours=1), n)
    return {one.name: one.cost for one in references(Problem(grid, devices, (market,)))}


def device(name: str, low: float, high: float, stock: Any = None, n: int = 3) -> Device:
    return Device(name, np.full(n, low), np.full(n, high), stock)


def test_a_battery_takes_the_surplus_and_gives_it_back() -> None:
    battery = device("battery", -2.0, 2.0, Storage("battery", 0.0, 0.0, 3.0))
    found = costs([-4.0, 1.0, 3.0], battery)
    assert found["do nothing"] == pytest.approx(-0.1 * 4 + 0.3 * 4)
    assert found["own PV first"] == pytest.approx(-0.1 * 2 + 0.3 * 0 + 0.3 * 2)


def test_producers_give_all_they_can() -> None:
    assert costs([1.0] * 3, device("pv", -2.0, 0.0))["do nothing"] == pytest.approx(-0.1 * 3)


def test_a_car_is_charged_at_once_and_a_tank_kept_warm() -> None:
    due = (SocBound(START + timedelta(hours=3), 5.0),)
    car = device("car", 0.0, 3.0, Storage("car", 0.0, 0.0, 9.0, minima=due))
    tank = device("tank", 0.0, 3.0, Storage("tank", 2.0, 0.0, 9.0, usage_kw=1.0))
    assert costs([0.0] * 3, car)["do nothing"] == pytest.approx(0.3 * 5)
    assert costs([0.0] * 3, tank)["own PV first"] == pytest.approx(0.3 * 3)


def test_a_task_runs_as_soon_as_it_may() -> None:
    allowed = np.array([False, True, True])
    wash = replace(device("wash", 0.0, 2.0), process=Process(2.0, 1, "SHIFTABLE", allowed))
    assert costs([0.0, -5.0, 0.0], wash)["do nothing"] == pytest.approx(-0.1 * 3)
    twice = replace(wash, process=Process(2.0, 1, "SHIFTABLE", allowed, runs=2))
    assert costs([0.0, -5.0, 0.0], twice)["do nothing"] == pytest.approx(-0.1 * 3 + 0.3 * 2)


def test_tasks_that_find_no_room_do_not_run_and_begun_steps_count_with_their_share() -> None:
    task = Process(2.0, 1, "SHIFTABLE", np.ones(3, dtype=np.bool_), runs=10**9)
    wash = replace(device("wash", 0.0, 2.0), process=task, share=np.array([0.5, 1.0, 1.0]))
    assert costs([0.0] * 3, wash)["do nothing"] == pytest.approx(0.3 * (1 + 2 + 2))


def test_a_heat_pump_is_reckoned_by_its_curve_at_full_power() -> None:
    pump = Device("pump", np.zeros(3), np.full(3, 2.0), Storage("s", 0.0, 0.0, 9.0, usage_kw=3.0),
                  part_load=Curve((0.0, 1.0, 2.0), (0.0, 4.0, 6.0)))  # fmt: skip
    assert costs([0.0] * 3, pump)["do nothing"] == pytest.approx(0.3 * 3)


def test_peaks_are_those_of_runs_and_of_whole_steps() -> None:
    inf = np.inf
    connection = Connection(
        peak_price=2.0, peak_consumption_kw=np.array([1.0, 2.0, 2.0, inf, inf]),
        peak_production_price=1.0, used_kw=np.array([5.0, 0.0, 0.0, 0.0, 0.0]),
    )  # fmt: skip
    grid, zero = TimeGrid(START, timedelta(hours=1), 5), np.zeros(5)
    problem = Problem(grid, (), (Market(zero, zero, zero, connection),))
    cost = net_cost(problem, np.array([-3.0, 3.0, 4.0, 9.0, -2.0]))
    assert cost == pytest.approx(2 * (5 - 3 - 1) + 2 * (4 - 2) + 1 * 2)
