"""Flex-model and flex-context: FlexMeasures' field names, checked."""

import pytest
from pydantic import ValidationError

from flexedge.domain.flex import FlexContext, FlexModel, PowerFromSensor, PriceFromSensor
from flexedge.domain.units import Price


def model(**fields: object) -> FlexModel:
    return FlexModel.model_validate(
        {name.replace("_", "-"): value for name, value in fields.items()},
        by_alias=True,
        by_name=False,
    )


def test_efficiencies() -> None:
    assert model().efficiencies() == (1.0, 1.0)
    assert model(roundtrip_efficiency="81%").efficiencies() == pytest.approx((0.9, 0.9))
    assert model(charging_efficiency="350%").efficiencies() == (3.5, 1.0)
    assert model(discharging_efficiency=0.95).efficiencies() == (1.0, 0.95)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"roundtrip_efficiency": "90%", "charging_efficiency": "95%"}, "not both"),
        ({"soc_min": "6 kWh", "soc_max": "5 kWh"}, "soc-min (6 kWh) lies above soc-max (5 kWh)"),
        ({"roundtrip_efficiency": "120%"}, "less than or equal to 1"),
        ({"roundtrip_efficiency": 0}, "greater than 0"),
        ({"power_capacity": "-1 kW"}, "greater than or equal to 0"),
        ({"production_capacity": "-8 kW"}, "production-capacity should be at least 0 kW"),
        ({"consumption_capacity": "-8 kW"}, "consumption-capacity should be at least 0 kW"),
        ({"soc_maximum": "5 kWh"}, "Extra inputs"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model(**fields)
    assert said in str(caught.value)


def test_variable_quantities_are_fixed_or_from_a_sensor() -> None:
    found = model(
        production_capacity={"sensor": "solar.power"},
        soc_usage=["0.5 kW", {"sensor": "heating.heat-demand", "default": "1.2 kW"}],
    )
    assert found.production_capacity == PowerFromSensor(sensor="solar.power")
    assert found.soc_usage == (
        0.5,
        PowerFromSensor.model_validate({"sensor": "heating.heat-demand", "default": "1.2 kW"}),
    )


def test_the_context_tells_its_fixed_prices() -> None:
    context = FlexContext.model_validate(
        {
            "consumption-price": {"sensor": "import", "default": "0.3 EUR/kWh"},
            "production-price": "0.08 EUR/kWh",
            "site-peak-consumption-price": "110 EUR/kW",
        }
    )
    assert isinstance(context.consumption_price, PriceFromSensor)
    assert context.prices() == [
        ("consumption-price", Price(0.3, "EUR")),
        ("production-price", Price(0.08, "EUR")),
        ("site-peak-consumption-price", Price(110.0, "EUR")),
    ]
    assert context.site_peak_consumption == 0.0
