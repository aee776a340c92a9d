"""Tapers and part load."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Curve, Device, SocBound, Storage
from flexedge.optim.market import Market
from flexedge.optim.problem import Problem
from flexedge.optim.solve import solve

START = datetime(2026, 11, 24, tzinfo=UTC)
LIMIT = timedelta(seconds=20)


def plan(prices: list[float], stock: Storage, **kw: Any) -> Any:
    n = len(prices)
    device = Device("d", np.full(n, kw.pop("least", 0.0)), np.full(n, 3.0), stock, **kw)
    market = Market(np.zeros(n), np.array(prices), np.array(prices) - 0.01)
    return solve(Problem(TimeGrid(START, timedelta(hours=1), n), (device,), (market,)), LIMIT)


def test_charging_tapers_off_when_nearly_full() -> None:
    due = (SocBound(START + timedelta(hours=4), 10.0),)
    stock = Storage("d", 4.0, 0.0, 10.0, targets=due)
    plain = plan([0.1] * 4, stock).soc_kwh["d"]
    found = plan([0.1] * 4, stock, charge_taper=Curve((6.0, 10.0), (3.0, 0.0)))
    assert plain[-1] == pytest.approx(10.0)
    power, soc = found.power_kw["d"], found.soc_kwh["d"]
    assert (power <= 3.0 - 0.75 * np.maximum(soc - 6.0, 0.0) + 1e-6).all()
    assert soc[-1] < 9.9
    assert found.breaches[0].limit == "d soc-targets"


def test_discharging_tapers_off_when_nearly_empty() -> None:
    stock = Storage("d", 4.0, 0.0, 10.0)
    taper = Curve((0.0, 4.0), (0.0, 2.0))
    found = plan([0.5] * 3, stock, least=-3.0, discharge_taper=taper)
    power, soc = found.power_kw["d"], found.soc_kwh["d"]
    assert (-power <= 0.5 * soc + 1e-6).all()


def test_outside_its_band_a_taper_does_not_bind_what_cannot_be_helped() -> None:
    stock = Storage("d", 12.0, 0.0, 10.0)
    found = plan([0.1] * 2, stock, charge_taper=Curve((6.0, 10.0), (3.0, 0.0)))
    assert found.power_kw["d"] == pytest.approx([0, 0])


def test_part_load_prefers_the_better_efficiency() -> None:
    tank = Storage("d", 4.0, 0.0, 9.0, usage_kw=4.0)
    curve = Curve((0.0, 1.0, 3.0), (0.0, 4.0, 7.0))
    found = plan([0.2, 0.1], tank, part_load=curve)
    assert found.soc_kwh["d"][-1] == pytest.approx(0.0)
    assert found.cost == pytest.approx(0.1 * 1.0)


@pytest.mark.parametrize("price", [0.1, -0.1])
def test_the_plan_stays_on_a_curve_also_where_wasting_pays(price: float) -> None:
    curve = Curve((0.0, 1.0, 3.0), (0.0, 1.0, 6.0))  # turns upwards
    tank = Storage("d", 3.0, 0.0, 9.0, usage_kw=3.0)
    found = plan([price, price], tank, part_load=curve)
    stored = np.diff(found.soc_kwh["d"], prepend=3.0) + 3.0
    assert stored == pytest.approx(np.interp(found.power_kw["d"], curve.x, curve.y), abs=1e-6)


def test_curves_hold_for_the_power_in_a_step_that_has_begun() -> None:
    part = Curve((0.0, 2.0, 4.0), (0.0, 2.0, 2.0))
    tank = Storage("t", 0.0, 0.0, 9.0, value_at_end=((math.inf, 1.0),))
    share = np.array([0.5, 1.0])
    device = Device("t", np.zeros(2), 4.0 * share, tank, part_load=part, share=share)
    grid = TimeGrid(START, timedelta(hours=1), 2)
    market = Market(np.zeros(2), np.full(2, 0.3), np.full(2, 0.1))
    found = solve(Problem(grid, (device,), (market,)), LIMIT)
    assert found.power_kw["t"] == pytest.approx([1.0, 2.0])  # 2 kW, where storing more is in vain
    assert found.soc_kwh["t"] == pytest.approx([1.0, 3.0])
    empty = replace(device, storage=replace(tank, soc_min_kwh=1.5))
    assert solve(Problem(grid, (empty,), (market,)), LIMIT).status == "optimal"  # 1 kWh is in reach
    tapered = replace(device, part_load=None, charge_taper=Curve((0.0, 9.0), (3.0, 1.0)))
    kept = solve(Problem(grid, (tapered,), (market,)), LIMIT)
    whole = kept.power_kw["t"] / share
    assert whole == pytest.approx(3.0 - 2.0 / 9.0 * kept.soc_kwh["t"])
