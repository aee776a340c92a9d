from typing import Any

import pytest

from flexedge.web.api.parts import Parts
from tests.web.api.world import World
from tests.web.conftest import Site

PLACE = "/api/v3_0/plans"


@pytest.fixture
def people(site: Site, parts: Parts) -> World:
    return World(site, parts)


def test_admins_make_and_change_plans(people: World) -> None:
    body = {"name": "small", "trigger_rate_limit": "10 per 5 minutes", "max_assets": 3}
    status, made = people.ask("admin", "POST", PLACE, body)
    assert (status, made["id"], made["max_users"]) == (201, 1, None)
    assert people.ask("reader", "GET", PLACE) == (200, [made])
    change = {"rate_limit_key": "user", "max_assets": None}
    status, changed = people.ask("owner", "PATCH", f"{PLACE}/1", change)
    assert (status, changed) == (200, made | change)
    assert people.ask("admin", "PATCH", f"{PLACE}/1", {"name": "small"})[0] == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "taken"}, {"name": ""}, {"default_rate_limit": "often"}, {"max_users": -1},
        {"rate_limit_key": "asset"}, {"legacy": None}, {"price": 3},
    ],
)  # fmt: skip
def test_wrong_fields_are_told(people: World, wrong: dict[str, Any]) -> None:
    people.ask("admin", "POST", PLACE, {"name": "taken"})
    people.ask("admin", "POST", PLACE, {"name": "other"})
    assert people.ask("admin", "POST", PLACE, {"name": "new"} | wrong)[0] == 422
    assert people.ask("admin", "PATCH", f"{PLACE}/2", wrong)[0] == 422


@pytest.mark.parametrize("number", ["3", "x", "9" * 40])
def test_what_is_not_there_is_told(people: World, number: str) -> None:
    assert people.ask("admin", "PATCH", f"{PLACE}/{number}", {"max_users": 1})[0] == 404
