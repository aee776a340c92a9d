import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from flexedge.cloud.keys import Key
from flexedge.domain.rights import Caller
from flexedge.errors import CentreAway, CentreError, CentreLocked, CentreRefused
from flexedge.store.tables.centres import Link
from flexedge.web.api.centres import _answered, _asked, operations
from flexedge.web.api.op import Method, Op, Rejected, Reply
from flexedge.wire.centres import AskLink, AskUnlink
from tests.api.served import PASSWORD, USER, Served
from tests.gateway.conftest import Hut, World, blank, hut
from tests.gateway.sync.duties import MAIN
from tests.web.api.edge import MEMBER, OWNER, STRANGER, call, parts_of

__all__ = ["blank", "hut"]
ASKED = AskLink(url="https://ems.example.com", email="a@b.example", password=SecretStr("birch-1"))


@pytest.fixture
def world(hut: Hut) -> World:
    return hut("battery")


def ask(world: World, method: Method, place: str, caller: Caller = OWNER, **more: object) -> Reply:
    parts = parts_of(world)
    parts = replace(parts, centres=world.gateway.centres)
    return call(parts, operations(parts), method, place, caller, **more)


def test_centres_are_listed_without_their_credentials(world: World) -> None:
    state = world.gateway.state
    assert ask(world, "GET", "/centres").body == b"[]"
    number = state.centres.add(replace(MAIN, details={"server": "FlexMeasures"}, scopes=["data"]))
    state.links.add(Link(number, "asset", 1, 7))
    (told,) = json.loads(ask(world, "GET", "/centres", MEMBER).body)
    assert (told["name"], told["server"], told["account_name"], told["links"]) == (
        "main", "FlexMeasures", "Ours", 1,
    )  # fmt: skip
    with pytest.raises(Rejected) as error:
        ask(world, "GET", "/centres", STRANGER)
    assert error.value.status == 403


def test_only_admins_link(world: World) -> None:
    ops: tuple[Op, ...] = operations(parts_of(world))
    assert {(op.method, op.who, op.scope) for op in ops if op.method != "GET"} == {
        ("POST", "admin", "manage"), ("DELETE", "admin", "manage"),
    }  # fmt: skip


def test_while_memory_stands_in_for_the_disk_nothing_is_linked(world: World) -> None:
    for method, place, more in (
        ("POST", "/centres/plan", {"body": ASKED}), ("POST", "/centres", {"body": ASKED}),
        ("DELETE", "/centres/{name}", {"query": AskUnlink(), "names": {"name": "main"}}),
    ):  # fmt: skip
        with pytest.raises(Rejected) as error:
            ask(world, method, place, **more)  # type: ignore[arg-type]
        assert error.value.status == 409
        assert "disk" in error.value.message


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CentreAway("main", "dns", "there is no server ems.example.com"), 502, "CENTRE_AWAY"),
        (CentreAway("main", "tls", "is it http:// instead?"), 502, "CENTRE_AWAY"),
        (CentreLocked("main", "wrong password"), 422, "CENTRE_LOCKED"),
        (CentreRefused("main", 403, "INVALID_SENDER", "not yours"), 422, "INVALID_SENDER"),
        (CentreRefused("main", 418, "", "a teapot"), 422, "CENTRE_REFUSED"),
    ],
)
def test_what_the_server_did_not_do_is_told_as_its_doing(
    error: CentreError, status: int, code: str
) -> None:
    with pytest.raises(Rejected) as told, _answered():
        raise error
    assert (told.value.status, told.value.code) == (status, code)
    assert told.value.message.endswith((".", "http:// instead?"))
    assert told.value.message[0].isupper() or told.value.message[0].isdigit()


def test_a_credential_is_taken_as_it_is_given_and_otherwise_the_kept_one_is_meant() -> None:
    assert _asked(ASKED).key == Key("a@b.example", "birch-1")
    token = AskLink(url="https://ems.example.com", token=SecretStr("birch-2"), account=3)
    assert _asked(token).key == Key("", "", "birch-2")
    assert _asked(token).account_id == 3
    assert _asked(AskLink(url="https://ems.example.com")).key is None


def test_a_gateway_is_linked_kept_in_step_and_unlinked(tmp_path: Path) -> None:
    """Two processes: the second one is the centre of the first."""
    gateway, centre = (Served(tmp_path / name).people() for name in ("gateway", "centre"))
    with gateway, centre:
        own = json.loads((gateway.folder / "runtime.json").read_text())["token"]
        member = gateway.token()
        asset = {"name": "Hut", "generic_asset_type_id": 1, "account_id": 1}
        gateway.ask("POST", "/assets", member, json=asset).raise_for_status()
        body = {"url": centre.url, "email": USER, "password": PASSWORD}
        assert gateway.ask("POST", "/gateway/centres/plan", member, json=body).status_code == 403
        wrong = {**body, "password": "not that one"}
        refused = gateway.ask("POST", "/gateway/centres/plan", own, json=wrong)
        assert (refused.status_code, refused.json()["status"]) == (422, "CENTRE_LOCKED")
        plan = gateway.ask("POST", "/gateway/centres/plan", own, json=body).json()
        assert [(step["thing"], step["way"]) for step in plan["steps"]] == [("asset", "make")]
        left = 1
        while left:
            left = gateway.ask("POST", "/gateway/centres", own, json=body).json()["left"]
        there = centre.ask("GET", "/assets", centre.token()).json()
        assert [one["name"] for one in there] == ["Hut"]
        (listed,) = gateway.ask("GET", "/gateway/centres", member).json()
        assert (listed["url"], listed["user"], listed["complete"]) == (centre.url, USER, True)
        asked = gateway.ask("POST", "/gateway/sync/now", own, json={"centre": "main"}).json()
        assert asked["centres"] == ["main"]
        while (stands := gateway.ask("GET", "/gateway/sync", member).json()["centres"][0])[
            "contact"
        ] == "starting":
            pass  # it asks in its own thread
        assert (stands["contact"], stands["well"]) == ("in-touch", True)
        kept = gateway.folder / "centres" / "main.json"
        assert kept.stat().st_mode & 0o777 == 0o600
        holding = [
            one.relative_to(gateway.folder)
            for one in gateway.folder.rglob("*")
            if one.is_file() and PASSWORD.encode() in one.read_bytes()
        ]
        assert holding == [kept.relative_to(gateway.folder)]
        gateway.ask("POST", "/gateway/sync/veto", own, json={"on": True}).raise_for_status()
        there = {"delete_there": "true"}
        gone = gateway.ask("DELETE", "/gateway/centres/main", own, params=there).json()
        assert (gone["deleted"], gone["kept"], gone["left"]) == (["asset Hut (1)"], {}, 0)
        assert centre.ask("GET", "/assets", centre.token()).json() == []
        assert not gateway.ask("GET", "/gateway/sync", member).json()["linked"]
        assert not kept.exists()
        log = gateway.ask("GET", "/accounts/1/auditlog", member).json()
        assert [one["event"] for one in log][:4] == [
            "Unlinked from centre main", "Deleted at centre main", "Vetoed what centres ask for",
            "Linked with centre main",
        ]  # fmt: skip
