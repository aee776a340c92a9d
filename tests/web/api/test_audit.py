from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.errors import RequestError
from flexedge.store.tables.audit import Entry
from flexedge.web.api.audit import operations, words
from flexedge.web.api.op import Rejected
from tests.web.api.asking import NOW, Platform, platform

LOG = "/api/v3_0/assets/{id}/auditlog"


def ask(here: Platform, number: int, **query: Any) -> Any:
    return here.ask("GET", LOG, number, query).body.model_dump(mode="json")


def test_a_log_is_told_page_by_page_and_searched(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        one, other = here.asset("battery"), here.asset("solar")
        for i in range(12):
            what = f"Updated: flex_model {i}, From: 50%"
            here.parts.state.audit.add(
                Entry(NOW + timedelta(hours=i), "anna", what, user_id=7, asset_id=one)
            )
        here.parts.state.audit.add(Entry(NOW, "owner", "Created asset", asset_id=other))
        whole = ask(here, one)
        assert len(whole["data"]) == 10
        assert (whole["num-records"], whole["filtered-records"], whole["status"]) == (12, 12, 200)
        assert whole["data"][0] == {
            "event": "Updated: flex_model 11, From: 50%",
            "event_datetime": "2026-04-14T23:00:00Z",
            "active_user_name": "anna",
            "active_user_id": 7,
        }
        second = ask(here, one, page=2, per_page=5, sort_dir="asc", sort_by="event_datetime")
        assert [each["event"].split()[2] for each in second["data"]] == [
            "5,", "6,", "7,", "8,", "9,"]  # fmt: skip
        found = ask(here, one, filter="ANNA '11, from'")
        assert ([each["event"][:22] for each in found["data"]], found["num-records"]) == (
            ["Updated: flex_model 11"], 12)  # fmt: skip
        assert ask(here, one, filter="0%", **{"per-page": 1})["filtered-records"] == 12
        assert ask(here, one, filter="_")["filtered-records"] == 12
        assert ask(here, one, filter="_%")["filtered-records"] == 0
        with pytest.raises(RequestError, match="no page 4"):
            ask(here, one, page=4, per_page=5)
        assert ask(here, other)["data"][0]["active_user_id"] is None


def test_an_open_quote_is_refused() -> None:
    assert words("a 'b c'") == ["a", "b c"]
    with pytest.raises(Rejected):
        words("'a")
