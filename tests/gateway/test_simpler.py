from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.gateway.simpler import simpler
from flexedge.optim.device import Curve, Device, Process, Running, Storage
from flexedge.optim.market import Market
from flexedge.optim.problem import Problem
from flexedge.optim.solve import solve

PRICE = np.array([0.3, 0.3, 0.1, 0.1, 0.3, 0.2, 0.2, 0.3])
N = len(PRICE)
GRID = TimeGrid(datetime(2026, 4, 14, tzinfo=UTC), timedelta(hours=1), N)
SHARE = np.array([0.5, *np.ones(N - 1)])


def task(name: str, slots: int, runs: int = 1, allowed: slice = slice(None)) -> Device:
    may = np.zeros(N, dtype=np.bool_)
    may[allowed] = True
    process = Process(4.0, slots, "SHIFTABLE", may, runs)
    return Device(name, np.zeros(N), 4.0 * SHARE, process=process, share=SHARE)


def powers(*devices: Device, owner: str = "") -> dict[str, FloatArray]:
    problem = Problem(GRID, devices, (Market(np.zeros(N), PRICE, PRICE),))
    owners = {device.name: owner or device.name for device in devices}
    plan = solve(simpler(problem, owners), timedelta(seconds=20))
    assert plan.binaries == 0
    return dict(plan.power_kw)


def test_a_task_runs_where_its_hours_cost_least() -> None:
    assert powers(task("oven", 2))["oven"] == pytest.approx([0, 0, 4, 4, 0, 0, 0, 0])
    assert powers(task("oven", 2, 2))["oven"] == pytest.approx([0, 0, 4, 4, 0, 4, 4, 0])


def test_of_a_step_that_has_begun_a_task_has_its_share() -> None:
    found = powers(task("oven", 2, allowed=slice(2)))
    assert found["oven"] == pytest.approx([2, 4, 0, 0, 0, 0, 0, 0])


def test_tasks_of_one_machine_do_not_overlap() -> None:
    both = powers(task("oven", 2), task("oven, next", 2), owner="oven")
    assert both["oven"] + both["oven, next"] == pytest.approx([0, 0, 4, 4, 0, 4, 4, 0])
    apart = powers(task("oven", 2), task("mill", 2))
    assert apart["oven"] + apart["mill"] == pytest.approx([0, 0, 8, 8, 0, 0, 0, 0])


def test_a_task_that_does_not_fit_does_not_run() -> None:
    assert powers(task("oven", 3, allowed=slice(2)))["oven"] == pytest.approx(np.zeros(N))


def test_starts_are_free() -> None:
    device = Device("pump", np.zeros(N), np.ones(N), running=Running(9.0, 3, 3, 0, held_steps=8))
    problem = Problem(GRID, (device,), (Market(np.zeros(N), PRICE, PRICE),))
    assert simpler(problem, {"pump": "pump"}).devices[0].running is None


def test_efficiencies_are_those_at_full_power_and_powers_those_that_there_are() -> None:
    curve = Curve((0.0, 1.0, 4.0), (0.0, 3.0, 8.0))
    modes = ((0.0, 0.0), (2.0, 4.0))
    pump = Device("pump", np.zeros(N), np.full(N, 4.0), Storage("tank", 1.0, 0.0, 9.0),
                  modes=modes, part_load=curve)  # fmt: skip
    problem = Problem(GRID, (pump,), (Market(np.zeros(N), PRICE, PRICE),))
    (easy,) = simpler(problem, {}).devices
    assert (easy.part_load, easy.charging_efficiency, easy.modes) == (None, 2.0, modes)
