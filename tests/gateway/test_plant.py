import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World


@pytest.fixture
def home(hut: "Hut") -> "World":
    return hut.home()


def test_every_asset_of_the_home_is_resolved(home: "World") -> None:
    plant = home.gateway.plant
    assert [unit.name for unit in plant.units] == ["battery", "solar", "car", "heating", "house"]
    assert [unit.name for unit in plant.controlled] == ["battery", "solar", "car", "heating"]
    assert plant.remainder is plant.unit("house")
    assert (plant.currency, str(plant.zone)) == ("EUR", "Europe/Amsterdam")
    assert plant.sensor_of["hybrid", "battery.soc"] == "battery.soc"
    assert plant.sensor_of["meter", "grid.power"] == "grid.power"
    assert plant.sensor_of["hybrid", "grid.power-l1"] == "hybrid.grid.power-l1"
    assert plant.sensors["battery.soc"].unit == "%"
    assert plant.sensors["import"].unit == "EUR/kWh"
    assert plant.unit("battery").sensors["soc"] == "battery.soc"
    assert plant.unit("heating").sensors["heat-demand"] == "heating.heat-demand"


def test_who_stores_who_drives_and_who_is_controlled(home: "World") -> None:
    units = {unit.name: unit for unit in home.gateway.plant.units}
    assert [name for name, unit in units.items() if unit.stores] == ["battery", "car", "heating"]
    assert [name for name, unit in units.items() if unit.vehicle] == ["car"]
    assert units["house"].control is None
    assert units["car"].control is not None
    assert units["car"].control.name == "ev.power"


def test_the_tightest_of_all_who_say_so_counts(home: "World", hut: "Hut") -> None:
    ranges = {unit.name: unit.range_kw for unit in home.gateway.plant.units}
    assert ranges == {
        "battery": (-5.0, 5.0),
        "solar": (-8.0, 0.0),
        "car": (0.0, 11.0),
        "heating": (0.0, 3.0),
        "house": (0.0, math.inf),
    }
    hut.profile("foxess-h3", "refresh: 15s", "refresh: 15s\n    range: [-4 kW, 3 kW]")
    world = hut(
        "battery",
        more={"battery": "limits: {range: [-4.5 kW, 2.5 kW]}"},
        model={"battery": "production-capacity: 3.5 kW, consumption-capacity: 2.8 kW"},
    )
    assert world.unit("battery").range_kw == (-3.5, 2.5)


def test_how_much_is_stored_at_least_and_at_most(home: "World") -> None:
    units = {unit.name: unit for unit in home.gateway.plant.units}
    assert (units["battery"].soc_min_kwh, units["battery"].soc_max_kwh) == (1.0, 10.0)
    assert (units["car"].soc_min_kwh, units["car"].soc_max_kwh) == (0.0, 60.0)
    assert units["heating"].soc_max_kwh == pytest.approx(500 * 1.163e-3 * 20)
    assert units["solar"].soc_max_kwh is None


def test_the_least_power_above_zero(hut: "Hut") -> None:
    world = hut("battery", "car", "oven", "house")
    least = {unit.name: unit.least_kw for unit in world.gateway.plant.units}
    assert least == {"battery": 0.0, "car": pytest.approx(4.14), "oven": 6.0, "house": 0.0}


def test_a_value_is_acted_upon_for_three_polls_but_at_least_five_seconds(home: "World") -> None:
    plant = home.gateway.plant
    assert plant.max_age("grid.power") == timedelta(seconds=5)  # every second
    assert plant.max_age("heating.power") == timedelta(seconds=6)  # every two
    assert plant.max_age("battery.soc") == timedelta(seconds=30)  # every ten
    assert plant.max_age("house.power") == timedelta(seconds=5)  # computed


def test_what_is_only_watched_has_no_control_point(hut: "Hut") -> None:
    world = hut("battery", "solar", more={"battery": "control: false"})
    assert [unit.name for unit in world.gateway.plant.controlled] == ["solar"]
    assert world.gateway.plant.remainder is None


