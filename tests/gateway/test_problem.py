from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from flexedge.config.settings import Plan
from flexedge.domain.belief import Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import BadField, PlanError
from flexedge.gateway.feeds import Feeds
from flexedge.gateway.past import Past
from flexedge.gateway.predict import Predictor
from flexedge.gateway.problem import Gathered, Gatherer
from flexedge.optim.device import Device, Storage
from flexedge.optim.market import SITE_BREACH_PRICE
from flexedge.optim.solve import solve
from tests.gateway.conftest import NOW, PRICES

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

DAY, QUARTER = timedelta(hours=24), timedelta(minutes=15)
BATTERY = {"battery.power": 0.0, "battery.soc": 50.0}
CAR = {"car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 5.0}


def gatherer(world: "World", settings: Plan) -> Gatherer:
    gateway = world.gateway
    plant, beliefs, latest = gateway.plant, gateway.beliefs, gateway.latest
    feeds = Feeds(
        plant, Predictor(plant, beliefs, latest), gateway.prices, beliefs, gateway.received
    )
    past = Past(plant, latest, beliefs)
    return Gatherer(plant, gateway.storages, feeds, past, gateway.elsewhere, settings)


def gather(world: "World", resolution: timedelta = QUARTER, **settings: Any) -> Gathered:
    world.poll()
    world.gateway.beliefs.flush()
    return gatherer(world, Plan(resolution=resolution, **settings)).gather(world.now, DAY)


def device(gathered: Gathered, name: str) -> Device:
    return next(device for device in gathered.problem.devices if device.name == name)


def storage(gathered: Gathered, name: str) -> Storage:
    found = device(gathered, name).storage
    assert found is not None
    return found


def test_misses_may_be_charged_as_flexmeasures_does(hut: "Hut") -> None:
    world = hut("battery", model={"battery": "soc-minima: 2 kWh"})
    world.show(BATTERY)
    price = storage(gather(world), "battery").minima_price
    theirs = storage(gather(world, compat="flexmeasures-1.0"), "battery").minima_price
    assert np.asarray(theirs) == pytest.approx(4.0 * np.asarray(price))  # by the quarter hour


def test_the_grid_begins_with_the_present_quarter_hour_and_covers_the_horizon(hut: "Hut") -> None:
    world = hut("battery")
    world.now = datetime.fromisoformat("2026-04-14T10:10:00+00:00")
    gathered = gather(world)
    grid = gathered.problem.grid
    assert grid.start == datetime.fromisoformat("2026-04-14T10:00:00+00:00")
    assert grid.end == datetime.fromisoformat("2026-04-15T10:15:00+00:00")
    assert gathered.first_share == pytest.approx(1 / 3)


def test_of_the_first_step_counts_only_what_is_left_of_it(hut: "Hut") -> None:
    world = hut(
        "battery",
        "heating",
        context="site-consumption-capacity: 10 kW, site-power-capacity: 20 kW, "
        "inflexible-consumption: [{sensor: grid.power, default: 3 kW}]",
    )
    world.show(BATTERY | {"heating.buffer-temperature": 45.0, "heating.power": 0.0})
    world.now = datetime.fromisoformat("2026-04-14T10:10:00+00:00")
    problem = gather(world).problem
    battery = next(one for one in problem.devices if one.name == "battery")
    heating = next(one for one in problem.devices if one.name == "heating")
    assert heating.storage is not None
    first_and_second = {
        "most": (battery.max_kw, 5.0),
        "least": (battery.min_kw, -5.0),
        "load": (problem.site.inflexible_kw, 3.0),
        "usage": (heating.storage.usage_kw, 1.2),
        "agreed": (problem.site.connection.consumption_capacity_kw, 9.5),
        "physical": (problem.site.connection.power_capacity_kw, 19.5),
    }
    for name, (values, whole) in first_and_second.items():
        assert isinstance(values, np.ndarray)
        assert values[:2] == pytest.approx([whole / 3, whole]), name


def test_at_the_very_end_of_a_step_a_little_of_it_is_left(hut: "Hut") -> None:
    world = hut("battery")
    world.now = datetime.fromisoformat("2026-04-14T10:14:59.999+00:00")
    assert gather(world).first_share == pytest.approx(1 / 60)


def test_a_battery_is_planned_as_the_installer_says(hut: "Hut") -> None:
    world = hut("battery", model={"battery": "storage-efficiency: 99%"})
    world.show(BATTERY)
    gathered = gather(world)
    battery, inverter = storage(gathered, "battery"), device(gathered, "battery")
    assert (battery.soc_start_kwh, battery.soc_min_kwh, battery.soc_max_kwh) == (5.0, 1.0, 10.0)
    assert np.asarray(inverter.charging_efficiency) == pytest.approx(0.9)
    assert np.asarray(inverter.discharging_efficiency) == pytest.approx(0.9)
    assert np.asarray(battery.storage_efficiency)[:2] == pytest.approx([0.99 ** (10 / 15), 0.99])
    assert battery.minima == ()


def test_what_cannot_be_known_is_not_planned_and_named(hut: "Hut") -> None:
    world = hut("battery", "heating")
    gathered = gather(world)
    assert gathered.problem.devices == ()
    assert gathered.notes == (
        "battery is not planned: its state of charge is not known",
        "heating is not planned: its state of charge is not known",
    )


@pytest.mark.parametrize("more", ["", "flex-model: {production-capacity: 0 kW}"])
def test_what_has_no_size_is_not_planned_and_named(hut: "Hut", more: str) -> None:
    world = hut("pump", more={"pump": more})
    world.show({"pump.buffer-temperature": 45.0, "pump.power": 0.0})
    gathered = gather(world)
    assert gathered.problem.devices == ()
    assert gathered.notes == ("pump is not planned: it has no power-capacity",)


@pytest.mark.parametrize("plugged", [0.0, None])
def test_a_car_that_is_not_known_to_be_there_is_not_planned(
    hut: "Hut", plugged: float | None
) -> None:
    world = hut("car")
    world.show(CAR | {"car.plugged": plugged})
    gathered = gather(world)
    assert gathered.problem.devices == ()
    assert gathered.notes == ()


def test_a_car_draws_nothing_after_it_has_left(hut: "Hut") -> None:
    world = hut("car", more={"car": 'ready-by: [{time: "18:00", soc: 45 kWh}]'})
    world.show(CAR)
    gathered = gather(world)
    car = device(gathered, "car")
    leaves = datetime.fromisoformat("2026-04-14T18:00:00+02:00")
    slot = gathered.problem.grid.slot(leaves)
    assert slot is not None
    assert car.max_kw[1:slot].tolist() == [11.0] * (slot - 1)
    assert car.max_kw[slot:].tolist() == [0.0] * (gathered.problem.grid.n - slot)
    minimum = storage(gathered, "car").minima[0]
    assert (minimum.at, minimum.soc_kwh) == (leaves, 45.0)
    assert storage(gathered, "car").soc_start_kwh == pytest.approx(24.5)


def test_a_car_without_a_time_to_leave_may_charge_to_the_end(hut: "Hut") -> None:
    world = hut("car")
    world.show(CAR)
    gathered = gather(world)
    assert (device(gathered, "car").max_kw[1:] == 11.0).all()


def test_heat_is_drawn_as_measured_yesterday_or_as_the_installer_says(hut: "Hut") -> None:
    world = hut("heating", model={"heating": "soc-gain: [0.2 kW]"})
    world.show({"heating.buffer-temperature": 45.0, "heating.power": 0.0})
    usage = storage(gather(world), "heating").usage_kw
    assert isinstance(usage, np.ndarray)
    assert usage[1:].tolist() == pytest.approx([1.0] * 96)
    assert np.asarray(device(gather(world), "heating").charging_efficiency) == pytest.approx(3.5)


def test_the_sun_is_a_device_if_it_can_be_limited_and_else_happens_anyway(hut: "Hut") -> None:
    world = hut("solar")
    world.show({"solar.power": -4.0})
    gathered = gather(world)
    assert (device(gathered, "solar").max_kw == 0.0).all()
    assert device(gathered, "solar").min_kw[1] < 0.0
    assert (gathered.problem.site.inflexible_kw == 0.0).all()
    watched = hut("solar", more={"solar": "control: false"})
    watched.show({"solar.power": -4.0})
    gathered = gather(watched)
    assert gathered.problem.devices == ()
    assert gathered.problem.site.inflexible_kw[1] < 0.0
    assert gathered.expected["solar.power"].values[1] == gathered.problem.site.inflexible_kw[1]


def test_the_sun_that_the_context_lists_is_counted_once(hut: "Hut") -> None:
    listed = "inflexible-production: [{sensor: solar.power, default: 2 kW}]"
    world = hut("solar", more={"solar": "control: false"}, context=listed)
    gathered = gather(world)
    assert gathered.problem.site.inflexible_kw[1:].tolist() == [-2.0] * 96


def test_load_is_what_was_measured_or_the_installers_default(hut: "Hut") -> None:
    listed = (
        "inflexible-consumption: [{sensor: house.power, default: 1 kW}, {sensor: heating.power}]"
    )
    world = hut("heating", "house", context=listed, more={"heating": "control: false"})
    world.show({"heating.power": 0.5, "grid.power": 2.5})
    gathered = gather(world)
    assert gathered.problem.site.inflexible_kw[1:8].tolist() == [2.5] * 7  # 2.0 and 0.5
    assert gathered.problem.site.inflexible_kw[9:].tolist() == [1.0] * 88  # 1.0, and 0
    assert gathered.expected["house.power"].values[1] == 2.0


def test_a_house_that_gives_power_is_not_planned_as_one_that_draws_it(hut: "Hut") -> None:
    world = hut("battery", "house")  # panels that nobody told us about
    world.show({"grid.power": -3.0, "battery.power": 0.0, "battery.soc": 50.0})
    world.poll()
    assert gather(world).problem.site.inflexible_kw[1] == pytest.approx(-3.0)


def test_processes_are_planned_with_everything_else(hut: "Hut") -> None:
    world = hut("oven")
    gathered = gather(world)
    assert gathered.owners == {"oven": "oven", "oven on 15 April": "oven"}
    today, tomorrow = (device(gathered, name).process for name in gathered.owners)
    assert today is not None
    assert tomorrow is not None
    assert (today.power_kw, today.slots, today.kind, today.runs) == (6.0, 4, "SHIFTABLE", 1)
    assert today.allowed.sum() == 24  # from noon to six on site
    assert not (today.allowed & tomorrow.allowed).any()
    assert (gathered.problem.site.inflexible_kw == 0.0).all()
    assert device(gathered, "oven").max_kw[:2] == pytest.approx([4.0, 6.0])


def test_prices_are_fixed_or_of_a_sensor_and_feeding_in_pays_as_buying_costs(hut: "Hut") -> None:
    world = hut("battery")
    problem = gather(world).problem
    assert sorted(set(problem.site.import_price.tolist())) == [0.20, 0.40]
    assert set(problem.site.export_price.tolist()) == {0.08}
    path = hut.folder / "site.yaml"
    text = path.read_text().replace(", production-price: {sensor: feed-in}", "")
    path.write_text(text)
    problem = gather(hut.world(path, "other")).problem
    assert problem.site.export_price.tolist() == problem.site.import_price.tolist()


def market(hut: "Hut", rows: dict[str, float]) -> "World":
    lines = [f"{start},{value}" for start, value in rows.items()]
    (hut.folder / "prices.csv").write_text("\n".join(("start,value", *lines)) + "\n")
    return hut(
        "battery",
        prices="{import: {file: prices.csv, unit: EUR/kWh}, feed-in: {fixed: 0 EUR/kWh}}",
    )


def test_unknown_prices_take_the_nearest_known_one(hut: "Hut") -> None:
    world = market(hut, {"2026-04-14T12:00+00:00": 0.1, "2026-04-14T16:00+00:00": 0.3})
    price = gather(world).problem.site.import_price
    assert price[::4][:12].tolist() == pytest.approx([0.1] * 5 + [0.3] * 7)


def test_prices_that_end_soon_are_told(hut: "Hut") -> None:
    world = market(hut, {"2026-04-14T10:00+00:00": 0.1, "2026-04-14T11:00+00:00": 0.3})
    world.show(BATTERY)
    (note,) = gather(world).notes
    assert note.startswith("the price 'import' is not known from 14 Apr 14:00 on")
    hours = {f"2026-04-14T{hour}:00+00:00": 0.1 for hour in range(10, 17)}
    world = market(hut, hours)
    world.show(BATTERY)
    assert gather(world).notes == ()


def test_without_any_known_price_there_is_no_problem(hut: "Hut") -> None:
    world = market(hut, {"2026-04-01T12:00+00:00": 0.1})
    with pytest.raises(PlanError, match="the price 'import' is not known for the time ahead"):
        gather(world)


def test_a_limit_from_a_centre_counts_where_it_is_known(hut: "Hut") -> None:
    world = hut(
        "battery",
        context="site-power-capacity: 20 kW, site-consumption-capacity: "
        "{sensor: grid-limit, default: 17 kW}",
        prices=f"{PRICES}\ncentres: {{main: {{receive: {{grid-limit: {{sensor: 7, unit: kW}}}}}}}}",
    )
    world.show(BATTERY)
    grid = TimeGrid(NOW.replace(minute=15), timedelta(minutes=15), 4)
    limits = Series(grid, np.array([5.0, -3.0, np.nan, 4.0]))
    ours = gatherer(world, Plan())
    before = ours.signature(world.now)
    world.gateway.received.keep("grid-limit", limits, world.now)
    assert ours.signature(world.now) != before
    world.gateway.beliefs.flush()
    told = gather(world).problem.site.connection.consumption_capacity_kw
    assert told is not None
    margin = 0.5
    quarters = np.atleast_1d(told)[1:6].tolist()  # the first one has begun
    assert quarters == pytest.approx([limit - margin for limit in (5, 3, 17, 4, 17)])


def test_the_connection_is_planned_below_its_limits_by_the_guards_margin(hut: "Hut") -> None:
    world = hut(
        "battery",
        context="site-power-capacity: 20 kW, site-consumption-capacity: 0.3 kW, "
        "site-production-capacity: 8 kW, site-production-breach-price: 5 EUR/kW, "
        "site-peak-consumption: 4 kW, site-peak-consumption-price: 100 EUR/kW, "
        "soc-minima-breach-price: 7 EUR/kWh",
    )
    world.show(BATTERY)
    problem = gather(world).problem
    connection = problem.site.connection
    capacities = (
        connection.power_capacity_kw,
        connection.consumption_capacity_kw,
        connection.production_capacity_kw,
    )
    for values, expected in zip(capacities, (19.5, 0.0, 7.5), strict=True):
        assert isinstance(values, np.ndarray)
        assert (values[1:] == expected).all()
    for amount, price in (
        (connection.consumption_breach_price, SITE_BREACH_PRICE),
        (connection.production_breach_price, 5.0),
        (connection.peak_consumption_kw, 4.0),
        (connection.peak_price, 100.0),
        (storage(gather(world), "battery").minima_price, 7.0),
    ):
        assert set(np.asarray(amount).tolist()) == {price}
    free = gather(hut("battery")).problem.site.connection
    assert free.power_capacity_kw is None
    assert free.peak_price is None


def test_what_the_house_uses_is_planned_with_also_where_the_context_does_not_list_it(
    hut: "Hut",
) -> None:
    world = hut("battery", "house")
    world.show({"battery.power": 0.5, "grid.power": 2.5})
    gathered = gather(world)
    assert gathered.problem.site.inflexible_kw[1:8].tolist() == [2.0] * 7
    assert gathered.expected["house.power"].values[1] == 2.0


EVERYTHING = (
    "minimum-power: 1 kW, wear-cost: 0.02 EUR/kWh, start-up-cost: 0.5 EUR, "
    "minimum-up-time: 30 min, "
    "minimum-down-time: 1 h, maximum-starts-per-day: 3, ramp-up-limit: 8 kW/h, "
    "ramp-down-limit: 12 kW/h, charging-power-curve: [{soc: 8 kWh, power: 5 kW}, "
    "{soc: 10 kWh, power: 1 kW}], phases: L2, priority: 2, soc-value-at-end: 0.1 EUR/kWh, "
    "soc-maxima: 9 kWh, soc-minima: 2 kWh, prefer-charging-sooner: false"
)


def test_every_field_of_a_flex_model_reaches_the_optimisation(hut: "Hut") -> None:
    world = hut("battery", model={"battery": EVERYTHING})
    world.show(BATTERY | {"battery.power": 2.0})
    gathered = gather(world)
    battery, stock = device(gathered, "battery"), storage(gathered, "battery")
    assert battery.wear_price == 0.02
    assert battery.running is not None
    assert battery.running.start_price == 0.5
    assert (battery.running.min_up_steps, battery.running.min_down_steps) == (2, 4)
    assert battery.running.max_starts_per_day == 3
    assert (battery.max_rise_kw, battery.max_fall_kw) == (2.0, 3.0)
    assert battery.power_before_kw == 2.0
    assert battery.charge_taper is not None
    assert battery.charge_taper.y == (5.0, 1.0)
    assert battery.phases == (0.0, 1.0, 0.0)
    assert battery.priority == 2.0
    assert stock.value_at_end == ((np.inf, 0.1),)
    assert {bound.soc_kwh for bound in stock.maxima} == {9.0}
    assert {bound.soc_kwh for bound in stock.minima} == {2.0}
    assert not stock.prefer_charging_sooner


def test_an_asset_that_the_optimisation_refuses_is_left_out_and_named(hut: "Hut") -> None:
    steps = "power-steps: [1 kW, 5 kW], ramp-up-limit: 4 kW/h"
    world = hut("battery", "oven", model={"battery": steps})
    world.show(BATTERY | {"oven.power": 0.0})
    gathered = gather(world)
    assert {gathered.owners[one.name] for one in gathered.problem.devices} == {"oven"}
    (note,) = gathered.notes
    assert note == (
        "battery is not planned: assets.battery.flex-model.ramp-up-limit: is 1 kW in one step, but "
        "power-steps are 4 kW apart: it would never get from one to the next"
    )


def test_nothing_is_planned_where_what_all_share_is_refused(hut: "Hut") -> None:
    world = hut("battery")
    world.show(BATTERY)
    plant = world.gateway.plant
    weighed = plant.context.model_copy(update={"risk_weight": 0.5})
    site = plant.site.model_copy(update={"flex_context": weighed})
    world.gateway = replace(world.gateway, plant=replace(plant, site=site))
    with pytest.raises(BadField) as caught:
        gather(world)
    assert caught.value.path == "flex-context.risk-weight"


def test_what_runs_goes_on_for_its_minimum_time_and_starts_of_today_count(hut: "Hut") -> None:
    times = (
        "minimum-power: 1 kW, minimum-up-time: 1 h, minimum-down-time: 2 h, "
        "maximum-starts-per-day: 3"
    )
    world = hut("heating", model={"heating": times})
    world.show({"heating.buffer-temperature": 45.0, "heating.power": 0.0})
    ran(world, minutes=20)
    world.show({"heating.power": 2.0})
    running = device(gather(world), "heating").running
    assert running is not None
    assert running.on_before
    assert running.held_steps == 3  # 40 min are left, and 5 of the first step are over
    assert running.starts_before == 1
    world.show({"heating.power": 0.0})
    world.now += timedelta(minutes=30)
    off = device(gather(world), "heating").running
    assert off is not None
    assert not off.on_before
    assert off.held_steps == 7  # 90 min are left, and 5 of the first step are over


def ran(world: "World", minutes: int, power_kw: float = 2.0) -> None:
    """The heating drew power until now."""
    moments = (world.now - timedelta(seconds=30 * i) for i in range(1, 2 * minutes + 1))
    readings = [Reading("heating.power", moment, power_kw) for moment in moments]
    world.gateway.beliefs.append(readings)


def test_a_least_power_holds_where_only_a_sensor_tells_the_most(hut: "Hut") -> None:
    capacity = "minimum-power: 1 kW, consumption-capacity: {sensor: solar.limit, default: 2 kW}"
    world = hut("pump", "solar", more={"pump": f"flex-model: {{{capacity}}}"})
    world.show({"pump.buffer-temperature": 45.0, "pump.power": 0.0, "solar.power": 0.0})
    pump = device(gather(world), "pump")
    assert pump.modes == ((0.0, 0.0), (1.0, 2.0))
    assert set(np.asarray(pump.min_kw)) == {0.0}


def test_a_charger_is_off_or_draws_its_least_and_of_a_step_that_has_begun_a_part(
    hut: "Hut",
) -> None:
    world = hut("car", more={"car": 'ready-by: [{time: "18:00", soc: 45 kWh}]'})
    world.show(CAR)
    gathered = gather(world)
    car = device(gathered, "car")
    assert np.array(car.modes) == pytest.approx(np.array([[0.0, 0.0], [4.14, 11.0]]))
    assert np.asarray(car.share)[:2] == pytest.approx([2 / 3, 1.0])
    solution = solve(gathered.problem, timedelta(seconds=20))
    power = solution.power_kw["car"] / np.asarray(car.share)
    assert ((power < 1e-6) | (power > 4.14 - 1e-6)).all()
    assert solution.breaches == ()


def test_two_assets_that_name_one_state_of_charge_feed_one_storage(hut: "Hut") -> None:
    soc = "state-of-charge: {sensor: heating.soc}"
    world = hut(
        "heating",
        "battery",
        model={"heating": soc},
        more={"heating": "limits: {dwell: 1 min}"},
    )
    path = hut.folder / "site.yaml"
    rod = f"flex-model: {{{soc}, power-capacity: 2 kW, production-capacity: 0 kW"
    text = path.read_text().replace(
        "flex-model: {soc-min: 1 kWh, soc-max: 10 kWh, power-capacity: 5 kW, "
        "roundtrip-efficiency: 81%", rod,
    )  # fmt: skip
    text = text.replace("flex-model: {state-of", "flex-model: {soc-max: 11 kWh, state-of", 1)
    path.write_text(text)
    world = hut.world(path, "shared")
    world.show({"heating.buffer-temperature": 45.0, "heating.power": 0.0, "battery.power": 0.0})
    gathered = gather(world)
    assert storage(gathered, "heating") is storage(gathered, "battery")
    assert storage(gathered, "battery").soc_start_kwh == pytest.approx(500 * 1.163e-3 * 10)
    assert device(gathered, "battery").max_kw[1] == 2.0


def test_a_group_limits_its_members(hut: "Hut") -> None:
    world = hut("battery", "feeder", model={"battery": "group: {asset: feeder}"}, prices=PRICES)
    world.show(BATTERY)
    (group,) = gather(world).problem.groups
    assert group.devices == ("battery",)
    assert np.asarray(group.power_capacity_kw)[1:].tolist() == [4.0] * 96


def test_a_boiler_burns_gas_for_the_heat_that_is_asked_for(hut: "Hut") -> None:
    commodities = (
        "commodities: [{commodity: gas, consumption-price: 0.09 EUR/kWh}, {commodity: heat, "
        "inflexible-consumption: [{sensor: grid.power, default: 9 kW}]}]"
    )
    gathered = gather(hut("gas-in", "heat-out", context=commodities))
    solution = solve(gathered.problem, timedelta(seconds=20))
    assert solution.power_kw["heat-out"][1:] == pytest.approx([-9.0] * 96)
    assert solution.power_kw["gas-in"][1:] == pytest.approx([10.0] * 96)


def test_commitments_and_scenarios_of_the_context_are_planned_with(hut: "Hut") -> None:
    world = hut(
        "battery",
        context="commitments: [{name: fuse, baseline: 2 kW, up-price: 3 EUR/kW, "
        "sensors: [{sensor: battery.power}]}], scenarios: [{probability: 0.25, "
        "inflexible-consumption: [3 kW], consumption-price: 0.5 EUR/kWh}], risk-weight: 0.5",
    )
    world.show(BATTERY)
    problem = gather(world).problem
    (commitment,), (scenario,) = problem.commitments, problem.scenarios
    assert commitment.devices == ("battery",)
    assert commitment.baseline_kw[:2] == pytest.approx([4 / 3, 2.0])
    assert scenario.inflexible_kw[:2] == pytest.approx([2.0, 3.0])
    assert scenario.import_price[0] == 0.5
    assert problem.risk_weight == 0.5


def test_the_peak_of_the_month_and_of_the_quarter_hour_that_has_begun_count(hut: "Hut") -> None:
    peak = "site-peak-consumption: 4 kW, site-peak-consumption-price: 100 EUR/kW"
    world = hut("battery", context=peak)
    world.show(BATTERY)
    world.gateway.beliefs.append(
        [
            Reading("grid.power", world.now - timedelta(hours=30, seconds=30 * i), 7.0)
            for i in range(60)
        ]
    )
    world.gateway.beliefs.append(
        [Reading("grid.power", world.now - timedelta(seconds=30 * i), 6.0) for i in range(1, 11)]
    )
    connection = gather(world).problem.site.connection
    assert np.asarray(connection.peak_consumption_kw)[0] == pytest.approx(7.0)
    assert np.asarray(connection.used_kw)[:2] == pytest.approx([6.0 * 5 / 15, 0.0])


def test_days_for_starts_are_those_on_site(hut: "Hut") -> None:
    world = hut("battery")
    world.show(BATTERY)
    days = gather(world).problem.day_of_step
    midnight = datetime.fromisoformat("2026-04-15T00:00:00+02:00")
    slot = gather(world).problem.grid.slot(midnight)
    assert slot is not None
    assert days[slot] == days[slot - 1] + 1


def test_what_is_watched_goes_on_as_it_does_but_for_batteries(hut: "Hut") -> None:
    unwatched = dict.fromkeys(("car", "battery"), "control: false")
    world = hut("car", "battery", more=unwatched)
    world.show(CAR | {"car.power": 3.0, "battery.power": 2.0})
    gathered = gather(world)
    assert gathered.problem.devices == ()
    assert gathered.problem.site.inflexible_kw[1] > 2.5
    assert "battery.power" not in gathered.expected


def test_steps_may_be_shorter_than_a_quarter_hour(hut: "Hut") -> None:
    world = hut("battery", model={"battery": "storage-efficiency: 99%"})
    world.show(BATTERY)
    gathered = gather(world, resolution=timedelta(minutes=5))
    assert gathered.problem.grid.resolution == timedelta(minutes=5)
    kept = np.asarray(storage(gathered, "battery").storage_efficiency)
    assert kept[1] == pytest.approx(0.99 ** (1 / 3))
