from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.schedule import Applied, Clamped, Refused, Released, Unreachable
from flexedge.drivers.driver import ControlPoint
from flexedge.gateway.held import Held
from flexedge.gateway.plant import Unit
from flexedge.gateway.targets import Target

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

SECOND = timedelta(seconds=1)


@pytest.fixture
def world(hut: "Hut") -> "World":
    limits = "limits: {dead-band: 100 W, dwell: 1 min}"
    return hut("battery", "car", more={"battery": limits, "car": limits})


def parts(world: "World", asset: str) -> tuple[Unit, ControlPoint]:
    unit = world.unit(asset)
    assert unit.control is not None
    return unit, unit.control


def told(
    world: "World", *powers_kw: float, every: timedelta = SECOND, budget: int | None = None
) -> Held:
    held = Held()
    control = replace(parts(world, "battery")[1], writes_per_day=budget)
    for i, power_kw in enumerate(powers_kw):
        held = held.told(Target(power_kw, "why"), control, world.now + i * every)
    return held


def test_nobody_was_told_anything_yet() -> None:
    assert Held().setpoint is None
    assert Held().outcome == Released("not yet controlled")
    assert Held().at is None


def test_the_first_setpoint_is_taken_as_it_is(world: "World") -> None:
    assert Held().settled_on(0.03, *parts(world, "battery"), world.now) == 0.03


def test_small_changes_are_not_worth_a_write(world: "World") -> None:
    held = told(world, 1.0)
    later = world.now + timedelta(hours=1)
    assert held.settled_on(1.09, *parts(world, "battery"), later) == 1.0
    assert held.settled_on(0.91, *parts(world, "battery"), later) == 1.0
    assert held.settled_on(1.11, *parts(world, "battery"), later) == 1.11


def test_what_was_just_switched_off_dwells_but_switching_off_never_waits(world: "World") -> None:
    off = told(world, 2.0, 0.0)
    assert off.settled_on(2.0, *parts(world, "battery"), world.now + 60 * SECOND) == 0.0
    assert off.settled_on(-2.0, *parts(world, "battery"), world.now + 60 * SECOND) == 0.0
    assert off.settled_on(2.0, *parts(world, "battery"), world.now + 61 * SECOND) == 2.0
    on = told(world, 0.0, 2.0)
    assert on.settled_on(0.0, *parts(world, "battery"), world.now + SECOND) == 0.0


def test_only_chargers_are_raised_with_patience(world: "World") -> None:
    held = told(world, 5.0)
    soon, later = world.now + 9 * SECOND, world.now + 10 * SECOND
    assert held.settled_on(8.0, *parts(world, "car"), soon) == 5.0
    assert held.settled_on(8.0, *parts(world, "car"), later) == 8.0
    assert held.settled_on(4.5, *parts(world, "car"), soon) == 4.5
    assert held.settled_on(8.0, *parts(world, "battery"), soon) == 8.0


def test_repeating_does_not_restart_a_chargers_patience(world: "World") -> None:
    held = told(world, 5.0, 5.0, every=9 * SECOND)
    assert held.changed_at == world.now
    assert held.settled_on(8.0, *parts(world, "car"), world.now + 10 * SECOND) == 8.0


def test_a_budget_of_changes_holds_for_any_day(world: "World") -> None:
    unit, control = parts(world, "battery")
    worn = replace(control, writes_per_day=2)
    held = told(world, 1.0, 2.0, 2.0, every=timedelta(hours=1), budget=2)
    morning = world.now + timedelta(hours=23)
    assert held.settled_on(3.0, unit, worn, morning) == 2.0
    assert held.settled_on(1.0, unit, worn, morning) == 1.0
    assert held.settled_on(-1.0, unit, worn, morning) == 0.0  # towards zero, no further
    assert held.settled_on(3.0, unit, worn, world.now + timedelta(hours=24)) == 3.0


def test_a_setpoint_has_an_end_a_next_time_and_its_reason(world: "World") -> None:
    held = told(world, 1.0)
    assert held.setpoint is not None
    assert (held.setpoint.power_kw, held.setpoint.reason) == (1.0, "why")
    assert held.setpoint.until == world.now + 60 * SECOND
    assert held.due_at == world.now + 15 * SECOND


def test_a_change_is_unproven_until_it_is_shown(world: "World") -> None:
    shown = told(world, 1.0).showed(world.now + SECOND)
    assert (shown.verified, shown.unshown_since) == (True, None)
    assert shown.outcome == Applied(1.0, verified=True)
    control = parts(world, "battery")[1]
    changed = shown.told(Target(2.0, ""), control, world.now + 2 * SECOND)
    assert (changed.verified, changed.unshown_since) == (False, world.now + 2 * SECOND)
    again = changed.told(Target(3.0, ""), control, world.now + 3 * SECOND)
    assert again.unshown_since == world.now + 2 * SECOND  # since the first that was not shown


def test_who_kept_a_setpoint_small_is_named(world: "World") -> None:
    target = Target(2.0, "why", wanted_kw=5.0, by=("ramp",))
    held = Held().told(target, parts(world, "battery")[1], world.now).wrote(world.now)
    assert held.outcome == Clamped(2.0, 5.0, ("ramp",))
    assert held.showed(world.now).outcome == Clamped(2.0, 5.0, ("ramp",), verified=True)


def test_refusals_are_strikes_and_silence_is_not(world: "World") -> None:
    held = told(world, 1.0).struck(Unreachable("no answer"), world.now)
    assert (held.strikes, held.outcome) == (0, Unreachable("no answer"))
    assert held.due_at == world.now + 5 * SECOND
    held = held.struck(Refused("no"), world.now).struck(Refused("no"), world.now)
    assert held.strikes == 2
    assert held.showed(world.now).strikes == 0


def test_letting_go_forgets_the_setpoint_but_not_when_it_was_switched(world: "World") -> None:
    held = told(world, 1.0, 0.0).struck(Refused("no"), world.now).let_go("enough", world.now)
    assert (held.setpoint, held.due_at, held.strikes) == (None, None, 0)
    assert held.outcome == Released("enough")
    assert held.switched_at == world.now + SECOND
    assert held.wrote(world.now).outcome == Released("enough")  # a late answer


def test_no_more_changes_are_remembered_than_the_budget_needs(world: "World") -> None:
    powers_kw = [float(i) for i in range(200)]
    assert told(world, *powers_kw).changes == ()
    held = told(world, *powers_kw, budget=3)
    assert held.changes == tuple(world.now + i * SECOND for i in (197, 198, 199))
