from typing import Any

import pytest
import requests

from flexedge.web.api.parts import Parts
from flexedge.web.passwords import hashed
from tests.web.api.world import World
from tests.web.conftest import NOW, Site

PASSWORD, OTHER = "seven tall birches", "eight small willows"


@pytest.fixture
def people(site: Site, parts: Parts) -> World:
    people = World(site, parts)
    parts.state.users.set_password(people.users["member"], hashed(PASSWORD))
    return people


def ask(people: World, path: str, body: Any, token: str | None = None) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": token}
    answer = requests.post(people.site.url + path, json=body, headers=headers, timeout=10)
    return answer.status_code, answer.json()


def test_a_token_is_given_as_flexmeasures_gives_it(people: World) -> None:
    body = {"email": "Member@example.org", "password": PASSWORD}
    status, told = ask(people, "/api/requestAuthToken", body)
    token = told.pop("auth_token")
    assert (status, told) == (200, {"status": 200, "user_id": people.users["member"]})
    for header in (token, f"Bearer {token}"):
        answer = requests.get(
            f"{people.site.url}/api/v3_0/users/1", headers={"Authorization": header}, timeout=5
        )
        assert answer.status_code == 200


@pytest.mark.parametrize("email", ["member@example.org", "nobody@example.org", ""])
def test_a_wrong_password_and_a_stranger_get_the_same_answer(people: World, email: str) -> None:
    told = ask(people, "/api/requestAuthToken", {"email": email, "password": OTHER})
    assert told == (401, {"errors": ["User password does not match."], "status": 401})


def test_guesses_are_told_to_wait(people: World) -> None:
    body = {"email": "member@example.org", "password": OTHER}
    for _ in range(10):
        ask(people, "/api/requestAuthToken", body)
    answer = requests.post(f"{people.site.url}/api/requestAuthToken", json=body, timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_refresh_tokens_give_the_next_and_end_with_the_log_in(people: World) -> None:
    body = {"email": "member@example.org", "password": PASSWORD, "refresh": True}
    _, first = ask(people, "/api/requestAuthToken", body)
    place = "/api/refreshAuthToken"
    status, second = ask(people, place, {"refresh_token": first["refresh_token"]})
    assert status == 200
    assert second.keys() == {"auth_token", "refresh_token", "user_id", "status"}
    assert ask(people, "/api/revokeAuthToken", {}, second["auth_token"])[0] == 200
    assert ask(people, "/api/revokeAuthToken", {}, second["auth_token"])[0] == 401
    assert ask(people, place, {"refresh_token": second["refresh_token"]})[0] == 401


def test_a_code_sets_a_password_once(people: World) -> None:
    code = people.site.access.reset_password(people.users["member"])
    login = {"email": "member@example.org", "password": OTHER}
    assert ask(people, "/api/setPassword", {"code": code, "password": "short"})[0] == 422
    assert ask(people, "/api/setPassword", {"code": code, "password": OTHER})[0] == 200
    assert ask(people, "/api/setPassword", {"code": code, "password": OTHER})[0] == 401
    assert ask(people, "/api/requestAuthToken", login)[0] == 200
    newest = people.parts.state.audit.newest(1)[0]
    assert (newest.what, newest.at) == ("User member chose a password", NOW)
