from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flexedge.cloud.central import Central
from flexedge.config.centre import CentreRules
from flexedge.gateway.sync.ours import OurSensor, ours
from flexedge.gateway.sync.there import (
    Found,
    mark_of,
    number_of,
    resolution_of,
    unlike,
)
from flexedge.gateway.sync.there import There as Known
from flexedge.store.tables.placed import PlacedSensor
from tests.gateway.sync.linked import Here, There

POWER = OurSensor(
    1, PlacedSensor("b.power", 2, "power", "kW", timedelta(minutes=15), "UTC",
                    attributes={"consumption_is_positive": True}), ("",), timedelta(minutes=15),
)  # fmt: skip
LIKE: dict[str, Any] = {
    "unit": "MW", "event_resolution": "PT5M", "attributes": {"consumption_is_positive": True}
}  # fmt: skip


@pytest.fixture
def central(here: Here, there: There) -> Central:
    office = here.office()
    keys = office.keys("main")
    key = here.asked("x").key
    assert key is not None
    keys.write(key)
    return office.reach("main", there.url, keys, CentreRules())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, ""), ({"event_resolution": "PT1H"}, ""),
        ({"unit": "kWh"}, "its unit is 'kWh' there and 'kW' here"),
        ({"unit": "furlong"}, "its unit is 'furlong' there and 'kW' here"),
        ({"attributes": {}}, "production is positive in one place, and consumption in the other"),
        ({"attributes": None}, "production is positive"),
        ({"event_resolution": "PT0M"}, "its resolution is 0:00:00 there and 0:15:00 here"),
        ({"event_resolution": "PT10M"}, "its resolution is 0:10:00 there"),
        ({"event_resolution": None}, "its resolution is None there"),
    ],
)  # fmt: skip
def test_values_must_fit(wrong: dict[str, Any], told: str) -> None:
    found = unlike(POWER, LIKE | wrong)
    assert found.startswith(told)
    assert bool(found) == bool(told)


def test_instants_fit_instants() -> None:
    soc = replace(POWER, placed=replace(POWER.placed, resolution=timedelta(0)))
    assert unlike(soc, LIKE | {"event_resolution": "P0D"}) == ""
    assert unlike(soc, LIKE)


def test_what_a_centre_says_is_read_with_care() -> None:
    for strange in ({}, {"id": True}, {"id": "7"}, {"id": None}):
        assert number_of(strange) is None
    assert number_of({"id": 7}) == 7
    odd: dict[str, Any]
    for odd in ({}, {"attributes": None}, {"attributes": {"flexedge": 3}}, {"attributes": []}):
        assert mark_of(odd) == {}
    for strange in ({}, {"event_resolution": "soon"}, {"event_resolution": "-PT1H"}):
        assert resolution_of(strange) is None


def test_assets_are_found_by_id_then_mark_then_name(
    here: Here, there: There, central: Central
) -> None:
    mine = ours(here.state, here.rules, ("readings",), {})
    site = mine.assets[0]
    mark = {"flexedge": {"gateway": mine.gateway, "asset": site.external_id}}
    assert Known(central, 1).asset(site, mine.gateway, None, ()) is None
    plain = there.add_asset(here.name)
    below = there.add_asset(here.name, plain, external_id="another system's")
    known = Known(central, 1)
    assert known.asset(site, mine.gateway, None, ()) == Found(plain, "name")
    assert known.asset(site, mine.gateway, plain, ()) == Found(below, "name", foreign=True)
    assert known.asset(site, mine.gateway, None, {plain}) is None
    assert known.names_below(plain) == {here.name}
    marked = there.add_asset(f"{here.name}, marked", below, attributes=mark)
    assert Known(central, 1).asset(site, mine.gateway, None, ()) == Found(marked, "mark")
    called = there.add_asset(f"{here.name}, called", external_id=site.external_id)
    assert Known(central, 1).asset(site, mine.gateway, None, ()) == Found(called, "id")


def test_sensors_are_found_by_mark_then_name(here: Here, there: There, central: Central) -> None:
    mine = ours(here.state, here.rules, ("readings",), {})
    power = mine.assets[1].sensors[0]
    asset = there.add_asset(here.name)
    known = Known(central, 1)
    assert known.sensor(power, "", mine.gateway, asset, "power") is None
    plain = there.add_sensor(asset, "power")
    assert known.sensor(power, "", mine.gateway, asset, "power") is None  # asked only once
    found = Known(central, 1).sensor(power, "", mine.gateway, asset, "power")
    assert found == Found(plain, "name")
    mark = {"gateway": mine.gateway, "sensor": power.placed.key, "role": ""}
    attributes = {"flexedge": mark, "consumption_is_positive": True}
    there.add_sensor(asset, "other unit", "kWh", attributes=attributes)
    found = Known(central, 1).sensor(power, "", mine.gateway, asset, "power")
    assert found == Found(plain, "name")
    marked = there.add_sensor(asset, "marked", attributes=attributes)
    found = Known(central, 1).sensor(power, "", mine.gateway, asset, "power")
    assert found == Found(marked, "mark")
    assert Known(central, 1).sensor(power, "forecast", mine.gateway, asset, "marked") == Found(
        marked, "name", foreign=True
    )


def test_what_is_made_is_known(here: Here, there: There, central: Central) -> None:
    known = Known(central, 1)
    number = there.add_asset(here.name)
    assert number in known.assets
    known.made_asset(number + 1000, {"name": "new", "parent_asset_id": number})
    known.made_sensor(7, number + 1000, {"name": "power"})
    assert known.names_below(number) == {"new"}
    assert known.sensors(number + 1000) == {7: {"id": 7, "name": "power"}}
