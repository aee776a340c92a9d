from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from flexedge.errors import RequestError
from flexedge.store.tables.accounts import Account, Plan
from flexedge.store.tables.assets import Asset
from flexedge.web.api.desk import fitting, in_utc, page_of, room
from flexedge.web.api.op import Rejected
from flexedge.web.api.parts import Parts
from flexedge.wire.lists import ListAsked


def test_terms_must_all_be_somewhere() -> None:
    rows = [("Anna Birch", None), ("Anna", "birch@example.org"), ("Ben", "anna birch")]
    assert fitting(rows, "ANNA birch", list) == rows
    assert fitting(rows, '"anna birch"', list) == [rows[0], rows[2]]
    assert fitting(rows, None, list) == rows
    with pytest.raises(Rejected):
        fitting(rows, '"anna', list)


def test_pages_are_cut_and_end() -> None:
    asked = ListAsked(page=2, per_page=2)
    assert page_of([1, 2, 3], asked) == [3]
    assert page_of([], ListAsked(page=1)) == []
    assert page_of([1, 2, 3], ListAsked()) == [1, 2, 3]
    with pytest.raises(RequestError, match="no page 2"):
        page_of([1, 2], asked)


def test_moments_are_told_in_utc() -> None:
    moment = datetime(2026, 4, 21, 12, tzinfo=timezone(timedelta(hours=2)))
    assert in_utc(moment) == "2026-04-21T10:00:00"
    assert in_utc(moment.astimezone(UTC)) == in_utc(moment)
    assert in_utc(None) is None


def test_a_plan_bounds_the_assets(parts: Parts) -> None:
    state = parts.state
    account = state.accounts.add(Account("Home"))
    room(state, account, "assets")
    small = state.plans.add(Plan("small", max_assets=1))
    state.accounts.change(account, replace(state.accounts.all()[account], plan_id=small))
    room(state, account, "assets")
    state.assets.add(Asset("battery", "battery", account_id=account))
    with pytest.raises(Rejected, match="allows 1 assets"):
        room(state, account, "assets")
    room(state, account, "users")
