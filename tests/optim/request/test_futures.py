"""Scenarios: what differs from the forecast, and how much it counts."""

from typing import Any

import pytest

from flexedge.errors import BadField
from tests.optim.request.asking import BATTERY, PRICE, answer, asked, series

LOAD = {"load": series(1, 1, 1, 1)}


def test_scenarios_take_what_they_do_not_say_from_the_forecast() -> None:
    stored = {**LOAD, "much": series(5, 5, 5, 5)}
    context = {
        **PRICE, "inflexible-consumption": [{"sensor": "load"}], "risk-weight": 0.5,
        "scenarios": [
            {"probability": 0.2, "inflexible-consumption": [{"sensor": "much"}]},
            {"probability": 0.1, "consumption-price": "0.9 EUR/kWh"},
        ],
    }  # fmt: skip
    problem = asked([BATTERY], context, stored=stored).problem
    much, dear = problem.scenarios
    assert (much.inflexible_kw[0], much.import_price[0], much.export_price[0]) == (5, 0.3, 0.1)
    assert (dear.inflexible_kw[0], dear.import_price[0], dear.export_price[0]) == (1, 0.9, 0.1)
    assert problem.risk_weight == 0.5


def test_a_scenario_of_the_load_keeps_the_sun_of_the_forecast() -> None:
    stored = {**LOAD, "much": series(5, 5, 5, 5), "sun": series(0, 2, 2, 0), "dull": series(0)}
    context = {
        **PRICE, "inflexible-consumption": [{"sensor": "load"}],
        "inflexible-production": [{"sensor": "sun"}],
        "scenarios": [
            {"name": "P90", "probability": 0.2, "inflexible-consumption": [{"sensor": "much"}]},
            {"probability": 0.1, "inflexible-production": [{"sensor": "dull"}]},
        ],
    }  # fmt: skip
    much, dull = asked([BATTERY], context, stored=stored).problem.scenarios
    assert (much.name, much.inflexible_kw.tolist()) == ("P90", [5, 3, 3, 5])
    assert (dull.name, dull.inflexible_kw.tolist()) == ("scenario 2", [1, 1, 1, 1])


def test_the_price_of_production_follows_that_of_consumption_where_the_forecast_does() -> None:
    context = {"consumption-price": "0.3 EUR/kWh",
               "scenarios": [{"probability": 0.1, "consumption-price": "0.9 EUR/kWh"}]}  # fmt: skip
    (dear,) = asked([BATTERY], context).problem.scenarios
    assert dear.export_price[0] == 0.9


def test_each_future_is_told_with_its_cost() -> None:
    context = {**PRICE, "scenarios": [{"probability": 0.25, "consumption-price": "0.9 EUR/kWh"}],
               "inflexible-consumption": [{"sensor": "load"}]}  # fmt: skip
    told = answer([{**BATTERY, "soc-at-start": "0 kWh"}], context, stored=LOAD)
    assert [one["name"] for one in told["scenarios"]] == ["forecast", "scenario 1"]
    assert [one["cost"] for one in told["scenarios"]] == pytest.approx([1.2, 3.6])
    assert told["expected-cost"] == pytest.approx(0.75 * 1.2 + 0.25 * 3.6)
    assert told["worst-cost"] == pytest.approx(3.6)
    assert "scenarios" not in answer([BATTERY])


PART = {"probability": 0.5, "consumption-price": "0.9 EUR/kWh"}


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({"risk-weight": 0.5}, "flex-context.risk-weight: means nothing without scenarios"),
        ({"scenarios": [PART, PART]}, "flex-context.scenarios: their probabilities add up to 1"),
        ({"scenarios": [{"probability": 0.5}]}, "scenarios[0].probability: is all that is said"),
        ({"scenarios": [{**PART, "odds": 1}]}, "scenarios[0].odds: there is no such field"),
        ({"scenarios": [{**PART, "name": 3}]}, "scenarios[0].name: should be a text"),
    ],
)
def test_what_is_wrong_is_told_by_its_path(context: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        asked([BATTERY], {**PRICE, **context})
    assert told in str(caught.value)


def test_beside_the_old_name_it_is_not_clear_what_differs() -> None:
    context = {**PRICE, "inflexible-device-sensors": ["load"],
               "scenarios": [{"probability": 0.5, "inflexible-consumption": ["load"]}]}  # fmt: skip
    with pytest.raises(BadField, match=r"scenarios\[0\]\.inflexible-consumption: does not say"):
        asked([BATTERY], context, stored=LOAD)
