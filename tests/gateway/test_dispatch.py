import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.schedule import Applied, Clamped, Refused, Released, Unreachable
from flexedge.drivers.line import Release, Write

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

BATTERY = {"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0}
CAR = {"grid.power": 1.0, "car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 0.0}
LIMIT = "site-consumption-capacity: 10 kW"


@pytest.fixture
def battery(hut: "Hut") -> "World":
    """Without a plan the local rule holds: the battery brings the grid to zero."""
    world = hut("battery")
    world.show(BATTERY)
    return world


@pytest.fixture
def car(hut: "Hut") -> "World":
    """Without a plan a car charges with all that the site's limit leaves: 9.5 kW."""
    world = hut("car", context=LIMIT)
    world.show(CAR)
    return world


def test_a_target_is_written_shown_and_then_counts_as_verified(battery: "World") -> None:
    assert battery.tick() == [Write("hybrid", "battery.power", -2.0)]
    assert battery.held("battery").outcome == Applied(-2.0)
    assert battery.tick() == []
    assert battery.held("battery").outcome == Applied(-2.0, verified=True)
    counts = battery.gateway.health.counts
    assert (counts.written, counts.verified, counts.clamped, counts.refused) == (1, 1, 0, 0)


def test_what_was_written_ends_by_itself_at_the_devices_timeout(battery: "World") -> None:
    battery.tick()
    setpoint = battery.held("battery").setpoint
    assert setpoint is not None
    assert setpoint.until == battery.now + timedelta(seconds=60)
    assert setpoint.reason == "no plan: the local rule holds"


def test_a_control_point_is_noted_before_it_is_taken_and_after_it_is_given_back(
    battery: "World",
) -> None:
    noted: list[dict[str, object]] = []
    battery.dispatcher.submit = lambda _one: noted.append(dict(battery.gateway.state.held()))
    battery.tick()
    assert list(noted[0]) == ["hybrid.battery.power"]
    battery.dispatcher.end(battery.now)
    assert list(battery.gateway.state.held()) == ["hybrid.battery.power"]
    battery.answer(Release("hybrid", "battery.power", "end"))
    assert battery.gateway.state.held() == {}


def test_the_same_is_written_again_only_to_refresh_it(battery: "World") -> None:
    battery.tick()
    battery.ticks(14)
    assert battery.writes("battery") == [-2.0]
    battery.tick()
    assert battery.writes("battery") == [-2.0, -2.0]
    battery.ticks(15)
    assert len(battery.writes("battery")) == 3


def test_changes_within_the_dead_band_are_not_written(battery: "World") -> None:
    battery.tick()
    battery.show({"grid.power": 2.04})
    assert battery.tick() == []
    battery.show({"grid.power": 2.06})
    assert battery.tick() == [Write("hybrid", "battery.power", -2.06)]


def test_nothing_is_written_to_what_is_only_watched(hut: "Hut") -> None:
    world = hut("battery", more={"battery": "control: false"})
    world.show(BATTERY)
    world.ticks(20)
    assert world.requests == []
    assert world.dispatcher.released.is_set()


def test_profile_and_installer_have_their_say_in_that_order(hut: "Hut") -> None:
    hut.profile("foxess-h3", "refresh: 15s", "refresh: 15s\n    range: [-3 kW, 3 kW]")
    world = hut("battery", more={"battery": "limits: {range: [-2 kW, 2 kW]}"})
    world.show(BATTERY)
    planned = world.plan().schedules["battery"].power_kw.at(world.now)
    assert planned == 0.0
    world.show({"grid.power": 30.0, "battery.soc": 90.0})
    assert world.tick() == [Write("hybrid", "battery.power", -2.0)]
    outcome = world.held("battery").outcome
    assert isinstance(outcome, Clamped)
    assert (outcome.power_kw, outcome.by) == (-2.0, ("profile", "installer"))
    assert outcome.wanted_kw == pytest.approx(-30.0)
    assert world.gateway.health.counts.clamped == 1


@pytest.mark.parametrize(("soc", "grid_kw"), [(10.0, 4.0), (100.0, -4.0)])
def test_nothing_comes_out_of_an_empty_battery_nor_goes_into_a_full_one(
    hut: "Hut", soc: float, grid_kw: float
) -> None:
    world = hut("battery", prices="{import: {fixed: 0.2 EUR/kWh}, feed-in: {fixed: -0.1 EUR/kWh}}")
    world.show(BATTERY | {"grid.power": 0.0})
    world.plan()
    world.show({"battery.soc": soc, "grid.power": grid_kw})
    world.tick()
    assert world.setpoint("battery") == 0.0
    assert world.held("battery").by == ("state of charge",)


def test_a_battery_of_which_nobody_knows_what_it_holds_is_given_back(hut: "Hut") -> None:
    world = hut("battery", context="inflexible-consumption: [{sensor: grid.power}]")
    world.show(BATTERY)
    world.plan()
    world.tick()
    assert world.setpoint("battery") is not None
    world.show({"battery.soc": None})
    world.tick()
    assert world.releases("battery") == ["not in the plan: left to itself"]


def test_a_car_that_could_give_power_does_nothing_while_nobody_knows_what_it_holds(
    hut: "Hut",
) -> None:
    world = hut("van")
    world.show({"grid.power": 0.0, "van.power": 0.0, "van.plugged": 1.0})
    world.tick()
    assert world.setpoint("van") == 0.0
    assert world.held("van").by == ("unknown state of charge",)


def test_the_installers_ramp_is_kept(hut: "Hut") -> None:
    world = hut("battery", more={"battery": "limits: {ramp: 500 W}"})
    world.show(BATTERY)
    world.tick()
    world.show({"grid.power": 5.0})
    assert world.tick() == [Write("hybrid", "battery.power", -2.5)]
    assert world.tick() == [Write("hybrid", "battery.power", -3.0)]
    assert world.held("battery").by == ("ramp",)
    world.ticks(4)
    assert world.writes("battery") == [-2.0, -2.5, -3.0, -3.5, -4.0, -4.5, -5.0]
    assert world.held("battery").by == ()


def test_a_charger_is_raised_no_more_often_than_every_ten_seconds(car: "World") -> None:
    car.tick()
    assert car.setpoint("car") == 8.5
    car.show({"grid.power": 3.0})
    car.tick()
    assert car.setpoint("car") == 6.5  # at once
    car.show({"grid.power": 1.0})
    car.ticks(9)
    assert car.setpoint("car") == 6.5
    car.tick()
    assert car.setpoint("car") == 8.5


def test_what_was_switched_off_stays_off_for_the_dwell(hut: "Hut") -> None:
    world = hut("car", context=LIMIT, more={"car": "limits: {dwell: 2 min}"})
    world.show(CAR)
    world.tick()
    world.show({"grid.power": 9.0})
    world.tick()
    assert world.setpoint("car") == 0.0
    world.show({"grid.power": 1.0})
    world.ticks(119)
    assert world.setpoint("car") == 0.0
    world.tick()
    assert world.setpoint("car") == 8.5


def test_memory_that_wears_out_is_changed_only_so_often_but_always_towards_zero(
    hut: "Hut",
) -> None:
    hut.profile("foxess-h3", "wear: volatile", "wear: nonvolatile\n    writes-per-day: 3")
    world = hut("battery")
    world.show(BATTERY)
    for grid_kw in (1.0, 2.0, 3.0, 4.0, 5.0):
        world.show({"grid.power": grid_kw})
        world.ticks(30)  # refreshing changes nothing and is not counted
    assert sorted(set(world.writes("battery"))) == [-3.0, -2.0, -1.0]
    world.show({"grid.power": 0.5})
    world.tick()
    assert world.setpoint("battery") == -0.5
    world.now += timedelta(days=1)
    world.show({"grid.power": 4.0})
    world.tick()
    assert world.setpoint("battery") == -4.0


def test_one_late_read_back_is_forgiven(battery: "World") -> None:
    battery.shows["hybrid"] = {}
    battery.ticks(9)
    assert battery.held("battery").strikes == 1
    battery.shows.clear()
    battery.tick()
    assert battery.held("battery").strikes == 0
    assert battery.releases("battery") == []


def test_a_read_back_from_before_the_write_proves_nothing(battery: "World") -> None:
    battery.poll()
    battery.dispatcher.step(battery.now)  # told, but the line has not said that it wrote
    shown, later = {"battery.power": -2.0}, battery.now + timedelta(seconds=1)
    battery.dispatcher.shown("hybrid", shown, later)
    assert not battery.held("battery").verified
    battery.dispatcher.wrote("hybrid", "battery.power", Applied(-2.0), later)
    battery.dispatcher.shown("hybrid", shown, later)
    assert battery.held("battery").verified


@pytest.mark.parametrize(("shown_kw", "verified"), [(-2.05, True), (-2.06, False), (2.0, False)])
def test_the_read_back_may_be_off_by_the_profiles_tolerance(
    battery: "World", shown_kw: float, *, verified: bool
) -> None:
    battery.tick()
    later = battery.now + timedelta(seconds=1)
    battery.dispatcher.shown("hybrid", {"battery.power": shown_kw, "unknown": 1.0}, later)
    assert battery.held("battery").verified is verified


def test_refusals_count_as_strikes(battery: "World") -> None:
    battery.wires["hybrid"] = lambda one: (
        Refused("illegal value") if isinstance(one, Write) else Released(one.why)
    )
    battery.tick()
    assert battery.held("battery").outcome == Refused("illegal value")
    battery.ticks(4)
    assert battery.writes("battery") == [-2.0]
    battery.ticks(6)
    assert battery.writes("battery") == [-2.0] * 3  # every five seconds
    assert battery.releases("battery") == ["illegal value"]
    assert battery.gateway.health.counts.refused == 3


def test_an_unreachable_device_is_tried_again_and_never_struck(battery: "World") -> None:
    battery.wires["hybrid"] = lambda _one: Unreachable("no answer")
    battery.ticks(61)
    assert len(battery.writes("battery")) == 13
    assert battery.held("battery").outcome == Unreachable("no answer")
    assert battery.held("battery").strikes == 0
    assert battery.gateway.health.counts.written == 0
    del battery.wires["hybrid"]
    battery.ticks(7)
    assert battery.held("battery").outcome == Applied(-2.0, verified=True)


def test_without_a_grid_meter_and_a_plan_everything_is_given_back(battery: "World") -> None:
    battery.tick()
    assert battery.rung() == "local-rule"
    battery.away.add("meter")
    battery.ticks(5)
    assert battery.releases("battery") == []
    battery.tick()
    assert battery.releases("battery") == ["no plan and no grid meter: left to itself"]
    assert battery.rung() == "released"
    assert battery.gateway.state.held() == {}
    assert battery.held("battery").outcome == Released("no plan and no grid meter: left to itself")


def test_at_the_end_everything_is_released_and_nothing_is_written_any_more(
    battery: "World",
) -> None:
    battery.tick()
    assert not battery.dispatcher.released.is_set()
    battery.dispatcher.end(battery.now)
    assert not battery.dispatcher.released.is_set()
    assert battery.requests[-1] == Release("hybrid", "battery.power", "flexedge stops")
    battery.answer(battery.requests[-1])
    assert battery.dispatcher.released.is_set()
    battery.show({"grid.power": 5.0})
    battery.ticks(20)
    assert battery.writes("battery") == [-2.0]


def test_what_a_crash_left_behind_is_given_back_first(hut: "Hut") -> None:
    world = hut("battery", "car")
    world.show(BATTERY | CAR)
    world.tick()
    assert len(world.gateway.state.held()) == 2
    again = hut.again()
    again.dispatcher.begin(again.now)
    assert sorted(again.requests, key=lambda one: one.device) == [
        Release("charger", "ev.power", "left behind by the last run"),
        Release("hybrid", "battery.power", "left behind by the last run"),
    ]
    again.show(BATTERY | CAR)
    again.ticks(3)
    assert again.writes("battery") == []
    for request in again.requests:
        again.answer(request)
    assert again.gateway.state.held() == {}
    again.tick()
    assert again.writes("battery") == [-1.0]


def test_a_control_point_that_is_no_longer_configured_is_named(hut: "Hut") -> None:
    world = hut("battery", "car")
    world.gateway.state.hold("gone.battery.power", world.now)
    world.dispatcher.begin(world.now)
    assert world.requests == []
    assert world.alarms["held gone.battery.power"] == (
        "gone.battery.power was controlled before and is no longer configured"
    )


def test_what_a_crash_left_of_an_asset_that_is_now_only_watched_is_released(hut: "Hut") -> None:
    world = hut("battery", "car", more={"battery": "control: false"})
    world.gateway.state.hold("hybrid.battery.power", world.now)
    world.dispatcher.begin(world.now)
    assert "held hybrid.battery.power" in world.alarms
    (request,) = world.requests
    assert isinstance(request, Release)
    assert (request.device, request.control) == ("hybrid", "battery.power")
    world.answer(request)
    assert world.gateway.state.held() == {}
    assert "held hybrid.battery.power" not in world.alarms


def test_a_refused_release_is_tried_again_until_it_works(battery: "World") -> None:
    battery.tick()
    battery.away.add("meter")
    battery.wires["hybrid"] = lambda _one: Refused("busy")
    battery.ticks(17)
    assert len(battery.releases("battery")) == 3
    assert battery.alarms["release battery"] == "battery is not released yet: busy"
    assert list(battery.gateway.state.held()) == ["hybrid.battery.power"]
    assert not battery.dispatcher.released.is_set()
    battery.away.clear()
    battery.tick()
    assert len(battery.writes("battery")) == 1  # not before it is given back
    del battery.wires["hybrid"]
    battery.ticks(5)
    assert "release battery" not in battery.alarms
    assert battery.writes("battery") == [-2.0, -2.0]


def test_a_release_on_its_way_is_left_to_the_line(battery: "World") -> None:
    battery.tick()
    battery.away.add("meter")
    battery.wires["hybrid"] = lambda _one: Unreachable("no answer")
    battery.ticks(30)
    assert len(battery.releases("battery")) == 1
    assert battery.alarms["release battery"] == "battery is not released yet: no answer"
    battery.answer(Write("hybrid", "battery.power", -2.0))  # a late answer to an older write
    assert not battery.dispatcher.released.is_set()
    battery.dispatcher.wrote("hybrid", "battery.power", Released("at last"), battery.now)
    assert battery.dispatcher.released.is_set()
    assert "release battery" not in battery.alarms


def test_answers_of_devices_nobody_controls_change_nothing(battery: "World") -> None:
    battery.dispatcher.wrote("meter", "grid.power", Applied(1.0), battery.now)
    battery.dispatcher.shown("meter", {"grid.power": 1.0}, battery.now)
    assert battery.gateway.health.counts.written == 0
    assert battery.held("battery").at is None


def test_a_car_that_leaves_is_given_back(car: "World") -> None:
    car.tick()
    assert car.setpoint("car") == 8.5
    car.show({"car.plugged": 0.0})
    car.tick()
    assert car.setpoint("car") is None
    assert len(car.releases("car")) == 1


def test_the_reason_for_leaving_an_asset_alone_stays_up_to_date(hut: "Hut") -> None:
    world = hut("battery", "solar")
    world.show(BATTERY | {"solar.power": -3.0})
    world.tick()
    assert world.held("solar").outcome == Released("no plan: the local rule holds")
    world.plan()
    world.tick()
    outcome = world.held("solar").outcome
    assert isinstance(outcome, Released)
    assert outcome.why.startswith("Solar gives ")


def test_the_loop_is_called_every_second_and_says_that_it_lives(battery: "World") -> None:
    assert battery.dispatcher.step(battery.now) == battery.now + timedelta(seconds=1)
    assert battery.gateway.health.silent(battery.now, timedelta(0)) == ()
    later = battery.now + timedelta(minutes=2)
    assert battery.gateway.health.silent(later, timedelta(minutes=1)) == ("dispatch",)


def test_a_device_that_never_shows_what_it_was_told_is_left_alone_and_tried_again(
    battery: "World",
) -> None:
    battery.shows["hybrid"] = {}
    battery.ticks(30)
    assert battery.gateway.health.counts.refused == 3
    assert battery.releases("battery") == ["does not show the -2.00 kW it was told"]
    assert "battery does not obey and is left alone" in battery.alarms["control battery"]
    outcome = battery.held("battery").outcome
    assert outcome == Refused("does not show the -2.00 kW it was told")
    before = len(battery.requests)
    battery.ticks(270)
    assert len(battery.requests) == before
    battery.shows.clear()
    battery.ticks(30)
    assert battery.setpoint("battery") == -2.0
    assert battery.held("battery").verified
    assert "control battery" not in battery.alarms


def test_a_step_under_way_at_the_end_writes_nothing(battery: "World") -> None:
    battery.poll()
    with ThreadPoolExecutor(1) as pool, battery.dispatcher._lock:
        step = pool.submit(battery.dispatcher.step, battery.now)
        while battery.rung() == "released":  # until it has decided
            assert not step.done()
        battery.dispatcher.end(battery.now)
    assert step.result() is not None
    assert battery.requests == []


def test_what_somebody_else_tells_a_device_is_noticed_and_told_anew(battery: "World") -> None:
    battery.ticks(10)
    assert battery.held("battery").verified
    battery.shows["hybrid"] = {"battery.power": 3.0}
    battery.ticks(12)
    assert battery.held("battery").outcome == Refused("does not show the -2.00 kW it was told")
    assert not battery.held("battery").verified
    battery.shows.clear()
    battery.ticks(6)
    assert battery.held("battery").outcome == Applied(-2.0, verified=True)
    assert battery.releases("battery") == []


def test_a_machine_on_a_switch_runs_or_does_not(hut: "Hut") -> None:
    world = hut("oven", context=LIMIT)
    world.show({"oven.power": 6.0, "grid.power": 7.0})
    world.plan()
    assert world.tick() == [Write("switch", "switch.power", 6.0)]
    world.show({"grid.power": 12.0})  # six of its own and six of others: half a machine too much
    assert world.tick() == [Write("switch", "switch.power", 0.0)]
    assert world.held("oven").by == ("site limit",)


def test_a_car_is_not_rounded_up_to_its_least_power_where_that_breaks_a_limit(hut: "Hut") -> None:
    world = hut("car", context=f"{LIMIT}, inflexible-consumption: [{{sensor: grid.power}}]")
    world.show(CAR | {"grid.power": 6.5})
    world.plan()
    planned = world.gateway.planner.in_force(world.now)[1]
    assert planned is not None
    assert planned.schedules["car"].power_kw.at(world.now) == 0.0
    for _ in range(20):
        assert world.live(6.5) <= 10.0
    assert world.setpoint("car") == 0.0
    world.live(5.0)  # there is room for its least power
    world.plan()
    for _ in range(20):
        assert world.live(5.0) <= 10.0
    assert (world.setpoint("car") or 0.0) >= 4.14


def test_a_disk_that_keeps_no_notes_stops_only_what_is_not_yet_controlled(hut: "Hut") -> None:
    world = hut("battery", "car", context=LIMIT)
    world.show(BATTERY | CAR | {"car.plugged": 0.0})
    world.tick()
    assert world.setpoint("battery") == -1.0
    with contextlib.closing(sqlite3.connect(hut.folder / "data" / "state.db")) as other:
        other.execute("alter table leases rename to gone")
        world.show({"car.plugged": 1.0, "grid.power": 3.0})
        world.tick()
        assert world.writes("car") == []  # nothing is taken that a crash would leave behind
        assert "car is not controlled" in world.alarms["note car"]
        assert world.setpoint("battery") == pytest.approx(-4.5)  # makes room for it already
        world.away.add("meter")
        world.ticks(6)
        assert world.releases("battery") == ["no plan and no grid meter: left to itself"]
        assert "battery" in world.alarms["note battery"]
        assert world.dispatcher.released.is_set()
        other.execute("alter table gone rename to leases")
    world.away.clear()
    world.tick()
    assert world.writes("car") != []
    assert not [about for about in world.alarms if about.startswith("note")]
