"""Whose word about a sensor counts."""

from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.request.believed import ALL, Believer, Filter, read
from flexedge.optim.request.fields import Fields
from tests.optim.request.asking import BATTERY, PRICE, asked, series

MARKET = {**series(0.1, 0.1, 0.1, 0.1, unit="EUR/kWh"), "source": "market", "source-type": "script"}
GUESS = {**series(0.2, None, 0.2, 0.2, unit="EUR/kWh"), "source": 7, "source-type": "forecaster"}


def test_filters_admit() -> None:
    meter = Believer("meter", "sensor", "house")
    assert ALL.admits(meter)
    assert ALL.admits(Believer())
    assert Filter(names=frozenset({"meter", "x"})).admits(meter)
    assert not Filter(names=frozenset({"x"})).admits(meter)
    assert not Filter(kinds=frozenset({"script"})).admits(meter)
    assert not Filter(not_kinds=frozenset({"sensor"})).admits(meter)
    assert not Filter(accounts=frozenset({"neighbour"})).admits(meter)
    assert not Filter(names=frozenset({"x"})).admits(Believer("meter"))
    assert Filter(names=frozenset({"meter"})).admits(Believer())


def test_filters_are_read_from_a_reference() -> None:
    fields = {"source": 3, "sources": ["a", 4], "exclude-source-types": ["user"]}
    assert read(Fields(fields, "")) == Filter(frozenset({"3", "a", "4"}), None, frozenset({"user"}))
    assert read(Fields({"sensor": "p"}, "")) == ALL
    with pytest.raises(BadField, match=r"sources\[1\]: should be a name"):
        read(Fields({"sources": ["a", {}]}, ""))


@pytest.mark.parametrize(
    ("filters", "prices"),
    [
        ({}, [0.2, 0.1, 0.2, 0.2]),
        ({"sources": ["market"]}, [0.1] * 4),
        ({"source": 7}, [0.2] * 4),
        ({"source-types": ["forecaster"], "default": "0.5 EUR/kWh"}, [0.2, 0.5, 0.2, 0.2]),
        ({"exclude-source-types": ["forecaster"]}, [0.1] * 4),
    ],
)
def test_a_price_is_what_some_sources_say(filters: Any, prices: Any) -> None:
    context = {**PRICE, "consumption-price": {"sensor": "p", **filters}}
    sensors = {"p": {"unit": "EUR/kWh", "resolution": "PT1H"}}
    found = asked([BATTERY], context, sensors=sensors, stored={}, series={"p": [MARKET, GUESS]})
    assert found.problem.site.import_price.tolist() == prices


def test_nobody_left_is_an_error() -> None:
    context = {**PRICE, "consumption-price": {"sensor": "p", "sources": ["nobody"]}}
    sensors = {"p": {"unit": "EUR/kWh", "resolution": "PT1H"}}
    with pytest.raises(BadField, match="no price is known"):
        asked([BATTERY], context, sensors=sensors, series={"p": [MARKET, GUESS]})