def test_the_workshop_has_a_process_on_a_switch(hut: "Hut") -> None:
    plant = hut.industry().gateway.plant
    furnace = plant.unit("furnace")
    assert furnace.control is not None
    assert furnace.control.name == "switch.power"
    assert not furnace.stores
    assert plant.sensor_of["oven-switch", "switch.power"] == "furnace.power"
    assert plant.context.site_peak_consumption == 12.0


def test_a_capacity_of_one_direction_closes_the_other(hut: "Hut") -> None:
    def range_kw(model: str, context: str = "") -> tuple[float, float]:
        return hut("battery", model={"battery": model}, context=context).unit("battery").range_kw

    assert range_kw("consumption-capacity: 4 kW") == (0.0, 4.0)
    assert range_kw("production-capacity: 3 kW") == (-3.0, 0.0)
    assert range_kw("production-capacity: 0 kW") == (0.0, 5.0)
    assert range_kw("consumption-capacity: {sensor: battery.setpoint}") == (0.0, 5.0)
    soft = "consumption-breach-price: 10 EUR/kW"
    both = "consumption-capacity: 4 kW, production-capacity: 3 kW"
    assert range_kw(both, soft) == (-3.0, 5.0)  # 4 kW may be exceeded, at a price
    assert range_kw(both, "relax-capacity-constraints: true") == (-5.0, 5.0)


def test_a_power_capacity_that_a_sensor_tells_is_its_default_here(hut: "Hut") -> None:
    path = hut.folder / "site.yaml"
    hut("battery")
    told = "power-capacity: {sensor: battery.setpoint, default: 2 kW}"
    path.write_text(path.read_text().replace("power-capacity: 5 kW", told))
    assert hut.world(path, "told").unit("battery").range_kw == (-2.0, 2.0)


def test_groups_and_ports_are_planned_but_not_controlled_and_not_metered(hut: "Hut") -> None:
    heat = "commodities: [{commodity: gas, consumption-price: 0.1 EUR/kWh}, {commodity: heat}]"
    world = hut(
        "battery", "feeder", "gas-in", "heat-out", "house",
        model={"battery": "group: {asset: feeder}"}, context=heat,
    )  # fmt: skip
    units = {unit.name: unit for unit in world.gateway.plant.units}
    planned = {name for name, unit in units.items() if unit.planned}
    assert planned == {"battery", "feeder", "gas-in", "heat-out"}
    assert {name for name, unit in units.items() if unit.virtual} == planned - {"battery"}
    assert {name for name, unit in units.items() if unit.electric} == {"battery", "house"}


def test_who_feeds_the_storage_of_another_asset_knows_its_size(hut: "Hut") -> None:
    text = hut.folder / "site.yaml"
    hut("battery", "heating")
    soc = "state-of-charge: {sensor: battery.soc}"
    lines = [
        f"  heating: {{type: heat-storage, device: heat-pump, flex-model: {{{soc}, "
        "power-capacity: 3 kW}}"
        if line.startswith("  heating:")
        else line.replace("flex-model: {soc-min", f"flex-model: {{{soc}, soc-min")
        for line in text.read_text().splitlines()
    ]
    text.write_text("\n".join(lines))
    plant = hut.world(text, "shared").gateway.plant
    assert plant.unit("heating").soc_max_kwh == 10.0
    assert plant.unit("heating").soc_min_kwh == 1.0
    assert plant.unit("battery").keeper is plant.unit("battery").asset


def test_what_is_only_watched_is_expected_to_go_on_but_for_batteries(hut: "Hut") -> None:
    watched = dict.fromkeys(("battery", "car"), "control: false")
    world = hut("battery", "car", "heating", "roof-without-meter", "house", more=watched)
    plant = world.gateway.plant
    happens = {unit.name for unit in plant.units if plant.happens(unit)}
    assert happens == {"car", "roof-without-meter", "house"}
