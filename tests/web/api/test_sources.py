from pathlib import Path
from typing import Any

import pytest

from flexedge.domain.asset import Source
from flexedge.domain.rights import Caller
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.users import User
from flexedge.web.api.sources import description
from tests.web.api.calls import NOW
from tests.web.api.things import ADMIN, Things, things

SOURCES = "/api/v3_0/sources"


@pytest.fixture
def at(tmp_path: Path) -> Things:
    found = things(tmp_path)
    state = found.here.parts.state
    for version in ("1.9", "1.10", "1.2"):
        state.source_id(Source("Seita", "scheduler", "StorageScheduler", version))
    state.users.add(User("ann", 1, NOW))
    state.source_id(Source("ann", "user", account="1"))
    state.source_id(Source("eve", "user", account="2"))
    state.source_id(Source("heater", "thermostat"))
    return found


def told(at: Things, caller: Caller | None = None, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = at.ask("GET", SOURCES, query=query, caller=caller)["sources"]
    return found


def test_sources_are_told_as_flexmeasures_tells_them(at: Things) -> None:
    answer = at.ask("GET", SOURCES, caller=at.member)
    assert answer == {
        "status": 200,
        "types": ["user", "scheduler", "forecaster", "reporter", "demo script", "gateway",
                  "market", "thermostat"],
        "sources": [
            {"id": 2, "name": "Seita", "type": "scheduler", "model": "StorageScheduler",
             "version": "1.10", "description": "Seita's StorageScheduler model v1.10"},
            {"id": 4, "name": "ann", "type": "user", "description": "ann", "account_id": 1,
             "user_id": 1},
            {"id": 6, "name": "heater", "type": "thermostat", "description": "heater"},
        ],
    }  # fmt: skip


def test_all_versions_are_told_on_demand(at: Things) -> None:
    assert [one["id"] for one in told(at, only_latest="false")] == [1, 2, 3, 4, 6]


def test_who_may_see_which_sources(at: Things) -> None:
    assert [one["id"] for one in told(at, ADMIN)] == [2, 4, 5, 6]
    assert [one["id"] for one in told(at, at.stranger)] == [2, 5, 6]
    at.here.parts.state.accounts.change(at.other, Account("Client", consultancy_account_id=1))
    consultant = Caller("user", 7, "con", 1, frozenset({"consultant"}))
    assert [one["id"] for one in told(at, consultant)] == [2, 4, 5, 6]


def test_a_source_is_described() -> None:
    assert description(Source("Seita", "forecaster", "naive", "1.2")) == (
        "Seita's naive forecaster v1.2"
    )
    assert description(Source("Seita", "sensor")) == "Seita"
