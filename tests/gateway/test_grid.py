import math
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from flexedge.domain.series import Series, TimeGrid, floor
from tests.gateway.conftest import PRICES

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World


def now(world: "World") -> tuple[float, float]:
    world.poll()
    return world.gateway.grid.limits_kw(world.now)


def test_the_tighter_of_what_is_physical_and_what_is_agreed(hut: "Hut") -> None:
    assert now(hut("battery")) == (math.inf, math.inf)
    context = "site-power-capacity: 20 kW, site-production-capacity: 8 kW"
    assert now(hut("battery", context=context)) == (20.0, 8.0)


def test_a_limit_that_a_sensor_tells_is_its_value_and_else_its_default(hut: "Hut") -> None:
    told = "site-consumption-capacity: {sensor: battery.setpoint, default: 4.2 kW}"
    world = hut("battery", context=f"site-power-capacity: 20 kW, {told}")
    assert now(world) == (4.2, 20.0)
    world.show({"battery.setpoint": -6.0})  # a limit has no sign
    assert now(world) == (6.0, 20.0)
    world.show({"battery.setpoint": None})
    assert now(world) == (4.2, 20.0)


QUARTER = timedelta(minutes=15)


def received(hut: "Hut") -> "World":
    """A world whose import is limited by a centre."""
    return hut(
        "battery",
        context="site-power-capacity: 20 kW, site-consumption-capacity: "
        "{sensor: grid-limit, default: 17 kW}",
        prices=f"{PRICES}\ncentres: {{main: {{receive: {{grid-limit: {{sensor: 7, unit: kW}}}}}}}}",
    )


def tell(world: "World", *values: float) -> None:
    """What the centre says of quarters from the present one on."""
    grid = TimeGrid(floor(world.now, QUARTER), QUARTER, len(values))
    world.gateway.received.keep("grid-limit", Series(grid, np.array(values)), world.now)
    world.gateway.beliefs.flush()


def test_a_limit_that_a_centre_tells_holds_as_long_as_it_was_told_for(hut: "Hut") -> None:
    world = received(hut)
    tell(world, 5.0, -3.0, np.nan, 8.0)
    assert now(world) == (17.0, 20.0)  # nothing is read while something is decided
    world.gateway.grid.step(world.now)
    for limit in (5.0, 3.0, 17.0, 8.0, 17.0):  # a limit has no sign
        assert now(world) == (limit, 20.0)
        world.now += QUARTER
        world.gateway.grid.step(world.now)


def test_a_limit_of_a_centre_is_followed_when_it_says_another(hut: "Hut") -> None:
    world = received(hut)
    tell(world, 5.0, 5.0)
    world.gateway.grid.step(world.now)
    assert now(world) == (5.0, 20.0)
    tell(world, 2.5)
    world.gateway.grid.step(world.now)
    assert now(world) == (2.5, 20.0)
    world.now += QUARTER  # nobody reads the store any more
    assert now(world) == (5.0, 20.0)


def test_no_centre_lets_more_through_than_the_installer_did(hut: "Hut") -> None:
    world = received(hut)
    tell(world, 1000.0)
    world.gateway.grid.step(world.now)
    assert now(world) == (17.0, 20.0)


def test_what_comes_into_sight_is_read_in_time(hut: "Hut") -> None:
    world = received(hut)
    tell(world, *([6.0] * 4 * 72))
    world.gateway.grid.step(world.now)
    world.now += timedelta(hours=71)
    assert now(world) == (17.0, 20.0)
    world.gateway.grid.step(world.now)
    assert now(world) == (6.0, 20.0)


def test_the_guard_keeps_a_limit_that_a_centre_tells(hut: "Hut") -> None:
    world = received(hut)
    tell(world, 4.0)
    world.show({"grid.power": 6.0, "battery.power": 3.0, "battery.soc": 50.0})
    world.gateway.grid.step(world.now)
    until = world.now + timedelta(hours=1)
    world.gateway.overrides.ask(("battery", "charge", 3.0), until, "anna", "", world.now)
    assert world.decide()["battery"].power_kw == 0.5
