import dataclasses
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut


def test_the_parts_know_each_other_and_stay_as_they_were_wired(hut: "Hut") -> None:
    world = hut.home()
    gateway = world.gateway
    world.show({"battery.soc": 50.0})
    world.poll()
    assert gateway.latest.get("battery.soc") is not None
    assert gateway.storages.soc_kwh(world.unit("battery"), world.now) == 5.0
    assert gateway.titles["hybrid"] == "FoxESS H3 hybrid inverter"
    assert set(gateway.titles) == set(gateway.plant.site.devices)
    with pytest.raises(dataclasses.FrozenInstanceError):
        gateway.health = gateway.health  # type: ignore[misc]
