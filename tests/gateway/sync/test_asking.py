from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flexedge.gateway.sync.asking import There, body_of, question, there
from flexedge.gateway.sync.verified import Body, Stock
from flexedge.store.tables.centres import Centre, Link

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

STEP, HORIZON = timedelta(minutes=5), timedelta(hours=36)
THERE = There(7, {"battery": 71, "car": 72, "heating": 73, "solar": 74}, STEP)
CENTRAL = {"battery": "planner: central", "car": "planner: central-then-local"}
BATTERY = {"battery.power": 0.0, "battery.soc": 50.0}
CAR = {"car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 2.0}


def shown(world: "World", values: Mapping[str, float | None]) -> "World":
    world.show({"grid.power": 0.0, **values})
    world.poll()
    return world


def entries(world: "World") -> Mapping[int, dict[str, Any]]:
    """What is told of each sensor."""
    asked = question(world.gateway, THERE, world.now, HORIZON)
    return {one["sensor"]: one for one in asked.body["flex-model"]}


def test_the_question_begins_with_the_step_that_has_begun(hut: "Hut") -> None:
    world = shown(hut("battery", more=CENTRAL), BATTERY)
    world.now += timedelta(seconds=100)
    world.poll()
    asked = question(world.gateway, THERE, world.now, HORIZON)
    assert asked.site == 7
    assert asked.body["start"] == "2026-04-14T10:05:00+00:00"
    assert asked.body["prior"] == "2026-04-14T10:06:40+00:00"
    assert asked.body["duration"] == "PT2160M"
    assert question(world.gateway, THERE, world.now, 3 * HORIZON).body["duration"] == "PT2880M"


def test_it_tells_what_is_stored_and_what_can_be_done(hut: "Hut") -> None:
    world = shown(hut("battery", more=CENTRAL), BATTERY)
    until = world.now + timedelta(hours=1)
    world.gateway.overrides.tighten("battery", (-2.5, None), until, "anna", "", world.now)
    assert entries(world) == {
        71: {
            "sensor": 71, "soc-at-start": "5 kWh", "soc-min": "1 kWh", "soc-max": "10 kWh",
            "consumption-capacity": "5 kW", "production-capacity": "2.5 kW",
        }
    }  # fmt: skip


def test_a_storage_outside_its_band_has_room_to_begin_with(hut: "Hut") -> None:
    told = entries(shown(hut("battery", more=CENTRAL), BATTERY | {"battery.soc": 5.0}))[71]
    assert (told["soc-at-start"], told["soc-min"]) == ("0.5 kWh", "0.5 kWh")


def test_it_tells_by_when_a_car_shall_be_ready(hut: "Hut") -> None:
    ready = 'planner: central, ready-by: [{time: "07:30", soc: 45 kWh}]'
    world = shown(hut("car", more={"car": ready}), CAR)
    told = entries(world)[72]
    assert told["soc-at-start"] == "21.8 kWh"
    assert told["soc-minima"] == [{"datetime": "2026-04-15T07:30:00+02:00", "value": "45 kWh"}]
    assert told["production-capacity"] == "0 kW"


def test_capacities_that_a_sensor_tells_stay_as_they_are_there(hut: "Hut") -> None:
    model = {"battery": "consumption-capacity: {sensor: grid.power, default: 3 kW}"}
    told = entries(shown(hut("battery", more=CENTRAL, model=model), BATTERY))[71]
    assert "consumption-capacity" not in told
    assert told["production-capacity"] == "0 kW"  # as where only one direction is given


def test_all_storages_are_told_but_schedules_wanted_of_those_alone_it_plans(hut: "Hut") -> None:
    world = shown(hut("battery", "car", more={"car": CENTRAL["car"]}), BATTERY | CAR)
    asked = question(world.gateway, THERE, world.now, HORIZON)
    assert [one["sensor"] for one in asked.body["flex-model"]] == [71, 72]
    assert [(one.sensor, one.body.asset) for one in asked.wanted] == [(72, "car")]
    assert asked.lacking == {}


@pytest.mark.parametrize(
    ("values", "soc", "why"),
    [
        ({"car.plugged": 0.0}, "21.8 kWh", ""),
        ({"car.plugged": None}, "21.8 kWh", "nobody knows whether a car is there"),
        ({"car.session-energy": None}, "0 kWh", "its state of charge is not known"),
    ],
)
def test_a_storage_nobody_knows_enough_about_does_nothing(
    hut: "Hut", values: Mapping[str, float | None], soc: str, why: str
) -> None:
    world = shown(hut("battery", "car", more=CENTRAL), {**BATTERY, **CAR, **values})
    asked = question(world.gateway, THERE, world.now, HORIZON)
    idle = {
        "sensor": 72, "soc-at-start": soc, "soc-usage": ["0 kW"],
        "consumption-capacity": "0 kW", "production-capacity": "0 kW",
    }  # fmt: skip
    assert asked.body["flex-model"][1] == idle
    assert asked.lacking == {"car": why}
    assert [one.body.asset for one in asked.wanted] == ["battery"]


def test_what_is_not_linked_is_said(hut: "Hut") -> None:
    world = shown(hut("battery", more=CENTRAL), BATTERY)
    asked = question(world.gateway, There(7, {}, STEP), world.now, HORIZON)
    assert (asked.wanted, asked.body["flex-model"]) == ((), [])
    assert asked.lacking == {
        "battery": "its power is not linked: flexedge link makes what is missing"
    }


def test_the_centres_numbers_come_from_the_links(hut: "Hut") -> None:
    world = hut("battery", "car", more=CENTRAL)
    state, now = world.gateway.state, datetime(2026, 4, 1, tzinfo=UTC)
    assert there(world.gateway, 1, STEP) is None
    for name in ("main", "other"):
        state.centres.add(Centre(name, f"https://{name}", 1, "Ours", "", now, []))
    (root,) = (n for n, one in state.assets.all().items() if one.defined_as == "")
    numbers = {sensor.name: number for number, sensor in state.sensors().items()}
    state.links.add(Link(1, "asset", root, 40))
    assert there(world.gateway, 1, STEP) == There(40, {}, STEP)
    details = {"resolution": 900.0, "unit": "kW"}
    state.links.add(Link(1, "sensor", numbers["battery.power"], 41, details=details))
    state.links.add(Link(1, "sensor", numbers["battery.power"], 42, "schedule"))
    state.links.add(Link(2, "sensor", numbers["car.power"], 43))
    found = there(world.gateway, 1, STEP)
    assert found == There(40, {"battery": 41}, timedelta(minutes=15))


def test_the_check_knows_what_the_asset_can_do(hut: "Hut") -> None:
    model = {"battery": "ramp-up-limit: 20 kW/h, storage-efficiency: 99%"}
    world = shown(hut("battery", more=CENTRAL, model=model), BATTERY)
    body = body_of(world.gateway, world.unit("battery"), world.now)
    assert body == Body(
        "battery", (-5.0, 5.0), 20.0, None, Stock(5.0, 1.0, 10.0, 0.9, 0.9, keep=0.99)
    )


def test_of_a_buffer_that_others_empty_only_the_power_is_checked(hut: "Hut") -> None:
    heat = {"heating.power": 0.0, "heating.buffer-temperature": 45.0}
    world = shown(hut("heating", more={"heating": "planner: central"}), heat)
    body = body_of(world.gateway, world.unit("heating"), world.now)
    assert body == Body("heating", (0.0, 3.0))
    fixed = hut("heating", model={"heating": "prefer-charging-sooner: false"})
    assert body_of(fixed.gateway, fixed.unit("heating"), fixed.now).stock is None
