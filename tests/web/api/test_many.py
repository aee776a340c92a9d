import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.web.api.many import numbered, operations
from flexedge.web.api.op import Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.data import PLACE
from tests.web.api.calls import Platform, platform, sensor_of
from tests.web.conftest import Site

DATA = "/api/v3_0/data"
WHEN = {"start": "2026-04-14T00:00:00+02:00", "duration": "PT30M"}


@pytest.fixture
def here(tmp_path: Path) -> Platform:
    found = platform(tmp_path)
    found.ops = {(op.method, op.path): op for op in operations(found.parts)}
    return found


def entry(sensor: int, *values: float, **more: Any) -> dict[str, Any]:
    return {"sensor": sensor, "values": list(values), "unit": "kW"} | WHEN | more


def post(here: Platform, *entries: dict[str, Any]) -> Reply:
    return here.call("POST", DATA, body={"data": list(entries)})


def values(here: Platform, *sensors: int, **more: Any) -> list[list[float | None]]:
    query = {"sensors": ",".join(str(one) for one in sensors)} | WHEN | more
    told = json.loads(here.call("GET", DATA, query=query).body)
    assert [one["sensor"] for one in told["data"]] == list(sensors)
    return [one["values"] for one in told["data"]]


def test_several_sensors_are_posted_and_read_at_once(here: Platform) -> None:
    power, price = here.sensor(), here.sensor("price", "EUR/MWh", timedelta(hours=1))
    reply = post(here, entry(power, 1, 2), entry(price, 80, duration="PT1H", unit="EUR/MWh"))
    assert reply.status == 202
    query = {"sensors": f"{power},{price}"} | WHEN
    assert here.call("GET", DATA, query=query).body == (
        b'{"data":[{"sensor":%d,"values":[1.0,2.0],"start":"2026-04-14T00:00:00+02:00",'
        b'"duration":"PT30M","unit":"kW","resolution":"PT15M"},'
        b'{"sensor":%d,"values":[80.0],"start":"2026-04-14T00:00:00+02:00",'
        b'"duration":"PT30M","unit":"EUR/MWh","resolution":"PT1H"}],'
        b'"message":"Request has been processed.","status":"PROCESSED"}' % (power, price)
    )
    assert values(here, power, unit="W") == [[1000, 2000]]


def test_where_one_is_wrong_nothing_is_stored(here: Platform) -> None:
    one, other = here.sensor("one"), here.sensor("other")
    with pytest.raises(Rejected) as told:
        post(here, entry(one, 1, 2), entry(other, 1, 2, 3, 4, 5), entry(other, 1, unit="EUR"))
    assert told.value.status == 422
    assert isinstance(told.value.told, dict)
    assert set(told.value.told[PLACE]["data"]) == {"1", "2"}
    assert values(here, one, other) == [[None, None]] * 2


def test_a_replacement_keeps_all_out(here: Platform) -> None:
    one, other = here.sensor("one"), here.sensor("other")
    post(here, entry(one, 1, 2))
    with pytest.raises(Rejected, match="replacement"):
        post(here, entry(other, 3, 4), entry(one, 9, 9))
    assert values(here, one, other) == [[1, 2], [None, None]]


def test_every_sensor_must_allow_it(here: Platform) -> None:
    mine = here.sensor()
    account = here.parts.state.accounts.add(Account("Else"))
    asset = here.parts.state.assets.add(Asset("else", "battery", account_id=account))
    theirs = here.sensor("theirs", asset=asset)
    with pytest.raises(Rejected) as told:
        post(here, entry(mine, 1, 2), entry(theirs, 1, 2))
    assert told.value.status == 403
    with pytest.raises(Rejected) as told:
        values(here, mine, theirs)
    assert told.value.status == 403
    with pytest.raises(Rejected) as told:
        values(here, mine, 998, 999)
    assert told.value.told == {
        PLACE: {"sensor": ["No sensor found with ID 998.", "No sensor found with ID 999."]}
    }
    assert values(here, mine) == [[None, None]]
    stranger = replace(here.user(), account_id=account)
    with pytest.raises(Rejected):
        here.call("GET", DATA, query={"sensors": str(mine)} | WHEN, caller=stranger)


def test_answers_are_bounded(here: Platform) -> None:
    one, other = here.sensor("one"), here.sensor("other")
    with pytest.raises(Rejected, match="UNPROCESSABLE") as told:
        values(here, one, other, duration="P365D", resolution="PT1M")
    assert "600000" in str(told.value.told)
    assert numbered("1,2,1") == [1, 2]
    with pytest.raises(Rejected, match="UNPROCESSABLE"):
        numbered(",".join(str(number) for number in range(101)))


def test_over_http_no_path_hides_another(site: Site, parts: Parts) -> None:
    number, _ = sensor_of(site, parts)
    ask, root = site.program(), f"{site.url}/api/v3_0"
    assert ask.post(f"{root}/data", json={"data": [entry(number, 1, 2)]}).status_code == 202
    told = ask.get(f"{root}/data", params={"sensors": f"{number}"} | WHEN).json()
    assert told["data"][0]["values"] == [1, 2]
    address = {"sensor": f"ea1.2026-12.localhost:fm1.{number}", "unit": "kW"}
    old = ask.get(f"{root}/sensors/data", params=address | WHEN)
    assert (old.json()["values"], old.headers["Deprecation"]) == ([1, 2], "true")
    told = ask.get(f"{root}/data/live", params={"sensors": f"{number}", "wait": "0"}).json()
    assert told["missed"] is False
