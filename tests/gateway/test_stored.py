from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flexedge.domain.context import FlexContext
from flexedge.domain.flex import FlexModel
from flexedge.domain.series import TimeGrid
from flexedge.gateway import stored
from flexedge.gateway.feeds import Feeds
from flexedge.gateway.predict import Predictor

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World


def feeds(world: "World") -> Feeds:
    gateway = world.gateway
    predictor = Predictor(gateway.plant, gateway.beliefs, gateway.latest)
    ours = Feeds(gateway.plant, predictor, gateway.prices, gateway.beliefs, gateway.received)
    ours.begin(TimeGrid(world.now, timedelta(minutes=15), 8), world.now, {})
    return ours


def told(world: "World", asset: str) -> dict[str, Any]:
    return stored.model(world.unit(asset), world.gateway.plant, feeds(world))


def test_fields_go_through_as_they_are_and_sensors_as_feeds(hut: "Hut") -> None:
    world = hut("battery")
    ours, plant = feeds(world), world.gateway.plant
    model = FlexModel.model_validate(
        {
            "soc-max": "10 kWh",
            "ramp-up-limit": "1 kW/min",
            "prefer-charging-sooner": False,
            "soc-usage": ["1 kW", {"sensor": "battery.power", "default": "2 kW"}],
            "production-capacity": {"sensor": "battery.power", "source": "dso"},
            "inflexible-production": {"sensor": "battery.power"},
            "group": {"asset": "feeder"},
            "state-of-charge": {"sensor": "battery.soc"},
        }
    )
    assert stored.said(model, plant, ours) == {
        "soc-max": "10.0 kWh",
        "ramp-up-limit": "60.0 kW/h",
        "prefer-charging-sooner": False,
        "soc-usage": ["1.0 kW", {"sensor": "battery.power", "default": "2.0 kW"}],
        "production-capacity": {"sensor": "|battery.power| of dso"},
        "inflexible-production": {"sensor": "-battery.power"},
        "group": {"asset": "feeder"},
        "state-of-charge": {"sensor": "battery.soc"},
    }
    assert set(ours.sensors) == {
        "battery.power", "|battery.power| of dso", "-battery.power", "battery.soc",
    }  # fmt: skip


def test_what_is_not_planned_joins_the_context_of_electricity(hut: "Hut") -> None:
    world = hut("battery")
    ours, plant = feeds(world), world.gateway.plant
    flat = FlexContext.model_validate(
        {"consumption-price": "1 EUR/kWh", "inflexible-consumption": [{"sensor": "grid.power"}]}
    )
    assert stored.context(flat, plant, ours, "rest") == {
        "consumption-price": "1.0 EUR/kWh",
        "inflexible-consumption": [{"sensor": "grid.power"}, {"sensor": "rest"}],
    }
    gas = {"commodity": "gas", "consumption-price": "0.1 EUR/kWh"}
    listed = FlexContext.model_validate(
        {"commodities": [gas, {"consumption-price": "1 EUR/kWh"}], "relax-constraints": False}
    )
    assert stored.context(listed, plant, ours, "rest") == {
        "relax-constraints": False,
        "commodities": [
            {"commodity": "gas", "consumption-price": "0.1 EUR/kWh"},
            {"consumption-price": "1.0 EUR/kWh", "inflexible-consumption": [{"sensor": "rest"}]},
        ],
    }


def test_a_commitment_finds_the_schedule_of_an_asset(hut: "Hut") -> None:
    world = hut("battery", "solar", more={"solar": "control: false"})
    ours = feeds(world)
    context = FlexContext.model_validate(
        {
            "consumption-price": "1 EUR/kWh",
            "inflexible-production": [{"sensor": "solar.power"}],
            "commitments": [{
                "name": "c", "baseline": "0 kW", "up-price": "1 EUR/kW",
                "sensors": [{"sensor": "battery.power"}, {"sensor": "solar.power"}],
            }],
        }
    )  # fmt: skip
    plant = world.gateway.plant
    object.__setattr__(plant.site, "flex_context", context)
    found = stored.context(context, plant, ours, "rest")
    assert found["commitments"][0]["sensors"] == [{"sensor": "battery"}, {"sensor": "-solar.power"}]


def test_the_sun_is_bound_by_its_forecast_or_by_the_sensor_that_is_named(hut: "Hut") -> None:
    sky = {"sensor": "|solar.power| by the sky"}
    assert told(hut("solar"), "solar") == {
        "power-capacity": "8.0 kW",
        "consumption-capacity": "0 kW",
        "production-capacity": sky,
    }
    own = hut("solar", model={"solar": "production-capacity: {sensor: solar.power}"})
    assert told(own, "solar")["production-capacity"] == sky
    other = hut("solar", model={"solar": "production-capacity: {sensor: solar.limit}"})
    assert told(other, "solar")["production-capacity"] == {"sensor": "|solar.limit|"}


def test_the_least_power_of_a_charger_is_known_and_that_it_does_not_give(hut: "Hut") -> None:
    car = told(hut("car"), "car")
    assert float(str(car["minimum-power"]).removesuffix(" kW")) == pytest.approx(4.14)
    assert car["production-capacity"] == "0 kW"
    more = hut("car", model={"car": "minimum-power: 5 kW"})
    assert told(more, "car")["minimum-power"] == "5.0 kW"
    steps = hut("car", model={"car": "power-steps: [5 kW, 11 kW]"})
    assert "minimum-power" not in told(steps, "car")


def test_who_goes_both_ways_has_a_least_power_in_each(hut: "Hut") -> None:
    battery = told(hut("battery", model={"battery": "minimum-power: 1 kW"}), "battery")
    assert battery["minimum-power"] == "1.0 kW"
    assert "operation-modes" not in battery


def test_the_least_power_of_a_device_is_one_of_drawing(hut: "Hut") -> None:
    amps = "amps: {volts: 230, phases: 3, least: 6 A, most: 16 A}"
    hut.profile("go-e-charger", amps, f"range: [-11 kW, 11 kW]\n    {amps}")
    van = told(hut("van", model={"van": "minimum-power: 2 kW"}), "van")
    assert "minimum-power" not in van
    off, giving, drawing = van["operation-modes"]
    assert off == {"consumption-range": ["0 kW", "0 kW"]}
    assert giving == {"production-range": ["2.0 kW", "11.0 kW"]}
    least, most = (float(end.removesuffix(" kW")) for end in drawing["consumption-range"])
    assert (least, most) == pytest.approx((4.14, 11.0))


def test_a_storage_begins_with_what_it_holds(hut: "Hut") -> None:
    world = hut("battery", "heating")
    assert stored.storage(world.unit("battery"), 5.5) == {"soc-at-start": "5.5 kWh"}
    heat = stored.storage(world.unit("heating"), 1e-17)
    assert heat["soc-at-start"] == "1e-17 kWh"
    assert heat["soc-min"] == "0 kWh"
    assert float(heat["soc-max"].removesuffix(" kWh")) == pytest.approx(11.63)
