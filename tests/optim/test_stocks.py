"""How a device stands in the program: its stock, its band, its bounds in time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import Device, SocBound, Storage
from flexedge.optim.problem import Problem
from flexedge.optim.solve import solve
from flexedge.optim.stocks import Physics
from tests.optim.plain import a_device, a_problem, a_stock

START = datetime(2026, 11, 24, tzinfo=UTC)
LIMIT = timedelta(seconds=20)


def flat(n: int, value: float) -> FloatArray:
    return np.full(n, value)


def battery(n: int, start: float = 5.0, low: float = 0.0, high: float = 10.0, **kw: Any) -> Device:
    return a_device("battery", flat(n, -2.0), flat(n, 2.0), a_stock(start, low, high, **kw))


def site(prices: list[float], *devices: Device, **kw: Any) -> Problem:
    n = len(prices)
    given = {"inflexible_kw": flat(n, 0.0), "export_price": np.array(prices) - 0.01, **kw}
    grid = TimeGrid(START, timedelta(hours=1), n)
    return a_problem(grid, devices, import_price=np.array(prices), **given)


def test_a_start_below_the_band_recovers_as_fast_as_it_can() -> None:
    solution = solve(site([0.9, 0.9, 0.1, 0.1], battery(4, start=0.0, low=3.0)), LIMIT)
    assert solution.soc_kwh["battery"] == pytest.approx([2, 3, 3, 3])
    (breach,) = solution.breaches
    assert breach.limit == "battery soc-min"
    assert breach.sentence() == "battery soc-min is missed from 00:00 to 01:00 by up to 1.00 kWh"


def test_a_start_above_the_band_recovers_as_fast_as_it_can() -> None:
    problem = site([0.1] * 3, battery(3, start=13.0, high=10.0), export_price=flat(3, -0.2))
    assert solve(problem, LIMIT).soc_kwh["battery"] == pytest.approx([11, 10, 10])


def test_a_minimum_out_of_reach_is_approached_and_told() -> None:
    bound = SocBound(START + timedelta(hours=2), 9.0)
    solution = solve(site([0.9] * 4, battery(4, start=3.0, minima=(bound,))), LIMIT)
    assert solution.soc_kwh["battery"][:2] == pytest.approx([5, 7])
    assert [b.sentence() for b in solution.breaches] == [
        "battery soc-minima is missed at 02:00 by up to 2.00 kWh"
    ]
    # any, and all for a quarter of an hour
    assert solution.penalties == pytest.approx(2 * 1000 + 2 * 1000 * 0.25)


def test_a_bound_between_two_ticks_holds_at_its_moment() -> None:
    bound = SocBound(START + timedelta(minutes=90), 5.0)
    solution = solve(site([0.1, 0.9, 0.9], battery(3, start=2.5, minima=(bound,))), LIMIT)
    before, after = solution.soc_kwh["battery"][:2]
    assert (before + after) / 2 == pytest.approx(5.0)


def test_use_beyond_its_power_is_met_as_well_as_can_be() -> None:
    tank = a_device("tank", flat(3, 0.0), flat(3, 1.0), a_stock(2.0, 1.0, 9.0, usage_kw=2.0))
    solution = solve(site([0.1, 0.5, 0.1], tank), LIMIT)
    assert solution.power_kw["tank"] == pytest.approx([1, 1, 1])
    assert solution.soc_kwh["tank"] == pytest.approx([1, 0, -1])
    assert [b.limit for b in solution.breaches] == ["tank soc-min"]


def test_stored_energy_fades_by_the_quarter_hour() -> None:
    grid = TimeGrid(START, timedelta(hours=1), 2)
    physics = Physics.of(Storage("s", 1.0, 0.0, 9.0, storage_efficiency=0.9**4, usage_kw=1.0), grid)
    assert physics.keep == pytest.approx(0.9**4)
    # one kW for an hour, arriving evenly and fading from then on: by quadrature
    parts = (np.arange(100_000) + 0.5) / 100_000
    assert -physics.drift[0] == pytest.approx(float((0.9 ** (4 * parts)).mean()))


def test_efficiencies_may_vary_and_exceed_one() -> None:
    storage = a_stock(
        0.0, 0.0, 9.0, usage_kw=np.array([0.0, 3.0]), charging_efficiency=np.array([3.0, 2.0])
    )
    pump = a_device("pump", flat(2, 0.0), flat(2, 2.0), storage)
    solution = solve(site([0.2, 0.2], pump), LIMIT)
    assert solution.power_kw["pump"] == pytest.approx([1, 0])


def test_a_device_that_must_give_does() -> None:
    device = a_device("v", np.array([-2.0, -2.0]), np.array([-1.0, 2.0]), a_stock(5.0, 0.0, 9.0))
    solution = solve(site([0.1, 0.9], device), LIMIT)
    assert solution.power_kw["v"][0] <= -1


def test_a_storage_that_cannot_move_keeps_what_it_has() -> None:
    still = a_device("still", flat(2, 0.0), flat(2, 0.0), a_stock(3.0, 0.0, 9.0))
    assert solve(site([0.1, 0.9], still), LIMIT).soc_kwh["still"] == pytest.approx([3, 3])


@pytest.mark.parametrize(("sooner", "expected"), [(True, [4, 2, 0, 0]), (False, [0, 0, 2, 4])])
def test_equal_prices_are_used_sooner_or_later(sooner: bool, expected: list[float]) -> None:  # noqa: FBT001 (a parameter)
    bound = SocBound(START + timedelta(hours=4), 6.0)
    storage = a_stock(0.0, 0.0, 10.0, minima=(bound,), prefer_charging_sooner=sooner)
    car = a_device("car", flat(4, 0.0), flat(4, 4.0), storage)
    assert solve(site([0.2] * 4, car), LIMIT).power_kw["car"] == pytest.approx(expected)


@pytest.mark.parametrize(("later", "expected"), [(True, [-3, -3, -1, 0]), (False, [0, -1, -3, -3])])
def test_equal_value_is_curtailed_later_or_sooner(later: bool, expected: list[float]) -> None:  # noqa: FBT001 (a parameter)
    pv = a_device("pv", flat(4, -3.0), flat(4, 0.0), prefer_curtailing_later=later)
    due = a_stock(
        0.0,
        0.0,
        7.0,
        targets=(SocBound(START + timedelta(hours=4), 7.0),),
        prefer_charging_sooner=later,
    )
    store = a_device("store", flat(4, 0.0), flat(4, 3.0), due)
    solution = solve(site([0.2] * 4, pv, store, export_price=flat(4, -0.1)), LIMIT)
    assert solution.cost == pytest.approx(0, abs=1e-6)
    assert solution.power_kw["pv"] == pytest.approx(expected, abs=1e-6)
