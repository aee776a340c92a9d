from datetime import timedelta
from typing import Any

import pytest
import requests

from flexedge.store.tables.users import User
from flexedge.web.api.parts import Parts
from tests.web.api.world import OWN, World
from tests.web.conftest import NOW, Site

PLACE = "/api/v3_0/tokens"


@pytest.fixture
def people(site: Site, parts: Parts) -> World:
    return World(site, parts)


def status_with(people: World, token: str, method: str = "GET", path: str = PLACE) -> int:
    headers = {"Authorization": token}
    return requests.request(
        method, people.site.url + path, headers=headers, json={"name": "x"}, timeout=5
    ).status_code


def test_a_key_is_told_once_and_works_for_its_scopes(people: World) -> None:
    status, made = people.ask("member", "POST", PLACE, {"name": "script"})
    token = made.pop("token")
    assert (status, made["scopes"], made["user"]) == (201, ["read"], people.users["member"])
    assert made["expires"] == (NOW + timedelta(days=90)).isoformat().replace("+00:00", "Z")
    assert token.startswith("fxk_")
    _, (listed,) = people.ask("member", "GET", PLACE)
    assert listed == {name: made[name] for name in listed}
    assert token not in str(listed)
    assert status_with(people, token) == 200
    assert status_with(people, token, "POST") == 403
    assert people.ask("member", "DELETE", f"{PLACE}/{made['id']}") == (204, None)
    assert status_with(people, token) == 401


def test_a_key_without_end_says_so(people: World) -> None:
    _, made = people.ask("member", "POST", PLACE, {"name": "script", "expires_in": None})
    assert made["expires"] is None
    assert made["message"].endswith("It lasts until it is deleted.")


def test_a_key_makes_no_stronger_key(people: World) -> None:
    ask = {"name": "x", "scopes": ["manage", "control"]}
    status, told = people.ask("key-manage", "POST", PLACE, ask)
    assert (status, "'control'" in told["message"]) == (403, True)
    assert people.ask("key-manage", "POST", PLACE, {"name": "x", "scopes": ["manage"]})[0] == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"scopes": ["everything"]}, {"scopes": []}, {"expires_in": "P0D"},
        {"expires_in": "-P1D"}, {"expires_in": "soon"}, {"user": 0}, {"more": 1},
    ],
)  # fmt: skip
def test_wrong_fields_are_told(people: World, wrong: dict[str, Any]) -> None:
    assert people.ask("member", "POST", PLACE, {"name": "script"} | wrong)[0] == 422


def test_keys_of_others_are_for_admins(people: World) -> None:
    ask = {"name": "script", "user": people.users["member"]}
    for caller, status in (("head", 403), ("consultant", 403), ("reader", 403), ("admin", 201)):
        assert people.ask(caller, "POST", PLACE, ask)[0] == status
    assert people.ask("local", "POST", PLACE, {"name": "script"})[0] == 422
    assert people.ask("local", "POST", PLACE, {"name": "script", "user": 99})[0] == 422
    _, (key,) = people.ask("admin", "GET", PLACE, user=people.users["member"])
    assert people.ask("head", "GET", PLACE)[1] == []
    assert people.ask("reader", "DELETE", f"{PLACE}/{key['id']}")[0] == 403
    assert people.ask("head", "DELETE", f"{PLACE}/{key['id']}")[0] == 404
    assert people.ask("admin", "DELETE", f"{PLACE}/{key['id']}")[0] == 204
    assert people.ask("admin", "DELETE", f"{PLACE}/nonsense")[0] == 404


@pytest.mark.parametrize(("roles", "status"), [([], 201), (["admin"], 403)])
def test_heads_make_keys_of_service_accounts(people: World, roles: list[str], status: int) -> None:
    service = people.parts.state.users.add(User("logger", OWN, NOW, roles=roles))
    ask = {"name": "logger", "user": service, "scopes": ["data"]}
    assert people.ask("member", "POST", PLACE, ask)[0] == 403
    assert people.ask("stranger", "POST", PLACE, ask)[0] == 403
    assert people.ask("head", "POST", PLACE, ask)[0] == status


def test_refresh_tokens_are_no_keys(people: World) -> None:
    people.site.access.tokens.log_in(people.users["member"], ("access", "refresh"))
    assert people.ask("member", "GET", PLACE)[1] == []
    assert people.ask("admin", "DELETE", f"{PLACE}/1")[0] == 404
