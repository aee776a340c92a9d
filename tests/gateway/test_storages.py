from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import SocBound

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

QUARTER = timedelta(minutes=15)


def soc(world: "World", asset: str) -> float | None:
    return world.gateway.storages.soc_kwh(world.unit(asset), world.now)


def grid_from(world: "World", hours: int = 36) -> TimeGrid:
    return TimeGrid(world.now, QUARTER, hours * 4)


def minima(world: "World", asset: str, hours: int = 36) -> tuple[SocBound, ...]:
    grid = grid_from(world, hours)
    return world.gateway.storages.minima(world.unit(asset), grid, world.now)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_percents_are_percents_of_what_it_holds_at_most(hut: "Hut") -> None:
    world = hut("battery")
    world.show({"battery.soc": 35.0})
    world.poll()
    assert soc(world, "battery") == pytest.approx(3.5)


def test_a_state_of_charge_is_good_for_ten_minutes_and_then_unknown(hut: "Hut") -> None:
    world = hut("battery")
    world.show({"battery.soc": 35.0})
    world.poll()
    world.now += timedelta(minutes=10)
    assert soc(world, "battery") == pytest.approx(3.5)
    world.now += timedelta(seconds=1)
    assert soc(world, "battery") is None


def test_a_missing_state_of_charge_is_unknown_at_once(hut: "Hut") -> None:
    world = hut("battery")
    world.show({"battery.soc": None})
    world.poll()
    assert soc(world, "battery") is None


def test_a_heat_buffer_holds_kilowatt_hours_by_its_temperature(hut: "Hut") -> None:
    world = hut("heating")
    world.show({"heating.buffer-temperature": 45.0})
    world.poll()
    assert soc(world, "heating") == pytest.approx(500 * 1.163e-3 * 10)


def test_another_sensor_may_know_the_state_of_charge(hut: "Hut") -> None:
    world = hut("battery", "spare", model={"spare": "state-of-charge: {sensor: battery.soc}"})
    world.show({"battery.soc": 50.0, "spare.soc": 80.0})
    world.poll()
    assert soc(world, "spare") == pytest.approx(5.0)


def test_a_car_that_tells_nothing_holds_what_is_assumed_and_what_was_charged(hut: "Hut") -> None:
    world = hut("car")
    world.show({"car.plugged": 1.0})
    world.poll()
    assert soc(world, "car") is None
    world.show({"car.session-energy": 10.0})
    world.poll()
    assert soc(world, "car") == pytest.approx(20.0 + 0.9 * 10.0)
    world.show({"car.session-energy": 100.0})
    world.poll()
    assert soc(world, "car") == 60.0


def test_a_car_that_tells_is_believed_and_else_the_assumption_holds(hut: "Hut") -> None:
    hut.profile("go-e-charger", "soc-topic: {help:", "soc-topic: {default: car/soc, help:")
    world = hut("car")
    world.show({"car.plugged": 1.0, "car.session-energy": 0.0, "car.soc": 75.0})
    world.poll()
    assert soc(world, "car") == pytest.approx(45.0)
    world.show({"car.soc": None})
    world.poll()
    assert soc(world, "car") == pytest.approx(20.0)


@pytest.mark.parametrize(("shown", "plugged"), [(1.0, True), (0.0, False), (None, None)])
def test_whether_a_car_is_there(hut: "Hut", shown: float | None, *, plugged: bool | None) -> None:
    world = hut("car")
    world.show({"car.plugged": shown})
    world.poll()
    assert world.gateway.storages.plugged(world.unit("car"), world.now) is plugged


def test_what_comes_and_goes_makes_a_new_plan_worth_while(hut: "Hut") -> None:
    world = hut("battery", "car", "solar")
    signature = world.gateway.storages.signature
    nothing = signature(world.now)
    assert len(nothing) == 2  # who stores: battery and car
    world.show({"car.plugged": 1.0, "battery.soc": 50.0})
    world.poll()
    known = signature(world.now)
    assert known != nothing
    world.show({"battery.soc": 51.0})
    world.poll()
    assert signature(world.now) == known
    world.show({"car.plugged": 0.0})
    world.poll()
    assert signature(world.now) != known


def test_a_car_shall_be_ready_by_the_first_moment_and_is_gone_then(hut: "Hut") -> None:
    ready = 'ready-by: [{time: "07:30", soc: 45 kWh}, {time: "18:00", soc: 30 kWh}]'
    world = hut("car", more={"car": ready})
    assert minima(world, "car") == (SocBound(at("2026-04-14T18:00+02:00"), 30.0),)
    world.now = at("2026-04-14T18:00+02:00")
    assert minima(world, "car") == (SocBound(at("2026-04-15T07:30+02:00"), 45.0),)


def test_a_car_without_a_moment_shall_be_full_at_the_end(hut: "Hut") -> None:
    world = hut("car")
    assert minima(world, "car") == (SocBound(grid_from(world).end, 60.0),)


def test_moments_come_on_their_weekdays_only(hut: "Hut") -> None:
    ready = 'ready-by: [{time: "07:30", soc: 45 kWh, days: [mon, sat]}]'
    world = hut("car", more={"car": ready})  # on a Tuesday
    assert minima(world, "car") == (SocBound(grid_from(world).end, 60.0),)
    assert minima(world, "car", 120) == (SocBound(at("2026-04-18T07:30+02:00"), 45.0),)
    world.now = at("2026-04-18T08:00+02:00")
    assert minima(world, "car", 72) == (SocBound(at("2026-04-20T07:30+02:00"), 45.0),)


def test_a_storage_that_stays_keeps_every_moment(hut: "Hut") -> None:
    ready = 'ready-by: [{time: "06:00", soc: 5 kWh}, {time: "20:00", soc: 2 kWh}]'
    world = hut("battery", more={"battery": ready})
    assert minima(world, "battery", 48) == (
        SocBound(at("2026-04-14T20:00+02:00"), 2.0),
        SocBound(at("2026-04-15T06:00+02:00"), 5.0),
        SocBound(at("2026-04-15T20:00+02:00"), 2.0),
        SocBound(at("2026-04-16T06:00+02:00"), 5.0),
    )
    plain = hut("battery")
    assert minima(plain, "battery") == ()


@pytest.mark.parametrize(
    ("now", "ready"),
    [
        ("2026-03-28T20:00+01:00", "2026-03-29T07:30+02:00"),  # clocks go forward in between
        ("2026-10-24T20:00+02:00", "2026-10-25T07:30+01:00"),  # and back
    ],
)
def test_moments_are_local_also_when_clocks_change(hut: "Hut", now: str, ready: str) -> None:
    world = hut("car", more={"car": 'ready-by: [{time: "07:30", soc: 45 kWh}]'})
    world.now = at(now)
    assert minima(world, "car") == (SocBound(at(ready), 45.0),)
