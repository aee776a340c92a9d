from dataclasses import replace
from typing import Any

import pytest

from flexedge.domain.rights import ACCOUNT_ADMIN, ADMIN, CONSULTANT, ROLES
from flexedge.store.tables.accounts import Plan
from flexedge.web.api.parts import Parts
from tests.web.api.world import OTHER, OWN, World
from tests.web.conftest import Site

PLACE = "/api/v3_0/users"
NUMBER = {role: number for number, role in enumerate(ROLES, 1)}


@pytest.fixture
def people(site: Site, parts: Parts) -> World:
    return World(site, parts)


def of(people: World, name: str) -> str:
    return f"{PLACE}/{people.users[name]}"


def usernames(told: list[dict[str, Any]]) -> list[str]:
    return [one["username"] for one in told]


def test_one_user_has_numbers_of_roles_and_a_list_has_names(people: World) -> None:
    head = people.users["head"]
    status, told = people.ask("member", "GET", f"{PLACE}/{head}")
    assert (status, told) == (
        200,
        {
            "account_id": OWN, "active": True, "email": "head@example.org",
            "flexmeasures_roles": [1], "id": head, "last_login_at": None, "last_seen_at": None,
            "status": 200, "timezone": "UTC", "username": "head",
        },
    )  # fmt: skip
    _, listed = people.ask("member", "GET", PLACE)
    assert listed[1] == {key: told[key] for key in told.keys() - {"status"}} | {
        "flexmeasures_roles": ["account-admin"], "account": listed[0]["account"],
    }  # fmt: skip
    assert listed[1]["account"]["name"] == "Own"
    assert "status" not in listed[1]["account"]


def test_lists_are_searched_sorted_and_cut(people: World) -> None:
    assert usernames(people.ask("head", "GET", PLACE)[1]) == ["member", "head"]
    query = {"page": 1, "per_page": 2, "sort_by": "username", "sort_dir": "desc"}
    _, page = people.ask("admin", "GET", PLACE, **query)
    assert usernames(page["data"]) == ["stranger", "runner"]
    assert (page["num-records"], page["filtered-records"]) == (8, 8)
    assert usernames(people.ask("admin", "GET", PLACE, filter="own HEA")[1]) == ["head"]
    assert usernames(people.ask("admin", "GET", PLACE, account=OWN)[1]) == ["member", "head"]
    assert people.ask("head", "GET", PLACE, account_id=OTHER)[0] == 403
    assert people.ask("admin", "GET", PLACE, account=99)[0] == 404


def test_who_is_inactive_is_told_only_where_asked_for(people: World) -> None:
    people.ask("head", "PATCH", of(people, "member"), {"active": False})
    assert usernames(people.ask("head", "GET", PLACE)[1]) == ["head"]
    both = people.ask("head", "GET", PLACE, include_inactive=True)[1]
    assert usernames(both) == ["member", "head"]


def test_a_new_user_chooses_a_password_with_the_code(people: World) -> None:
    body = {"email": "New@Example.org", "username": "new", "account_id": OWN}
    status, made = people.ask("head", "POST", PLACE, body)
    assert (status, made["email"], made["flexmeasures_roles"]) == (201, "new@example.org", [])
    code = {"code": made["password_code"], "password": "seven tall birches"}
    assert people.ask("nobody", "POST", "/api/setPassword", code)[0] == 200
    login = {"email": "new@example.org", "password": "seven tall birches"}
    assert people.ask("nobody", "POST", "/api/requestAuthToken", login)[0] == 200
    assert people.ask("head", "POST", PLACE, body)[0] == 400


@pytest.mark.parametrize(
    "wrong",
    [{"email": "no address"}, {"username": " "}, {"account_id": "x"}, {"password": "x"}],
)
def test_wrong_fields_are_told(people: World, wrong: dict[str, Any]) -> None:
    body = {"email": "new@example.org", "username": "new", "account_id": OWN} | wrong
    status, told = people.ask("head", "POST", PLACE, body)
    assert (status, told["message"]["json"].keys()) == (422, wrong.keys())


@pytest.mark.parametrize("name", ["measured", "flexedge", "Flexedge-Forecast", "tariff"])
def test_nobody_is_called_as_the_gateways_own_sources(people: World, name: str) -> None:
    body = {"email": "new@example.org", "username": name, "account_id": OWN}
    status, told = people.ask("head", "POST", PLACE, body)
    assert status == 422
    assert "source of its own" in told["message"]["json"]["username"][0]


