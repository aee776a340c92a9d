from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from flexedge.domain.rights import Caller
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.web.api.told import Readable, assets_told, authority, given_in, readable_sensors
from flexedge.wire.assets import AssetChange
from tests.web.api.calls import NOW
from tests.web.api.things import ADMIN, things


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("localhost:5000", "ea1.2026-05.localhost"),
        ("127.0.0.1:5000", "ea1.2026-05.localhost"),
        (None, "ea1.2026-05.localhost"),
        ("[::1]:5000", "ea1.2026-05.localhost"),
        ("192.168.1.7", "ea1.2026-05.192.168.1.7"),
        ("www.example.com", "ea1.2026-05.com.example"),
    ],
)
def test_sensors_have_addresses_on_the_host(host: str | None, found: str) -> None:
    assert authority(host, NOW) == found


def test_after_december_comes_january() -> None:
    assert authority(None, datetime(2026, 12, 31, tzinfo=UTC)) == "ea1.2027-01.localhost"


def test_many_assets_take_no_more_queries_than_a_few(tmp_path: Path) -> None:
    at = things(tmp_path)
    for name in ("a", "b", "c", "d"):
        at.sensor(at.asset(name, parent_asset_id=1))
    state, asked = at.here.parts.state, []
    every = state.assets.all()
    sa.event.listen(sa.Engine, "before_cursor_execute", lambda *one: asked.append(one[2]))
    told = assets_told(state, every)
    few = [one for one in asked if one.startswith("SELECT")]
    assert len(few) <= 4
    assert [len(one.child_assets) for one in told] == [4, 0, 0, 0, 0]
    assert told[1].sensors[0].name == "power"


def test_who_may_read_whose_assets() -> None:
    accounts = {1: Account("a"), 2: Account("b", consultancy_account_id=1)}
    consultant = Readable(Caller("user", 1, "c", 1, frozenset({"consultant"})), accounts)
    assert consultant.numbers() == {1, 2}
    assert consultant.asset(Asset("x", "battery", account_id=2), "create-children")
    member = Readable(Caller("user", 1, "m", 1), accounts)
    assert member.numbers() == {1}
    assert not member.asset(Asset("x", "battery", account_id=2))
    assert member.asset(Asset("x", "battery"))


def test_sensors_are_found_as_far_as_they_may_be_read(tmp_path: Path) -> None:
    at = things(tmp_path)
    ours, theirs = at.sensor(1), at.sensor(at.asset("shed", account_id=at.other))
    state = at.here.parts.state
    assert list(readable_sensors(state, at.member, [ours, theirs, 99])) == [ours]
    assert list(readable_sensors(state, ADMIN, [ours, theirs])) == [ours, theirs]
    assert readable_sensors(state, at.member, []) == {}


def test_what_is_given_is_in_order() -> None:
    body = AssetChange.model_validate({"latitude": None, "name": "x", "flex_model": "{}"})
    assert list(given_in(body).items()) == [("name", "x"), ("latitude", None), ("flex_model", {})]
