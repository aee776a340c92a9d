"""Tasks, by their economics."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Device, Process
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


def test_a_task_of_which_the_first_step_has_begun_counts_with_its_share() -> None:
    task = Process(4.0, 2, "SHIFTABLE", np.ones(3, dtype=np.bool_))
    most = np.array([1.0, 4.0, 4.0])
    device = Device("oven", np.zeros(3), most, process=task, share=np.array([0.25, 1.0, 1.0]))
    assert plan([0.1, 0.1, 0.9], device).power_kw["oven"] == pytest.approx([1.0, 4.0, 0.0])


@pytest.mark.parametrize(("kind", "expected"), [
    ("BREAKABLE", [2, 0, 2, 2, 0, 2]), ("SHIFTABLE", [2, 2, 2, 2, 0, 0]),
])  # fmt: skip
def test_the_dearest_times_are_taken_whatever_is_asked(kind: Any, expected: list[float]) -> None:
    often = wash(kind, 2, 2)
    assert often.process is not None
    dear = replace(often, process=replace(often.process, dearest=True))
    assert plan(CHEAP_TWICE, dear).power_kw["wash"] == pytest.approx(expected)
    endless = replace(often, process=replace(often.process, dearest=True, runs=10**9))
    assert plan(CHEAP_TWICE, endless).power_kw["wash"] == pytest.approx(2.0)
