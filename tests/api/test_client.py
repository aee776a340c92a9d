"""FlexMeasures' own client, as it is released, with every public method it has."""

import asyncio
import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flexmeasures_client import FlexMeasuresClient
from flexmeasures_client.exceptions import InsufficientServerVersionError, JobFailedError

from tests.api.moment import at
from tests.api.served import ACCOUNT, PASSWORD, USER, Served

LOCAL = {"create_storage_flex_model", "create_storage_flex_context", "convert_units"}
WITHOUT_CALLS = {"close", "ensure_session", "build_url", "determine_port", "get_headers"}
"""What asks nothing of a server."""
THEN = datetime(2026, 11, 22, 7, tzinfo=UTC)
MIDNIGHT = "2026-11-25T00:00:00+01:00"
PRICES = [80.0 + 7 * (i * 3 % 5) for i in range(24)]
BATTERY = {"soc-at-start": "4 kWh", "soc-min": "1 kWh", "soc-max": "12 kWh",
           "power-capacity": "5 kW", "roundtrip-efficiency": "90%"}  # fmt: skip


class Witness(FlexMeasuresClient):  # type: ignore[misc] # untyped
    """The client; notes which of its methods were called."""

    called: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if inspect.ismethod(found) and not name.startswith("_"):
            Witness.called.add(name)
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with at(THEN, tmp_path_factory.mktemp("served")) as running:
        yield running


def public() -> set[str]:
    named = inspect.getmembers(FlexMeasuresClient, inspect.isfunction)
    return {name for name, _ in named if not name.startswith("_")}


async def structure(client: FlexMeasuresClient) -> dict[str, int]:
    user, account = await client.get_user(), await client.get_account()
    assert (user["email"], account["name"]) == (USER, ACCOUNT)
    types = {one["name"]: one["id"] for one in await client.get_asset_types()}
    place = {"account_id": account["id"], "latitude": 52.37, "longitude": 4.89}
    site = await client.add_asset(
        name="site", generic_asset_type_id=types["building"], **place,
        flex_context={"site-power-capacity": "17 kVA"},
    )  # fmt: skip
    battery = await client.add_asset(
        name="battery", generic_asset_type_id=types["battery"], parent_asset_id=site["id"], **place,
        flex_model={"soc-max": "12 kWh", "power-capacity": "5 kW"},
    )  # fmt: skip

    async def sensor(name: str, asset: dict[str, Any], unit: str, resolution: str) -> int:
        made = await client.add_sensor(
            name=name, event_resolution=resolution, unit=unit, generic_asset_id=asset["id"],
            timezone="Europe/Amsterdam", attributes={"note": name},
        )  # fmt: skip
        return int(made["id"])

    ids = {
        "site": site["id"],
        "battery": battery["id"],
        "price": await sensor("price", site, "EUR/MWh", "PT1H"),
        "load": await sensor("load", site, "kW", "PT15M"),
        "power": await sensor("power", battery, "kW", "PT15M"),
    }
    context = {"consumption-price": {"sensor": ids["price"]}, "site-power-capacity": "17 kVA"}
    changed = await client.update_asset(
        asset_id=ids["site"], updates={"flex_context": context}, parse_json_fields=True
    )
    assert changed["flex_context"] == context
    whole = await client.get_asset(ids["site"], parse_json_fields=True)
    assert [child["id"] for child in whole["child_assets"]] == [ids["battery"]]
    below = await client.get_assets(root=ids["site"], parse_json_fields=True)
    assert ids["battery"] in [one["id"] for one in below]
    renamed = await client.update_sensor(ids["power"], updates={"name": "set-point"})
    assert renamed["name"] == "set-point"
    assert (await client.get_sensor(ids["power"], parse_json_fields=True))["attributes"] == {
        "note": "power"
    }
    assert len(await client.get_sensors(asset_id=ids["site"], parse_json_fields=True)) == 3
    return ids


async def data(client: FlexMeasuresClient, ids: dict[str, int], folder: Path) -> None:
    day = {"start": MIDNIGHT, "duration": "P1D"}
    await client.post_sensor_data(ids["price"], values=PRICES, unit="EUR/MWh", **day)
    await client.post_sensor_data(
        ids["load"], values=[0.5] * 96, unit="kW", prior="2026-11-24T12:00:00+01:00", **day
    )
    file = folder / "load.csv"
    times = [f"2026-11-26T00:{minute}:00+01:00" for minute in ("00", "15", "30", "45")]
    rows = "".join(f"{time},{i + 1}.5\n" for i, time in enumerate(times))
    file.write_text("Hour,Value\n" + rows)
    await client.post_sensor_data(ids["load"], file_path=str(file), unit="kW")
    read = await client.get_sensor_data(
        ids["load"], start="2026-11-26T00:00:00+01:00", duration="PT1H", unit="W",
        resolution="PT15M",
    )  # fmt: skip
    assert read["values"] == [1500.0, 2500.0, 3500.0, 4500.0]
    cents = await client.get_sensor_data(
        ids["price"], start=MIDNIGHT, duration="PT6H", unit="EUR/kWh", resolution="PT1H"
    )
    assert cents["values"] == pytest.approx([price / 1000 for price in PRICES[:6]])
    with pytest.warns(DeprecationWarning, match="post_sensor_data"):
        await client.post_measurements(
            sensor_id=ids["load"], start="2026-11-27T00:00:00+01:00", duration="PT1H",
            values=[1, 2, 3, 4], unit="kW",
        )  # fmt: skip


