from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flexedge.domain.schedule import Schedule
from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.elsewhere import Given

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

STEP = timedelta(minutes=5)
HOURS = timedelta(hours=2)
CENTRAL = {"battery": "planner: central"}
BATTERY = {"grid.power": 0.0, "battery.power": 0.0, "battery.soc": 50.0}


def given(world: "World", asset: str, *powers: float, hours: timedelta = HOURS) -> Given:
    """A schedule of powers of an hour each, asked for now."""
    made: datetime = world.now
    values = np.repeat(np.array(powers), 12)
    series = Series(TimeGrid(made, STEP, len(values)), values)
    return Given("main", made, made + hours, Schedule(asset, series))


def test_the_last_fit_schedule_is_in_force_until_its_end(hut: "Hut") -> None:
    world = hut("battery", more=CENTRAL)
    elsewhere, unit = world.gateway.elsewhere, world.unit("battery")
    world.gateway.health.time_known = True
    assert elsewhere.of(unit, world.now) is None
    assert elsewhere.left_out(unit, world.now)
    one = given(world, "battery", 1.0, 2.0, 3.0)
    elsewhere.put(one)
    assert elsewhere.of(unit, world.now + timedelta(minutes=119)) is one
    assert not elsewhere.left_out(unit, world.now)
    assert elsewhere.of(unit, world.now + HOURS) is None
    assert elsewhere.of(unit, world.now - timedelta(minutes=2)) is None
    world.gateway.health.time_known = False
    assert elsewhere.of(unit, world.now) is None


def test_it_says_who_planned_what_and_when(hut: "Hut") -> None:
    world = hut("battery", more=CENTRAL)
    elsewhere, unit = world.gateway.elsewhere, world.unit("battery")
    world.show(BATTERY)
    world.poll()
    elsewhere.put(given(world, "battery", 1.0, 2.0))
    assert elsewhere.wanted(unit, world.now) == (1.0, "as main planned at 12:05")
    assert elsewhere.wanted(unit, world.now + timedelta(minutes=61)) is not None
    assert elsewhere.words(unit, world.now) == "As main planned at 12:05."


def test_a_schedule_counts_only_while_its_storage_is_known(hut: "Hut") -> None:
    world = hut("battery", more=CENTRAL)
    elsewhere, unit = world.gateway.elsewhere, world.unit("battery")
    elsewhere.put(given(world, "battery", 1.0))
    wanted = elsewhere.wanted(unit, world.now)
    assert wanted == (
        None,
        "left to itself: nobody knows whether it can do what its centre planned",
    )


def test_a_centres_alone_is_left_to_itself_with_a_reason(hut: "Hut") -> None:
    world = hut("battery", more=CENTRAL)
    elsewhere, unit = world.gateway.elsewhere, world.unit("battery")
    assert elsewhere.wanted(unit, world.now) == (
        None, "left to itself: its centre has not planned it"
    )  # fmt: skip
    elsewhere.trouble("battery", "it is asleep")
    assert elsewhere.words(unit, world.now) == (
        "Left to itself: its centre has not planned it (it is asleep)."
    )
    elsewhere.put(given(world, "battery", 1.0))
    assert elsewhere.troubles == {}
    elsewhere.trouble("battery", "it is asleep")
    assert elsewhere.wanted(unit, world.now + HOURS) == (
        None, "left to itself: what main planned ended at 14:05 (it is asleep)"
    )  # fmt: skip
    elsewhere.trouble("battery", "")
    assert elsewhere.troubles == {}


@pytest.mark.parametrize("planner", ["local", "central-then-local"])
def test_the_gateway_decides_where_it_may(hut: "Hut", planner: str) -> None:
    world = hut("battery", more={"battery": f"planner: {planner}"})
    elsewhere, unit = world.gateway.elsewhere, world.unit("battery")
    world.show(BATTERY)
    world.poll()
    assert elsewhere.wanted(unit, world.now) is None
    assert not elsewhere.left_out(unit, world.now)
    elsewhere.put(given(world, "battery", 1.0))
    assert (elsewhere.wanted(unit, world.now) is None) == (planner == "local")
    assert elsewhere.wanted(unit, world.now + HOURS) is None


