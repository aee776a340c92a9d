"""Fixed or told by a sensor, and finding both in nested records."""

from flexedge.domain.context import FlexContext
from flexedge.domain.flex import FlexModel
from flexedge.domain.variable import PowerFromSensor, currencies, fixed, references


def test_what_an_amount_is_while_its_sensor_is_silent() -> None:
    assert fixed(3.0) == 3.0
    assert fixed(None) is None
    assert fixed(PowerFromSensor(sensor="x")) is None
    assert fixed(PowerFromSensor.model_validate({"sensor": "x", "default": "2 kW"})) == 2.0


def test_sources_are_asked_in_their_order() -> None:
    told = {"sensor": "x", "source": "a", "sources": ["b", "c"]}
    assert PowerFromSensor.model_validate(told).believers == ("a", "b", "c")
    assert PowerFromSensor(sensor="x").believers == ()


def test_sensors_are_found_wherever_they_stand() -> None:
    context = FlexContext.model_validate(
        {
            "consumption-price": {"sensor": "import"},
            "inflexible-consumption": [{"sensor": "house.power"}],
            "commitments": [
                {"name": "c", "baseline": {"sensor": "grid.power"}, "up-price": "1 EUR/kW",
                 "sensors": [{"sensor": "battery.power"}]},
            ],
            "commodities": [{"commodity": "gas", "consumption-price": {"sensor": "gas"}}],
        }
    )  # fmt: skip
    found = {route: one.sensor for route, one in references(context, ("flex-context",))}
    assert found == {
        ("flex-context", "consumption-price"): "import",
        ("flex-context", "inflexible-consumption", 0): "house.power",
        ("flex-context", "commitments", 0, "baseline"): "grid.power",
        ("flex-context", "commitments", 0, "sensors", 0): "battery.power",
        ("flex-context", "commodities", 0, "consumption-price"): "gas",
    }


def test_currencies_are_found_wherever_they_stand() -> None:
    model = FlexModel.model_validate(
        {
            "wear-cost": "0.1 EUR/kWh",
            "start-up-cost": "1 USD",
            "soc-value-at-end": [{"value": "0.1 CHF/kWh"}],
        }
    )
    assert dict(currencies(model)) == {
        ("wear-cost",): "EUR",
        ("start-up-cost",): "USD",
        ("soc-value-at-end", 0, "value"): "CHF",
    }
