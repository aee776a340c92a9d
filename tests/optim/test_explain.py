"""Sentences for owners, true to the plan's numbers."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import Device, SocBound
from flexedge.optim.explain import Explanation, explain
from flexedge.optim.market import Connection
from flexedge.optim.solve import solve
from tests.optim.plain import a_device, a_problem, a_stock

START = datetime(2026, 11, 24, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")


def flat(n: int, value: float) -> FloatArray:
    return np.full(n, value)


def battery(n: int, start: float, **kw: Any) -> Device:
    return a_device("battery", flat(n, -2.0), flat(n, 2.0), a_stock(start, 0.0, 4.0, **kw))


def told(
    prices: list[float], *devices: Device, step: int = 0, currency: str = "EUR", **kw: Any
) -> Explanation:
    n = len(prices)
    given = {"inflexible_kw": flat(n, 0.0), "export_price": np.array(prices) - 0.08, **kw}
    grid = TimeGrid(START, timedelta(hours=1), n)
    problem = a_problem(grid, devices, import_price=np.array(prices), **given)
    return explain(problem, solve(problem, timedelta(seconds=20)), step, ZONE, currency)


def test_charging_names_price_and_worth_and_when() -> None:
    explanation = told([0.182, 0.3, 0.39, 0.5], battery(4, 0.0), inflexible_kw=flat(4, 3.0))
    assert explanation.headline == explanation.by_device["battery"]
    assert explanation.headline == (
        "Charging the battery at 2.0 kW: energy costs 18.2 ct now and the stored energy will be "
        "worth 44.5 ct (03:00-05:00)."
    )


def test_surplus_is_told_from_bought_energy() -> None:
    sentence = told([0.2, 0.4], battery(2, 0.0), inflexible_kw=np.array([-5.0, 3.0])).headline
    assert sentence.startswith("Charging the battery at 2.0 kW: surplus would earn 12.0 ct now")


def test_energy_from_the_battery_is_no_surplus() -> None:
    tank = a_device("tank", flat(1, 1.0), flat(1, 1.0), a_stock(0.0, 0.0, 4.0))
    explanation = told([0.3], tank, battery(1, 4.0), inflexible_kw=flat(1, 1.0))
    assert explanation.by_device["tank"].startswith("Charging the tank at 1.0 kW: energy is worth")


def test_waiting_for_cheaper_power_in_time() -> None:
    due = (SocBound(START + timedelta(hours=4), 3.0),)
    car = a_device("car", flat(4, 0.0), flat(4, 3.0), a_stock(0.0, 0.0, 9.0, minima=due))
    prices, load = [0.384, 0.3, 0.191, 0.3], flat(4, 0.5)
    assert told(prices, car, inflexible_kw=load).by_device["car"] == (
        "The car waits: power is cheaper from 03:00 (19.1 ct instead of 38.4 ct); it will be full "
        "enough by 05:00."
    )
    assert told(prices, car, step=2, inflexible_kw=load).by_device["car"] == (
        "Charging the car at 3.0 kW: energy costs 19.1 ct now, and 3 kWh are due at 05:00."
    )


def test_no_promise_of_what_is_missed() -> None:
    due = (SocBound(START + timedelta(hours=3), 9.0),)
    max_kw = np.array([0.0, 3.0, 3.0])
    car = a_device("car", flat(3, 0.0), max_kw, a_stock(0.0, 0.0, 9.0, minima=due))
    assert "full enough" not in told([0.4, 0.2, 0.2], car).by_device["car"]
    assert told([0.4, 0.2, 0.2], car).by_device["car"] == "The car is not available now."


def test_the_site_limit_is_named_where_it_holds_back() -> None:
    connection = Connection(consumption_capacity_kw=4.0)
    explanation = told([0.1, 0.5, 0.5], battery(3, 0.0), inflexible_kw=flat(3, 3.0),
                       connection=connection)  # fmt: skip
    assert "at 1.0 kW" in explanation.headline
    assert explanation.headline.endswith("; limited by the 4 kW site limit.")


def test_the_peak_is_named_where_it_is_shaved() -> None:
    connection = Connection(peak_price=10.0)
    load = np.array([1.0, 4.0])
    after = told([0.2, 0.2], battery(2, 0.0), inflexible_kw=load, connection=connection, step=1)
    assert after.headline == (
        "Discharging the battery at 1.5 kW: energy costs 20.0 ct now, and it keeps the peak at "
        "2.5 kW."
    )


def test_discharging_names_what_it_saves_or_earns() -> None:
    saves = told([0.5, 0.2], battery(2, 3.0), inflexible_kw=flat(2, 3.0)).headline
    assert saves == (
        "Discharging the battery at 2.0 kW: energy costs 50.0 ct now, more than the 20.0 ct that "
        "keeping it is worth."
    )
    earns = told([0.5, 0.2], battery(2, 3.0)).headline
    assert earns == (
        "Discharging the battery at 2.0 kW: feeding in earns 42.0 ct now, more than the 12.0 ct "
        "that keeping it is worth."
    )


def test_waiting_with_something_in_store() -> None:
    kept = battery(2, 1.0, charging_efficiency=0.3)
    assert told([0.2, 0.5], kept, inflexible_kw=flat(2, 3.0)).headline == (
        "The battery waits: what it holds will be worth 50.0 ct (02:00-03:00)."
    )


def test_waiting_with_nothing_to_gain() -> None:
    full = a_device("tank", flat(2, 0.0), flat(2, 1.0), a_stock(4.0, 0.0, 4.0))
    assert told([0.2, 0.2], full, inflexible_kw=flat(2, 1.0)).headline == (
        "The tank waits: it is full."
    )
    enough = a_device("tank", flat(2, 0.0), flat(2, 1.0), a_stock(3.0, 0.0, 4.0))
    assert told([0.2, 0.2], enough, inflexible_kw=flat(2, 1.0)).headline == (
        "The tank waits: it needs nothing more for now."
    )


def test_out_of_band_comes_before_prices() -> None:
    low = a_device("tank", flat(1, 0.0), flat(1, 3.0), a_stock(0.0, 2.0, 4.0))
    high = a_device("pack", flat(1, -3.0), flat(1, 0.0), a_stock(6.0, 2.0, 4.0))
    by_device = told([0.2], low, high).by_device
    assert by_device["tank"] == "Charging the tank at 2.0 kW: it holds less than 2 kWh."
    assert by_device["pack"].endswith("kW: it holds more than 4 kWh.")


@pytest.mark.parametrize(
    ("export", "load", "expected"),
    [
        (0.08, 0.0, "Solar gives 3.0 kW; what is left over earns 8.0 ct."),
        (0.08, 5.0, "Solar gives 3.0 kW, all used here instead of buying at 20.0 ct."),
        (-0.01, 1.0, "Solar is held at 1.0 of 3.0 kW: feeding in would cost 1.0 ct."),
    ],
)
def test_solar(export: float, load: float, expected: str) -> None:
    solar = a_device("solar", flat(1, -3.0), flat(1, 0.0))
    told_ = told([0.2], solar, inflexible_kw=flat(1, load), export_price=flat(1, export))
    assert told_.by_device["solar"] == expected


def test_solar_at_the_limit_and_at_night() -> None:
    solar = a_device("solar", np.array([-3.0, 0.0]), flat(2, 0.0))
    connection = Connection(production_capacity_kw=2.0)
    assert told([0.2, 0.2], solar, connection=connection).headline == (
        "Solar is held at 2.0 of 3.0 kW: the site may feed in 2 kW."
    )
    assert told([0.2, 0.2], solar, step=1).headline == "Solar produces nothing now."


def test_what_is_missed_now_comes_first() -> None:
    connection = Connection(consumption_capacity_kw=1.0)
    explanation = told([0.2], battery(1, 0.0), inflexible_kw=flat(1, 3.0), connection=connection)
    assert explanation.headline == (
        "Site-consumption-capacity is missed from 01:00 to 02:00 by up to 2.00 kW."
    )


def test_other_currencies_have_no_cents_here() -> None:
    assert "0.182 SEK" in told([0.182, 0.5], battery(2, 0.0), currency="SEK").headline


def test_negative_prices_are_told_as_what_they_are() -> None:
    explanation = told([-0.05, 0.5], battery(2, 0.0), inflexible_kw=flat(2, 3.0))
    assert ": buying earns 5.0 ct now" in explanation.headline


def test_a_site_without_devices_is_told_its_price() -> None:
    assert told([0.25], inflexible_kw=flat(1, 1.0)).headline == "Energy is worth 25.0 ct now."


def test_every_step_has_well_formed_sentences() -> None:
    rng = np.random.default_rng(7)
    n = 24
    devices = (
        battery(n, 2.0, charging_efficiency=0.9),
        a_device("tank", flat(n, 0.0), flat(n, 2.0), a_stock(3.0, 1.0, 6.0, usage_kw=1.0)),
        a_device("solar", -5 * np.maximum(0, np.sin(np.arange(n) / 4)), flat(n, 0.0)),
        a_device("fan", flat(n, 0.0), flat(n, 0.3)),
    )
    prices = list(rng.uniform(-0.1, 0.4, n).round(3))
    for step in range(n):
        explanation = told(prices, *devices, step=step, inflexible_kw=flat(n, 0.5))
        assert list(explanation.by_device) == ["battery", "tank", "solar", "fan"]
        for sentence in explanation.by_device.values():
            assert re.fullmatch(r"[A-Z][^\n]*\.", sentence), sentence
            assert "-0.0" not in sentence
            assert "nan" not in sentence