def test_a_car_that_leaves_takes_its_schedule_with_it(hut: "Hut") -> None:
    world = hut("car", more={"car": "planner: central-then-local"})
    elsewhere, unit = world.gateway.elsewhere, world.unit("car")
    there = {"car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 0.0}
    world.show(there)
    world.poll()
    elsewhere.put(given(world, "car", 7.0))
    assert elsewhere.wanted(unit, world.now) == (7.0, "as main planned at 12:05")
    world.show({"car.plugged": 0.0})
    world.poll()
    assert elsewhere.wanted(unit, world.now) is None
    world.show(there)
    world.poll()
    assert elsewhere.wanted(unit, world.now) is None  # another car
    late = given(world, "car", 7.0)
    world.now += STEP
    world.show({"car.plugged": 0.0})
    world.poll()
    assert elsewhere.wanted(unit, world.now) is None
    world.now += STEP
    world.show(there)
    world.poll()
    elsewhere.put(late)  # asked for the car that has left
    assert elsewhere.wanted(unit, world.now) is None
    elsewhere.put(given(world, "car", 5.0))
    assert elsewhere.wanted(unit, world.now) == (5.0, "as main planned at 12:15")


def test_a_clock_that_is_set_back_or_on_ends_it(hut: "Hut") -> None:
    world = hut("battery", more=CENTRAL)
    elsewhere, unit = world.gateway.elsewhere, world.unit("battery")
    world.show(BATTERY)
    world.poll()
    early = Series(TimeGrid(world.now - HOURS, HOURS, 2), np.array([1.0, 2.0]))
    made = Given("main", world.now, world.now + HOURS, Schedule("battery", early))
    elsewhere.put(made)
    minute = timedelta(minutes=1)
    for passed, held in ((-minute, True), (-2 * minute, False), (HOURS - minute, True),
                         (HOURS, False)):  # fmt: skip
        assert (elsewhere.of(unit, world.now + passed) is not None) == held


def test_a_centre_that_is_not_to_plan_any_more_has_nothing_in_force(hut: "Hut") -> None:
    world = hut("battery", more=CENTRAL)
    elsewhere, unit = world.gateway.elsewhere, world.unit("battery")
    one = given(world, "battery", 1.0)
    elsewhere.put(one)
    elsewhere.drop("other")
    assert elsewhere.of(unit, world.now) is one
    elsewhere.drop("main")
    assert elsewhere.of(unit, world.now) is None


def test_another_schedule_and_the_end_of_one_call_for_a_new_plan(hut: "Hut") -> None:
    world = hut("battery", more=CENTRAL)
    elsewhere = world.gateway.elsewhere
    seen = [elsewhere.signature(world.now)]
    elsewhere.put(given(world, "battery", 1.0))
    seen.append(elsewhere.signature(world.now))
    assert elsewhere.signature(world.now + timedelta(minutes=5)) == seen[-1]
    seen.append(elsewhere.signature(world.now + HOURS))
    world.now += STEP
    elsewhere.put(given(world, "battery", 1.0))
    seen.append(elsewhere.signature(world.now))
    assert len(set(seen)) == 4


def test_its_power_is_known_on_any_grid_until_it_ends(hut: "Hut") -> None:
    world = hut("battery", more=CENTRAL)
    one = given(world, "battery", 1.0, 4.0, 2.0)
    grid = TimeGrid(world.now - timedelta(minutes=5), timedelta(minutes=15), 12)
    power = one.power_kw(grid)
    assert power[:4] == pytest.approx([1.0] * 4)
    assert power[4] == pytest.approx((1.0 + 4.0 + 4.0) / 3)
    assert np.isfinite(power[:9]).all()
    assert np.isnan(power[9:]).all()