async def plans(client: FlexMeasuresClient, ids: dict[str, int]) -> None:
    asked = {"start": MIDNIGHT, "duration": "PT12H"}
    context = {"inflexible-consumption": [{"sensor": ids["load"]}]}
    one = await client.trigger_and_get_schedule(
        sensor_id=ids["power"], flex_model=BATTERY, flex_context=context, unit="W", **asked
    )
    assert (len(one["values"]), one["unit"], one["duration"]) == (48, "W", "PT12H")
    soc_kwh = 4 + sum(
        value / 4000 * (0.9**0.5 if value > 0 else 1 / 0.9**0.5) for value in one["values"]
    )
    assert soc_kwh == pytest.approx(1, abs=1e-4)  # sold out at the end
    several = await client.trigger_and_get_schedule(
        asset_id=ids["site"], flex_model=[{"sensor": ids["power"], **BATTERY}], prior=MIDNIGHT,
        **asked,
    )  # fmt: skip
    assert [schedule["sensor"] for schedule in several] == [ids["power"]]
    assert max(several[0]["values"]) == pytest.approx(5)
    job = await client.trigger_schedule(
        asset_id=ids["site"], flex_model=[{"sensor": ids["power"], **BATTERY}],
        scheduler="StorageScheduler", **asked,
    )  # fmt: skip
    assert (await client.wait_for_job(job))["result"]["num-beliefs"] > 0
    assert (await client.get_job_status(job))["status"] == "FINISHED"
    assert (await client.get_schedule(ids["power"], job, duration="PT1H"))["duration"] == "PT1H"
    target = [{"datetime": "2026-11-25T01:00:00+01:00", "value": "12 kWh"}]
    with pytest.raises(JobFailedError):
        await client.trigger_and_get_schedule(
            sensor_id=ids["power"], flex_model=BATTERY | {"soc-targets": target},
            flex_context={"relax-constraints": False}, **asked,
        )  # fmt: skip


async def forecasts(client: FlexMeasuresClient, ids: dict[str, int]) -> None:
    values = [1 + i % 96 / 96 for i in range(14 * 96)]
    await client.post_sensor_data(
        ids["load"], start="2026-11-08T00:00:00+01:00", duration="P14D", values=values, unit="kW"
    )
    asked = {"start": "2026-11-22T00:00:00+01:00", "duration": "PT6H", "train_period": "P7D",
             "max_forecast_horizon": "PT6H", "forecast_frequency": "PT6H"}  # fmt: skip
    forecast = await client.trigger_and_get_forecast(sensor_id=ids["load"], **asked)
    assert forecast["values"] == pytest.approx(values[:24], abs=0.1)
    job = await client.trigger_forecast(sensor_id=ids["load"], **asked)
    assert await client.get_forecast(ids["load"], job) == forecast


async def end(client: FlexMeasuresClient, ids: dict[str, int]) -> None:
    report = {"asset_id": ids["site"], "reporter": "PandasReporter", "parameters": {}}
    for method in (client.trigger_report, client.trigger_and_await_report):
        with pytest.raises(InsufficientServerVersionError):
            await method(**report)
    await client.delete_sensor_data(ids["load"], confirm_first=False)
    read = await client.get_sensor_data(
        ids["load"], start=MIDNIGHT, duration="PT1H", unit="kW", resolution="PT15M"
    )
    assert read["values"] == [None] * 4
    await client.delete_sensor(ids["power"], confirm_first=False)
    await client.delete_asset(ids["site"], confirm_first=False)
    assert await client.get_assets(parse_json_fields=True) == []
    client.access_token = "not a token"  # noqa: S105
    assert await client.get_assets(parse_json_fields=True) == []  # it logs in again


async def everything(served: Served, folder: Path) -> None:
    client = Witness(email=USER, password=PASSWORD, host=served.host)
    client.request_retry_interval = client.job_polling_interval = 0.05
    try:
        assert (await client.get_versions())["server_version"] == "1.0.1"
        await client.ensure_minimum_server_version("1.0.1", "")
        ids = await structure(client)
        await data(client, ids, folder)
        await plans(client, ids)
        await forecasts(client, ids)
        await end(client, ids)
    finally:
        await client.close()


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_every_method_of_the_client_works(served: Served, tmp_path: Path) -> None:
    asyncio.run(everything(served, tmp_path))
    assert public() - LOCAL - WITHOUT_CALLS - Witness.called == set()
