"""Starts and tasks, by their economics."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Device, Process, Running, Storage
from flexedge.optim.market import Connection, Market
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.solve import solve

START = datetime(2026, 11, 24, tzinfo=UTC)
LIMIT = timedelta(seconds=20)
CHEAP_TWICE = [0.3, 0.1, 0.3, 0.3, 0.1, 0.3]


def plan(
    prices: list[float], *devices: Device, load: Any = 0.0, days: Any = (), **kw: Any
) -> Solution:
    n = len(prices)
    market = Market(np.zeros(n) + load, np.array(prices), np.full(n, 0.05), Connection(**kw))
    grid = TimeGrid(START, timedelta(hours=1), n)
    return solve(Problem(grid, devices, (market,), day_of_step=tuple(days)), LIMIT)


def pump(n: int = 6, **kw: Any) -> Device:
    tank = Storage("pump", 4.0, 0.0, 20.0, usage_kw=2.0)
    modes = ((0.0, 0.0), (2.0, 4.0))
    return Device("pump", np.zeros(n), np.full(n, 4.0), tank, modes=modes, running=Running(**kw))


def starts(solution: Solution, before: bool = False) -> int:  # noqa: FBT001, FBT002
    on = solution.power_kw["pump"] > 1e-6
    return int((np.diff(np.concatenate(([before], on)).astype(int)) > 0).sum())


def test_a_dear_start_is_made_once() -> None:
    assert starts(plan(CHEAP_TWICE, pump())) == 2
    once = plan(CHEAP_TWICE, pump(start_price=5.0))
    assert starts(once) == 1
    assert once.commitment_costs["starts pump"] == pytest.approx(5.0)


def test_a_device_that_runs_already_need_not_start() -> None:
    on = plan([0.1, 0.3, 0.3, 0.3, 0.3, 0.3], pump(start_price=5.0, on_before=True))
    assert on.commitment_costs["starts pump"] == pytest.approx(0.0)


def test_it_stays_on_for_a_while_and_off_for_a_while() -> None:
    for length in (2, 3):
        on = plan(CHEAP_TWICE, pump(min_up_steps=length)).power_kw["pump"] > 1e-6
        runs = "".join("x" if one else " " for one in on).split()
        assert all(len(run) >= length for run in runs[:-1])
    off = plan(CHEAP_TWICE, pump(min_down_steps=4)).power_kw["pump"] > 1e-6
    pauses = "".join(" " if one else "x" for one in off).strip("x").split()
    assert all(len(pause) >= 4 for pause in pauses)
    late = plan(CHEAP_TWICE, pump(min_down_steps=3, on_before=True)).power_kw["pump"]
    if late[0] < 1e-6:
        assert (late[:3] < 1e-6).all()


def test_starts_are_counted_by_the_day() -> None:
    assert starts(plan(CHEAP_TWICE, pump(max_starts_per_day=1))) == 1
    two = plan(CHEAP_TWICE, pump(max_starts_per_day=1), days=[0, 0, 0, 1, 1, 1])
    assert starts(two) == 2


def wash(kind: Any, slots: int, runs: int = 1, allowed: Any = None, n: int = 6) -> Device:
    may = np.ones(n, dtype=np.bool_) if allowed is None else np.array(allowed, dtype=np.bool_)
    return Device(
        "wash", np.zeros(n), np.full(n, 2.0), process=Process(2.0, slots, kind, may, runs)
    )


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (wash("INFLEXIBLE", 2), [1, 1, 0, 0, 0, 0]),
        (wash("INFLEXIBLE", 2, allowed=[1, 0, 1, 1, 1, 1]), [0, 0, 1, 1, 0, 0]),
        (wash("INFLEXIBLE", 2, 2, allowed=[1, 1, 0, 1, 1, 1]), [1, 1, 0, 1, 1, 0]),
        (wash("BREAKABLE", 2), [0, 1, 0, 0, 1, 0]),
        (wash("SHIFTABLE", 2), [1, 1, 0, 0, 0, 0]),
        (wash("SHIFTABLE", 1, 2), [0, 1, 0, 0, 1, 0]),
        (wash("SHIFTABLE", 2, 2), [1, 1, 0, 1, 1, 0]),
    ],
)  # fmt: skip
def test_a_task_runs_when_it_is_cheapest(device: Device, expected: list[int]) -> None:
    assert plan(CHEAP_TWICE, device).power_kw["wash"] == pytest.approx(2.0 * np.array(expected))


def test_a_task_moves_to_the_sun_and_out_of_a_full_connection() -> None:
    sun = np.array([0, 0, 0, -3.0, 0, 0])
    assert plan([0.3] * 6, wash("SHIFTABLE", 1), load=sun).power_kw["wash"][3] == 2.0
    busy = np.array([0, 4.0, 0, 0, 0, 0])
    found = plan(CHEAP_TWICE, wash("SHIFTABLE", 1), load=busy, consumption_capacity_kw=5.0)
    assert found.power_kw["wash"][4] == pytest.approx(2.0)
    assert found.breaches == ()


def test_a_task_that_cannot_run_is_named() -> None:
    found = plan([0.1, 0.1], wash("SHIFTABLE", 2, allowed=[1, 0], n=2))
    assert found.status == "relaxed"
    assert found.culprits == ("wash duration",)


def test_what_it_has_to_do_from_before_it_goes_on_doing() -> None:
    dear_first = [0.5, 0.5, 0.1, 0.1, 0.1, 0.1]
    free = plan(dear_first, pump(on_before=True)).power_kw["pump"]
    assert free[:2] == pytest.approx([0, 0])
    held = plan(dear_first, pump(on_before=True, held_steps=2)).power_kw["pump"]
    assert (held[:2] >= 2.0 - 1e-6).all()
    off = plan([0.1, 0.1, 0.5, 0.5, 0.5, 0.5], pump(held_steps=2)).power_kw["pump"]
    assert off[:2] == pytest.approx([0, 0])


def test_starts_that_happened_today_count_today() -> None:
    days = [0, 0, 1, 1, 1, 1]
    once = plan(CHEAP_TWICE, pump(max_starts_per_day=1), days=days)
    assert once.power_kw["pump"][1] > 2.0 - 1e-6
    spent = plan(CHEAP_TWICE, pump(max_starts_per_day=1, starts_before=1), days=days)
    assert spent.power_kw["pump"][:2] == pytest.approx([0, 0])
    assert spent.power_kw["pump"][2:].max() > 2.0 - 1e-6


def test_a_task_of_which_the_first_step_has_begun_counts_with_its_share() -> None:
    task = Process(4.0, 2, "SHIFTABLE", np.ones(3, dtype=np.bool_))
    most = np.array([1.0, 4.0, 4.0])
    device = Device("oven", np.zeros(3), most, process=task, share=np.array([0.25, 1.0, 1.0]))
    assert plan([0.1, 0.1, 0.9], device).power_kw["oven"] == pytest.approx([1.0, 4.0, 0.0])
