from datetime import UTC, datetime, timedelta

import pytest

from flexedge.domain.rights import CONSULTANT, Caller, Thing
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.store.tables.users import User
from flexedge.web.api.op import Rejected
from flexedge.web.api.parts import Parts

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


def test_things_belong_to_accounts_and_their_consultancies(parts: Parts) -> None:
    advisers = parts.state.accounts.add(Account("advisers", ["Consultancy"]))
    home = parts.state.accounts.add(Account("home", consultancy_account_id=advisers))
    asset = parts.state.assets.add(Asset("battery", "battery", account_id=home))
    sensor = PlacedSensor("1/power", asset, "power", "kW", timedelta(minutes=15), "UTC")
    assert parts.thing(sensor) == Thing("sensor", home, advisers)
    assert parts.thing(Asset("battery", "battery", account_id=home)) == Thing(
        "asset", home, advisers
    )
    assert parts.thing(Asset("zone", "building")) == Thing("asset")
    assert parts.thing(User("anna", home, NOW), 7) == Thing("user", home, advisers, 7)
    assert parts.account(home) == Thing("account", home, advisers)
    assert parts.account(advisers) == Thing("account", advisers)


def test_who_may_not_is_refused(parts: Parts) -> None:
    consultant = Caller("user", 1, "carl", 9, frozenset({CONSULTANT}))
    parts.demand(consultant, "delete", Thing("asset", 3, 9))
    with pytest.raises(Rejected, match="cannot be authorized"):
        parts.demand(consultant, "delete", Thing("asset", 3, 4))
