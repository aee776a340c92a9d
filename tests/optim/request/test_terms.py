"""Flex-contexts: prices, capacities, what is relaxed."""

from typing import Any

import numpy as np
import pytest

from flexedge.errors import BadField
from flexedge.optim.market import Connection, Market
from tests.optim.request.asking import BATTERY, PRICE, answer, asked, at, series


def site(context: Any, **more: Any) -> Market:
    return asked([BATTERY], context, **more).problem.site


def connection(**context: Any) -> Connection:
    return site({**PRICE, **context}).connection


def first(amount: Any) -> float | None:
    return None if amount is None else float(np.broadcast_to(amount, 4)[0])


@pytest.mark.parametrize(
    ("context", "prices"),
    [
        ({}, (10_000.0, 1000.0)),
        ({"relax-constraints": False}, (None, None)),
        ({"relax-constraints": False, "relax-soc-constraints": True}, (None, 1000.0)),
        ({"relax-site-capacity-constraints": False}, (None, 1000.0)),
        ({"relax-soc-constraints": False}, (10_000.0, None)),
        ({"site-consumption-breach-price": "5 EUR/kW"}, (5.0, 1000.0)),
        ({"soc-minima-breach-price": "2 EUR/kWh"}, (10_000.0, 2.0)),
    ],
)
def test_what_is_relaxed_has_a_price(context: Any, prices: tuple[Any, Any]) -> None:
    found = asked([BATTERY], {**PRICE, **context}).problem
    storage = found.devices[0].storage
    assert storage is not None
    breach = found.site.connection.consumption_breach_price
    assert (first(breach), first(storage.minima_price)) == prices


def test_device_capacities_are_relaxed_by_name_only() -> None:
    model = [{**BATTERY, "consumption-capacity": "1 kW"}]
    hard = asked(model).problem.devices[0]
    soft = asked(model, {**PRICE, "relax-capacity-constraints": True}).problem.devices[0]
    own = asked(model, {**PRICE, "consumption-breach-price": "7 EUR/kW"}).problem.devices[0]
    assert (hard.max_kw[0], hard.consumption_capacity) == (1.0, None)
    assert soft.consumption_capacity is not None
    assert (soft.max_kw[0], first(soft.consumption_capacity.price)) == (2.0, 100.0)
    assert own.consumption_capacity is not None
    assert first(own.consumption_capacity.price) == 7.0
    assert own.production_capacity is None


def test_capacities_are_no_more_than_that_of_the_wires() -> None:
    found = connection(**{"site-power-capacity": "8 kW", "site-consumption-capacity": "9 kW"})
    assert first(found.consumption_capacity_kw) == first(found.production_capacity_kw) == 8.0


def test_peaks() -> None:
    found = connection(**{
        "site-peak-consumption": "3 kW", "site-peak-consumption-price": "10 EUR/kW",
        "site-peak-production-price": [{"start": at(0), "end": at(4), "value": "2 EUR/MW"}],
    })  # fmt: skip
    assert (first(found.peak_consumption_kw), first(found.peak_price)) == (3.0, 10.0)
    assert (first(found.peak_production_kw), first(found.peak_production_price)) == (0.0, 0.002)


@pytest.mark.parametrize(
    ("given", "expected"),
    [  # import price, export price, consumption capacity, production capacity, its breach price
        ({"consumption-price": "0.1 EUR/kWh"}, (0.1, 0.1, None, 0.0, 10_000.0)),
        ({"production-price": "0.1 EUR/kWh"}, (0.0, 0.1, 0.0, None, None)),
        ({"site-consumption-capacity": "5 kW"}, (0.0, 0.0, 5.0, 0.0, 10_000.0)),
        ({"site-production-capacity": "5 kW"}, (0.0, 0.0, 0.0, 5.0, None)),
        ({"site-power-capacity": "5 kW"}, (0.0, 0.0, 5.0, 5.0, None)),
        ({"consumption-price": "0.1 EUR/kWh", "relax-constraints": False},
         (0.1, 0.1, None, 0.0, None)),
    ],
)  # fmt: skip
def test_what_a_commodity_is_given_decides_the_rest(given: Any, expected: Any) -> None:
    boiler = {"sensor": "boiler", "commodity": "gas", "consumption-capacity": "5 kW"}
    context = [{"commodity": "electricity", **PRICE}, {"commodity": "gas", **given}]
    markets = asked([BATTERY, boiler], context).problem.markets
    gas = next(market for market in markets if market.commodity == "gas")
    found = gas.connection
    assert (
        gas.import_price[0], gas.export_price[0], first(found.consumption_capacity_kw),
        first(found.production_capacity_kw), first(found.production_breach_price),
    ) == expected  # fmt: skip
    assert not gas.internal


