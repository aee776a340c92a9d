import json
from collections.abc import Callable

import pytest

from flexedge.domain.rights import NOBODY, Caller
from flexedge.web.api.gateway import operations
from flexedge.web.api.op import Rejected, Reply
from flexedge.web.api.parts import Parts
from tests.gateway.conftest import Hut, World, blank, hut
from tests.web.api.edge import MEMBER, OWNER, STRANGER, call, parts_of

__all__ = ["blank", "hut"]
BATTERY = {"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0}
Get = Callable[..., Reply]


@pytest.fixture
def world(hut: Hut) -> World:
    world = hut("battery")
    world.show(BATTERY)
    world.ticks(2)
    return world


def get(parts: Parts, path: str, caller: Caller = OWNER, **names: str) -> Reply:
    return call(parts, operations(parts), "GET", path, caller, names=names)


def test_every_operation_reads_and_says_so(world: World) -> None:
    for op in operations(parts_of(world)):
        assert (op.method, op.scope, op.who) == ("GET", "read", "somebody")


def test_the_gateway_says_what_it_is(world: World) -> None:
    about = get(parts_of(world), "").body
    assert (about.mode, about.site) == ("site", "Hut")
    served = get(parts_of(world, site=False), "", MEMBER).body
    assert (served.mode, served.site) == ("serve", None)


def test_devices_are_listed_and_found_by_name(world: World) -> None:
    parts = parts_of(world)
    listed = json.loads(get(parts, "/devices", MEMBER).body)
    assert [one["name"] for one in listed] == ["meter", "hybrid"]
    assert listed[1]["controls"][0]["setpoint_kw"] == -2.0
    assert get(parts, "/devices/{name}", name="hybrid").body.assets == ("battery",)
    with pytest.raises(Rejected) as error:
        get(parts, "/devices/{name}", name="hybird")
    assert (error.value.status, error.value.message) == (
        404, "There is no device 'hybird'; there are meter, hybrid.",
    )  # fmt: skip


def test_setpoints_are_what_was_told_last(world: World) -> None:
    (told,) = json.loads(get(parts_of(world), "/setpoints").body)
    assert (told["asset"], told["setpoint_kw"], told["verified"]) == ("battery", -2.0, True)


@pytest.mark.parametrize("path", ["", "/health", "/devices", "/devices/{name}", "/setpoints"])
def test_only_who_belongs_to_the_site_sees_it(world: World, path: str) -> None:
    parts = parts_of(world)
    get(parts, path, MEMBER, name="meter")
    for caller in (STRANGER, NOBODY):
        with pytest.raises(Rejected) as error:
            get(parts, path, caller, name="meter")
        assert error.value.status == 403


def test_without_a_site_there_is_nothing_to_see(world: World) -> None:
    parts = parts_of(world, site=False)
    for path in ("/health", "/devices", "/setpoints"):
        with pytest.raises(Rejected) as error:
            get(parts, path)
        assert error.value.status == 404
