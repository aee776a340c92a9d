import math
from typing import TYPE_CHECKING

from flexedge.gateway.capacities import capacities

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World


def now(world: "World") -> tuple[float, float]:
    world.poll()
    return capacities(world.gateway.plant, world.gateway.latest, world.now)


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
