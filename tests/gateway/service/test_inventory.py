from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.asset import Sensor
from flexedge.gateway.service.inventory import bring_in, fixed_fields
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World


@pytest.fixture
def home(hut: "Hut") -> "World":
    return hut.home()


def named(state: State) -> dict[str, tuple[int, Asset]]:
    return {asset.name: (number, asset) for number, asset in state.assets.all().items()}


def test_the_site_is_a_tree_of_assets_of_its_account(home: "World") -> None:
    state = home.gateway.state
    assert state.accounts.all() == {1: Account("Home")}
    found = named(state)
    root, site = found.pop("Home")
    assert (site.kind, site.parent_id) == ("building", None)
    assert (site.account_id, site.defined_as) == (1, "")
    assert (site.latitude, site.longitude) == (52.37, 4.90)
    assert list(found) == ["battery", "solar", "car", "heating", "house"]
    assert {name: asset.kind for name, (_, asset) in found.items()} == {
        "battery": "battery", "solar": "solar", "car": "one-way_evse", "heating": "heat-storage",
        "house": "building",
    }  # fmt: skip
    for name, (_, asset) in found.items():
        assert (asset.parent_id, asset.account_id, asset.defined_as) == (root, 1, name)


def test_flexibility_is_said_in_flexmeasures_fields_with_numbers_of_sensors(home: "World") -> None:
    state = home.gateway.state
    number = {sensor.name: number for number, sensor in state.sensors().items()}
    found = {name: asset for name, (_, asset) in named(state).items()}
    assert found["Home"].flex_context == {
        "consumption-price": {"sensor": number["import"]},
        "production-price": {"sensor": number["feed-in"]},
        "site-power-capacity": "17.25 kW",
        "site-consumption-capacity": "15.0 kW",
        "inflexible-consumption": [{"sensor": number["house.power"], "default": "0.5 kW"}],
    }
    assert found["battery"].flex_model == {
        "soc-min": "1.0 kWh", "soc-max": "10.0 kWh", "power-capacity": "5.0 kW",
        "roundtrip-efficiency": "0.9", "consumption": {"sensor": number["battery.power"]},
    }  # fmt: skip
    assert found["solar"].flex_model == {
        "power-capacity": "8.0 kW", "consumption-capacity": "0.0 kW",
        "production-capacity": {"sensor": number["solar.available"]},
    }  # fmt: skip
    assert found["car"].flex_model["production-capacity"] == "0 kW"  # of its type
    assert found["heating"].flex_model["soc-max"] == "11.63 kWh"  # of its buffer
    assert found["house"].flex_model == {}


def test_sensors_are_on_their_assets(home: "World") -> None:
    state = home.gateway.state
    found = named(state)
    placed = {one.key: one for one in state.placed.all().values()}
    assert placed.keys() == home.gateway.plant.sensors.keys()
    power = placed["battery.power"]
    assert (power.asset_id, power.name, power.unit) == (found["battery"][0], "power", "kW")
    assert (power.resolution, power.timezone) == (timedelta(minutes=5), "Europe/Amsterdam")
    assert power.attributes == {"consumption_is_positive": True}
    soc = placed["battery.soc"]
    assert (soc.asset_id, soc.unit, soc.attributes) == (power.asset_id, "%", {})
    for key in ("import", "grid.power", "hybrid.grid.power-l1"):
        assert (placed[key].asset_id, placed[key].name) == (found["Home"][0], key)


def test_charts_are_chosen_once(home: "World") -> None:
    state = home.gateway.state
    number = {sensor.name: number for number, sensor in state.sensors().items()}
    found = named(state)
    shown = found["Home"][1].sensors_to_show
    assert shown[0] == {"title": "Prices", "sensors": [number["import"], number["feed-in"]]}
    assert number["grid.power"] in shown[1]["sensors"]
    at, battery = found["battery"]
    assert battery.sensors_to_show == [
        {"title": "Power", "sensors": [number["battery.power"]]},
        {"title": "State of charge", "sensors": [number["battery.soc"]]},
    ]
    state.assets.change(at, replace(battery, sensors_to_show=[]))
    bring_in(home.gateway.plant, state)
    assert named(state)["battery"][1].sensors_to_show == []


def test_a_second_start_writes_nothing(hut: "Hut") -> None:
    before = hut.home().gateway.state
    assets, placed = before.assets.all(), before.placed.all()
    again = hut.home().gateway.state
    assert (again.assets.all(), again.placed.all()) == (assets, placed)
    assert again.changes == 0


