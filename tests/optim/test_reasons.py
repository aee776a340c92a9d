"""Why, in numbers: shadow prices are what moving a limit by a little saves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Device, SocBound, Storage
from flexedge.optim.market import Connection, Group, Market
from flexedge.optim.problem import Problem
from flexedge.optim.reasons import reasons
from flexedge.optim.solve import solve

START = datetime(2026, 11, 24, tzinfo=UTC)
PRICES = np.array([0.10, 0.12, 0.20, 0.50])


def problem(**kw: Any) -> Problem:
    battery = Device(
        "battery", np.full(4, -2.0), np.full(4, 2.0), Storage("battery", 0.0, 0.0, 2.0)
    )
    market = Market(np.full(4, 1.0), PRICES, PRICES - 0.05, Connection(**kw))
    return Problem(TimeGrid(START, timedelta(hours=1), 4), (battery,), (market,))


def test_each_step_tells_what_energy_is_worth_and_what_would_be_next_best() -> None:
    asked = problem()
    told = reasons(asked, solve(asked, timedelta(seconds=20)))
    charging, *_, giving = told.steps
    assert charging.energy_value == pytest.approx(0.10, abs=1e-3)
    (other,) = charging.alternatives
    assert (other.device, other.start) == ("battery", START + timedelta(hours=1))
    assert other.extra_cost == pytest.approx(0.02, abs=1e-3)
    assert giving.alternatives[0].start == START + timedelta(hours=2)
    assert (
        "the battery could do the same at 2026-11-24T01:00:00+00:00 for 0.02"
        in charging.sentence("EUR")
    )
    assert [one.name for one in told.references] == ["do nothing", "own PV first"]


def test_limits_that_bind_have_a_price() -> None:
    asked = problem(power_capacity_kw=2.0)
    told = reasons(asked, solve(asked, timedelta(seconds=20)))
    (bound,) = [one for one in told.steps[0].bounds if one.limit == "site-power-capacity"]
    assert bound.unit == "kW"
    assert bound.price > 0.015  # it is charged an hour later instead, or not at all
    assert "binding: " in told.steps[0].sentence("EUR")


LITTLE = 1e-3
NOISE = 1e-7
some = settings(deadline=None, max_examples=40, derandomize=True)


def random_site(seed: int) -> Problem:
    """A battery, a car, PV and a load behind limits of all kinds; energy has a positive price."""
    r = np.random.default_rng(seed)
    n = int(r.integers(2, 7))
    grid = TimeGrid(START, timedelta(minutes=30), n)
    battery = Device(
        "battery", np.full(n, -r.uniform(1, 4)), np.full(n, r.uniform(1, 4)),
        Storage("battery", r.uniform(1, 3), 0.5, r.uniform(3, 5), storage_efficiency=0.99),
        charging_efficiency=0.95, discharging_efficiency=0.9,
    )  # fmt: skip
    due = SocBound(grid.end, r.uniform(1, 4))
    car = Device("car", np.zeros(n), np.full(n, r.uniform(1, 5)),
                 Storage("car", r.uniform(0, 1), 0.0, 6.0, minima=(due,)))  # fmt: skip
    sun = Device("pv", -r.uniform(0, 6, n), np.zeros(n))
    price = r.uniform(0.05, 0.6, n)
    hard = np.full(n, r.uniform(4, 9))
    connection = Connection(
        hard if r.random() < 0.7 else None,
        consumption_capacity_kw=r.uniform(2, 6), consumption_breach_price=r.uniform(0.1, 2),
        production_capacity_kw=r.uniform(1, 6), production_breach_price=r.uniform(0.1, 2),
        peak_consumption_kw=r.uniform(0, 3),
        peak_price=r.uniform(0, 1) if r.random() < 0.6 else None,
    )  # fmt: skip
    market = Market(r.uniform(0, 3, n), price, price * r.uniform(0.1, 0.95), connection)
    group = Group("g", ("battery", "car"), power_capacity_kw=np.full(n, r.uniform(1, 6)))
    return Problem(grid, (battery, car, sun), (market,), (group,) if r.random() < 0.6 else ())


def cost(asked: Problem) -> float:
    plan = solve(asked, timedelta(seconds=20))
    assert plan.status == "optimal"
    return plan.total_cost + plan.tie_break


def _connection(asked: Problem, **change: Any) -> Problem:
    market = replace(asked.site, connection=replace(asked.site.connection, **change))
    return replace(asked, markets=(market,))


def _of_site(field: str) -> Callable[[Problem, Any], Problem]:
    def eased(asked: Problem, by: Any) -> Problem:
        return _connection(asked, **{field: getattr(asked.site.connection, field) + by})

    return eased


def _of_device(number: int, field: str, sign: float) -> Callable[[Problem, Any], Problem]:
    def eased(asked: Problem, by: Any) -> Problem:
        devices = list(asked.devices)
        changed = {field: getattr(devices[number], field) + sign * by}
        devices[number] = replace(devices[number], **changed)
        return replace(asked, devices=tuple(devices))

    return eased


def _of_stock(number: int, field: str, sign: float) -> Callable[[Problem, Any], Problem]:
    def eased(asked: Problem, by: Any) -> Problem:
        devices = list(asked.devices)
        storage = devices[number].storage
        assert storage is not None
        storage = replace(storage, **{field: getattr(storage, field) + sign * by})
        devices[number] = replace(devices[number], storage=storage)
        return replace(asked, devices=tuple(devices))

    return eased


def _of_group(asked: Problem, by: Any) -> Problem:
    (group,) = asked.groups
    return replace(asked, groups=(replace(group, power_capacity_kw=group.power_capacity_kw + by),))


EASED: dict[str, Callable[[Problem, Any], Problem]] = {
    "site-power-capacity": _of_site("power_capacity_kw"),
    "site-consumption-capacity": _of_site("consumption_capacity_kw"),
    "site-production-capacity": _of_site("production_capacity_kw"),
    "electricity consumption peak": _of_site("peak_consumption_kw"),
    "battery consumption-capacity": _of_device(0, "max_kw", 1.0),
    "battery production-capacity": _of_device(0, "min_kw", -1.0),
    "car consumption-capacity": _of_device(1, "max_kw", 1.0),
    "pv production-capacity": _of_device(2, "min_kw", -1.0),
    "battery soc-max": _of_stock(0, "soc_max_kwh", 1.0),
    "battery soc-min": _of_stock(0, "soc_min_kwh", -1.0),
    "car soc-min": _of_stock(1, "soc_min_kwh", -1.0),
    "group g power-capacity": _of_group,
}
BY_STEP = (
    "battery consumption-capacity", "car consumption-capacity", "pv production-capacity",
    "battery production-capacity", "site-power-capacity", "group g power-capacity",
)  # fmt: skip


def between(price: float, change: Callable[[float], Problem], at: float) -> None:
    """The saving of a little more is at most the price, the cost of a little less at least that.

    At a corner of the plan both differ, and the price may lie anywhere between.
    """
    assert at - cost(change(LITTLE)) <= price * LITTLE + NOISE
    assert cost(change(-LITTLE)) - at >= price * LITTLE - NOISE


@some
@given(st.integers(0, 2**31))
def test_the_price_of_a_limit_is_what_moving_it_saves(seed: int) -> None:
    asked = random_site(seed)
    plan = solve(asked, timedelta(seconds=20))
    at = plan.total_cost + plan.tie_break
    for binding in plan.bindings:
        if binding.limit not in EASED:
            assert binding.limit.startswith("car soc-m")
            continue
        eased = EASED[binding.limit]
        between(float(binding.price.sum()), lambda by, eased=eased: eased(asked, by), at)  # type: ignore[misc]
        step = int(binding.price.argmax())
        if binding.limit in BY_STEP:
            alone = np.zeros(asked.grid.n)
            alone[step] = 1.0
            between(float(binding.price[step]),
                    lambda by, eased=eased, alone=alone: eased(asked, by * alone), at)  # type: ignore[misc]  # fmt: skip


@some
@given(st.integers(0, 2**31))
def test_energy_is_worth_what_a_little_more_use_costs(seed: int) -> None:
    asked = random_site(seed)
    plan = solve(asked, timedelta(seconds=20))
    at = plan.total_cost + plan.tie_break
    hours = asked.grid.hours

    def used(step: int, kwh: float) -> Problem:
        load = asked.site.inflexible_kw.copy()
        load[step] += kwh / hours
        return replace(asked, markets=(replace(asked.site, inflexible_kw=load),))

    def stored(kwh: float) -> Problem:
        return _of_stock(0, "soc_start_kwh", 1.0)(asked, kwh)

    for step in range(asked.grid.n):
        between(-float(plan.energy_value[step]), lambda by, step=step: used(step, by), at)  # type: ignore[misc]
    between(float(plan.stored_value["battery"][0]) * 0.99, stored, at)
