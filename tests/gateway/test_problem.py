from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flexedge.errors import PlanError
from flexedge.gateway.feeds import Feeds
from flexedge.gateway.past import Past
from flexedge.gateway.predict import Predictor
from flexedge.gateway.problem import Gathered, Gatherer
from flexedge.optim.device import Device, Storage
from flexedge.optim.market import SITE_BREACH_PRICE

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

DAY = timedelta(hours=24)
BATTERY = {"battery.power": 0.0, "battery.soc": 50.0}
CAR = {"car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 5.0}


def gatherer(world: "World") -> Gatherer:
    gateway = world.gateway
    plant, beliefs, latest = gateway.plant, gateway.beliefs, gateway.latest
    feeds = Feeds(plant, Predictor(plant, beliefs, latest), gateway.prices, beliefs)
    past = Past(plant, latest, beliefs)
    return Gatherer(plant, gateway.storages, feeds, past, timedelta(minutes=15))


def gather(world: "World", horizon: timedelta = DAY) -> Gathered:
    world.poll()
    world.gateway.beliefs.flush()
    return gatherer(world).gather(world.now, horizon)


def device(gathered: Gathered, name: str) -> Device:
    return next(device for device in gathered.problem.devices if device.name == name)


def storage(gathered: Gathered, name: str) -> Storage:
    found = device(gathered, name).storage
    assert found is not None
    return found


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


def test_what_has_no_size_is_not_planned_and_named(hut: "Hut") -> None:
    world = hut("pump")
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


def test_without_any_known_price_there_is_no_problem(hut: "Hut") -> None:
    world = market(hut, {"2026-04-01T12:00+00:00": 0.1})
    with pytest.raises(PlanError, match="the price 'import' is not known for the time ahead"):
        gather(world)


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