def test_what_the_file_does_not_define_survives_and_what_it_defines_comes_back(
    home: "World",
) -> None:
    state = home.gateway.state
    number, battery = named(state)["battery"]
    edited = replace(
        battery, description="in the cellar", attributes={"a": 1}, external_id="x", latitude=1.0
    )
    state.assets.change(number, replace(edited, flex_model={}, name="mine", kind="process"))
    power = next(n for n, one in state.placed.all().items() if one.key == "battery.power")
    state.placed.place(power, 1, "p", "UTC", {"b": 2, "consumption_is_positive": False})
    bring_in(home.gateway.plant, state)
    assert state.assets.get(number) == edited
    placed = state.placed.get(power)
    assert placed is not None
    assert (placed.asset_id, placed.name, placed.timezone) == (number, "power", "Europe/Amsterdam")
    assert placed.attributes == {"b": 2, "consumption_is_positive": True}


def test_what_is_no_longer_defined_stays_and_can_come_back(hut: "Hut") -> None:
    state = hut("battery", "solar").gateway.state
    numbers = {name: number for name, (number, _) in named(state).items()}
    sensors = state.placed.all()
    gone = hut("solar").gateway.state
    battery = gone.assets.get(numbers["battery"])
    assert battery is not None
    assert battery.defined_as is None
    assert battery.flex_model
    assert fixed_fields(battery) == frozenset()
    assert gone.placed.all().keys() >= {
        number for number, one in sensors.items() if one.asset_id == numbers["battery"]
    }
    solar = gone.assets.get(numbers["solar"])
    assert solar is not None
    assert solar.defined_as == "solar"
    back = hut("battery", "solar").gateway.state
    assert {name: number for name, (number, _) in named(back).items()} == numbers
    again = back.assets.get(numbers["battery"])
    assert again is not None
    assert again.defined_as == "battery"


def test_a_site_that_is_called_otherwise_keeps_its_number(home: "World") -> None:
    state, plant = home.gateway.state, home.gateway.plant
    place = plant.site.site.model_copy(update={"name": "House"})
    other = replace(plant, site=plant.site.model_copy(update={"site": place}))
    root, _ = named(state)["Home"]
    bring_in(other, state)
    assert named(state)["House"][0] == root
    assert state.accounts.all() == {1: Account("House")}
    state.assets.add(Asset("Home", "building", account_id=1))
    bring_in(plant, state)  # that name is taken now
    assert named(state)["House"][0] == root
    assert state.accounts.all() == {1: Account("Home")}


def test_a_name_that_somebody_gave_a_sensor_of_his_own_is_not_taken_from_him(
    home: "World",
) -> None:
    state = home.gateway.state
    battery, _ = named(state)["battery"]
    power = next(n for n, one in state.placed.all().items() if one.key == "battery.power")
    state.placed.place(power, battery, "aside", "UTC", {})
    own = state.sensor_id(Sensor(f"{battery}/power", "kW"))
    state.placed.place(own, battery, "power", "UTC", {})
    bring_in(home.gateway.plant, state)
    names = {number: one.name for number, one in state.placed.of(battery).items()}
    assert (names[own], names[power]) == ("power", f"power ({power})")
    before = state.changes
    bring_in(home.gateway.plant, state)
    assert state.changes == before


def test_groups_processes_and_types_that_flexmeasures_lacks(hut: "Hut") -> None:
    state = hut.industry().gateway.state
    found = {name: asset for name, (_, asset) in named(state).items()}
    number = next(n for n, one in state.sensors().items() if one.name == "furnace.power")
    assert found["furnace"].flex_model == {
        "power": "6 kW", "duration": "PT3H", "process-type": "SHIFTABLE",
        "consumption": {"sensor": number},
    }  # fmt: skip
    world = hut("battery", "feeder", model={"battery": "group: {asset: feeder}"})
    tree = named(world.gateway.state)
    assert tree["battery"][1].flex_model["group"] == {"asset": tree["feeder"][0]}
    assert tree["feeder"][1].kind == "group"
    kinds = {one.name for one in world.gateway.state.asset_types.all().values()}
    assert "group" in kinds


def test_what_nobody_else_changes(home: "World") -> None:
    found = {name: asset for name, (_, asset) in named(home.gateway.state).items()}
    everywhere = {"name", "kind", "parent_id", "account_id", "defined_as"}
    assert fixed_fields(found["Home"]) == everywhere | {"latitude", "longitude", "flex_context"}
    assert fixed_fields(found["battery"]) == everywhere | {"flex_model"}
    assert fixed_fields(Asset("mine", "battery")) == frozenset()


def test_what_happens_without_being_planned_is_in_the_flex_context(hut: "Hut") -> None:
    world = hut("battery", "roof", "house", more={"roof": "control: false"})
    state = world.gateway.state
    number = {sensor.name: number for number, sensor in state.sensors().items()}
    context = named(state)["Hut"][1].flex_context
    assert context["inflexible-consumption"] == [
        {"sensor": number["roof.power"]}, {"sensor": number["house.power"]},
    ]  # fmt: skip
