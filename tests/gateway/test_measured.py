from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.gateway.measured import batteries, measure

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut


def test_the_rest_is_what_the_site_draws_but_for_its_batteries(hut: "Hut") -> None:
    world = hut("battery", "spare", "car")
    world.show({"grid.power": 5.0, "battery.power": 2.0, "spare.power": -1.0, "car.power": 3.0})
    world.poll()
    measured = measure(world.gateway.plant, world.gateway.latest, world.now)
    assert measured.grid_kw == 5.0
    assert measured.units_kw == {"battery": 2.0, "spare": -1.0, "car": 3.0}
    assert measured.rest_kw == pytest.approx(4.0)
    assert [unit.name for unit in batteries(world.gateway.plant)] == ["battery", "spare"]


def test_what_is_old_is_not_known(hut: "Hut") -> None:
    world = hut("battery")
    world.show({"grid.power": 5.0, "battery.power": 2.0})
    world.poll()
    later = world.now + timedelta(minutes=1)
    measured = measure(world.gateway.plant, world.gateway.latest, later)
    assert (measured.grid_kw, measured.rest_kw) == (None, None)
    assert measured.units_kw == {"battery": None}