def test_a_service_account_has_no_password(people: World) -> None:
    body = {"email": None, "username": "logger", "account_id": OWN}
    _, made = people.ask("head", "POST", PLACE, body)
    assert made["password_code"] is None
    assert people.ask("head", "PATCH", f"{PLACE}/{made['id']}/password-reset")[0] == 409


def test_plans_bound_the_users(people: World) -> None:
    state = people.parts.state
    small = state.plans.add(Plan("small", max_users=2))
    state.accounts.change(OWN, replace(state.accounts.all()[OWN], plan_id=small))
    body = {"email": "new@example.org", "username": "new", "account_id": OWN}
    assert people.ask("head", "POST", PLACE, body)[0] == 403


def test_users_change_their_own_names_but_not_their_rights(people: World) -> None:
    place, change = of(people, "member"), {"username": "me", "timezone": "Europe/Berlin"}
    status, told = people.ask("member", "PATCH", place, change)
    assert (status, told["username"], told["timezone"]) == (200, "me", "Europe/Berlin")
    assert people.ask("member", "PATCH", place, {"active": True})[0] == 403
    assert people.ask("head", "PATCH", of(people, "head"), {"flexmeasures_roles": [1]})[0] == 403
    assert people.ask("member", "PATCH", place, {"email": "head@example.org"})[0] == 400
    assert people.ask("member", "PATCH", place, {"timezone": "Mars/Base"})[0] == 422
    assert people.ask("member", "PATCH", f"{place}/password-reset")[0] == 403


@pytest.mark.parametrize(
    ("caller", "role", "status"),
    [
        ("head", CONSULTANT, 200),
        ("head", ACCOUNT_ADMIN, 403),
        ("consultant", ACCOUNT_ADMIN, 200),
        ("consultant", CONSULTANT, 403),
        ("admin", ACCOUNT_ADMIN, 200),
        ("admin", ADMIN, 403),
        ("owner", ADMIN, 200),
        ("local", ADMIN, 200),
    ],
)
def test_roles_are_given_by_who_may(people: World, caller: str, role: str, status: int) -> None:
    change = {"flexmeasures_roles": [NUMBER[role]]}
    told = people.ask(caller, "PATCH", of(people, "member"), change)
    assert told[0] == status
    if status == 200:
        log = people.ask("head", "GET", f"{of(people, 'member')}/auditlog")[1]
        assert log[0]["event"] == f"Added role(s): [{role}]."


def test_new_roles_and_inactivity_end_all_that_could_be_shown(people: World) -> None:
    for change in ({"flexmeasures_roles": [NUMBER[CONSULTANT]]}, {"active": False}):
        session = people.session("member")
        assert session.get(f"{people.site.url}{PLACE}", timeout=5).status_code == 200
        assert people.ask("head", "PATCH", of(people, "member"), change)[0] == 200
        assert session.get(f"{people.site.url}{PLACE}", timeout=5).status_code == 401


@pytest.mark.parametrize("end", ["", "/password-reset"])
def test_nobody_takes_over_who_is_mightier(people: World, end: str) -> None:
    people.ask("owner", "PATCH", of(people, "member"), {"flexmeasures_roles": [NUMBER[ADMIN]]})
    body = {"email": "thief@example.org"} if not end else None
    assert people.ask("head", "PATCH", of(people, "member") + end, body)[0] == 403
    assert people.ask("admin", "PATCH", of(people, "member") + end, body)[0] == 200


def test_the_log_of_a_user_is_told(people: World) -> None:
    for name in ("one", "two", "three"):
        people.ask("member", "PATCH", of(people, "member"), {"username": name})
    place = f"{of(people, 'member')}/auditlog"
    _, every = people.ask("member", "GET", place)
    assert [one["active_user_name"] for one in every] == ["two", "one", "member"]
    assert every[0].keys() == {
        "event", "event_datetime", "active_user_id", "active_user_name"
    }  # fmt: skip
    _, page = people.ask("head", "GET", place, page=1, filter="one")
    assert (page["num-records"], page["filtered-records"], len(page["data"])) == (3, 1, 1)


def test_who_is_deleted_is_gone_with_their_tokens(people: World) -> None:
    session = people.session("member")
    assert people.ask("admin", "DELETE", of(people, "member")) == (204, None)
    assert session.get(f"{people.site.url}{PLACE}", timeout=5).status_code == 401
    assert people.ask("admin", "GET", of(people, "member"))[0] == 422
