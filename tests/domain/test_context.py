"""The flex-context: FlexMeasures' field names and our own, checked."""

import json

import pytest
from pydantic import ValidationError

from flexedge.domain.context import FlexContext
from flexedge.optim.request.terms import CONTEXT_FIELDS

GAS = {
    "commodity": "gas",
    "consumption-price": "0.09 EUR/kWh",
    "relax-site-capacity-constraints": False,
}
WHOLE: dict[str, object] = {
    "commodity": "electricity",
    "consumption-price": {"sensor": "import", "default": "0.3 EUR/kWh"},
    "production-price": "0.08 EUR/kWh",
    "site-power-capacity": {"sensor": "meter.limit", "default": "17 kW"},
    "site-consumption-capacity": "15 kW",
    "site-production-capacity": "8 kW",
    "site-consumption-breach-price": "100 EUR/kW",
    "site-production-breach-price": "100 EUR/kW",
    "site-peak-consumption": "4 kW",
    "site-peak-consumption-price": "110 EUR/kW",
    "site-peak-production": "4 kW",
    "site-peak-production-price": "10 EUR/kW",
    "inflexible-consumption": [{"sensor": "house.power", "source": "me"}],
    "inflexible-production": [{"sensor": "solar.power"}],
    "aggregate-consumption": {"sensor": "plan.power"},
    "aggregate-production": {"sensor": "plan.power"},
    "aggregate-power": {"sensor": "plan.power"},
    "commitments": [
        {"name": "day ahead", "baseline": "2 kW", "up-price": "0.4 EUR/kWh",
         "down-price": {"sensor": "feed-in"}, "commodity": "electricity"},
        {"name": "fuse", "baseline": {"sensor": "x.power"}, "up-price": "3 EUR/kW",
         "sensors": [{"sensor": "battery.power"}]},
        {"name": "street", "baseline": "1 kW", "down-price": "-1 EUR/kW",
         "group": {"asset": "feeder"}},
    ],
    "relax-constraints": True,
    "relax-site-capacity-constraints": True,
    "relax-soc-constraints": False,
    "relax-capacity-constraints": True,
    "soc-minima-breach-price": "5 EUR/kWh",
    "soc-maxima-breach-price": "5 EUR/kWh",
    "consumption-breach-price": "50 EUR/kW",
    "production-breach-price": "50 EUR/kW",
    "site-phase-capacity": "5.75 kW",
    "inflexible-phases": [0.5, 0.25, 0.25],
    "commodities": [GAS],
    "scenarios": [{"probability": 0.2, "name": "cold", "inflexible-consumption": ["3 kW"],
                   "inflexible-production": [{"sensor": "solar.power"}],
                   "consumption-price": "0.5 EUR/kWh", "production-price": "0.1 EUR/kWh"}],
    "risk-weight": 0.5,
}  # fmt: skip
OLD = {"consumption-price-sensor", "production-price-sensor", "inflexible-device-sensors"}


def test_every_field_that_a_request_knows_can_be_stored_but_for_old_names() -> None:
    known = {field.alias for field in FlexContext.model_fields.values()}
    assert set(CONTEXT_FIELDS) - known == OLD
    assert set(WHOLE) == known


def test_what_is_stored_is_written_as_it_was_read() -> None:
    text = json.dumps(WHOLE)
    read = FlexContext.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    written = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert FlexContext.model_validate_json(json.dumps(written), strict=True) == read
    assert written["commitments"][1]["up-price"] == "3.0 EUR/kW"
    assert written["commitments"][0]["up-price"] == "0.4 EUR/kWh"


def test_electricity_is_described_at_the_top_or_in_the_list() -> None:
    flat = FlexContext.model_validate({"consumption-price": "0.3 EUR/kWh", "commodities": [GAS]})
    assert flat.electricity is flat
    listed = FlexContext.model_validate(
        {"commodities": [{"consumption-price": "0.3 EUR/kWh"}, GAS]}
    )
    assert listed.electricity is listed.commodities[0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"consumption-price": None}, "missing key 'consumption-price'; add it"),
        ({"commodity": "gas"}, "only electricity is described at the top level"),
        ({"commodities": [GAS, GAS]}, "commodities describe gas twice"),
        ({"site-power-capacity": "-3 kW"}, "greater than or equal to 0"),
        ({"site-peak-consumption-price": "-3 EUR/kW"}, "should not be negative"),
        ({"inflexible-phases": [0.5, 0.5, 0.5]}, "should add up to 1"),
        ({"risk-weight": 2}, "less than or equal to 1"),
        ({"scenarios": [{"probability": 1}]}, "less than 1"),
        ({"scenarios": [{"probability": 0.1, "name": "calm"}]}, "says what differs"),
        ({"scenarios": [{"probability": 0.5, "consumption-price": "1 EUR/kWh"}] * 2},
         "add up to 1: together they should stay below 1"),
        ({"risk-weight": 0.5}, "risk-weight needs scenarios"),
        ({"inflexible-phases": [1, 0, 0]}, "needs site-phase-capacity"),
        ({"commitments": [{"name": "x", "baseline": "1 kW"}]}, "needs up-price or down-price"),
        ({"commitments": [{"name": "x", "baseline": "1 kW", "up-price": "1 EUR/kW",
                           "sensors": [{"sensor": "a.power"}], "group": {"asset": "g"}}]},
         "sensors and group exclude each other"),
        ({"commitments": [{"name": "x", "baseline": "1 kW", "up-price": "1 EUR"}]},
         "unknown unit 'EUR'"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FlexContext.model_validate({"consumption-price": "0.3 EUR/kWh", **fields})
    assert said in str(caught.value)
