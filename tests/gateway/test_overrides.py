import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.schedule import Applied, Clamped, Refused
from flexedge.drivers.line import Release, Write
from flexedge.errors import RequestError, StoreError
from flexedge.gateway.asked import Action, Override
from flexedge.gateway.overrides import MOST_LIMITS

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

BATTERY = {"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0}
CAR = {"grid.power": 1.0, "car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 0.0}
SUN = {"grid.power": -4.0, "solar.power": -5.0}
HOUR = timedelta(hours=1)


@pytest.fixture
def battery(hut: "Hut") -> "World":
    world = hut("battery")
    world.show(BATTERY)
    return world


def ask(
    world: "World", asset: str, action: Action, power: float | None = None,
    last: timedelta = HOUR,
) -> Override:  # fmt: skip
    until = world.now + last
    return world.gateway.overrides.ask((asset, action, power), until, "anna", "", world.now)[0]


def limit(
    world: "World", asset: str | None, low: float | None, high: float | None,
    last: timedelta = HOUR,
) -> int:  # fmt: skip
    until = world.now + last
    made = world.gateway.overrides.tighten(asset, (low, high), until, "grid", "", world.now)
    return made.number


@contextlib.contextmanager
def no_facts(hut: "Hut") -> Iterator[None]:
    """The state takes no notes."""
    with contextlib.closing(sqlite3.connect(hut.folder / "data" / "state.db")) as other:
        other.execute("alter table facts rename to gone")
        try:
            yield
        finally:
            other.execute("alter table gone rename to facts")


def test_an_override_is_written_instead_of_what_is_planned_and_read_back(battery: "World") -> None:
    assert battery.tick() == [Write("hybrid", "battery.power", -2.0)]
    ask(battery, "battery", "charge", 3.0)
    assert battery.tick() == [Write("hybrid", "battery.power", 3.0)]
    battery.tick()
    held = battery.held("battery")
    assert held.outcome == Applied(3.0, verified=True)
    assert held.setpoint is not None
    assert held.setpoint.reason.startswith("override by anna: charge with 3 kW until 14 Apr 13:05")


def test_it_stands_above_a_plan_and_the_plan_comes_back_when_it_ends(battery: "World") -> None:
    battery.plan()
    battery.tick()
    planned = battery.setpoint("battery")
    ask(battery, "battery", "discharge", 1.5, timedelta(seconds=10))
    battery.ticks(2)
    assert battery.setpoint("battery") == -1.5
    battery.ticks(10)
    assert battery.setpoint("battery") == planned
    assert battery.gateway.overrides.overrides(battery.now) == ()


def test_it_ends_when_it_is_taken_back(battery: "World") -> None:
    override = ask(battery, "battery", "idle")
    battery.tick()
    assert battery.setpoint("battery") == 0.0
    assert battery.gateway.overrides.end(override.number, battery.now) == override
    battery.tick()
    assert battery.setpoint("battery") == -2.0
    assert battery.gateway.overrides.end(override.number, battery.now) is None


def test_released_by_hand_a_device_is_left_to_itself(battery: "World") -> None:
    battery.tick()
    ask(battery, "battery", "release")
    (request,) = battery.tick()
    assert isinstance(request, Release)
    battery.ticks(20)
    assert battery.setpoint("battery") is None
    assert battery.gateway.state.held() == {}


def test_without_its_plan_an_asset_follows_the_local_rule(battery: "World") -> None:
    battery.plan()
    ask(battery, "battery", "no-plan")
    battery.tick()
    assert battery.rung() == "fresh-plan"
    assert battery.setpoint("battery") == -2.0
    battery.away.add("meter")
    battery.tick(10.0)
    assert battery.setpoint("battery") is None


@pytest.mark.parametrize(("soc", "action"), [(10.0, "discharge"), (100.0, "charge")])
def test_nothing_comes_out_of_an_empty_battery_nor_goes_into_a_full_one(
    battery: "World", soc: float, action: Action
) -> None:
    battery.show({"battery.soc": soc})
    ask(battery, "battery", action, 2.0)
    battery.tick()
    assert battery.setpoint("battery") == 0.0
    assert "state of charge" in battery.held("battery").by


def test_nothing_goes_into_a_hot_buffer(hut: "Hut") -> None:
    world = hut("heating")
    world.show({"grid.power": 1.0, "heating.power": 0.0, "heating.buffer-temperature": 45.0})
    ask(world, "heating", "consume", 2.0)
    world.tick()
    assert world.setpoint("heating") == 2.0
    world.show({"heating.buffer-temperature": 60.0})
    world.tick()
    assert world.setpoint("heating") == 0.0
    assert world.held("heating").by == ("state of charge",)


def test_a_battery_of_which_nobody_knows_what_it_holds_is_given_back(battery: "World") -> None:
    ask(battery, "battery", "charge", 2.0)
    battery.tick()
    battery.show({"battery.soc": None})
    battery.tick()
    assert battery.setpoint("battery") is None
    assert "nobody knows whether it can" in battery.releases("battery")[0]


def test_a_car_that_leaves_is_given_back(hut: "Hut") -> None:
    world = hut("car")
    world.show(CAR)
    ask(world, "car", "charge", 6.0)
    world.tick()
    assert world.setpoint("car") == 6.0
    world.show({"car.plugged": 0.0})
    world.tick()
    assert world.setpoint("car") is None


def test_ramp_and_installer_have_their_say(hut: "Hut") -> None:
    world = hut("battery", more={"battery": "limits: {range: [-3 kW, 3 kW], ramp: 500 W}"})
    world.show(BATTERY)
    world.tick()
    with pytest.raises(RequestError):
        ask(world, "battery", "charge", 4.0)
    ask(world, "battery", "charge", 3.0)
    world.tick()
    assert world.setpoint("battery") == -1.5
    assert world.held("battery").by == ("ramp",)
    world.ticks(10)
    assert world.setpoint("battery") == 3.0


def test_the_site_limit_cuts_it(hut: "Hut") -> None:
    world = hut("battery", context="site-consumption-capacity: 5 kW")
    world.show(BATTERY | {"grid.power": 3.0})
    ask(world, "battery", "charge", 4.0)
    world.tick()
    assert world.setpoint("battery") == pytest.approx(1.5)  # 5 kW less 0.5 kW margin less 3 kW
    assert "site limit" in world.held("battery").by


def test_the_site_limit_cuts_it_to_nothing_but_never_turns_it_round(hut: "Hut") -> None:
    world = hut("battery", context="site-consumption-capacity: 5 kW")
    world.show(BATTERY | {"grid.power": 9.0})
    for action, power in (("charge", 4.0), ("idle", None)):
        ask(world, "battery", action, power)  # type: ignore[arg-type]
        world.tick()
        assert world.setpoint("battery") == 0.0


def test_without_a_meter_it_does_not_push_the_connection_towards_its_limit(hut: "Hut") -> None:
    world = hut("battery", context="site-consumption-capacity: 5 kW")
    world.show(BATTERY)
    ask(world, "battery", "charge", 4.0)
    world.away.add("meter")
    world.tick(10.0)
    assert world.setpoint("battery") == 0.0
    assert "no grid meter" in world.held("battery").by


def test_a_device_that_does_not_obey_is_left_alone(battery: "World") -> None:
    ask(battery, "battery", "charge", 2.0, 10 * HOUR)
    battery.shows["hybrid"] = {"battery.power": 0.0}
    battery.ticks(200)
    assert isinstance(battery.held("battery").outcome, Refused)
    assert battery.setpoint("battery") is None


def test_the_newest_wins(battery: "World") -> None:
    first = ask(battery, "battery", "charge", 2.0)
    until = battery.now + timedelta(seconds=10)
    second, before = battery.gateway.overrides.ask(
        ("battery", "discharge", 1.0), until, "bert", "", battery.now
    )
    assert before == first
    assert battery.gateway.overrides.overrides(battery.now) == (second,)
    assert second.number > first.number
    battery.tick(20.0)
    assert battery.setpoint("battery") == -2.0  # and not what the first one asked


def test_another_battery_does_what_an_overridden_one_does_not(hut: "Hut") -> None:
    world = hut("battery", "spare")
    world.show(BATTERY | {"grid.power": 0.0, "spare.power": 0.0, "spare.soc": 50.0})
    world.plan()
    world.show({"grid.power": 4.0})
    ask(world, "battery", "idle")
    world.tick()
    assert world.setpoint("battery") == 0.0
    assert world.setpoint("spare") == pytest.approx(-4.0)


@pytest.mark.parametrize(("last", "setpoint"), [(HOUR, 3.0), (timedelta(minutes=1), -2.0)])
def test_a_restart_resumes_what_has_not_ended_after_giving_all_back(
    hut: "Hut", last: timedelta, setpoint: float
) -> None:
    world = hut("battery")
    world.show(BATTERY)
    ask(world, "battery", "charge", 3.0, last)
    world.tick()
    then = world.now
    again = hut.again()
    again.now = then + timedelta(minutes=5)
    again.show(BATTERY)
    again.dispatcher.begin(again.now)
    assert again.requests == [Release("hybrid", "battery.power", "left behind by the last run")]
    again.answer(again.requests[0])
    again.ticks(2)
    assert again.setpoint("battery") == setpoint


def test_what_cannot_be_read_is_not_in_force_and_said(hut: "Hut") -> None:
    world = hut("battery")
    ask(world, "battery", "charge", 3.0)
    world.gateway.state.remember("gateway.overrides", '{"overrides": [{"number": 1}]}')
    again = hut.again()
    assert again.gateway.overrides.overrides(again.now) == ()
    assert "cannot be read" in again.alarms["overrides"]


def test_without_a_trusted_clock_it_waits_and_the_rule_holds(battery: "World") -> None:
    ask(battery, "battery", "charge", 3.0)
    battery.gateway.health.time_known = False
    battery.tick()
    assert battery.setpoint("battery") == -2.0
    assert len(battery.gateway.overrides.overrides(battery.now)) == 1
    with pytest.raises(RequestError):
        ask(battery, "battery", "charge", 3.0)
    battery.gateway.health.time_known = True
    battery.tick()
    assert battery.setpoint("battery") == 3.0


def test_a_clock_that_is_set_back_ends_it(battery: "World") -> None:
    ask(battery, "battery", "charge", 3.0)
    battery.tick()
    battery.now -= HOUR
    assert battery.gateway.overrides.of("battery", battery.now) is None
    battery.tick()
    assert battery.setpoint("battery") != 3.0
    assert battery.gateway.overrides.overrides(battery.now) == ()


def test_nothing_is_in_force_that_is_not_on_disk(hut: "Hut", battery: "World") -> None:
    with no_facts(hut), pytest.raises(StoreError):
        ask(battery, "battery", "charge", 3.0)
    battery.tick()
    assert battery.setpoint("battery") == -2.0


def test_what_is_taken_back_is_out_of_force_whatever_the_disk_says(
    hut: "Hut", battery: "World"
) -> None:
    override = ask(battery, "battery", "charge", 3.0)
    battery.tick()
    with no_facts(hut):
        battery.gateway.overrides.end(override.number, battery.now)
        battery.tick()
    assert battery.setpoint("battery") == -2.0
    assert "still noted" in battery.alarms["overrides"]
    battery.tick(61.0)
    assert "overrides" not in battery.alarms


def test_a_limit_on_an_asset_only_tightens_and_ends(battery: "World") -> None:
    battery.show({"grid.power": 9.0})
    limit(battery, "battery", -1.0, None, timedelta(seconds=30))
    battery.tick()
    assert battery.setpoint("battery") == -1.0
    battery.ticks(30)
    assert battery.setpoint("battery") == -5.0
    with pytest.raises(RequestError) as error:
        limit(battery, "battery", -6.0, None)
    assert error.value.message.startswith("battery is limited to -5 to 5 kW already")


def test_a_limit_cuts_what_the_plan_and_people_want(battery: "World") -> None:
    ask(battery, "battery", "charge", 4.0)
    limit(battery, "battery", None, 1.0)
    battery.tick()
    assert battery.setpoint("battery") == 1.0
    outcome = battery.held("battery").outcome
    assert isinstance(outcome, Clamped)
    assert outcome.by == ("temporary limit",)


def test_the_sun_is_told_its_limit_although_it_would_be_left_to_itself(hut: "Hut") -> None:
    world = hut("solar")
    world.show(SUN)
    number = limit(world, "solar", -2.0, None)
    world.tick()
    assert world.setpoint("solar") == -2.0
    world.gateway.overrides.end(number, world.now)
    world.tick()
    assert world.setpoint("solar") is None


def test_a_limit_on_the_connection_is_kept_by_the_guard(hut: "Hut") -> None:
    world = hut("car", context="site-consumption-capacity: 10 kW")
    world.show(CAR)
    world.tick()
    assert world.setpoint("car") == pytest.approx(8.5)
    limit(world, None, None, 6.0)
    world.tick(11.0)
    assert world.setpoint("car") == pytest.approx(4.5)
    limit(world, None, None, 20.0)  # never wider than what holds
    world.tick(11.0)
    assert world.setpoint("car") == pytest.approx(4.5)


def test_a_limit_stays_while_nobody_knows_what_time_it_is(battery: "World") -> None:
    battery.show({"grid.power": 9.0})
    limit(battery, "battery", -1.0, None)
    battery.gateway.health.time_known = False
    battery.now += 10 * HOUR
    battery.tick()
    assert battery.setpoint("battery") == -1.0


def test_limits_are_numbered_with_overrides_and_not_without_end(battery: "World") -> None:
    override = ask(battery, "battery", "idle")
    assert limit(battery, None, 0.0, None) == override.number + 1
    for _ in range(MOST_LIMITS - 1):
        limit(battery, None, 0.0, None)
    with pytest.raises(RequestError) as error:
        limit(battery, None, 0.0, None)
    assert error.value.status == 409
    with pytest.raises(RequestError) as error:
        limit(battery, "battery", None, None)
    assert error.value.status == 422


def test_a_limit_is_loosened_only_when_that_is_on_disk(hut: "Hut", battery: "World") -> None:
    number = limit(battery, "battery", -1.0, None)
    with no_facts(hut), pytest.raises(StoreError):
        battery.gateway.overrides.end(number, battery.now)
    assert len(battery.gateway.overrides.limits(battery.now)) == 1


def test_the_page_says_who_overrides(battery: "World") -> None:
    ask(battery, "battery", "charge", 3.0)
    asset = battery.window().status().assets[0]
    assert asset.override is not None
    assert (asset.override.action, asset.override.who) == ("charge", "anna")
    assert asset.why.startswith("There is an override by anna: charge with 3 kW")
