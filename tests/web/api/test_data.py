import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flexmeasures_client import FlexMeasuresClient

from flexedge.errors import BadField
from flexedge.web.api.data import operations
from flexedge.web.api.op import Rejected, Reply
from flexedge.web.api.parts import Parts
from tests.web.api.calls import NOW, Platform, platform, sensor_of
from tests.web.conftest import Site

DATA = "/api/v3_0/sensors/{id}/data"
START = "2026-04-14T00:00:00+02:00"
HOUR = timedelta(hours=1)
INCOMPATIBLE = (
    "Resolution of 0:20:00 is incompatible with the sensor's required resolution of 0:15:00."
)
OTHER_UNIT = "Required unit for this sensor is kW, got incompatible unit: EUR"


def ready(folder: Path, *, overwrite: bool = False) -> Platform:
    found = platform(folder, overwrite=overwrite)
    found.ops = {(op.method, op.path): op for op in operations(found.parts)}
    return found


@pytest.fixture
def here(tmp_path: Path) -> Platform:
    return ready(tmp_path)


def post(here: Platform, number: int, values: Any, **more: Any) -> Reply:
    body = {"values": values, "start": START, "duration": "PT1H", "unit": "kW"} | more
    return here.call("POST", DATA, number, body=body)


def get(here: Platform, number: int, **more: Any) -> dict[str, Any]:
    query = {"start": START, "duration": "PT1H", "unit": "kW"} | more
    told: dict[str, Any] = json.loads(here.call("GET", DATA, number, query=query).body)
    return told


def test_posted_values_are_told_as_flexmeasures_tells_them(here: Platform) -> None:
    number = here.sensor()
    post(here, number, [1, None, 2.5, 86])
    reply = here.call("GET", DATA, number, query={
        "start": START, "duration": "P0DT2H0M0S", "unit": "MW", "resolution": "PT15M"})  # fmt: skip
    assert reply.body == (
        b'{"values":[0.001,null,0.0025,0.08600000000000001,null,null,null,null],'
        b'"start":"2026-04-14T00:00:00+02:00","duration":"PT2H","unit":"MW","resolution":"PT15M",'
        b'"message":"Request has been processed.","status":"PROCESSED"}'
    )


def test_a_post_is_a_job_that_is_done(here: Platform) -> None:
    number = here.sensor()
    reply = post(here, number, [1, 2, None, 4])
    job = reply.body["job"]
    assert (reply.status, reply.body) == (202, {
        "status": "ACCEPTED", "message": "Sensor data has been accepted for processing.",
        "job": job, "job-url": f"/api/v3_0/jobs/{job}"})  # fmt: skip
    found = here.parts.work.job(job)
    assert found is not None
    assert (found.status, found.result, found.ended) == ("finished", {"num-beliefs": 3}, NOW)
    assert (found.sensor_id, found.asset_id, found.user_id) == (number, here.asset, 7)


def test_the_same_again_is_received_already(here: Platform) -> None:
    number = here.sensor()
    post(here, number, [1, 2, 3, 4])
    here.now += HOUR
    for values in ([1, 2, 3, 4], [None] * 4):
        reply = post(here, number, values)
        assert reply.status == 200
        assert reply.body["status"] == "ALREADY_RECEIVED_AND_SUCCESSFULLY_PROCESSED"
        assert "job" not in reply.body
    assert post(here, number, [1, 2, 3, 5]).status == 202
    assert get(here, number)["values"] == [1, 2, 3, 5]


def test_a_replacement_is_refused_as_a_whole(here: Platform) -> None:
    number = here.sensor()
    post(here, number, [1], duration="PT15M")
    with pytest.raises(Rejected) as told:
        post(here, number, [2, 2, 2, 2])
    assert (told.value.status, told.value.code) == (403, "INVALID_REPLACEMENT")
    assert get(here, number)["values"] == [1, None, None, None]


def test_a_replacement_is_taken_where_that_is_allowed(tmp_path: Path) -> None:
    here = ready(tmp_path, overwrite=True)
    number = here.sensor()
    post(here, number, [1, 1, 1, 1])
    assert post(here, number, [2, 2, 1, 1]).status == 202
    assert get(here, number)["values"] == [2, 2, 1, 1]


