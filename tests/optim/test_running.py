"""Starts, by their economics."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Device, Running, Storage
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