@pytest.mark.parametrize("contexts", [[], [{"commodity": "gas"}]])
def test_a_commodity_without_prices_and_capacities_is_an_internal_node(contexts: Any) -> None:
    boiler = {"sensor": "boiler", "commodity": "gas", "consumption-capacity": "5 kW"}
    context = [{"commodity": "electricity", **PRICE}, *contexts]
    assert asked([BATTERY, boiler], context).problem.markets[1].internal


def test_inflexible_devices_are_signed_by_their_field() -> None:
    stored = {"load": series(1, 2, None, 4), "sun": series(3, 3, 3, 3)}
    context = {
        **PRICE, "inflexible-consumption": [{"sensor": "load"}],
        "inflexible-production": [{"sensor": "sun"}],
    }  # fmt: skip
    found = asked([BATTERY], context, stored=stored)
    assert found.problem.site.inflexible_kw.tolist() == [-2, -1, -3, 1]
    assert "1 of 4 values are not known: taken as 0" in found.notes[0]
    old = site({**PRICE, "inflexible-device-sensors": ["sun"]}, stored=stored)
    assert old.inflexible_kw.tolist() == [-3, -3, -3, -3]


def test_deprecated_price_sensors_keep_limits_hard() -> None:
    stored = {"price": series(100, unit="EUR/MWh")}
    found = site({"consumption-price-sensor": "price"}, stored=stored)
    assert found.import_price[0] == 0.1
    assert found.connection.consumption_breach_price is None


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({}, "flex-context.consumption-price: is missing: electricity needs a price"),
        ({**PRICE, "consumption-prices": 1}, "did you mean 'consumption-price'"),
        ({**PRICE, "commodity": "gas"}, "flex-context.commodity: only electricity"),
        ({**PRICE, "consumption-price-sensor": "pv"}, "is another name of consumption-price"),
        ([{"commodity": "gas"}, {"commodity": "gas"}], "'gas' is described twice"),
        ({"consumption-price": {"sensor": "price"}}, "no price is known for the time"),
        ({**PRICE, "site-power-capacity": "-1 kW"}, "should not be negative"),
        ({**PRICE, "inflexible-phases": [1]}, "should be three shares that add up to 1"),
        ({**PRICE, "inflexible-consumption": ["nobody"]}, "there is no sensor 'nobody'"),
        ({**PRICE, "inflexible-consumption": [None]}, "should refer to a sensor"),
        ({**PRICE, "inflexible-device-sensors": ["x"]}, "there is no sensor 'x'"),
        ({**PRICE, "risk-weight": 2}, "should lie between 0 and 1"),
        ({**PRICE, "scenarios": [{"probability": 1}]}, "should lie between 0 and 1"),
    ],
)
def test_what_is_wrong_is_told_by_its_path(context: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        asked([BATTERY], context, stored={"price": series(None, unit="EUR/MWh")})
    assert told in str(caught.value)


def test_old_names_of_prices_do_not_go_with_what_came_later() -> None:
    stored = {"price": series(100, 100, 100, 100, unit="EUR/MWh")}
    old = {"consumption-price-sensor": "price"}
    assert site({**old, "relax-constraints": False}, stored=stored).import_price[0] == 0.1
    with pytest.raises(BadField, match=r"price-sensor: is of before relax-soc-constraints"):
        site({**old, "relax-soc-constraints": True}, stored=stored)


def test_a_peak_counts_where_it_is_known_and_lists_go_on_at_their_ends() -> None:
    peak = {**PRICE, "site-peak-consumption-price": "1 EUR/kW"}
    stored = {"paid": series(None, 3, None, 5)}
    by_sensor = site({**peak, "site-peak-consumption": {"sensor": "paid"}}, stored=stored)
    assert np.asarray(by_sensor.connection.peak_consumption_kw).tolist() == [np.inf, 3, np.inf, 5]
    listed = [{"start": at(hour), "duration": "PT1H", "value": "3 kW"} for hour in (1, 3)]
    by_list = site({**peak, "site-peak-consumption": listed})
    assert np.asarray(by_list.connection.peak_consumption_kw).tolist() == [3, 3, np.inf, 3]


def test_a_price_without_data_is_nothing_unless_it_is_that_of_energy() -> None:
    stored = {"price": series(None, None, unit="EUR/kW")}
    peak = {**PRICE, "site-peak-consumption-price": {"sensor": "price"}}
    found = asked([BATTERY], peak, stored=stored)
    assert first(found.problem.site.connection.peak_price) == 0.0
    assert "no price is known: taken as 0" in found.notes[0]


def test_the_breach_price_of_a_state_is_that_of_the_step_it_begins() -> None:
    stored = {"price": series(1, 2, 3, 4, 5, unit="EUR/kWh")}
    context = {**PRICE, "soc-minima-breach-price": {"sensor": "price"}}
    storage = asked([BATTERY], context, stored=stored).problem.devices[0].storage
    assert storage is not None
    assert np.asarray(storage.minima_price).tolist() == [2, 3, 4, 5]


def test_what_is_not_known_of_inflexible_devices_is_their_default() -> None:
    load = [{"sensor": "load", "default": "7 kW"}]
    found = site({**PRICE, "inflexible-consumption": load}, stored={"load": series(1, None)})
    assert found.inflexible_kw.tolist() == [1, 7, 7, 7]


def test_an_inflexible_device_is_listed_once_and_one_way() -> None:
    stored = {"load": series(1, 1, 1, 1)}
    load = {"inflexible-consumption": [{"sensor": "load"}]}
    both = {**PRICE, **load, "inflexible-production": [{"sensor": "load"}]}
    with pytest.raises(BadField, match=r"inflexible-production\[0\]: .* is listed twice"):
        site(both, stored=stored)
    old = {**PRICE, **load, "inflexible-device-sensors": ["load"]}
    with pytest.raises(BadField, match=r"does not go with inflexible-consumption"):
        site(old, stored=stored)


def test_data_of_a_sensor_may_force_the_other_way() -> None:
    """A negative capacity asks for that much production, as FlexMeasures takes it."""
    stored = {"limit": series(9, -1, 9, 9)}
    model = [{**BATTERY, "soc-at-start": "0 kWh"}]
    told = answer(model, {**PRICE, "site-consumption-capacity": {"sensor": "limit"}}, stored=stored)
    assert told["outputs"]["battery"]["values"][1] == pytest.approx(-1)
    feed = {**PRICE, "site-production-capacity": {"sensor": "limit"}}
    assert answer(model, feed, stored=stored)["outputs"]["battery"]["values"][1] >= 1 - 1e-6
    peak = {**PRICE, "site-peak-consumption": {"sensor": "limit"},
            "site-peak-consumption-price": "9 EUR/kW"}  # fmt: skip
    paid = answer(model, peak, stored=stored)
    assert paid["outputs"]["battery"]["values"][1] == pytest.approx(-1)
    assert paid["commitment-costs"]["electricity consumption peak"] == pytest.approx(0, abs=1e-6)
    idle = paid["explanation"]["versus"]["do nothing"]
    assert idle == pytest.approx(9.0)
    with pytest.raises(BadField, match="site-consumption-capacity: should not be negative"):
        connection(**{"site-consumption-capacity": "-1 kW"})
    with pytest.raises(BadField, match="site-power-capacity: should not be negative"):
        site({**PRICE, "site-power-capacity": {"sensor": "limit"}}, stored=stored)
