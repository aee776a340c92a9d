"""What costs money: capacities, peaks, bounds on stocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.errors import Infeasible
from flexedge.optim.commitments import runs
from flexedge.optim.device import Device, SocBound
from flexedge.optim.market import Commitment, Connection
from flexedge.optim.problem import Problem
from flexedge.optim.solve import formulate, settle, solve
from flexedge.optim.stocks import positions
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


def test_an_agreed_capacity_is_exceeded_only_where_it_must() -> None:
    load = np.array([1.0, 6.0, 1.0, 1.0])
    connection = Connection(consumption_capacity_kw=3.0)
    device = battery(4, start=0.0)
    solution = solve(site([0.2] * 4, device, inflexible_kw=load, connection=connection), LIMIT)
    assert solution.grid_kw[1] == pytest.approx(4.0)
    (breach,) = solution.breaches
    assert breach.limit == "site-consumption-capacity"
    assert breach.by == pytest.approx(1.0)
    assert solution.limit_value[1] > 1000
    assert solution.limit_value[2] == pytest.approx(0, abs=1e-6)


def test_a_peak_is_shaved_when_that_is_cheaper() -> None:
    load = np.array([1.0, 4.0, 1.0, 1.0])
    connection = Connection(peak_consumption_kw=2.0, peak_price=10.0)
    device = battery(4, start=0.0)
    solution = solve(site([0.2] * 4, device, inflexible_kw=load, connection=connection), LIMIT)
    assert solution.grid_kw.max() == pytest.approx(2.5)  # 1.5 kWh in the first hour
    assert solution.cost == pytest.approx(0.2 * 7 + 10.0 * 0.5)
    assert solution.peak_value.sum() == pytest.approx(10.0, rel=1e-3)


def test_a_breach_costs_its_height_and_its_hours() -> None:
    connection = Connection(production_capacity_kw=1.0, production_breach_price=5.0)
    load = np.array([-3.0, -2.0, 0.0])
    solution = solve(site([0.2] * 3, inflexible_kw=load, connection=connection), LIMIT)
    assert solution.penalties == pytest.approx(5.0 * 2 + 5.0 * (2 + 1))
    assert solution.cost == pytest.approx(-5 * 0.19)


def test_a_capacity_without_a_price_is_hard() -> None:
    connection = Connection(consumption_capacity_kw=1.0, consumption_breach_price=None)
    problem = site([0.2], inflexible_kw=np.array([2.0]), connection=connection)
    with pytest.raises(Infeasible):
        settle(formulate(problem), LIMIT)
    assert solve(problem, LIMIT).culprits == ("site-consumption-capacity",)


@pytest.mark.parametrize("field", ["minima", "maxima", "targets"])
def test_bounds_without_a_price_are_hard(field: str) -> None:
    asked = 9.0 if field == "minima" else 0.5
    bound = SocBound(START + timedelta(hours=1), asked)
    hard: dict[str, Any] = {field: (bound,)}
    problem = site([0.2, 0.2], battery(2, **hard), soc_breach_price=None)
    with pytest.raises(Infeasible):
        settle(formulate(problem), LIMIT)
    solution = solve(problem, LIMIT)
    assert solution.status == "relaxed"
    assert f"battery soc-{field}" in solution.culprits
    assert solution.breaches[0].limit == f"battery soc-{field}"


def test_a_target_is_met_exactly_although_both_sides_pay() -> None:
    bound = SocBound(START + timedelta(hours=2), 4.0)
    for prices in ([0.1, 0.1, 0.9], [0.9, 0.9, 0.1]):
        solution = solve(site(prices, battery(3, targets=(bound,))), LIMIT)
        assert solution.soc_kwh["battery"][1] == pytest.approx(4.0)
        assert solution.breaches == ()


def test_a_maximum_is_kept_while_energy_is_cheap() -> None:
    bound = SocBound(START + timedelta(hours=1), 3.5)
    device = battery(3, start=3.0, maxima=(bound,))
    solution = solve(site([0.1, 0.9, 0.9], device, inflexible_kw=flat(3, 5.0)), LIMIT)
    assert solution.soc_kwh["battery"][0] == pytest.approx(3.5)


def test_bounds_outside_the_grid_bind_nothing() -> None:
    outside = tuple(SocBound(START + timedelta(hours=h), 9.0) for h in (-1, 0, 3))
    plain = solve(site([0.9, 0.9], battery(2)), LIMIT)
    assert solve(site([0.9, 0.9], battery(2, minima=outside)), LIMIT).cost == plain.cost


def test_positions_lie_in_the_step_that_ends_at_a_tick() -> None:
    grid = TimeGrid(START, timedelta(hours=1), 3)
    minutes = (60, 90, 61, 180)
    bounds = tuple(SocBound(START + timedelta(minutes=m), 1.0) for m in minutes)
    step, share = positions(bounds, grid)
    assert list(step) == [0, 1, 1, 2]
    assert share == pytest.approx([1.0, 0.5, 1 / 60, 1.0])


def test_the_hard_capacity_has_a_value_where_it_binds() -> None:
    connection = Connection(power_capacity_kw=1.0)
    problem = site([0.1, 0.5], battery(2), connection=connection)
    value = solve(problem, LIMIT).limit_value
    assert value == pytest.approx([0.09, 0.49], abs=1e-3)  # what selling one more pays


def test_a_limit_that_never_changes_is_one_run_whatever_gaps_there_are() -> None:
    nan, flat_price = np.nan, flat(4, 2.0)
    assert runs(np.array([5.0, nan, nan, 5.0]), flat_price).tolist() == [0, 0, 0, 0]
    assert runs(np.array([5.0, nan, 5.0, 6.0]), flat_price).tolist() == [0, 1, 2, 3]
    assert runs(np.array([0.3, 0.1 + 0.2]), np.array([1.0, 2.0])).tolist() == [0, 1]
    assert runs(np.array([0.3, 0.1 + 0.2, 0.4]), flat(3, 2.0)).tolist() == [0, 0, 1]
    rising = np.array([1.0, 1.0, 2.0, 2.0])
    assert runs(flat(4, 5.0), flat_price, rising).tolist() == [0, 0, 1, 1]


def test_both_prices_of_a_target_end_its_runs() -> None:
    targets = tuple(SocBound(START + timedelta(hours=h), 9.0) for h in (1, 2, 3))
    problem = site([0.2] * 3, battery(3, start=1.0, targets=targets))

    def any_costs(maxima_price: FloatArray) -> float:
        (device,) = problem.devices
        assert device.storage is not None
        stock = replace(device.storage, minima_price=1.0, maxima_price=maxima_price)
        asked = replace(problem, devices=(replace(device, storage=stock),))
        return solve(asked, LIMIT).commitment_costs["any soc targets"]

    assert any_costs(flat(3, 1.0)) == pytest.approx(6.0)  # 6, 4 and 2 kWh short: the most of them
    assert any_costs(np.array([1.0, 2.0, 3.0])) == pytest.approx(6.0 + 4.0 + 2.0)


def test_whatever_a_position_is_called_it_is_paid_and_no_penalty() -> None:
    up = Commitment("any soc breach", flat(2, 1.0), flat(2, 0.5), flat(2, 0.0), ())
    problem = replace(site([0.2, 0.2]), commitments=(replace(up, fixed_kw=2.0),))
    solution = solve(problem, LIMIT)
    assert solution.penalties == 0.0
    assert solution.cost == pytest.approx(2 * 0.5)
