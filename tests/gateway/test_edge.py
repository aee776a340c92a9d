from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.schedule import Refused
from flexedge.gateway.edge import Edge

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

BATTERY = {"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0}
HOUR = timedelta(hours=1)


@pytest.fixture
def battery(hut: "Hut") -> "World":
    world = hut("battery", more={"battery": "limits: {range: [-3 kW, 4 kW]}"})
    world.show(BATTERY)
    return world


def edge(world: "World") -> Edge:
    return Edge(world.gateway, lambda: world.now, 1.0)


def test_it_says_what_it_is_and_for_how_long(battery: "World") -> None:
    seen = edge(battery)
    battery.now += HOUR
    about = seen.about()
    assert (about.mode, about.site, about.devices, about.uptime_s) == ("site", "Hut", 2, 3600.0)
    assert about.clock.trusted
    battery.gateway.health.time_known = False
    assert not seen.about().clock.trusted


def test_alarms_have_names_times_and_a_floor(battery: "World") -> None:
    battery.tick()
    seen = edge(battery)
    assert seen.health().status == "ok"
    battery.gateway.health.alarm("plan", "no new plan: why")
    battery.gateway.health.alarm("held a.b", "does not obey")
    battery.gateway.health.alarm("store-memory", "is in memory")
    battery.gateway.health.alarm("loop time", "failed")
    battery.tick()
    battery.gateway.health.failed("hybrid", "no answer", battery.now)
    battery.away.add("hybrid")
    battery.tick(60.0)
    health = seen.health()
    assert health.status == "alarm"
    assert [a.name for a in health.plan.alarms] == ["plan"]
    assert [a.name for a in health.dispatch.alarms] == ["held a.b"]
    assert [a.name for a in health.store.alarms] == ["store-memory"]
    assert [a.name for a in health.daemon.alarms] == ["loop time"]
    assert health.plan.alarms[0].since == battery.now - timedelta(seconds=60)
    assert health.plan.alarms[0].message == "no new plan: why"
    (lost,) = health.drivers.alarms
    assert (lost.name, lost.message) == ("device hybrid", "no answer")
    assert health.loops["dispatch"] == battery.now


def test_a_device_shows_its_points_and_its_controls(battery: "World") -> None:
    battery.ticks(2)
    devices = edge(battery).devices(battery.window().status())
    hybrid = next(one for one in devices if one.name == "hybrid")
    assert hybrid.assets == ("battery",)
    assert {point.sensor: point.value for point in hybrid.points}["battery.soc"] == 50.0
    (control,) = hybrid.controls
    assert (control.asset, control.leased, control.setpoint_kw) == ("battery", True, -2.0)
    assert (control.outcome, control.verified) == ("applied", True)
    assert control.leased_since is not None
    assert control.reason == "no plan: the local rule holds"
    meter = next(one for one in devices if one.name == "meter")
    assert meter.controls == ()


def test_an_order_that_is_not_taken_says_why(battery: "World") -> None:
    battery.wires["hybrid"] = lambda _request: Refused("busy")
    battery.tick()
    (control,) = edge(battery).controls()
    assert (control.outcome, control.reason) == ("refused", "busy")


def test_each_limit_says_who_drew_it(hut: "Hut", battery: "World") -> None:
    del hut
    until = battery.now + HOUR
    for asset, low, high in (("battery", None, 1.0), (None, -2.0, None)):
        battery.gateway.overrides.tighten(asset, (low, high), until, "grid", "dim", battery.now)
    limits = edge(battery).limits()
    assert [(one.by, one.low_kw, one.high_kw, one.until) for one in limits.assets["battery"]] == [
        ("installer", -3.0, 4.0, None),
        ("grid", None, 1.0, until),
    ]
    assert [(one.by, one.low_kw, one.high_kw) for one in limits.site] == [
        ("installer", None, None),
        ("grid", -2.0, None),
    ]
    temporary = [(one.asset, one.most_consumption_kw, one.most_production_kw, one.why)
                 for one in limits.temporary]  # fmt: skip
    assert temporary == [("battery", 1.0, None, "dim"), (None, None, 2.0, "dim")]


def test_an_override_is_shown_with_what_comes_of_it(battery: "World") -> None:
    until = battery.now + HOUR
    overrides = battery.gateway.overrides
    made, _ = overrides.ask(("battery", "charge", 2.0), until, "anna", "", battery.now)
    battery.tick()
    (told,) = edge(battery).overrides()
    assert (told.id, told.in_force) == (made.number, True)
    assert told.control is not None
    assert (told.control.setpoint_kw, told.control.override) == (2.0, made.number)
    battery.gateway.health.time_known = False
    assert not edge(battery).overrides()[0].in_force


def test_the_plan_is_explained(battery: "World") -> None:
    assert edge(battery).plan().steps == ()
    plan = battery.plan()
    battery.tick()
    told = edge(battery).plan()
    assert (told.rung, told.made_at) == ("fresh-plan", plan.made_at)
    assert len(told.steps) == plan.grid_kw.grid.n
