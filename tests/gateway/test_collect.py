import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.belief import Quality, Reading
from flexedge.domain.schedule import Applied, Outcome, Unreachable
from flexedge.drivers.driver import Sample
from flexedge.errors import DeviceUnreachable

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World


@pytest.fixture
def world(hut: "Hut") -> "World":
    return hut("battery", "house")


def test_what_a_device_shows_is_named_dated_kept_and_counted(world: "World") -> None:
    collector, now = world.gateway.collector, world.now
    collector.read(
        "hybrid",
        [
            Sample("battery.soc", 55.0),
            Sample("battery.power", -99.0, Quality.IMPLAUSIBLE),
            Sample("no.such-point", 1.0),
        ],
        {},
        now,
    )
    soc = world.gateway.latest.get("battery.soc")
    assert soc is not None
    assert (soc.value, soc.quality, soc.event_start) == (55.0, Quality.GOOD, now)
    power = world.gateway.latest.get("battery.power")
    assert power is not None
    assert (power.value, power.usable) == (-99.0, False)
    assert world.gateway.health.device("hybrid").polls == 1
    assert world.gateway.beliefs.flush() == 2
    rows = world.gateway.beliefs.between("battery.soc", now, now + timedelta(seconds=1))
    assert [(row.event_start, row.value) for row in rows] == [(now, 55.0)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_missing_whatever_a_plug_in_says(world: "World", value: float) -> None:
    world.show({"grid.power": value, "battery.soc": 50.0, "battery.power": 0.0})
    world.poll()
    grid = world.gateway.latest.get("grid.power")
    assert grid is not None
    assert (grid.value, grid.quality) == (None, Quality.MISSING)
    house = world.gateway.latest.get("house.power")
    assert house is not None
    assert (house.value, house.quality) == (None, Quality.MISSING)


def test_computed_sensors_are_kept_as_well(world: "World") -> None:
    world.show({"battery.power": 1.0, "grid.power": 3.0})
    world.poll()
    house = world.gateway.latest.get("house.power")
    assert house is not None
    assert (house.value, house.quality) == (2.0, Quality.DERIVED)
    world.gateway.beliefs.flush()
    rows = world.gateway.beliefs.between("house.power", world.now, world.now + timedelta(hours=1))
    assert [row.value for row in rows] == [2.0]


def test_a_device_that_does_not_answer_is_told_by_its_error(world: "World") -> None:
    world.gateway.collector.failed("hybrid", DeviceUnreachable("hybrid", "no answer"), world.now)
    health = world.gateway.health.device("hybrid")
    assert (health.failures, health.error) == (1, "no answer")


def test_what_concerns_dispatch_is_handed_on(world: "World") -> None:
    wrote: list[tuple[str, str, Outcome]] = []
    shown: list[tuple[str, dict[str, float]]] = []
    collector = world.gateway.collector
    collector.on_wrote = lambda device, control, outcome, _now: wrote.append(
        (device, control, outcome)
    )
    collector.on_shown = lambda device, powers, _now: shown.append((device, dict(powers)))
    collector.wrote("hybrid", "battery.power", Applied(1.0), world.now)
    collector.read("hybrid", [], {"battery.power": 1.0}, world.now)
    collector.read("hybrid", [], {}, world.now)
    assert wrote == [("hybrid", "battery.power", Applied(1.0))]
    assert shown == [("hybrid", {"battery.power": 1.0})]


def test_the_stores_loop_comes_every_five_seconds_and_says_that_it_lives(world: "World") -> None:
    assert world.gateway.collector.flush(world.now) == world.now + timedelta(seconds=5)
    later = world.now + timedelta(minutes=2)
    assert world.gateway.health.silent(later, timedelta(minutes=1)) == ("store",)
    assert world.alarms == {}


def test_a_store_that_does_not_write_is_an_alarm_and_loses_nothing(
    world: "World",
) -> None:
    world.show({"grid.power": 3.0})
    world.poll()
    world.refuse_writes()
    world.gateway.collector.flush(world.now)
    assert "readings cannot be written to disk" in world.alarms["store"]
    world.take_writes()
    world.gateway.collector.flush(world.now)
    assert world.alarms == {}
    rows = world.gateway.beliefs.between("grid.power", world.now, world.now + timedelta(hours=1))
    assert len(rows) == 1


def test_lost_readings_are_told(world: "World") -> None:
    world.gateway.beliefs.dropped = 3
    world.gateway.collector.flush(world.now)
    assert world.alarms["store"] == "3 readings were lost"


def test_a_write_that_finds_nobody_shows_in_health_once(world: "World") -> None:
    collector, health = world.gateway.collector, world.gateway.health
    collector.read("hybrid", [Sample("battery.soc", 55.0)], {}, world.now)
    for _ in range(3):
        collector.wrote("hybrid", "battery.power", Unreachable("no answer"), world.now)
    assert health.device("hybrid").state(world.now) == "stale"
    assert (health.device("hybrid").error, health.device("hybrid").failures) == ("no answer", 1)
    collector.wrote("hybrid", "battery.power", Applied(1.0), world.now)
    collector.read("hybrid", [Sample("battery.soc", 55.0)], {}, world.now)
    assert health.device("hybrid").state(world.now) == "ok"


def test_what_the_gateway_says_itself_is_kept_as_what_devices_say(world: "World") -> None:
    collector, said = world.gateway.collector, Reading("battery.dispatched", world.now, 2.0)
    kept: list[Reading] = []
    collector.on_kept = kept.extend
    collector.note([said])
    assert kept == [said]
    assert world.gateway.latest.get("battery.dispatched") == said
    assert world.gateway.beliefs.flush() == 1
