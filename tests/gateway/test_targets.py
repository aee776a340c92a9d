from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.gateway.targets import Target
from tests.gateway.test_elsewhere import given

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

BATTERY = {"grid.power": 0.0, "battery.power": 0.0, "battery.soc": 50.0}
CAR = {"car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 0.0}
LIMIT = "site-consumption-capacity: 10 kW"  # 9.5 kW less the margin
FLAT = "{import: {fixed: 0.30 EUR/kWh}, feed-in: {fixed: 0.08 EUR/kWh}}"
COSTLY_FEED_IN = "{import: {fixed: 0.30 EUR/kWh}, feed-in: {fixed: -0.05 EUR/kWh}}"
HOUSE = "inflexible-consumption: [{sensor: house.power, default: 1 kW}]"
RULE = "no plan: the local rule holds"


def dear(since: str, until: str) -> str:
    """Prices that are high for part of the day and low for the rest of it."""
    zone = f'{{since: "{since}", until: "{until}", price: 0.90 EUR/kWh}}'
    rest = "otherwise: 0.20 EUR/kWh}, feed-in: {fixed: 0.05 EUR/kWh}"
    return f"{{import: {{zones: [{zone}], {rest}}}"


def follower(hut: "Hut", prices: str) -> "World":
    """A planned site whose house is expected to draw 1 kW, and does."""
    world = hut("battery", "house", context=HOUSE, prices=prices)
    world.show(BATTERY | {"grid.power": 1.0})
    world.plan()
    return world


def planned_kw(world: "World", asset: str) -> float:
    plan = world.gateway.planner.in_force(world.now)[1]
    assert plan is not None
    power = plan.schedules[asset].power_kw.at(world.now)
    assert power is not None
    return power


def test_the_plan_is_followed_where_all_is_as_expected(hut: "Hut") -> None:
    world = follower(hut, FLAT)
    plan = world.gateway.planner.in_force(world.now)[1]
    assert plan is not None
    target = world.decide()["battery"]
    assert target.power_kw == pytest.approx(planned_kw(world, "battery"), abs=1e-6)
    assert target.reason == plan.why["battery"]
    assert target.by == ()


def test_the_battery_covers_what_the_house_draws_more_where_that_pays(hut: "Hut") -> None:
    world = follower(hut, dear("12:00", "14:00"))
    expected = planned_kw(world, "battery")
    world.show({"grid.power": 3.0})
    assert world.decide()["battery"].power_kw == pytest.approx(expected - 2.0, abs=1e-3)


def test_the_battery_waits_where_what_it_holds_is_worth_more_later(hut: "Hut") -> None:
    world = follower(hut, dear("17:00", "23:00"))
    expected = planned_kw(world, "battery")
    world.show({"grid.power": 3.0})
    assert world.decide()["battery"].power_kw == pytest.approx(expected, abs=1e-6)


def test_the_battery_takes_in_what_is_left_over_where_selling_costs(hut: "Hut") -> None:
    world = follower(hut, COSTLY_FEED_IN)
    world.show({"grid.power": -3.0})
    # What would have been bought does not pay to be stored; what would have been sold does.
    grid = world.gateway.planner.in_force(world.now)[1]
    assert grid is not None
    bought = grid.grid_kw.at(world.now)
    assert bought is not None
    wanted = world.decide()["battery"].power_kw
    assert wanted == pytest.approx(planned_kw(world, "battery") + 4.0 - bought, abs=1e-3)


def test_the_battery_follows_nothing_while_its_own_power_is_unknown(hut: "Hut") -> None:
    world = follower(hut, dear("12:00", "14:00"))
    expected = planned_kw(world, "battery")
    world.show({"grid.power": 3.0, "battery.power": None})
    assert world.decide()["battery"].power_kw == pytest.approx(expected, abs=1e-6)


def test_without_a_plan_the_local_rule_holds(hut: "Hut") -> None:
    world = hut("battery", "solar", "car", "heating")
    world.show(BATTERY | CAR | {"grid.power": 2.0, "solar.power": -1.0, "heating.power": 0.5})
    assert world.decide() == {
        "battery": Target(-2.0, RULE),
        "solar": Target(None, RULE),
        "car": Target(11.0, RULE),
        "heating": Target(None, RULE),
    }


def test_the_ladder_goes_down_step_by_step_and_up_again(hut: "Hut") -> None:
    world = follower(hut, FLAT)
    world.tick()
    assert world.rung() == "fresh-plan"
    made = world.now
    world.now = made + timedelta(minutes=15, seconds=1)
    world.tick()
    assert world.rung() == "last-plan"
    world.now = made + timedelta(hours=6)
    world.tick()
    assert world.rung() == "local-rule"
    world.away.add("meter")
    world.ticks(6)
    assert world.rung() == "released"
    assert world.setpoint("battery") is None
    world.away.clear()
    world.tick()
    assert world.rung() == "local-rule"
    world.plan()
    world.tick()
    assert world.rung() == "fresh-plan"


def test_a_plan_is_followed_without_a_grid_meter_but_nobody_pushes_the_limit(hut: "Hut") -> None:
    world = hut("battery", "car", prices=FLAT, context=f"{HOUSE.replace('house', 'grid')}, {LIMIT}")
    world.show(BATTERY | CAR | {"battery.soc": 10.0})
    world.plan()
    assert planned_kw(world, "car") > 4.14
    world.show({"grid.power": None})
    targets = world.decide()
    assert targets["car"].power_kw == pytest.approx(4.14)
    assert targets["car"].by == ("no grid meter",)
    assert targets["car"].wanted_kw == planned_kw(world, "car")
    assert (targets["battery"].power_kw or 0.0) <= 0.0


def test_without_a_limit_a_lost_grid_meter_changes_nothing(hut: "Hut") -> None:
    world = hut("car", prices=FLAT)
    world.show(CAR | {"grid.power": 0.0})
    world.plan()
    world.show({"grid.power": None})
    assert world.decide()["car"].power_kw == planned_kw(world, "car")


def test_the_battery_gives_way_first_then_the_car(hut: "Hut") -> None:
    world = hut("battery", "car", context=LIMIT)
    world.show(BATTERY | CAR | {"grid.power": 1.0})
    # The rule wants -1 kW of the battery and 11 kW of the car; 9.5 kW may be imported.
    targets = world.decide()
    assert targets["battery"].power_kw == pytest.approx(-2.5)
    assert targets["battery"].by == ("site limit",)
    assert targets["battery"].wanted_kw == pytest.approx(-1.0)
    assert targets["car"] == Target(11.0, RULE)
    world.show({"grid.power": 8.0})
    targets = world.decide()
    assert targets["battery"].power_kw == -5.0
    assert targets["car"].power_kw == pytest.approx(6.5)
    assert targets["car"].by == ("site limit",)


def test_an_empty_battery_cannot_give_way(hut: "Hut") -> None:
    world = hut("battery", "car", context=LIMIT)
    world.show(BATTERY | CAR | {"grid.power": 1.0, "battery.soc": 10.0})
    targets = world.decide()
    assert targets["battery"].power_kw == 0.0
    assert targets["car"].power_kw == pytest.approx(8.5)


def test_what_no_asset_can_avoid_remains(hut: "Hut") -> None:
    world = hut("battery", "car", context=LIMIT)
    world.show(BATTERY | CAR | {"grid.power": 40.0})
    targets = world.decide()
    assert (targets["battery"].power_kw, targets["car"].power_kw) == (-5.0, 0.0)


def test_the_tighter_of_both_limits_counts(hut: "Hut") -> None:
    world = hut("car", context="site-power-capacity: 8 kW, site-consumption-capacity: 6 kW")
    world.show(CAR | {"grid.power": 1.0})
    assert world.decide()["car"].power_kw == pytest.approx(4.5)
    other = hut("car", context="site-power-capacity: 8 kW")
    other.show(CAR | {"grid.power": 1.0})
    assert other.decide()["car"].power_kw == pytest.approx(6.5)


def test_the_sun_is_curtailed_last(hut: "Hut") -> None:
    world = hut("battery", "solar", context="site-production-capacity: 3 kW")
    world.show(BATTERY | {"solar.power": -7.0, "grid.power": -5.0, "battery.power": 2.0})
    targets = world.decide()
    assert targets["battery"].power_kw == pytest.approx(5.0)  # it takes in what it can
    assert targets["solar"].power_kw == pytest.approx(-7.5)  # no less than it gives now
    world.show({"battery.soc": 100.0, "battery.power": 0.0, "grid.power": -7.0})
    targets = world.decide()
    assert targets["solar"].power_kw == pytest.approx(-2.5)
    assert targets["solar"].by == ("site limit",)


def test_who_is_left_to_itself_is_part_of_what_the_others_make_room_for(hut: "Hut") -> None:
    world = hut("heating", "car", context=LIMIT)
    world.show(CAR | {"grid.power": 4.0, "heating.power": 3.0})
    targets = world.decide()
    assert targets["heating"] == Target(None, RULE)
    assert targets["car"].power_kw == pytest.approx(5.5)


def test_a_car_nobody_planned_charges_within_the_limit(hut: "Hut") -> None:
    world = hut("car", context=LIMIT)
    world.show(CAR | {"grid.power": 0.5, "car.plugged": 0.0})
    world.plan()
    assert world.decide()["car"] == Target(None, "not in the plan: left to itself")
    world.show({"car.plugged": 1.0})
    assert world.decide()["car"].power_kw == pytest.approx(9.0)


def test_the_sun_is_limited_only_where_the_plan_leaves_some_of_it_unused(hut: "Hut") -> None:
    world = hut("solar", prices=COSTLY_FEED_IN)
    world.show({"grid.power": -4.0, "solar.power": -4.0})
    world.plan()
    assert world.decide()["solar"].power_kw == 0.0
    paid = hut("solar", prices=FLAT)
    paid.show({"grid.power": -4.0, "solar.power": -4.0})
    paid.plan()
    assert paid.decide()["solar"].power_kw is None


@pytest.mark.parametrize("plugged", [0.0, None])
def test_without_a_plan_a_car_charges_only_if_it_is_known_to_be_there(
    hut: "Hut", plugged: float | None
) -> None:
    world = hut("car")
    world.show(CAR | {"grid.power": 1.0, "car.plugged": plugged})
    assert world.decide()["car"].power_kw is None


def test_a_process_that_runs_as_planned_is_no_deviation(hut: "Hut") -> None:
    world = hut("battery", "oven", "house", context=HOUSE, prices=dear("17:00", "23:00"))
    world.show(BATTERY | {"grid.power": 7.0, "oven.power": 6.0})
    world.plan()
    assert planned_kw(world, "oven") == 6.0
    expected = planned_kw(world, "battery")
    assert world.decide()["battery"].power_kw == pytest.approx(expected, abs=1e-3)


def test_what_is_curtailed_stays_curtailed_while_the_sun_would_give_more(hut: "Hut") -> None:
    world = hut("solar", context="site-production-capacity: 3 kW")
    exported = [-world.live(0.5, -7.0) for _ in range(60)]
    assert exported[0] == 6.5
    assert max(exported[1:]) <= 3.0
    assert min(exported[1:]) >= 2.5
    assert len(world.releases("solar")) == 0


def test_what_is_curtailed_follows_what_the_house_takes(hut: "Hut") -> None:
    world = hut("solar", context="site-production-capacity: 3 kW")
    for _ in range(5):
        world.live(0.5, -7.0)
    world.live(2.0, -7.0)
    exported = [-world.live(2.0, -7.0) for _ in range(20)]
    assert max(exported) <= 3.0
    assert world.setpoint("solar") == pytest.approx(-4.5)


def test_the_limit_goes_when_the_sun_does(hut: "Hut") -> None:
    world = hut("solar", context="site-production-capacity: 3 kW")
    for _ in range(5):
        world.live(0.5, -7.0)
    assert world.setpoint("solar") == -3.0
    for _ in range(5):
        world.live(0.5, -1.0)
    assert world.setpoint("solar") is None


def test_two_roofs_share_what_may_be_fed_in(hut: "Hut") -> None:
    world = hut("solar", "roof", context="site-production-capacity: 4 kW")
    exported = [-world.live(0.0, -7.0) for _ in range(10)]
    assert max(exported[1:]) <= 4.0
    assert world.setpoint("solar") == pytest.approx(-1.75)
    assert world.setpoint("roof") == pytest.approx(-1.75)


def test_without_a_grid_meter_no_more_sun_than_may_be_fed_in_is_let_through(hut: "Hut") -> None:
    world = hut("solar", context="site-production-capacity: 3 kW")
    world.show({"solar.power": -7.0, "grid.power": 2.0})
    world.plan()
    world.show({"grid.power": None})
    assert world.decide()["solar"].power_kw == pytest.approx(-2.5)


def test_two_batteries_share_what_differs_from_the_plan(hut: "Hut") -> None:
    world = hut("battery", "spare", "house", context=HOUSE, prices=dear("12:00", "14:00"))
    spare = {"spare.power": 0.0, "spare.soc": 50.0}
    world.show(BATTERY | spare | {"grid.power": 1.0})
    world.plan()
    before = planned_kw(world, "battery") + planned_kw(world, "spare")
    world.show({"grid.power": 3.0})
    targets = world.decide()
    told = [targets[name].power_kw or 0.0 for name in ("battery", "spare")]
    assert sum(told) == pytest.approx(before - 2.0, abs=1e-3)
    world.show({"grid.power": 7.0})
    world.tick()
    told = [world.setpoint(name) or 0.0 for name in ("battery", "spare")]
    assert sum(told) == pytest.approx(before - 6.0, abs=1e-3)
    assert min(told) == -5.0


def test_a_plan_is_followed_only_while_what_it_began_with_is_known(hut: "Hut") -> None:
    world = hut("car", "heating", prices=FLAT)
    heat = {"heating.power": 0.0, "heating.buffer-temperature": 36.0}
    world.show(CAR | heat | {"grid.power": 0.0})
    world.plan()
    left_alone = Target(None, "not in the plan: left to itself")
    assert world.decide()["car"].power_kw is not None
    assert world.decide()["heating"].power_kw is not None
    world.show({"car.plugged": None, "heating.buffer-temperature": None})
    assert world.decide() == {"car": left_alone, "heating": left_alone}


def test_a_car_that_does_not_take_its_share_is_no_reason_to_export_from_the_battery(
    hut: "Hut",
) -> None:
    world = hut("battery", "car", "house", context=HOUSE, prices=FLAT)
    world.show(BATTERY | CAR | {"grid.power": -2.5, "battery.soc": 80.0})
    world.plan()
    world.show({"grid.power": -2.5})
    battery = world.decide()["battery"]
    assert battery.power_kw is not None
    assert battery.power_kw >= 0.0


def test_a_limit_that_a_sensor_tells_is_kept_as_it_is_now(hut: "Hut") -> None:
    told = "site-consumption-capacity: {sensor: car.allowed, default: 10 kW}"
    leave = {"car": 'ready-by: [{time: "13:00", soc: 60 kWh}]'}
    world = hut("car", context=told, prices=FLAT, more=leave)
    world.show(CAR | {"car.power": 8.0, "grid.power": 8.0, "car.allowed": 30.0})
    world.plan()
    assert world.decide()["car"].by == ()
    world.show({"car.allowed": 6.5})
    limited = world.decide()["car"]
    assert limited.power_kw == pytest.approx(6.0)  # less the margin
    assert limited.by == ("site limit",)
    world.plan()  # the plan knows it, too
    assert world.decide()["car"].by == ()


def test_only_what_draws_electricity_gives_way_at_the_meter(hut: "Hut") -> None:
    gas = "commodities: [{commodity: gas, consumption-price: 0.1 EUR/kWh}]"
    limit = "site-power-capacity: 3 kW"
    heat = {"heating.buffer-temperature": 36.0, "heating.power": 3.0, "grid.power": 6.0}
    electric = hut("heating", context=limit)
    electric.show(heat)
    electric.plan()
    assert electric.decide()["heating"].by == ("site limit",)
    burner = hut("heating", model={"heating": "commodity: gas"}, context=f"{limit}, {gas}")
    burner.show(heat)
    burner.plan()
    assert burner.decide()["heating"].by == ()


def central(hut: "Hut", planner: str, *others: str, prices: str = FLAT) -> "World":
    """A site whose battery is planned by a centre."""
    world = hut("battery", *others, more={"battery": f"planner: {planner}"}, prices=prices)
    world.show(BATTERY | {"grid.power": 1.0})
    return world


def test_what_a_centre_planned_comes_before_the_own_plan(hut: "Hut") -> None:
    world = central(hut, "central-then-local", "spare")
    world.show({"spare.power": 0.0, "spare.soc": 50.0})
    world.plan()
    world.gateway.elsewhere.put(given(world, "battery", 2.5, 2.5))
    targets = world.decide()
    assert targets["battery"] == Target(2.5, "as main planned at 12:05")
    assert targets["spare"].reason != "as main planned at 12:05"
    world.tick()
    assert (world.rung(), world.setpoint("battery")) == ("central-plan", 2.5)


def test_it_is_followed_also_while_there_is_no_own_plan(hut: "Hut") -> None:
    world = central(hut, "central-then-local")
    world.gateway.elsewhere.put(given(world, "battery", -2.5))
    world.show({"grid.power": None})
    world.tick()
    assert (world.rung(), world.setpoint("battery")) == ("central-plan", -2.5)


def test_after_its_end_the_own_plan_goes_on_without_a_gap(hut: "Hut") -> None:
    world = central(hut, "central-then-local")
    world.gateway.elsewhere.put(given(world, "battery", 2.5, 2.5))
    world.plan()
    world.tick()
    world.now += timedelta(minutes=119)
    world.tick()
    assert world.rung() == "central-plan"
    world.ticks(60)
    assert world.rung() == "last-plan"
    assert world.setpoint("battery") == world.decide()["battery"].power_kw
    assert not world.releases("battery")


def test_after_its_end_a_centres_alone_is_left_to_itself(hut: "Hut") -> None:
    world = central(hut, "central")
    world.plan()
    world.tick()
    assert world.setpoint("battery") is None
    world.gateway.elsewhere.put(given(world, "battery", 2.5))
    world.tick()
    assert world.setpoint("battery") == 2.5
    world.now += timedelta(hours=2)
    world.tick()
    assert world.setpoint("battery") is None
    assert world.releases("battery") == ["left to itself: what main planned ended at 14:05"]


def test_it_goes_through_the_same_limits(hut: "Hut") -> None:
    world = hut("battery", more={"battery": "planner: central"}, context=LIMIT)
    world.show(BATTERY | {"grid.power": 8.0})
    world.gateway.elsewhere.put(given(world, "battery", 5.0))
    assert world.decide()["battery"].power_kw == pytest.approx(1.5)
    assert world.decide()["battery"].by == ("site limit",)
    world.show({"battery.soc": 100.0})
    world.tick()
    assert world.setpoint("battery") == 0.0  # it is full
    world.show({"grid.power": 1.0, "battery.soc": 50.0})
    until = world.now + timedelta(hours=1)
    world.gateway.overrides.ask(("battery", "discharge", 1.0), until, "anna", "", world.now)
    world.tick()
    assert world.setpoint("battery") == -1.0


def test_no_battery_of_ours_works_against_theirs(hut: "Hut") -> None:
    world = central(hut, "central", "spare")
    world.gateway.elsewhere.put(given(world, "battery", 5.0))
    world.show({"spare.power": 0.0, "spare.soc": 50.0, "battery.power": 5.0, "grid.power": 5.5})
    targets = world.decide()
    assert targets["battery"].power_kw == 5.0
    assert targets["spare"] == Target(pytest.approx(-0.5), RULE)  # type: ignore[arg-type]
