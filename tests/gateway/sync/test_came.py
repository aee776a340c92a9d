from datetime import timedelta

import pytest

from flexedge.domain.schedule import Schedule
from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.elsewhere import Given
from flexedge.gateway.sync.came import plans
from tests.gateway.conftest import Hut, World, blank, hut

__all__ = ["blank", "hut"]
QUARTER = timedelta(minutes=15)


@pytest.fixture
def world(hut: Hut) -> World:
    return hut("battery", "solar", more={"battery": "planner: central-then-local"})


def test_without_a_site_nothing_is_brought_about_on_it(world: World) -> None:
    assert plans(None, world.now) == ()


def test_what_a_centre_planned_is_told_and_what_is_wrong(world: World) -> None:
    elsewhere = world.gateway.elsewhere
    elsewhere.trouble("battery", "the schedule has a gap")
    (none,) = plans(world.gateway, world.now)
    assert (none.asset, none.in_force, none.centre, none.trouble) == (
        "battery", False, None, "the schedule has a gap",
    )  # fmt: skip
    powers = Series.constant(TimeGrid(world.now, QUARTER, 4), 2.0)
    until = world.now + 4 * QUARTER
    elsewhere.put(Given("main", world.now, until, Schedule("battery", powers, None)))
    (told,) = plans(world.gateway, world.now)
    assert (told.in_force, told.centre, told.until, told.trouble) == (True, "main", until, "")
