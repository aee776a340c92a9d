"""Equal devices do the same, at no cost, and only they."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Device, SocBound, Storage
from flexedge.optim.even import equals
from flexedge.optim.market import Connection, Group, Market
from flexedge.optim.problem import Problem
from flexedge.optim.solve import formulate, settle, solve

N = 4
LIMIT = timedelta(seconds=20)
GRID = TimeGrid(datetime(2026, 11, 24, tzinfo=UTC), timedelta(hours=1), N)


def car(name: str, most: float = 4.0, start: float = 0.0) -> Device:
    due = (SocBound(GRID.end, 12.0),)
    stock = Storage(name, start, 0.0, 20.0, targets=due)
    return Device(name, np.zeros(N), np.full(N, most), stock)


def site(*devices: Device, groups: tuple[Group, ...] = (), price: float = 0.2) -> Problem:
    connection = Connection(consumption_capacity_kw=6.0)
    market = Market(np.zeros(N), np.full(N, price), np.full(N, price), connection)
    return Problem(GRID, devices, (market,), groups)


def test_equal_is_who_differs_in_the_name_alone() -> None:
    found = equals(site(car("a"), car("b", 5.0), car("c"), car("d", start=1.0), car("e")))
    assert list(found) == [("a", "c", "e")]
    group = Group("g", ("a",), power_capacity_kw=3.0)
    assert list(equals(site(car("a"), car("b"), groups=(group,)))) == []
    alone = replace(car("b"), priority=1.0)
    assert list(equals(site(car("a"), alone))) == []


def test_three_share_what_there_is_and_it_costs_what_it_cost() -> None:
    problem = site(car("a"), car("b"), car("c"))
    found = solve(problem, LIMIT)
    for name in "abc":
        assert found.power_kw[name] == pytest.approx([2.0] * N)
    assert found.soc_kwh["a"] == pytest.approx([2, 4, 6, 8])
    unshared = settle(formulate(problem), LIMIT).answer.objective
    assert found.total_cost + found.tie_break == pytest.approx(unshared, abs=1e-6)


def test_lossless_batteries_do_not_pass_energy_to_each_other() -> None:
    pair = [Device(name, np.full(N, -2.0), np.full(N, 2.0), Storage(name, 2.0, 0.0, 4.0))
            for name in "ab"]  # fmt: skip
    found = solve(site(*pair), LIMIT)
    assert found.power_kw["a"] == pytest.approx(found.power_kw["b"])
    change = np.diff(found.soc_kwh["a"], prepend=2.0)
    assert change == pytest.approx(found.power_kw["a"])


def test_what_shares_a_stock_shares_the_work() -> None:
    tank = Storage("tank", 0.0, 0.0, 9.0, usage_kw=2.0)
    pumps = [Device(name, np.zeros(N), np.full(N, 2.0), tank) for name in "ab"]
    found = solve(site(*pumps), LIMIT)
    assert found.power_kw["a"] == pytest.approx(found.power_kw["b"])


def test_bands_are_kept_where_the_mean_would_leave_them() -> None:
    bands = ((0.0, 0.0), (3.5, 4.0))
    found = solve(site(*(replace(car(name), modes=bands) for name in "ab")), LIMIT)
    for name in "ab":
        assert all(kw < 1e-6 or kw >= 3.5 - 1e-6 for kw in found.power_kw[name])
