import contextlib
import json
import sqlite3
from datetime import timedelta
from typing import Any

import pytest

from flexedge.domain.rights import Caller
from flexedge.errors import RequestError, StoreError
from flexedge.web.api.op import Method, Rejected, Reply
from flexedge.web.api.overrides import operations
from flexedge.web.api.parts import Parts
from flexedge.wire.gateway import AskLimit, AskOverride
from tests.gateway.conftest import Hut, World, blank, hut
from tests.web.api.edge import HEAD, MEMBER, OWNER, STRANGER, call, parts_of

__all__ = ["blank", "hut"]
BATTERY = {"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0}


@pytest.fixture
def world(hut: Hut) -> World:
    world = hut("battery")
    world.show(BATTERY)
    world.tick()
    return world


def do(parts: Parts, method: Method, path: str, caller: Caller = OWNER, **more: Any) -> Reply:
    return call(parts, operations(parts), method, path, caller, **more)


def ask(parts: Parts, caller: Caller = OWNER, **fields: Any) -> Reply:
    until = parts.now() + timedelta(hours=1)
    fields = {"asset": "battery", "action": "charge", "power": "3 kW", "until": until} | fields
    return do(parts, "POST", "/overrides", caller, body=AskOverride(**fields))


def tighten(parts: Parts, caller: Caller = OWNER, **fields: Any) -> Reply:
    body = AskLimit(until=parts.now() + timedelta(hours=1), **fields)
    return do(parts, "POST", "/limits", caller, body=body)


def test_an_override_reaches_the_device_and_can_be_taken_back(world: World) -> None:
    parts = parts_of(world)
    made = ask(parts, HEAD, why="test")
    assert made.status == 201
    assert (made.body.power_kw, made.body.who, made.body.replaces) == (3.0, "hans", None)
    assert "charge with 3 kW until" in made.body.message
    world.tick()
    assert world.setpoint("battery") == 3.0
    (listed,) = json.loads(do(parts, "GET", "/overrides", MEMBER).body)
    assert (listed["id"], listed["control"]["setpoint_kw"]) == (made.body.id, 3.0)
    ended = do(parts, "DELETE", "/overrides/{number}", names={"number": str(made.body.id)})
    assert (ended.status, ended.body) == (204, None)
    world.tick()
    assert world.setpoint("battery") == -2.0
    assert json.loads(do(parts, "GET", "/overrides").body) == []


def test_the_newest_wins_and_says_so(world: World) -> None:
    parts = parts_of(world)
    first, second = ask(parts).body, ask(parts, action="idle", power=None).body
    assert second.replaces == first.id
    assert f"it ends number {first.id}" in second.message


def test_who_did_it_is_put_down(world: World) -> None:
    parts = parts_of(world)
    number = ask(parts, HEAD, why="test").body.id
    do(parts, "DELETE", "/overrides/{number}", HEAD, names={"number": str(number)})
    tighten(parts, HEAD, most_consumption="4 kW")
    limited, ended, made = parts.state.audit.newest(3)
    assert (made.what, made.who, made.user_id, made.account_id) == (
        "Overrode: battery", "hans", 2, 1)  # fmt: skip
    assert made.after is not None
    assert (made.after["power_kw"], made.after["why"]) == (3.0, "test")
    assert (ended.what, ended.after) == ("Took back: battery", None)
    assert limited.what == "Limited: the grid connection"


def test_what_cannot_be_put_down_is_not_in_force(hut: Hut, world: World) -> None:
    parts = parts_of(world)
    with contextlib.closing(sqlite3.connect(hut.folder / "data" / "state.db")) as other:
        other.execute("alter table audit rename to gone")
        with pytest.raises(StoreError):
            ask(parts)
        other.execute("alter table gone rename to audit")
    assert parts.edge is not None
    assert parts.edge.overrides() == ()


def test_members_look_and_heads_act(world: World) -> None:
    parts = parts_of(world)
    number = ask(parts).body.id
    limit = tighten(parts, most_consumption="4 kW").body.id
    for caller in (MEMBER, STRANGER):
        with pytest.raises(Rejected) as error:
            ask(parts, caller)
        assert error.value.status == 403
        with pytest.raises(Rejected):
            tighten(parts, caller, most_consumption="4 kW")
        for path, known in (("/overrides/{number}", number), ("/limits/{number}", limit)):
            with pytest.raises(Rejected) as error:
                do(parts, "DELETE", path, caller, names={"number": str(known)})
            assert error.value.status == 403
    for path in ("/overrides", "/limits"):
        do(parts, "GET", path, MEMBER)
        with pytest.raises(Rejected):
            do(parts, "GET", path, STRANGER)
    for op in operations(parts):
        assert op.scope == ("read" if op.method == "GET" else "control")


def test_refusals_say_why(world: World) -> None:
    parts = parts_of(world)
    with pytest.raises(Rejected) as away:
        ask(parts_of(world, site=False))
    assert (away.value.status, away.value.code) == (404, "NO_SITE")
    world.gateway.health.time_known = False
    with pytest.raises(RequestError) as error:
        ask(parts)
    assert error.value.status == 409
    assert "clock is not trusted" in error.value.message


@pytest.mark.parametrize("number", ["99", "x", "", "1e3", "\u0661"])
def test_an_unknown_number_is_not_found(world: World, number: str) -> None:
    parts = parts_of(world)
    limit = tighten(parts, most_consumption="4 kW").body.id
    for path in ("/overrides/{number}", "/limits/{number}"):
        with pytest.raises(Rejected) as error:
            do(parts, "DELETE", path, names={"number": number})
        assert error.value.status == 404
    with pytest.raises(Rejected):  # a limit is no override
        do(parts, "DELETE", "/overrides/{number}", names={"number": str(limit)})


def test_a_limit_is_drawn_shown_and_taken_back(world: World) -> None:
    parts = parts_of(world)
    world.show({"grid.power": 9.0})
    made = tighten(parts, asset="battery", most_production="1 kW").body
    assert (made.most_production_kw, made.most_consumption_kw) == (1.0, None)
    world.tick()
    assert world.setpoint("battery") == -1.0
    assert [one.id for one in do(parts, "GET", "/limits").body.temporary] == [made.id]
    do(parts, "DELETE", "/limits/{number}", names={"number": str(made.id)})
    world.tick()
    assert world.setpoint("battery") == -5.0


def test_a_limit_of_zero_is_a_limit(world: World) -> None:
    parts = parts_of(world)
    made = tighten(parts, asset="battery", most_production="0 kW").body
    assert made.most_production_kw == 0.0
    world.tick()
    assert world.setpoint("battery") == 0.0
