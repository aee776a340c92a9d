from pathlib import Path
from typing import Any

import pytest

from flexedge.domain.rights import Caller
from flexedge.errors import RequestError
from tests.web.api.things import ADMIN, ASSETS, BUILDING, Things, things


@pytest.fixture
def at(tmp_path: Path) -> Things:
    """Ours: battery (1), site (2) with roof (3); public: market (4); other people's: shed (5)."""
    found = things(tmp_path)
    site = found.asset("site", generic_asset_type_id=BUILDING, external_id="s-1")
    found.asset("roof", parent_asset_id=site)
    found.asset("market", account_id=None)
    found.asset("shed", account_id=found.other)
    return found


def ids(at: Things, caller: Caller | None = None, **query: Any) -> list[int]:
    told = at.ask("GET", ASSETS, query=query, caller=caller)
    return [one["id"] for one in (told if isinstance(told, list) else told["data"])]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3]),
        ({"include_public": "true"}, [1, 2, 3, 4]),
        ({"all_accessible": "True"}, [1, 2, 3, 4]),
        ({"account_id": "1"}, [1, 2, 3]),
        ({"root": "2"}, [2, 3]),
        ({"root": "2", "depth": "0"}, [2]),
        ({"depth": "0"}, [1, 2]),
        ({"asset_type": "6"}, [2]),
        ({"filter": "o"}, [1, 2, 3]),
        ({"filter": "ROOF home"}, [3]),
        ({"filter": "2"}, [2]),
        ({"filter": "nothing"}, []),
        ({"filter": "market", "include_public": "true"}, [4]),
        ({"sort_by": "name", "sort_dir": "asc"}, [1, 3, 2]),
        ({"sort-by": "name", "sort-dir": "desc"}, [2, 3, 1]),
        ({"sort_by": "id", "sort_dir": "desc"}, [3, 2, 1]),
        ({"sort_by": "owner", "all_accessible": "true"}, [4, 1, 2, 3]),
        ({"external_id": "s-1"}, [2]),
        ({"page": "2", "per_page": "2"}, [3]),
        ({"page": "1", "per-page": "2"}, [1, 2]),
    ],
)
def test_the_assets_that_are_asked_for_are_told(
    at: Things, query: dict[str, str], found: list[int]
) -> None:
    assert ids(at, at.member, **query) == found


def test_who_sees_all_sees_all(at: Things) -> None:
    assert ids(at, ADMIN, all_accessible="true") == [1, 2, 3, 4, 5]
    assert ids(at, Caller("owner")) == [1, 2, 3, 5]
    assert ids(at, at.stranger, all_accessible="true") == [4, 5]
    assert ids(at, at.stranger, root="2") == []


def test_a_list_tells_all_fields_unless_some_are_named(at: Things) -> None:
    whole = at.ask("GET", ASSETS)[0]
    assert len(whole) == 18
    assert "status" not in whole
    assert at.ask("GET", ASSETS, query={"fields": "id|name|account_id|generic_asset_type"})[0] == (
        whole
    )
    named = at.ask("GET", ASSETS, query={"fields": "id|sensors_to_show"})[0]
    assert named == {"id": 1, "sensors_to_show": "[]"}


def test_a_page_counts_before_and_after_the_search(at: Things) -> None:
    told = at.ask("GET", ASSETS, query={"page": "1", "filter": "roof", "fields": "id"})
    assert told == {"data": [{"id": 3}], "num-records": 3, "filtered-records": 1, "status": 200}
    with pytest.raises(RequestError) as missing:
        at.ask("GET", ASSETS, query={"page": "3"})
    assert missing.value.status == 404


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"root": "99"}, {"root": ["No asset found with ID 99."]}),
        ({"asset_type": "99"}, {"asset_type": ["No generic asset type found with id 99."]}),
    ],
)
def test_what_is_not_there_is_said(
    at: Things, query: dict[str, str], message: dict[str, list[str]]
) -> None:
    assert at.refused("GET", ASSETS, query=query) == (422, {"query": message})


def test_an_open_quote_is_refused(at: Things) -> None:
    status, message = at.refused("GET", ASSETS, query={"filter": '"open'})
    assert (status, list(message["query"])) == (422, ["filter"])


def test_other_peoples_accounts_are_refused(at: Things) -> None:
    assert at.refused("GET", ASSETS, query={"account": "2"})[0] == 403
    with pytest.raises(RequestError, match="Account 99 not found"):
        at.ask("GET", ASSETS, query={"account": "99"})


def test_public_assets_are_told_to_everybody(at: Things) -> None:
    told = at.ask("GET", f"{ASSETS}/public", caller=at.stranger, query={"fields": "id|name"})
    assert told == [{"id": 4, "name": "market"}]


def test_the_sensors_of_an_asset_are_told(at: Things) -> None:
    numbers = [at.sensor(2, "b", event_resolution="PT1H"), at.sensor(2, "a"), at.sensor(2, "c")]
    path = f"{ASSETS}/{{id}}/sensors"

    def found(**query: str) -> list[str]:
        return [one["name"] for one in at.ask("GET", path, 2, query=query)["data"]]

    assert found() == ["b", "a", "c"]
    assert found(sort_by="name") == ["a", "b", "c"]
    assert found(**{"sort-by": "id", "sort-dir": "desc"}) == ["c", "a", "b"]
    assert found(sort_by="resolution", sort_dir="desc")[0] == "b"
    assert found(filter="a b") == ["b", "a"]
    assert found(filter=str(numbers[2])) == ["c"]
    told = at.ask("GET", path, 2, query={"page": "1", "per_page": "1", "filter": "a b"})
    assert (told["num-records"], told["filtered-records"], told["status"]) == (3, 2, 200)
    assert told["data"][0]["entity_address"].endswith(f":fm1.{numbers[0]}")
