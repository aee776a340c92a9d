from dataclasses import replace
from typing import Any

import pytest

from flexedge.store.tables.accounts import Plan
from flexedge.web.api.parts import Parts
from tests.web.api.world import ADVICE, OTHER, OWN, World
from tests.web.conftest import Site

PLACE = "/api/v3_0/accounts"


@pytest.fixture
def people(site: Site, parts: Parts) -> World:
    return World(site, parts)


def names(told: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in told]


def test_an_account_is_told_as_flexmeasures_tells_it(people: World) -> None:
    assert people.ask("member", "GET", f"{PLACE}/{OWN}") == (
        200,
        {
            "account_roles": [], "attributes": "{}", "consultancy_account_id": ADVICE, "id": OWN,
            "logo_url": None, "name": "Own", "plan_id": None, "primary_color": None,
            "secondary_color": None, "status": 200,
        },
    )  # fmt: skip
    _, advice = people.ask("adviser", "GET", f"{PLACE}/{ADVICE}")
    assert advice["account_roles"] == [{"id": 1, "name": "Consultancy"}]


@pytest.mark.parametrize(
    ("caller", "seen"),
    [
        ("member", ["Own"]),
        ("consultant", ["Own", "Advice"]),
        ("adviser", ["Advice"]),
        ("reader", ["Own", "Other", "Advice"]),
        ("owner", ["Own", "Other", "Advice"]),
    ],
)
def test_each_sees_their_own(people: World, caller: str, seen: list[str]) -> None:
    assert names(people.ask(caller, "GET", PLACE)[1]) == seen


def test_lists_come_in_pages(people: World) -> None:
    people.new("asset", OTHER)
    query = {"page": 1, "per-page": 1, "sort-by": "assets", "sort-dir": "desc"}
    _, page = people.ask("admin", "GET", PLACE, **query)
    assert (page["num-records"], page["filtered-records"], page["status"]) == (3, 3, 200)
    (one,) = page["data"]
    assert (one["name"], one["asset_count"], one["user_count"]) == ("Other", 1, 4)
    assert people.ask("admin", "GET", PLACE, **query | {"page": 4})[0] == 404
    assert names(people.ask("admin", "GET", PLACE, filter="ADV")[1]) == ["Advice"]
    assert names(people.ask("admin", "GET", PLACE, role="Consultancy")[1]) == ["Advice"]
    assert people.ask("admin", "GET", PLACE, filter='"half')[0] == 422


def test_a_consultants_account_is_a_client(people: World) -> None:
    status, made = people.ask("consultant", "POST", PLACE, {"name": " New "})
    assert (status, made["name"], made["consultancy_account_id"]) == (201, "New", ADVICE)
    again = people.ask("consultant", "POST", PLACE, {"name": "New"})
    assert again[1]["message"] == {"json": {"name": ["An account with name 'New' already exists."]}}
    other = {"name": "Newer", "consultancy_account_id": OWN}
    assert people.ask("consultant", "POST", PLACE, other)[0] == 403
    assert people.ask("admin", "POST", PLACE, {"name": "Free"})[1]["consultancy_account_id"] is None
    assert people.ask("admin", "POST", PLACE, {"name": "X", "consultancy_account_id": 99})[0] == 422


def test_what_is_changed_is_put_down(people: World) -> None:
    change = {"name": "Ours", "primary_color": "#1a3443", "attributes": '{"a": 1}'}
    status, told = people.ask("member", "PATCH", f"{PLACE}/{OWN}", change)
    assert (status, told["name"], told["attributes"]) == (200, "Ours", '{"a": 1}')
    _, log = people.ask("head", "GET", f"{PLACE}/{OWN}/auditlog")
    assert log[0]["event"] == "Account Updated, Field: name, primary_color, attributes" or (
        log[0]["event"].startswith("Account Updated, Field: ")
    )
    assert log[0]["active_user_id"] == people.users["member"]
    assert log[0].keys() == {"event", "event_datetime", "active_user_id"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "Other"}, 422),
        ({"name": "  "}, 422),
        ({"primary_color": "red"}, 422),
        ({"logo_url": "javascript:alert(1)"}, 422),
        ({"attributes": "[1]"}, 422),
        ({"id": 5}, 422),
        ({"plan_id": 1}, 403),
        ({"account_roles": [1]}, 403),
        ({"consultancy_account_id": OTHER}, 403),
        ({"consultancy_account_id": None}, 403),
        ({"consultancy_account_id": ADVICE, "account_roles": [], "plan_id": None}, 200),
    ],
)
def test_members_may_not_change_everything(
    people: World, change: dict[str, Any], status: int
) -> None:
    people.parts.state.plans.add(Plan("large"))
    assert people.ask("head", "PATCH", f"{PLACE}/{OWN}", change)[0] == status


def test_admins_change_roles_consultancy_and_plan(people: World) -> None:
    plans = people.parts.state.plans
    good, gone = plans.add(Plan("large")), plans.add(Plan("old", legacy=True))
    place = f"{PLACE}/{OWN}"
    change = {"plan_id": good, "account_roles": [2, 1], "consultancy_account_id": OTHER}
    _, told = people.ask("admin", "PATCH", place, change)
    assert (told["plan_id"], told["consultancy_account_id"]) == (good, OTHER)
    assert names(told["account_roles"]) == ["Prosumer", "Consultancy"]
    wrong = ({"plan_id": gone}, {"plan_id": 77}, {"account_roles": [0]},
             {"consultancy_account_id": OWN})  # fmt: skip
    assert [people.ask("admin", "PATCH", place, one)[0] for one in wrong] == [422] * 4


def test_plans_bound_the_clients(people: World) -> None:
    state = people.parts.state
    small = state.plans.add(Plan("small", max_clients=1))
    state.accounts.change(ADVICE, replace(state.accounts.all()[ADVICE], plan_id=small))
    status, told = people.ask("consultant", "POST", PLACE, {"name": "Second"})
    assert status == 403
    assert "allows 1 clients; there are 1" in told["message"]


def test_only_empty_accounts_are_deleted(people: World) -> None:
    status, told = people.ask("admin", "DELETE", f"{PLACE}/{OWN}")
    assert (status, told["message"]) == (
        409, "This account has 2 users; delete or move these first."
    )  # fmt: skip
    assert people.ask("admin", "DELETE", f"{PLACE}/{people.new('account', OTHER)}") == (204, None)
