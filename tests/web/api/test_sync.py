from datetime import timedelta

import pytest

from flexedge.domain.rights import NOBODY, Caller
from flexedge.gateway.sync.orders import Result, keep
from flexedge.gateway.sync.told import NOT_LINKED
from flexedge.web.api.op import Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.web.api.sync import operations
from flexedge.wire.sync import AskSync, AskVeto
from tests.gateway.conftest import Hut, World, blank, hut
from tests.gateway.sync.duties import MAIN
from tests.web.api.edge import HEAD, MEMBER, OWNER, STRANGER, call, parts_of

__all__ = ["blank", "hut"]


@pytest.fixture
def world(hut: Hut) -> World:
    return hut("battery")


def status(parts: Parts, caller: Caller = OWNER) -> Reply:
    return call(parts, operations(parts), "GET", "/sync", caller)


def now(parts: Parts, caller: Caller = OWNER, centre: str | None = None) -> Reply:
    return call(parts, operations(parts), "POST", "/sync/now", caller, body=AskSync(centre=centre))


def forbid(parts: Parts, caller: Caller = OWNER, *, on: bool = True) -> Reply:
    return call(parts, operations(parts), "POST", "/sync/veto", caller, body=AskVeto(on=on))


@pytest.mark.parametrize("site", [True, False])
def test_there_is_no_centre_and_that_is_said(world: World, *, site: bool) -> None:
    parts = parts_of(world, site=site)
    found = status(parts, MEMBER).body
    assert (found.linked, found.message) == (False, NOT_LINKED)
    assert now(parts).body.message == NOT_LINKED


def test_a_centre_is_told_of(world: World) -> None:
    world.gateway.state.centres.add(MAIN)
    found = status(parts_of(world)).body
    assert [one.name for one in found.centres] == ["main"]
    told = now(parts_of(world)).body
    assert (told.centres, told.message) == ((), f"main: {found.centres[0].words}")
    assert "nothing is done with it" in told.message


def test_a_centre_that_is_not_there_is_not_asked(world: World) -> None:
    parts = parts_of(world)
    with pytest.raises(Rejected) as error:
        now(parts, centre="mian")
    assert error.value.status == 404
    assert "linked with none" in error.value.message
    world.gateway.state.centres.add(MAIN)
    with pytest.raises(Rejected) as error:
        now(parts, centre="mian")
    assert error.value.message == "There is no centre 'mian': there are main."


def test_a_veto_is_told_of_and_put_down(world: World) -> None:
    parts = parts_of(world)
    assert status(parts).body.veto is None
    said = forbid(parts, HEAD).body
    assert (said.veto.who, said.veto.since) == ("hans", world.now)
    assert status(parts).body.veto == said.veto
    assert parts.state.audit.newest(1)[0].who == "hans"
    assert "already" in forbid(parts).body.message
    assert forbid(parts, on=False).body.veto is None
    assert status(parts).body.veto is None


def test_a_veto_ends_what_a_centre_asked_for(world: World) -> None:
    gateway, until = world.gateway, world.now + timedelta(hours=1)
    gateway.state.centres.add(MAIN)
    made, _ = gateway.overrides.ask(("battery", "idle", None), until, "Jane at main", "", world.now)
    done = Result(id="1", command="override", fate="done", why="", at=world.now, forget=until,
                  number=made.number)  # fmt: skip
    keep(gateway.state, "main", (done,))
    forbid(parts_of(world), on=True)
    assert gateway.overrides.overrides(world.now) == ()


def test_members_look_and_heads_ask(world: World) -> None:
    parts = parts_of(world)
    now(parts, HEAD)
    for caller in (MEMBER, STRANGER, NOBODY):
        for ask in (now, forbid):
            with pytest.raises(Rejected) as error:
                ask(parts, caller)
            assert error.value.status == 403
    for caller in (STRANGER, NOBODY):
        with pytest.raises(Rejected) as error:
            status(parts, caller)
        assert error.value.status == 403
