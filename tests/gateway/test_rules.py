from datetime import timedelta
from typing import TYPE_CHECKING

from flexedge.gateway.derive import WINDOW
from flexedge.gateway.rules import STEP, rules_of
from flexedge.store.events import Rule
from tests.gateway.conftest import PRICES

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut

QUICK = timedelta(seconds=20)
MINUTE = timedelta(minutes=1)


def test_units_say_how_readings_become_values(hut: "Hut") -> None:
    world = hut.home()
    plant = world.gateway.plant
    rules = rules_of(plant)
    assert set(rules) == set(plant.sensors) - set(plant.site.prices) - {"solar.available"}
    assert rules["solar.dispatched"] == Rule("mean", STEP, QUICK)
    assert rules["grid.power"] == Rule("mean", STEP, QUICK)
    assert rules["grid.voltage-l1"] == Rule("mean", STEP, QUICK)
    assert rules["grid.energy-import"] == Rule("counter", STEP, MINUTE)
    assert rules["battery.soc"] == Rule("state", STEP, QUICK)
    assert rules["car.plugged"] == Rule("state", STEP, QUICK)
    assert rules["heating.buffer-temperature"].method == "state"
    assert rules["heating.cop"] == Rule("state", STEP, MINUTE)


def test_a_counter_turns_over_where_its_profile_says_so(hut: "Hut") -> None:
    last = "energy-import: {table: input, address: 72, type: float32, unit: kWh"
    hut.profile("eastron-sdm630", last, f"{last}, turns-at: 100000")
    gateway = hut.home().gateway
    rules = rules_of(gateway.plant)
    assert rules["grid.energy-import"] == Rule("counter", STEP, MINUTE, 100_000.0)
    assert rules["grid.energy-export"] == Rule("counter", STEP, MINUTE)
    assert gateway.beliefs.sensor("grid.energy-import").turns_at == 100_000.0
    assert gateway.beliefs.sensor("grid.energy-export").turns_at is None


def test_what_is_derived_comes_at_the_pace_of_what_it_is_derived_from(hut: "Hut") -> None:
    world = hut("heating", "house")
    rules = rules_of(world.gateway.plant)
    assert rules["house.power"] == Rule("mean", STEP, QUICK)
    temperature = world.gateway.plant.every["heating.buffer-temperature"]
    assert rules["heating.soc"] == Rule("state", STEP, max(temperature, QUICK))  # kWh, no meter
    assert rules["heating.heat-demand"] == Rule("mean", WINDOW, WINDOW)
    assert rules["heating.heat-demand"].part == WINDOW


def test_nobody_reads_what_comes_from_a_centre(hut: "Hut") -> None:
    received = "{main: {receive: {grid-limit: {sensor: 7, unit: kW}}}}"
    plant = hut("battery", prices=f"{PRICES}\ncentres: {received}").gateway.plant
    assert "grid-limit" in plant.sensors
    assert "grid-limit" not in rules_of(plant)