def test_who_posts_is_the_source(here: Platform) -> None:
    number = here.sensor()
    post(here, number, [1] * 4)
    body = {"values": [2], "start": START, "duration": "PT15M", "unit": "kW"}
    here.now += HOUR
    here.call("POST", DATA, number, body=body, caller=here.user("ben"))
    sources = here.parts.state.sources()
    ann, ben = (n for n, one in sources.items() if one.kind == "user")
    assert sources[ben].account == str(here.account)
    assert get(here, number, source=ann)["values"] == [1, 1, 1, 1]
    assert get(here, number, source=ben)["values"] == [2, None, None, None]
    assert get(here, number)["values"] == [2, 1, 1, 1]


def test_what_is_wrong_is_told_with_its_field(here: Platform) -> None:
    number = here.sensor()
    with pytest.raises(BadField) as told:
        post(here, number, [1, 2, 3])
    assert (told.value.path, told.value.message) == ("_schema", INCOMPATIBLE)
    with pytest.raises(BadField) as told:
        get(here, number, **{"source-type": "reporter"})
    assert told.value.path == "source-type"


def test_a_share_is_of_what_the_asset_can_hold(here: Platform) -> None:
    asset = here.parts.state.assets.get(here.asset)
    assert asset is not None
    model = asset.flex_model | {"soc-max": "8 kWh"}
    here.parts.state.assets.change(here.asset, replace(asset, flex_model=model))
    number = here.sensor("soc", "kWh", timedelta(0))
    post(here, number, 50, duration="PT0M", unit="%")
    assert get(here, number, unit="kWh", resolution="PT1H")["values"] == [4.0]
    assert get(here, number, unit="%", resolution="PT1H")["values"] == [50.0]


def test_data_is_deleted_between_bounds_and_of_one_source(here: Platform) -> None:
    number = here.sensor()
    post(here, number, [1, 2, 3, 4])
    here.call("DELETE", DATA, number, body={"start": "2026-04-14T00:15:00+02:00",
                                            "until": "2026-04-14T00:45:00+02:00"})  # fmt: skip
    assert get(here, number)["values"] == [1, None, None, 4]
    with pytest.raises(Rejected) as told:
        here.call("DELETE", DATA, number, body={"source": 99})
    assert told.value.told == {"json": {"source": ["No data source found with id 99."]}}
    (ann,) = here.parts.state.sources()
    here.call("DELETE", DATA, number, body={"source": ann, "until": "2026-04-14T00:15+02:00"})
    assert get(here, number)["values"] == [None, None, None, 4]
    assert here.call("DELETE", DATA, number) == Reply(None, 204)
    assert get(here, number)["values"] == [None] * 4


def test_who_deleted_what_is_noted(here: Platform) -> None:
    number = here.sensor()
    here.call("DELETE", DATA, number, body={"start": START})
    (entry,) = here.parts.state.audit.newest(asset_id=here.asset)
    when = datetime(2026, 4, 13, 22, tzinfo=UTC)
    assert entry.what.startswith(f"Deleted data for sensor 'power': {number}, from: ")
    assert datetime.fromisoformat(entry.what.partition("from: ")[2]) == when
    assert (entry.who, entry.user_id, entry.account_id) == ("ann", 7, here.account)


def test_deleting_an_instant_takes_the_bound_in(here: Platform) -> None:
    number = here.sensor("soc", "kWh", timedelta(0))
    post(here, number, [1, 2], duration="PT30M", unit="kWh")
    here.call("DELETE", DATA, number, body={"until": START})
    told = get(here, number, unit="kWh", resolution="PT15M", duration="PT30M")
    assert told["values"] == [None, 2]


