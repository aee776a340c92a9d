from pathlib import Path
from typing import Any

import pytest

from flexedge.domain.rights import Caller
from flexedge.errors import RequestError
from flexedge.store.tables.accounts import Account
from tests.web.api.things import ADMIN, SENSORS, Things, things


@pytest.fixture
def at(tmp_path: Path) -> Things:
    """Sensors 1 to 5: ours on the battery, the site and its roof; public; other people's."""
    found = things(tmp_path)
    found.sensor(1, "power")
    site = found.asset("site")
    found.sensor(site, "price", unit="EUR/MWh")
    found.sensor(found.asset("roof", parent_asset_id=site), "power")
    found.sensor(found.asset("market", account_id=None), "spot", unit="EUR/MWh")
    found.sensor(found.asset("shed", account_id=found.other), "power")
    return found


def ids(at: Things, caller: Caller | None = None, **query: Any) -> list[int]:
    told = at.ask("GET", SENSORS, query=query, caller=caller)
    return [one["id"] for one in (told if isinstance(told, list) else told["data"])]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3]),
        ({"account": "1"}, [1, 2, 3]),
        ({"asset_id": "2"}, [2, 3]),
        ({"asset": "2", "account_id": "1"}, [2, 3]),
        ({"include_public_assets": "true"}, [1, 2, 3, 4]),
        ({"asset": "3", "include_public_assets": "true"}, [3, 4]),
        ({"unit": "EUR/MWh"}, [2]),
        ({"filter": "price roof"}, [2, 3]),
        ({"filter": "home"}, [1, 2, 3]),
        ({"filter": "3"}, [3]),
        ({"page": "2", "per-page": "2"}, [3]),
    ],
)
def test_the_sensors_that_are_asked_for_are_told(
    at: Things, query: dict[str, str], found: list[int]
) -> None:
    assert ids(at, at.member, **query) == found


def test_a_page_counts_what_was_found(at: Things) -> None:
    told = at.ask("GET", SENSORS, query={"page": "1", "per_page": "1", "filter": "power"})
    assert (told["num-records"], told["filtered-records"], told["status"]) == (2, 2, 200)
    assert [one["name"] for one in told["data"]] == ["power"]


def test_an_admin_sees_other_accounts(at: Things) -> None:
    assert ids(at, ADMIN, account="2") == [5]
    assert ids(at, ADMIN) == [1, 2, 3, 5]
    assert at.refused("GET", SENSORS, query={"account": "2"})[0] == 403
    assert at.refused("GET", SENSORS, query={"asset": "5"})[0] == 403


def test_consultants_see_those_of_their_clients(at: Things) -> None:
    state = at.here.parts.state
    state.accounts.change(at.other, Account("Neighbours", consultancy_account_id=1))
    consultant = Caller("user", 7, "con", 1, frozenset({"consultant"}))
    assert ids(at, consultant, include_consultancy_clients="true") == [1, 2, 3, 5]
    assert ids(at, at.member, include_consultancy_clients="true") == [1, 2, 3]


def test_what_is_not_there_is_said(at: Things) -> None:
    wrong = {"query": {"asset": ["No asset found with ID 99."]}}
    assert at.refused("GET", SENSORS, query={"asset": "99"}) == (422, wrong)
    with pytest.raises(RequestError, match="Account 99 not found"):
        at.ask("GET", SENSORS, query={"account": "99"})
    with pytest.raises(RequestError, match="either an account or an asset") as both:
        at.ask("GET", SENSORS, query={"account": "2", "asset": "2"}, caller=ADMIN)
    assert both.value.status == 422
