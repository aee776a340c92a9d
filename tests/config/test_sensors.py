"""How sensors are called and where they come from."""

from pathlib import Path

from flexedge.config.check import load_site
from flexedge.config.sensors import SensorOrigin, claims_of, currencies_of
from flexedge.config.site import FilePrice, FixedPrice, ZonedPrice

HOME = Path(__file__).parents[2] / "config" / "home.yaml"


def test_assets_claim_the_points_of_their_role() -> None:
    sensors = load_site(HOME).sensors
    assert sensors["battery.power"] == SensorOrigin("kW", "hybrid", "battery.power")
    assert sensors["battery.soc"] == SensorOrigin("%", "hybrid", "battery.soc")
    assert sensors["solar.power"] == SensorOrigin("kW", "inverter", "pv.power")
    assert sensors["car.plugged"] == SensorOrigin("", "charger", "ev.plugged")
    assert sensors["heating.power"] == SensorOrigin("kW", "heat-pump", "heat-pump.power")


def test_the_grid_connection_claims_the_meter_and_nobody_the_rest() -> None:
    sensors = load_site(HOME).sensors
    assert sensors["grid.power"] == SensorOrigin("kW", "meter", "grid.power")
    assert sensors["hybrid.grid.power-l1"] == SensorOrigin("kW", "hybrid", "grid.power-l1")


def test_sensors_without_a_device() -> None:
    sensors = load_site(HOME).sensors
    computed = {name: origin.unit for name, origin in sensors.items() if origin.device is None}
    assert computed == {
        "import": "EUR/kWh",
        "feed-in": "EUR/kWh",
        "battery.dispatched": "kW",
        "car.dispatched": "kW",
        "heating.dispatched": "kW",
        "solar.dispatched": "kW",
        "solar.available": "kW",
        "heating.soc": "kWh",
        "heating.heat-demand": "kW",
        "house.power": "kW",
    }


def test_every_point_feeds_one_sensor() -> None:
    loaded = load_site(HOME)
    fed = [(o.device, o.point) for o in loaded.sensors.values() if o.device is not None]
    assert len(fed) == len(set(fed))
    assert loaded.sensor("hybrid", "battery.soc") == "battery.soc"
    assert loaded.sensor("hybrid", "battery.age") is None
    assert claims_of(loaded.site)["hybrid", "battery"] == "battery"


def test_currencies_of_prices() -> None:
    zone = {"since": "07:00", "until": "23:00", "price": "1 CHF/kWh"}
    zoned = ZonedPrice.model_validate({"zones": [zone], "otherwise": "1 EUR/kWh"})
    file = FilePrice.model_validate({"file": "a", "unit": "SEK/MWh", "add": "1 EUR/kWh"})
    fixed = FixedPrice.model_validate({"fixed": "1 USD/kWh"})
    assert list(currencies_of(zoned)) == [(("zones", 0, "price"), "CHF"), (("otherwise",), "EUR")]
    assert list(currencies_of(file)) == [(("unit",), "SEK"), (("add",), "EUR")]
    assert list(currencies_of(fixed)) == [(("fixed",), "USD")]
