"""Plans are feasible, cost what they say, and are what a person would expect."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import Device, SocBound
from flexedge.optim.market import Connection
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.solve import formulate, settle, solve
from tests.optim.plain import Stock, a_device, a_problem, a_stock

START = datetime(2026, 11, 24, tzinfo=UTC)
LIMIT = timedelta(seconds=20)
CLOSE = 1e-5


def grid(n: int, minutes: int = 60) -> TimeGrid:
    return TimeGrid(START, timedelta(minutes=minutes), n)


def flat(n: int, value: float) -> FloatArray:
    return np.full(n, value)


def battery(n: int, start: float = 5.0, low: float = 0.0, high: float = 10.0, **kw: Any) -> Device:
    return a_device("battery", flat(n, -2.0), flat(n, 2.0), a_stock(start, low, high, **kw))


def site(prices: list[float], *devices: Device, **kw: Any) -> Problem:
    n = len(prices)
    given_ = {"inflexible_kw": flat(n, 0.0), "export_price": np.array(prices) - 0.01, **kw}
    return a_problem(grid(n), devices, import_price=np.array(prices), **given_)


# --- a checker that shares nothing with what builds and reads the program ---------------------


def at(amount: Any, j: int) -> float:
    return float(amount) if np.shape(amount) == () else float(amount[j])


def replay(problem: Problem, device: Device, power: FloatArray) -> list[float]:
    """States of charge that follow from net powers, one direction at a time."""
    storage = device.storage
    assert storage is not None
    soc, path = storage.soc_start_kwh, []
    minutes = problem.grid.resolution.total_seconds() / 60
    eps = at(storage.storage_efficiency, 0)
    arriving = (minutes / 60) * ((eps - 1) / math.log(eps) if eps < 1 else 1.0)
    for j, p in enumerate(power):
        rate = p * at(device.charging_efficiency, j)
        if p < 0:
            rate = p / at(device.discharging_efficiency, j)
        soc = eps * soc + arriving * (rate - at(storage.usage_kw, j))
        path.append(soc)
    return path


def bill(problem: Problem, net: FloatArray) -> float:
    total, hours, market = 0.0, problem.grid.resolution / timedelta(hours=1), problem.site
    for j, kw in enumerate(net):
        total += kw * hours * float((market.import_price if kw > 0 else market.export_price)[j])
    peak = max(0.0, *(kw - at(market.connection.peak_consumption_kw, 0) for kw in net))
    return float(total + peak * at(market.connection.peak_price or 0.0, 0))


def check(problem: Problem, solution: Solution) -> None:
    """Everything hard holds, and the numbers told belong together."""
    net = problem.site.inflexible_kw + sum(solution.power_kw.values(), np.zeros(problem.grid.n))
    assert solution.grid_kw == pytest.approx(net, abs=CLOSE)
    assert solution.cost == pytest.approx(bill(problem, net), abs=CLOSE)
    told = {breach.limit for breach in solution.breaches}
    capacity = problem.site.connection.power_capacity_kw
    if capacity is not None and "site-power-capacity" not in told:
        assert (np.abs(net) <= np.asarray(capacity) + CLOSE).all()
    for device in problem.devices:
        power = solution.power_kw[device.name]
        assert (power >= device.min_kw - CLOSE).all()
        assert (power <= device.max_kw + CLOSE).all()
        if device.storage is None:
            continue
        soc = replay(problem, device, power)  # differs from the plan's if both directions ran
        assert solution.soc_kwh[device.name] == pytest.approx(soc, abs=1e-4)
        if f"{device.name} soc-min" not in told:
            assert min(soc) >= device.storage.soc_min_kwh - 1e-3
        if f"{device.name} soc-max" not in told:
            assert max(soc) <= device.storage.soc_max_kwh + 1e-3
        by_tick = {
            problem.grid.start + (j + 1) * problem.grid.resolution: kwh for j, kwh in enumerate(soc)
        }
        for bound in device.storage.minima:
            if bound.at in by_tick and by_tick[bound.at] < bound.soc_kwh - 1e-3:
                assert f"{device.name} soc-minima" in told


# --- random problems ---------------------------------------------------------------------------

money = st.floats(-0.4, 0.6).map(lambda x: round(x, 3))
kw = st.floats(0, 12).map(lambda x: round(x, 2))


def _arrays(n: int, numbers: st.SearchStrategy[float]) -> st.SearchStrategy[FloatArray]:
    return st.lists(numbers, min_size=n, max_size=n).map(np.array)


@st.composite
def storages(draw: st.DrawFn, g: TimeGrid) -> Stock:
    low = draw(st.floats(0, 5))
    high = low + draw(st.floats(0, 20))
    moments = st.floats(-1, g.n + 1).map(lambda x: g.start + x * g.resolution)
    ticks = st.integers(0, g.n).map(lambda j: g.start + j * g.resolution)
    bounds = st.lists(
        st.builds(SocBound, at=moments | ticks, soc_kwh=st.floats(0, 25)), max_size=2
    ).map(tuple)
    return a_stock(
        draw(st.floats(0, 25)),
        low,
        high,
        minima=draw(bounds),
        maxima=draw(bounds),
        targets=draw(bounds),
        usage_kw=draw(st.just(0.0) | _arrays(g.n, st.floats(-1, 3))),
        charging_efficiency=draw(st.sampled_from([1.0, 0.9, 3.1])),
        discharging_efficiency=draw(st.sampled_from([1.0, 0.85])),
        storage_efficiency=draw(st.sampled_from([1.0, 0.99, 0.5])),
        prefer_charging_sooner=draw(st.booleans()),
    )


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    g = grid(draw(st.integers(1, 8)), draw(st.sampled_from([5, 15, 60])))
    devices = []
    for i in range(draw(st.integers(0, 3))):
        low, high = -draw(_arrays(g.n, kw | st.just(0.0))), draw(_arrays(g.n, kw | st.just(0.0)))
        if draw(st.integers(0, 9)) == 0:
            low = np.minimum(low + 6, high)  # sometimes it must consume
        storage = draw(st.none() | storages(g))
        devices.append(a_device(f"d{i}", low, high, storage))
    capacity = st.none() | st.floats(0, 30)
    return a_problem(
        g,
        tuple(devices),
        draw(_arrays(g.n, st.floats(-8, 8))),
        draw(_arrays(g.n, money)),
        draw(_arrays(g.n, money)),
        Connection(
            draw(capacity),
            draw(capacity),
            draw(capacity),
            peak_consumption_kw=draw(kw),
            peak_price=draw(st.none() | st.floats(0, 5)),
        ),
        soc_breach_price=draw(st.sampled_from([1000.0, 1000.0, 0.05, None])),
    )


def plan(problem: Problem) -> Solution:
    """A plan: there always is one. These problems are too small for the time limit."""
    return solve(problem, LIMIT)


relaxed = settings(
    deadline=None,
    max_examples=50,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@relaxed
@given(problems())
def test_any_problem_is_solved_and_what_it_violates_is_named(problem: Problem) -> None:
    solution = plan(problem)
    check(problem, solution)
    assert (solution.status == "relaxed") == bool(solution.culprits)
    if solution.culprits:
        assert solution.breaches


@relaxed
@given(problems(), st.sampled_from(["power_capacity_kw", "peak_consumption_kw", "max_kw"]))
def test_a_wider_limit_never_costs_more(problem: Problem, field: str) -> None:
    connection, devices = problem.site.connection, problem.devices
    wider: dict[str, Any] = {
        name: getattr(connection, name) for name in Connection.__dataclass_fields__
    }
    if field == "max_kw":
        devices = tuple(replace(d, max_kw=d.max_kw + 1) for d in devices)
    elif wider[field] is not None:
        wider[field] += 1.0
    market = replace(problem.site, connection=Connection(**wider))
    other = replace(problem, devices=devices, markets=(market,))
    before, after = plan(problem), plan(other)
    if before.status == "relaxed":
        return
    if after.status == "relaxed":  # more power made a hard bound of one that was repaired
        assert any(b.limit.endswith(("soc-min", "soc-max")) for b in before.breaches)
        return
    slack = 1e-4 + 1e-5 * (abs(before.cost) + before.penalties)
    assert after.cost + after.penalties <= before.cost + before.penalties + slack


@relaxed
@given(problems())
def test_equal_problems_give_equal_plans(problem: Problem) -> None:
    one, two = plan(problem), plan(problem)
    assert one.culprits == two.culprits
    assert one.cost == two.cost
    for name, power in one.power_kw.items():
        assert (power == two.power_kw[name]).all()


# --- plans a person can foresee ----------------------------------------------------------------


def test_a_battery_buys_low_and_sells_high() -> None:
    solution = solve(site([0.1, 0.1, 0.5, 0.5], battery(4, start=0.0, high=4.0)), LIMIT)
    assert solution.power_kw["battery"] == pytest.approx([2, 2, -2, -2])
    assert solution.soc_kwh["battery"] == pytest.approx([2, 4, 2, 0])
    assert solution.cost == pytest.approx(0.4 - 2 * 2 * 0.49)
    assert solution.status == "optimal"
    assert solution.penalties == 0


def test_what_is_stored_is_worth_what_it_will_save() -> None:
    only_gives = a_device(
        "battery", flat(3, -2.0), flat(3, 0.0), a_stock(1.0, 0.0, 9.0, discharging_efficiency=0.9)
    )
    solution = solve(site([0.1, 0.2, 0.5], only_gives, inflexible_kw=flat(3, 5.0)), LIMIT)
    assert solution.stored_value["battery"] == pytest.approx(flat(3, 0.45), abs=1e-3)
    assert solution.energy_value == pytest.approx([0.1, 0.2, 0.5], abs=1e-3)


def test_buying_dearer_than_selling_pays_is_not_done_at_once() -> None:
    problem = site([0.1, 0.1], battery(2), export_price=flat(2, 0.3))
    solution = solve(problem, LIMIT)
    check(problem, solution)
    assert solution.cost == pytest.approx(-0.3 * 4)


@pytest.mark.parametrize(
    ("device", "connection", "culprits"),
    [
        (None, Connection(power_capacity_kw=3.0), {"site-power-capacity"}),
        (a_device("boiler", flat(3, 4.0), flat(3, 5.0)), Connection(power_capacity_kw=8.0),
         {"site-power-capacity"}),
        (a_device("car", flat(3, 0.0), flat(3, 5.0), a_stock(5.0, 5.0, 9.0, usage_kw=4.0)),
         Connection(power_capacity_kw=8.0), {"site-power-capacity", "car soc-min"}),
    ],
)  # fmt: skip
def test_the_limits_at_fault_are_named(
    device: Device | None, connection: Connection, culprits: set[str]
) -> None:
    devices = () if device is None else (device,)
    problem = site([0.2] * 3, *devices, inflexible_kw=flat(3, 5.0), connection=connection)
    nearest = solve(problem, LIMIT)
    assert nearest.status == "relaxed"
    assert set(nearest.culprits) == culprits


def test_a_plan_is_worth_the_time_of_one_linear_program() -> None:
    solution = solve(site([0.1, 0.9], battery(2)), timedelta(0))
    assert solution.status == "optimal"


def test_a_built_program_is_settled_alone() -> None:
    found = settle(formulate(site([0.1, 0.9], battery(2))), LIMIT)
    assert found.answer.status == "optimal"
    assert found.gap == 0


def test_a_site_without_devices_just_pays() -> None:
    solution = solve(site([0.2, 0.3], inflexible_kw=np.array([1.0, -2.0])), LIMIT)
    assert solution.cost == pytest.approx(0.2 - 2 * 0.29)
    assert dict(solution.power_kw) == {}


def test_contradictions_have_a_plan_within_no_time_too() -> None:
    """Named are the limits that gave way, where the time was too short to find which must."""
    asked = site(
        [0.2] * 3, inflexible_kw=flat(3, 5.0), connection=Connection(power_capacity_kw=3.0)
    )
    plan = solve(asked, timedelta(0))
    assert (plan.status, plan.culprits) == ("relaxed", ("site-power-capacity",))
    assert plan.given_way == {"site-power-capacity": pytest.approx(2.0)}
    assert plan.contradictions == ()
    (one,) = solve(asked, LIMIT).contradictions
    assert one.limits == ("site-power-capacity",)
