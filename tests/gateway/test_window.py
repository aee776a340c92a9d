from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge import __version__
from flexedge.domain.schedule import Refused
from flexedge.errors import DeviceUnreachable, RequestError, StoreError
from flexedge.gateway.view import AssetView, DeviceView, Line
from tests.gateway.sync.duties import MAIN

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

SECOND = timedelta(seconds=1)
BATTERY = {"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0}
CAR = {"car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 0.0}


def asset(world: "World", name: str) -> AssetView:
    return next(one for one in world.window().status().assets if one.name == name)


def device(world: "World", name: str) -> DeviceView:
    return next(one for one in world.window().status().devices if one.name == name)


def planned(lines: tuple[Line, ...], name: str) -> tuple[float | None, ...]:
    return next(line.planned for line in lines if line.name == name)


def test_before_anything_is_known_everything_is_there_and_unknown(hut: "Hut") -> None:
    world = hut.home()
    status = world.window().status()
    assert (status.site, status.version, status.now) == ("Home", __version__, world.now)
    assert (status.timezone, status.currency, status.speed) == ("Europe/Amsterdam", "EUR", 1.0)
    assert (status.import_price, status.feed_in_price) == (0.29, 0.08)
    assert (status.grid_kw, status.grid_age_s, status.grid_limit_kw) == (None, None, 15.0)
    assert [one.name for one in status.assets] == ["battery", "solar", "car", "heating", "house"]
    for one in status.assets:
        assert (one.power_kw, one.age_s, one.quality, one.planned_kw) == (
            None,
            None,
            "missing",
            None,
        )
        assert one.control is None
    assert {one.state for one in status.devices} == {"starting"}
    assert all(point.value is None for one in status.devices for point in one.points)
    assert (status.plan.rung, status.plan.status) == ("released", "no plan yet")
    assert (status.plan.made_at, status.plan.cost, status.plan.explanation) == (None, None, ())
    assert status.alarms == ()


def test_an_asset_shows_what_it_does_holds_and_was_told(hut: "Hut") -> None:
    world = hut("battery", "car", "house")
    world.show(BATTERY | CAR)
    world.plan()
    world.ticks(2)
    world.now += 2 * SECOND
    battery = asset(world, "battery")
    assert (battery.type, battery.device) == ("battery", "hybrid")
    assert (battery.power_kw, battery.age_s, battery.quality) == (0.0, 2.0, "good")
    assert (battery.soc_kwh, battery.soc_max_kwh, battery.plugged) == (5.0, 10.0, None)
    assert battery.planned_kw is not None
    assert battery.why.startswith("The battery")
    assert battery.control is not None
    assert battery.control.setpoint_kw == world.setpoint("battery")
    assert (battery.control.outcome, battery.control.verified) == ("applied", True)
    assert (battery.control.reason, battery.control.clamped_by) == ("", ())
    assert battery.control.at == world.now - 2 * SECOND
    car, house = asset(world, "car"), asset(world, "house")
    assert (car.plugged, car.soc_kwh, car.soc_max_kwh) == (True, 20.0, 60.0)
    assert (house.power_kw, house.soc_kwh, house.control) == (2.0, None, None)
    world.now += 10 * SECOND
    assert (asset(world, "house").power_kw, asset(world, "house").age_s) == (None, 12.0)


def test_who_cut_a_setpoint_is_named(hut: "Hut") -> None:
    world = hut("car", context="site-consumption-capacity: 10 kW")
    world.show(CAR | {"grid.power": 2.0})
    world.tick()
    control = asset(world, "car").control
    assert control is not None
    assert (control.outcome, control.clamped_by) == ("clamped", ("site limit",))
    assert control.setpoint_kw == 7.5


def test_what_went_wrong_is_said(hut: "Hut") -> None:
    world = hut("battery")
    world.show(BATTERY)
    world.wires["hybrid"] = lambda _one: Refused("illegal value")
    world.tick()
    control = asset(world, "battery").control
    assert control is not None
    assert (control.outcome, control.reason) == ("refused", "illegal value")
    world.dispatcher.end(world.now)
    control = asset(world, "battery").control
    assert control is not None
    assert (control.outcome, control.reason) == ("released", "flexedge stops")
    assert control.setpoint_kw is None


def test_a_device_shows_whether_it_answers_and_all_its_points(hut: "Hut") -> None:
    world = hut("battery")
    world.show({"battery.soc": 50.0, "battery.power": None})
    world.poll()
    world.now += 3 * SECOND
    hybrid = device(world, "hybrid")
    assert (hybrid.title, hybrid.state, hybrid.age_s) == ("FoxESS H3 hybrid inverter", "ok", 3.0)
    assert (hybrid.polls, hybrid.failures, hybrid.error) == (1, 0, None)
    points = {point.sensor: point for point in hybrid.points}
    assert set(points) >= {"battery.soc", "battery.power", "hybrid.grid.power-l1"}
    soc, power = points["battery.soc"], points["battery.power"]
    assert (soc.value, soc.unit, soc.quality, soc.age_s) == (50.0, "%", "good", 3.0)
    assert (power.value, power.unit, power.quality, power.age_s) == (None, "kW", "missing", 3.0)
    never = points["hybrid.grid.power-l1"]
    assert (never.value, never.quality, never.age_s) == (None, "missing", None)
    world.gateway.collector.failed("hybrid", DeviceUnreachable("hybrid", "no answer"), world.now)
    assert (device(world, "hybrid").state, device(world, "hybrid").error) == ("stale", "no answer")
    world.now += 31 * SECOND
    assert (device(world, "hybrid").state, device(world, "hybrid").failures) == ("lost", 1)


def test_the_plan_in_force_and_the_trouble_with_the_next(hut: "Hut") -> None:
    world = hut("battery", context="inflexible-consumption: [{sensor: grid.power}]")
    world.show(BATTERY)
    plan = world.plan()
    world.tick()
    shown = world.window().status().plan
    assert (shown.rung, shown.made_at, shown.valid_until) == (
        "fresh-plan",
        plan.made_at,
        plan.valid_until,
    )
    assert (shown.status, shown.cost, shown.seconds) == ("optimal", plan.cost, plan.seconds)
    assert shown.explanation == (plan.headline,)
    assert (shown.count, shown.infeasible) == (1, 0)
    world.gateway.planner.trouble = "no plan satisfies the limits"
    assert world.window().status().plan.status == "no plan satisfies the limits"


def test_alarms_are_shown(hut: "Hut") -> None:
    world = hut("battery")
    world.gateway.health.alarm("store", "the disk is full")
    assert world.window().status().alarms == ("the disk is full",)


def test_a_price_that_is_not_known_is_not_shown(hut: "Hut") -> None:
    (hut.folder / "prices.csv").write_text("start,value\n2026-04-01T12:00+00:00,0.2\n")
    prices = "{import: {file: prices.csv, unit: EUR/kWh}, feed-in: {fixed: 0 EUR/kWh}}"
    world = hut("battery", prices=prices)
    assert world.window().status().import_price is None
    assert set(world.window().chart().import_price) == {None}
    fixed = hut("battery", prices=prices)
    path = hut.folder / "site.yaml"
    path.write_text(
        path.read_text().replace("{sensor: import}", "{sensor: import, default: 0.5 EUR/kWh}")
    )
    fixed = hut.world(path, "other")
    assert fixed.window().status().import_price == 0.5
    path.write_text(path.read_text().replace("{sensor: import, default: 0.5 EUR/kWh}, production-price: {sensor: feed-in}", "0.4 EUR/kWh"))  # fmt: skip  # noqa: E501
    one = hut.world(path, "third").window().status()
    assert (one.import_price, one.feed_in_price) == (0.4, 0.4)


def test_the_status_is_told_while_nothing_that_is_kept_can_be_read(hut: "Hut") -> None:
    price = "{centre: main, sensor: 14, unit: EUR/kWh}"
    world = hut("battery", prices=f"{{import: {price}, feed-in: {{fixed: 0.08 EUR/kWh}}}}")
    window = world.window()
    world.gateway.state.centres.add(MAIN)
    assert [one.name for one in window.status().centres] == ["main"]
    world.gateway.beliefs.close()
    world.gateway.state.close()
    state = hut.folder / "data" / "state.db"
    state.rename(hut.folder / "away")
    state.mkdir()
    with pytest.raises(StoreError):
        world.gateway.state.centres.all()
    status = window.status()
    assert (status.import_price, status.feed_in_price) == (None, 0.08)
    assert [one.name for one in status.centres] == ["main"]


def test_the_chart_goes_from_midnight_yesterday_to_the_end_of_the_plan(hut: "Hut") -> None:
    world = hut("battery", "solar", "house", context="inflexible-consumption: [{sensor: house.power, default: 1 kW}]")  # fmt: skip  # noqa: E501
    empty = world.window().chart()
    assert empty.now == world.now
    assert empty.times[0] == datetime.fromisoformat("2026-04-13T00:00+02:00")
    assert empty.times[-1] == datetime.fromisoformat("2026-04-15T09:45+00:00")
    assert (empty.resolution_s, empty.currency) == (900.0, "EUR")
    assert len(empty.import_price) == len(empty.times)
    assert set(empty.grid.measured) == {None}
    assert set(planned(empty.powers, "battery")) == {None}
    world.show(BATTERY | {"solar.power": -1.0})
    plan = world.plan()
    chart = world.window().chart()
    assert chart.times[-1] == plan.grid_kw.grid.end - timedelta(minutes=15)
    assert [line.name for line in chart.powers] == ["battery", "solar", "house"]
    assert [line.name for line in chart.socs] == ["battery"]
    here = chart.times.index(plan.grid_kw.grid.start)
    assert chart.grid.measured[here] == 2.0
    assert chart.grid.measured[here - 1] is None
    assert planned(chart.powers, "battery")[here] == pytest.approx(
        plan.schedules["battery"].power_kw.values[0], abs=1e-4
    )
    assert planned(chart.powers, "house")[-1] == 1.0  # what is expected of what is not planned
    assert chart.socs[0].unit == "%"
    assert chart.socs[0].measured[here] == 50.0


def test_an_asset_that_nothing_measures_is_shown_without_a_line(hut: "Hut") -> None:
    world = hut("battery", "roof-without-meter")
    world.show(BATTERY)
    plan = world.plan()
    rest_kw = plan.grid_kw.values - plan.schedules["battery"].power_kw.values
    assert rest_kw.min() < -4.0  # it is planned with
    assert asset(world, "roof-without-meter").power_kw is None
    assert [line.name for line in world.window().chart().powers] == ["battery"]


def test_beliefs_of_a_sensor_and_what_cannot_be_asked_for(hut: "Hut") -> None:
    world = hut("battery")
    world.show(BATTERY)
    world.plan()
    start = world.now - timedelta(minutes=10)
    rows = world.window().beliefs("battery.power", start, world.now + timedelta(hours=1))
    assert {row.source for row in rows} == {"reading", "flexedge"}
    assert [row.event_start for row in rows] == sorted(row.event_start for row in rows)
    with pytest.raises(RequestError, match=r"no sensor 'battery[.]powr'; there are") as no:
        world.window().beliefs("battery.powr", start, world.now)
    assert no.value.status == 404
    world.window().beliefs("battery.power", start, start + timedelta(days=8))
    with pytest.raises(RequestError, match="at most 8 days") as long:
        world.window().beliefs("battery.power", start, start + timedelta(days=8, seconds=1))
    assert long.value.status == 422


def test_totals_count_and_add_up_also_what_was_just_read(hut: "Hut") -> None:
    world = hut("battery")
    start = world.now
    world.show(BATTERY)
    world.plan()
    for _ in range(61):
        world.tick()
    totals = world.window().totals(start, world.now)
    assert totals.energies_kwh["grid.power"] == pytest.approx(2.0 / 60, rel=0.02)
    assert totals.setpoints.written == len(world.writes("battery"))
    assert totals.setpoints.verified >= 1
    assert (totals.setpoints.clamped, totals.setpoints.refused) == (0, 0)
    assert (totals.plans.count, totals.plans.infeasible, totals.errors) == (1, 0, 0)
    assert totals.plans.seconds_max > 0.0
    assert 10.0 < totals.rss_mb < 4000.0
