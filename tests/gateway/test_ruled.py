from typing import TYPE_CHECKING

import pytest

from flexedge.gateway.measured import Measured
from flexedge.gateway.ruled import Ruled

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World


def ruled(world: "World") -> Ruled:
    gateway = world.gateway
    return Ruled(gateway.plant, gateway.storages, gateway.overrides)


def test_batteries_bring_the_grid_to_zero(hut: "Hut") -> None:
    world = hut("battery", "solar")
    world.show({"battery.soc": 50.0})
    world.poll()
    measured = Measured(2.0, {"battery": 1.0, "solar": -1.0}, 1.0)
    powers = ruled(world).powers(measured, (), world.now)
    assert powers == {"battery": pytest.approx(-1.0), "solar": None}


def test_no_battery_works_against_one_that_others_decide_about(hut: "Hut") -> None:
    world = hut("battery", "spare")
    world.show({"battery.soc": 50.0, "spare.soc": 50.0})
    world.poll()
    measured = Measured(5.5, {"battery": 0.0, "spare": 5.0}, 0.5)
    # The spare one draws 5 of the 5.5 kW because somebody wants it to: 0.5 kW are to be covered.
    powers = ruled(world).powers(measured, ("spare",), world.now)
    assert powers == {"battery": pytest.approx(-0.5)}