def test_over_http_all_is_as_flexmeasures_has_it(site: Site, parts: Parts) -> None:
    _, url = sensor_of(site, parts)
    ask = site.program()
    body = {"start": START, "duration": "P0DT1H0M0S", "values": [1, 2, None, 4], "unit": "kW"}
    posted = ask.post(url, json=body)
    assert (posted.status_code, posted.json()["status"]) == (202, "ACCEPTED")
    query = {"start": START, "duration": "PT1H", "unit": "W", "resolution": "PT30M"}
    assert ask.get(url, params=query).json()["values"] == [1500, 4000]
    assert ask.delete(url).status_code == 204
    assert ask.get(url, params=query).json()["values"] == [None, None]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"values": [1, 2, 3]}, {"_schema": [INCOMPATIBLE]}),
        ({"duration": "x"}, {"duration": ["Cannot parse x as ISO8601 duration, such as PT15M."]}),
        ({"values": [1, "2"]}, {"values": {"1": ["Not a valid number."]}}),
        ({"values": [[1]]}, {"values": {"0": ["Not a valid number."]}}),
        ({"values": []}, {"values": ["Shorter than minimum length 1."]}),
        ({"start": "2026-04-14T00:00:00"}, {"start": ["Not a valid aware datetime."]}),
        ({"strange": 1}, {"strange": ["Unknown field."]}),
        ({"unit": "EUR"}, {"_schema": [OTHER_UNIT]}),
    ],
)  # fmt: skip
def test_over_http_what_is_wrong_has_its_place(
    site: Site, parts: Parts, change: dict[str, Any], told: dict[str, Any]
) -> None:
    _, url = sensor_of(site, parts)
    body = {"start": START, "duration": "PT1H", "values": [1], "unit": "kW"} | change
    answer = site.program().post(url, json=body)
    assert answer.status_code == 422
    assert answer.json() == {
        "message": {"combined_sensor_data_description": told},
        "result": "Rejected", "status": "UNPROCESSABLE_ENTITY",
    }  # fmt: skip


def test_over_http_more_than_3_mib_are_refused(site: Site, parts: Parts) -> None:
    _, url = sensor_of(site, parts)
    head = b'{"start": "2026-04-14T00:00Z", "duration": "PT1H", "unit": "kW", "values": ['
    json_type = {"Content-Type": "application/json"}
    answer = site.program().post(url, data=head + b"1," * 1_600_000 + b"1]}", headers=json_type)
    assert answer.status_code == 413
    answer = site.program().post(url, data=head + b"1," * 600_000 + b"1]}", headers=json_type)
    assert answer.status_code == 422


def test_flexmeasures_own_client_posts_reads_and_deletes(
    site: Site, parts: Parts, tmp_path: Path
) -> None:
    number, _ = sensor_of(site, parts)
    file = tmp_path / "load.csv"
    file.write_text("Hour,Value\n2026-04-14T00:00:00+02:00,1500\n2026-04-14T00:15:00+02:00,2500\n")
    when: dict[str, Any] = {"start": "2026-04-14T00:00:00+02:00", "duration": "PT1H"}

    async def talk() -> list[Any]:
        client = FlexMeasuresClient(
            email="ann@example.com", password="-",  # noqa: S106 (none is asked for)
            access_token=site.access.local_token,
            host=site.url.partition("://")[2], ssl=False,
        )  # fmt: skip
        try:
            return [one async for one in said(client)]
        finally:
            await client.close()

    async def said(client: FlexMeasuresClient) -> AsyncIterator[Any]:
        async def read() -> Any:
            told = await client.get_sensor_data(number, unit="W", resolution="PT15M", **when)
            return told["values"]

        await client.post_sensor_data(number, file_path=str(file), unit="W")
        yield await read()
        site.clock.now += HOUR
        await client.post_sensor_data(number, values=[1, 2, 3, 4], unit="kW", **when)
        yield await read()
        await client.delete_sensor_data(
            number, confirm_first=False, start="2026-04-14T00:15:00+02:00",
            until="2026-04-14T00:45:00+02:00",
        )  # fmt: skip
        yield await read()

    assert asyncio.run(talk()) == [
        [1500, 2500, None, None], [1000, 2000, 3000, 4000], [1000, None, None, 4000]
    ]  # fmt: skip
