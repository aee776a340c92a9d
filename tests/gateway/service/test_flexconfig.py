from datetime import timedelta
from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.gateway.service.flexconfig import check_context, check_model
from flexedge.store.tables.placed import PlacedSensor


def sensor(unit: str, minutes: int = 15, **attributes: Any) -> PlacedSensor:
    return PlacedSensor(unit, 1, unit, unit, timedelta(minutes=minutes), "UTC", None, attributes)


POWER, PRICE, SOC, SHARE, MADE = 1, 2, 3, 4, 5
SENSORS = {
    POWER: sensor("kW"), PRICE: sensor("EUR/MWh", 60), SOC: sensor("kWh", 0), SHARE: sensor("%"),
    MADE: sensor("kW", consumption_is_positive=False),
}  # fmt: skip
SERIES = "A time series specification (listing segments) is not supported when storing {} fields."


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"soc-max": "12 kWh", "power-capacity": "5 kW"},
        {"soc-max": "450 kWh", "power-capacity": "500 kVA", "roundtrip-efficiency": "90%"},
        {"soc-min": "1 kWh", "soc-max": "10 kWh", "soc-minima": {"sensor": SOC}},
        {"state-of-charge": {"sensor": SOC}, "soc-at-start": "2 kWh"},
        {"storage-efficiency": "99%"},
        {"charging-efficiency": {"sensor": SHARE}, "soc-usage": ["1 kW", {"sensor": POWER}]},
        {"production-capacity": {"sensor": POWER}, "consumption-capacity": "0 kW"},
        {"consumption": {"sensor": POWER}},
        {"inflexible-consumption": {"sensor": POWER}},
        {"group": {"asset": 7}, "power-capacity": "3 kW"},
        {"commodity": "gas", "coupling": "chp", "consumption-capacity": "3 kW"},
        {"power": "2 kW", "duration": "PT1H", "process-type": "SHIFTABLE"},
        {"process-type": "INFLEXIBLE"},
        {"wear-cost": "0.05 GBP/kWh", "minimum-power": "1 kW", "prefer-charging-sooner": False},
    ],
)
def test_models_that_can_be_planned_with_are_taken(model: dict[str, Any]) -> None:
    check_model(model, SENSORS)


@pytest.mark.parametrize(
    ("model", "field", "message"),
    [
        ({"no-such": 1}, "no-such", "Unknown field"),
        ({"soc_max": "1 kWh"}, "soc_max", "Unknown field; did you mean 'soc-max'?"),
        ({"sensor": 1}, "sensor", "Unknown field: an asset's own flex-model is about that asset."),
        ({"soc-max": "5 kW"}, "soc-max", "'5 kW' is power, but this is energy"),
        ({"soc-min": "20 kWh", "soc-max": "10 kWh"}, "soc-min", "lies above soc-max"),
        ({"soc-minima": {"sensor": POWER}}, "soc-minima", "sensor: '1' has the unit 'kW'"),
        ({"power-capacity": {"sensor": 9}}, "power-capacity", "No sensor found with ID 9."),
        ({"charging-efficiency": "90%", "roundtrip-efficiency": "80%"}, "charging-efficiency",
         "and roundtrip-efficiency exclude each other"),
        ({"soc-targets": [{"value": "3 kWh", "datetime": "2030-01-01T00:00:00+00:00"}]},
         "soc-targets", SERIES.format("flex-model")),
        ({"consumption": {"sensor": MADE}}, "consumption", "consumption_is_positive: false"),
        ({"duration": "PT1H", "power": "1 EUR"}, "power", "unknown unit 'EUR'"),
        ({"wear-cost": "-1 EUR/kWh"}, "wear-cost", "negative"),
    ],
)  # fmt: skip
def test_models_that_cannot_be_planned_with_are_refused(
    model: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(BadField) as wrong:
        check_model(model, SENSORS)
    assert wrong.value.path == field
    assert message in wrong.value.message


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"site-power-capacity": "17 kVA"},
        {"consumption-price": {"sensor": PRICE}, "production-price": "0.05 EUR/kWh"},
        {"consumption-price": "0.2 GBP/kWh", "site-peak-consumption-price": "260 GBP/MW"},
        {"consumption-breach-price": "10 SEK/kW"},
        {"inflexible-device-sensors": [POWER, MADE]},
        {"inflexible-consumption": [{"sensor": POWER}], "aggregate-power": {"sensor": POWER}},
        {"commitments": [{"name": "x", "baseline": "1 kW", "up-price": "1 EUR/kWh"}]},
        {"commodities": [{"commodity": "gas", "consumption-price": "50 EUR/MWh"}]},
        {"commodities": [{"commodity": "electricity", "consumption-price": {"sensor": PRICE}}]},
        {"relax-constraints": True, "soc-minima-breach-price": "6 EUR/kWh"},
        {"consumption-price-sensor": PRICE},
    ],
)
def test_contexts_that_can_be_planned_with_are_taken(context: dict[str, Any]) -> None:
    check_context(context, SENSORS)


@pytest.mark.parametrize(
    ("context", "field", "message"),
    [
        ({"no-such": 1}, "no-such", "Unknown field"),
        ({"consumption-price": {"sensor": 9}}, "consumption-price", "No sensor found with ID 9."),
        ({"consumption-price": {"sensor": POWER}}, "consumption-price", "'1' has the unit 'kW'"),
        ({"site-power-capacity": "5 EUR"}, "site-power-capacity", "unknown unit 'EUR'"),
        ({"site-power-capacity": "-5 kW"}, "site-power-capacity", "should not be negative"),
        ({"consumption-price": "1 EUR/kWh", "production-price": "1 SEK/kWh"}, "production-price",
         "all prices need the same currency"),
        ({"inflexible-consumption": [{"sensor": PRICE}]}, "inflexible-consumption", "EUR/MWh"),
        ({"inflexible-device-sensors": [9]}, "inflexible-device-sensors", "No sensor found"),
        ({"production-price": [{"value": "1 EUR/kWh", "start": "2030-01-01T00:00:00+00:00",
                                "duration": "PT1H"}]}, "production-price",
         SERIES.format("flex-context")),
        ({"commitments": [{"name": "x"}]}, "commitments", "[0]"),
        ({"relax-constraints": "yes"}, "relax-constraints", "should be true or false"),
    ],
)  # fmt: skip
def test_contexts_that_cannot_be_planned_with_are_refused(
    context: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(BadField) as wrong:
        check_context(context, SENSORS)
    assert wrong.value.path == field
    assert message in wrong.value.message


def test_what_no_problem_can_be_made_of_is_refused_as_a_field() -> None:
    with pytest.raises(BadField) as wrong:
        check_model({"roundtrip-efficiency": "1e-300"}, SENSORS)
    assert wrong.value.path == "roundtrip-efficiency"
    assert "should be at least 0.001" in wrong.value.message
