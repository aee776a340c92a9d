import pytest

from flexedge.web.api.explain import operations
from flexedge.web.api.op import Rejected
from tests.gateway.conftest import Hut, blank, hut
from tests.web.api.edge import MEMBER, STRANGER, call, parts_of

__all__ = ["blank", "hut"]


def test_the_plan_is_for_members_of_the_site(hut: Hut) -> None:
    world = hut("battery")
    world.show({"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0})
    plan = world.plan()
    world.tick()
    parts = parts_of(world)
    told = call(parts, operations(parts), "GET", "/plan", MEMBER).body
    assert (told.made_at, told.rung) == (plan.made_at, "fresh-plan")
    assert len(told.steps) == plan.grid_kw.grid.n
    with pytest.raises(Rejected):
        call(parts, operations(parts), "GET", "/plan", STRANGER)
