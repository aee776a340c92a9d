from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.plan import PATIENCE, Plan
from tests.gateway.test_elsewhere import given

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

MINUTE = timedelta(minutes=1)
BATTERY = {"grid.power": 0.0, "battery.power": 0.0, "battery.soc": 50.0}
EMPTY = {"battery.soc": 10.0}
CAR = {"car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 0.0}
CHEAP = (
    '{import: {zones: [{since: "12:00", until: "14:00", price: 0.05 EUR/kWh}], '
    "otherwise: 0.60 EUR/kWh}, feed-in: {fixed: 0.04 EUR/kWh}}"
)
HOUSE = "inflexible-consumption: [{sensor: grid.power, default: 1 kW}]"


def in_force(world: "World") -> tuple[str, Plan | None]:
    return world.gateway.planner.in_force(world.now)


def prices_known_until(hut: "Hut", until: str) -> None:
    (hut.folder / "prices.csv").write_text(f"start,value\n{until},0.25\n", encoding="utf-8")


FROM_FILE = "{import: {file: prices.csv, unit: EUR/kWh}, feed-in: {fixed: 0 EUR/kWh}}"


def test_a_plan_says_what_every_asset_shall_do_what_it_costs_and_why(hut: "Hut") -> None:
    world = hut("battery", context=HOUSE, prices=CHEAP)
    world.show(BATTERY | EMPTY)
    plan = world.plan()
    assert plan.made_at == world.now
    assert plan.valid_until == world.now + timedelta(hours=6)
    assert plan.schedules["battery"].power_kw.at(world.now) == 5.0
    assert plan.grid_kw.at(world.now) == pytest.approx(5.0)
    assert plan.import_price.at(world.now) == 0.05
    assert plan.export_price.at(world.now) == 0.04
    assert plan.status == "optimal"
    assert plan.cost > 0.0
    assert plan.seconds > 0.0
    assert set(plan.why) == {"battery"}
    assert plan.breaches == ()
    assert plan.stored_value["battery"].at(world.now) == pytest.approx(0.54, abs=0.01)
    assert world.gateway.health.counts.plans == 1
    assert world.gateway.health.counts.plan_seconds_max >= plan.seconds


@pytest.mark.parametrize("minute", [0, 7, 14])
def test_powers_of_a_step_that_has_begun_are_told_whole(hut: "Hut", minute: int) -> None:
    world = hut("battery", "solar", context=HOUSE, prices=CHEAP)
    world.now = datetime.fromisoformat("2026-04-14T10:00:00+00:00") + minute * MINUTE
    world.show(BATTERY | EMPTY | {"solar.power": -2.0, "grid.power": 1.5})
    plan = world.plan()
    charged = plan.schedules["battery"].power_kw.values[0]
    sun = -plan.schedules["solar"].power_kw.values[0]
    assert plan.can_produce_kw["solar"].values[0] == pytest.approx(sun)
    assert charged == pytest.approx(sun - 1.5)  # all that is left over
    assert charged > 2.0
    assert plan.grid_kw.values[0] == pytest.approx(0.0, abs=1e-6)
    assert f"{sun:.1f} kW" in plan.why["solar"]
    assert f"{charged:.1f} kW" in plan.why["battery"]
    kept = plan.schedules["battery"].soc_kwh
    assert kept is not None
    assert kept.values[0] == pytest.approx(1.0 + charged * 0.9 * (15 - minute) / 60)


def test_a_plan_goes_from_fresh_to_last_to_none(hut: "Hut") -> None:
    world = hut("battery")
    assert in_force(world) == ("local-rule", None)
    world.show(BATTERY)
    plan = world.plan()
    made = world.now
    for minutes, rung in ((15, "fresh-plan"), (15.1, "last-plan"), (359.9, "last-plan")):
        world.now = made + minutes * MINUTE
        assert in_force(world) == (rung, plan)
    world.now = made + 360 * MINUTE
    assert in_force(world) == ("local-rule", None)


def test_a_plan_is_not_valid_beyond_its_own_horizon(hut: "Hut") -> None:
    world = hut("battery")
    world.show(BATTERY)
    world.poll()
    world.gateway.planner.step(world.now, timedelta(hours=2), timedelta(seconds=10))
    plan = in_force(world)[1]
    assert plan is not None
    assert plan.valid_until == plan.grid_kw.grid.end


def test_without_prices_the_last_plan_stays_the_alarm_says_why_and_it_recovers(
    hut: "Hut",
) -> None:
    prices_known_until(hut, "2026-04-14T12:00+00:00")
    world = hut("battery", prices=FROM_FILE)
    world.show(BATTERY)
    plan = world.plan()
    prices_known_until(hut, "2026-04-01T12:00+00:00")
    world.now += 5 * MINUTE
    world.try_plan()
    assert in_force(world) == ("fresh-plan", plan)
    why = "the price 'import' is not known for the time ahead"
    assert world.gateway.planner.trouble == why
    assert world.alarms["plan"] == f"no new plan: {why}"
    assert world.gateway.health.counts.infeasible == 1
    world.now += 15 * MINUTE
    assert in_force(world) == ("last-plan", plan)
    prices_known_until(hut, "2026-04-14T14:00+00:00")
    newer = world.plan()
    assert newer is not plan
    assert "no new plan" not in world.alarms["plan"]
    assert "the price 'import' is not known from" in world.alarms["plan"]


def test_limits_nobody_can_keep_are_named(hut: "Hut") -> None:
    world = hut("battery", context=f"site-power-capacity: 2 kW, {HOUSE}")
    world.show(BATTERY | {"grid.power": 60.0})
    world.poll()
    plan = world.plan()
    assert plan.status == "relaxed"
    ahead = plan.schedules["battery"].power_kw.values[:8]
    assert ahead.max() < 1e-3  # it gives what it has as long as the house draws too much
    assert ahead.min() < -2.0
    assert "site-power-capacity" in world.alarms["plan"]
    world.show({"grid.power": 1.0})
    world.plan()
    assert "plan" not in world.alarms


def test_what_the_plan_misses_is_an_alarm_but_still_a_plan(hut: "Hut") -> None:
    world = hut("car", more={"car": 'ready-by: [{time: "13:00", soc: 60 kWh}]'})
    world.show(CAR | {"grid.power": 0.0})
    plan = world.plan()
    assert plan.schedules["car"].power_kw.at(world.now) == 11.0
    assert len(plan.breaches) == 1
    assert "13:00" in world.alarms["plan"]
    assert "car" in world.alarms["plan"]


def test_who_is_not_planned_is_named(hut: "Hut") -> None:
    world = hut("battery")
    world.plan()
    assert world.alarms["plan"] == "battery is not planned: its state of charge is not known"


def test_a_car_is_ready_when_it_leaves(hut: "Hut") -> None:
    world = hut("car", more={"car": 'ready-by: [{time: "07:30", soc: 45 kWh}]'})
    world.show(CAR | {"grid.power": 0.0})
    soc = world.plan().schedules["car"].soc_kwh
    assert soc is not None
    leaves = datetime.fromisoformat("2026-04-15T07:30:00+02:00")
    assert soc.at(leaves - MINUTE) == pytest.approx(45.0, abs=1e-3)


def test_a_car_that_leaves_is_not_planned_any_more(hut: "Hut") -> None:
    world = hut("car")
    world.show(CAR | {"grid.power": 0.0})
    assert "car" in world.plan().schedules
    assert not world.gateway.planner.changed(world.now)
    world.show({"car.plugged": 0.0})
    world.poll()
    assert world.gateway.planner.changed(world.now)
    assert world.plan().schedules == {}
    assert not world.gateway.planner.changed(world.now)


def test_new_prices_make_a_new_plan_worth_while(hut: "Hut") -> None:
    prices_known_until(hut, "2026-04-14T12:00+00:00")
    world = hut("battery", prices=FROM_FILE)
    world.show(BATTERY)
    world.plan()
    assert not world.gateway.planner.changed(world.now)
    (hut.folder / "prices.csv").write_text(
        "start,value\n2026-04-14T12:00+00:00,0.25\n2026-04-14T13:00+00:00,0.30\n"
    )
    assert world.gateway.planner.changed(world.now)


FROM_CENTRE = """{import: {centre: main, sensor: 14, unit: EUR/MWh, factor: 1.2,
  add: 0.05 EUR/kWh}, feed-in: {fixed: 0 EUR/kWh}}"""


def test_prices_from_a_centre_make_plans_and_outlive_a_restart(hut: "Hut") -> None:
    world = hut("battery", prices=FROM_CENTRE)
    world.show(BATTERY)
    world.try_plan()
    assert world.gateway.planner.trouble == "the price 'import' is not known for the time ahead"
    day = TimeGrid(world.now.replace(minute=0), timedelta(minutes=15), 24 * 4)
    cheap = np.where(np.arange(day.n) < 8, 100.0, 200.0)
    world.gateway.received.keep("import.received", Series(day, cheap), world.now)
    assert world.gateway.planner.changed(world.now)
    plan = world.plan()
    assert plan.import_price.values[[0, 20]].tolist() == pytest.approx([0.17, 0.29])
    assert not world.gateway.planner.changed(world.now)
    world.gateway.received.keep("import.received", Series(day, cheap), world.now)
    assert not world.gateway.planner.changed(world.now)
    world.gateway.received.keep("import.received", Series(day, cheap * 2.0), world.now)
    assert world.gateway.planner.changed(world.now)
    after = hut.again()
    after.show(BATTERY)
    assert after.plan().import_price.values[0] == pytest.approx(0.29)


def test_prices_of_a_centre_that_cannot_be_leave_the_local_rule(hut: "Hut") -> None:
    world = hut("battery", prices=FROM_CENTRE)
    world.show(BATTERY)
    world.poll()
    day = TimeGrid(world.now.replace(minute=0), timedelta(minutes=15), 24 * 4)
    absurd = np.where(np.arange(day.n) % 2, 1e12, -1e12)  # a centre with a defect
    world.gateway.received.keep("import.received", Series(day, absurd), world.now)
    world.try_plan()
    assert "beyond all measure" in world.gateway.planner.trouble
    world.tick()
    assert world.rung() == "local-rule"
    world.gateway.received.keep("import.received", Series(day, np.full(day.n, 100.0)), world.now)
    assert world.plan().import_price.values[0] == pytest.approx(0.17)


def test_plans_are_kept_as_beliefs_of_the_scheduler(hut: "Hut") -> None:
    world = hut("battery", "oven", context=HOUSE, prices=CHEAP)
    world.show(BATTERY)
    plan = world.plan()
    grid = plan.grid_kw.grid
    kept = world.gateway.beliefs
    for name, series in (
        ("battery", plan.schedules["battery"].power_kw),
        ("oven", plan.schedules["oven"].power_kw),
        ("grid", plan.grid_kw),
    ):
        saved = kept.believed(f"{name}.power", "flexedge", grid)
        assert saved.values == pytest.approx(series.values), name
    soc = plan.schedules["battery"].soc_kwh
    assert soc is not None
    saved = kept.believed("battery.soc", "flexedge", grid)
    assert np.isnan(saved.values[0])  # states are at the ends of steps, in the sensor's unit
    assert saved.values[1:] == pytest.approx(soc.values[:-1] * 10.0)
    rows = kept.between("battery.power", world.now, world.now + timedelta(hours=1))
    assert {row.belief_time for row in rows if row.source == "flexedge"} == {world.now}


def test_forecasts_are_kept_as_beliefs_of_the_forecaster(hut: "Hut") -> None:
    world = hut("battery", "solar", context=HOUSE)
    world.show(BATTERY | {"solar.power": -2.0})
    grid = world.plan().grid_kw.grid
    kept = world.gateway.beliefs
    load = kept.believed("grid.power", "flexedge-forecast", grid)
    assert load.values[-1] == 1.0
    assert kept.believed("solar.power", "flexedge-forecast", grid).values[1] < 0.0


def test_a_plan_that_cannot_be_kept_is_still_carried_out(hut: "Hut") -> None:
    world = hut("battery", prices=CHEAP, context=HOUSE)
    world.show(BATTERY | EMPTY)
    world.refuse_writes()
    world.plan()
    assert "the plan could not be saved" in world.alarms["plan-store"]
    world.tick()
    assert world.setpoint("battery") == 5.0
    world.take_writes()
    world.plan()
    assert "plan-store" not in world.alarms


def test_at_the_start_nothing_is_told_before_states_of_charge_had_a_moment(hut: "Hut") -> None:
    world = hut("battery", "house", prices=CHEAP)
    planner = world.gateway.planner
    planner.begin(world.now)
    world.show({"grid.power": 1.0, "battery.power": 0.0})
    world.poll()
    planner.step(world.now, timedelta(hours=12), timedelta(seconds=5))
    assert planner.in_force(world.now)[1] is None
    assert world.decide()["battery"].power_kw is None
    world.show({"battery.soc": 50.0})
    world.poll()
    planner.step(world.now, timedelta(hours=12), timedelta(seconds=5))
    assert planner.trouble == ""
    assert planner.in_force(world.now)[1] is not None


def test_a_state_of_charge_that_never_comes_is_not_waited_for_long(hut: "Hut") -> None:
    world = hut("battery", "house", prices=CHEAP)
    planner = world.gateway.planner
    planner.begin(world.now - PATIENCE)
    planner.step(world.now, timedelta(hours=12), timedelta(seconds=5))
    assert planner.in_force(world.now)[1] is not None


def test_the_first_plan_waits_a_moment_for_what_is_stored_and_devices_for_it(hut: "Hut") -> None:
    world = hut("battery", "car", context=HOUSE)
    world.gateway.planner.begin(world.now)
    world.show({"grid.power": 2.0, "battery.power": 0.0, "car.plugged": 0.0, "car.power": 0.0})
    world.tick()
    world.try_plan()
    assert in_force(world) == ("local-rule", None)
    assert world.rung() == "released"
    assert world.requests == []
    world.show({"battery.soc": 50.0})
    world.plan()
    world.tick()
    assert world.rung() == "fresh-plan"
    assert world.setpoint("battery") is not None


def test_the_first_plan_does_not_wait_for_ever(hut: "Hut") -> None:
    world = hut("battery", "heating")
    world.gateway.planner.begin(world.now)
    world.show(BATTERY | {"grid.power": 2.0})
    world.now += timedelta(seconds=18)
    world.tick()
    assert world.rung() == "released"
    world.tick()
    assert world.rung() == "local-rule"
    assert world.setpoint("battery") == -2.0
    world.plan()
    assert world.alarms["plan"].startswith("heating is not planned")


def test_a_charger_is_told_nothing_or_at_least_its_least_in_every_step(hut: "Hut") -> None:
    world = hut("car", "solar", more={"car": 'ready-by: [{time: "18:00", soc: 30 kWh}]'})
    for minute in (0, 7, 14):
        world.now = datetime.fromisoformat("2026-04-14T10:00:00+00:00") + minute * MINUTE
        world.show(CAR | {"grid.power": -3.0, "solar.power": -3.0})
        car = world.plan().schedules["car"].power_kw.values
        assert ((car == 0.0) | (car >= 4.14)).all(), minute
        assert (car > 0.0).any()


def test_a_process_has_one_schedule_and_further_sensors_get_theirs(hut: "Hut") -> None:
    model = {"battery": "consumption: {sensor: battery.setpoint}"}
    world = hut("battery", "oven", context=HOUSE, prices=CHEAP, model=model)
    world.show(BATTERY | EMPTY)
    plan = world.plan()
    assert set(plan.schedules) == {"battery", "oven"}
    assert (plan.schedules["oven"].power_kw.values > 0).sum() == 8  # an hour, today and tomorrow
    grid = plan.grid_kw.grid
    saved = world.gateway.beliefs.believed("battery.setpoint", "flexedge", grid)
    assert saved.values == pytest.approx(plan.schedules["battery"].power_kw.values)


def test_both_ways_of_a_power_may_be_written_apart(hut: "Hut") -> None:
    model = {
        "battery": "consumption: {sensor: battery.setpoint}, production: {sensor: grid.power-l1}"
    }
    world = hut("battery", context=HOUSE, prices=CHEAP, model=model)
    world.show(BATTERY | EMPTY)
    plan = world.plan()
    power = plan.schedules["battery"].power_kw.values
    assert power.min() < 0.0 < power.max()
    assert plan.outputs["battery.setpoint"].values == pytest.approx(np.maximum(power, 0.0))
    assert plan.outputs["grid.power-l1"].values == pytest.approx(np.minimum(power, 0.0))


def test_a_converter_without_a_sensor_of_its_own_is_planned_but_not_kept(hut: "Hut") -> None:
    commodities = (
        "commodities: [{commodity: gas, consumption-price: 0.09 EUR/kWh}, {commodity: heat, "
        "inflexible-consumption: [{sensor: grid.power, default: 9 kW}]}]"
    )
    world = hut("gas-in", "heat-out", context=commodities)
    plan = world.plan()
    assert plan.schedules["gas-in"].power_kw.values == pytest.approx(10.0)
    assert "plan-store" not in world.alarms
    world.show({"grid.power": 1.0})
    assert world.tick() == []


def test_what_storing_costs_on_the_way_is_known_by_the_plan(hut: "Hut") -> None:
    world = hut("battery")
    world.show(BATTERY)
    charging, discharging = world.plan().efficiencies["battery"]
    assert charging.values == pytest.approx(0.9)
    assert discharging.values == pytest.approx(0.9)


def test_there_is_a_simpler_plan_where_the_solver_finds_none_in_its_time(hut: "Hut") -> None:
    starts = "minimum-power: 1 kW, start-up-cost: 0.05 EUR, minimum-up-time: 1 h"
    world = hut("heating", "oven", context=HOUSE, prices=CHEAP, model={"heating": starts})
    world.show({"heating.buffer-temperature": 45.0, "heating.power": 0.0, "grid.power": 1.0})
    world.poll()
    world.gateway.planner.step(world.now, timedelta(hours=36), -timedelta(hours=1))  # no time
    plan = in_force(world)[1]
    assert plan is not None
    assert "heeds neither starts nor minimum times" in world.alarms["plan"]
    oven = plan.schedules["oven"].power_kw
    assert (oven.values > 0).sum() == 8
    assert oven.at(world.now) == 6.0  # these hours are cheap
    world.plan()
    assert "plan" not in world.alarms


def test_others_are_planned_around_what_a_centre_planned(hut: "Hut") -> None:
    world = hut("battery", "spare", more={"battery": "planner: central-then-local"})
    world.show(
        {"grid.power": 0.0, "battery.power": 0.0, "battery.soc": 50.0, "spare.power": 0.0}
        | {"spare.soc": 50.0}
    )
    world.gateway.elsewhere.put(given(world, "battery", 3.0, -2.0))
    plan = world.plan()
    power = plan.schedules["battery"].power_kw
    assert power.at(world.now) == pytest.approx(3.0)
    assert power.at(world.now + timedelta(minutes=70)) == pytest.approx(-2.0)
    assert plan.why["battery"] == "as main planned at 12:05"
    assert plan.why["spare"] != plan.why["battery"]
    assert plan.schedules["spare"].power_kw.at(world.now) is not None
    assert not plan.breaches
    assert len(power.values) > 100  # and goes on after the end of theirs


def test_a_new_central_plan_calls_for_one_of_the_rest(hut: "Hut") -> None:
    world = hut("battery", more={"battery": "planner: central-then-local"})
    world.show({"grid.power": 0.0, "battery.power": 0.0, "battery.soc": 50.0})
    world.plan()
    planner = world.gateway.planner
    assert not planner.changed(world.now)
    world.gateway.elsewhere.put(given(world, "battery", 3.0))
    assert planner.changed(world.now)
    world.plan()
    assert not planner.changed(world.now)
    assert planner.changed(world.now + timedelta(hours=2))  # it has ended


def test_what_only_a_centre_plans_is_left_out_without_it(hut: "Hut") -> None:
    world = hut("battery", "spare", more={"battery": "planner: central"})
    world.show(
        {"grid.power": 0.0, "battery.power": 0.0, "battery.soc": 50.0, "spare.power": 0.0}
        | {"spare.soc": 50.0}
    )
    assert set(world.plan().schedules) == {"spare"}
    assert "plan" not in world.alarms
