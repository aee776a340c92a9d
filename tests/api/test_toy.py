"""FlexMeasures' toy account, built and planned by its own client over HTTP."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from flexmeasures_client import FlexMeasuresClient

from flexedge.config.settings import Plan, Settings
from flexedge.gateway.service.work import Work
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.web.api.parts import Parts
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.server import Server
from tests.web.api.toy import PRICES, SUN, TWO_CYCLES

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIDNIGHT, MORNING = "2026-11-23T00:00:00+01:00", "2026-11-23T07:00:00+01:00"
BATTERY = {"soc-at-start": "225 kWh", "soc-min": "50 kWh", "soc-max": "450 kWh",
           "power-capacity": "500 kVA", "roundtrip-efficiency": "90%"}  # fmt: skip
WITH_SUN = [
    *[0.0] * 6, -304.078309, -360, *[0.0] * 4, 500, 500, 288.888889, 0.0, *[-290.0] * 4,
    *[0.0] * 8, *[500] * 3, 186.548085, *[0.0] * 12, -197.893277, *[-440] * 3,
]  # fmt: skip


@dataclass
class Place:
    """A served store, worked on; where it is, and a token of somebody who may do all."""

    host: str
    token: str

    def client(self) -> FlexMeasuresClient:
        """FlexMeasures' client, impatient."""
        return FlexMeasuresClient(
            email="toy-user@flexmeasures.io", password="unused", host=self.host,  # noqa: S106
            access_token=self.token, ssl=False,
            request_retry_interval=0.05, job_polling_interval=0.02,
        )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Everything but the process, with the penalties and preferences of FlexMeasures."""
    state = State(tmp_path / "state.db")
    beliefs = Beliefs(LocalArchive(tmp_path / "data", NOW), state)
    state.accounts.add(Account("Toy Account"))
    work = Work(state.jobs, {}, lambda: NOW)
    settings = Settings(plan=Plan(compat="flexmeasures-1.0"))
    access = Access(state, tmp_path, lambda: NOW)
    server = Server(
        build(None, access, Parts(state, beliefs, work, lambda: NOW, settings=settings)),
        "127.0.0.1", 0,
    )  # fmt: skip
    turns: SimpleQueue[bool] = SimpleQueue()
    work.wake = lambda: turns.put(True)
    server.start()
    with ThreadPoolExecutor(2) as threads:
        serving = threads.submit(server.serve)
        working = threads.submit(lambda: [work.step(NOW) for _ in iter(turns.get, False)])
        yield Place(server.url.partition("://")[2], access.local_token)
        turns.put(False)
        server.stop()
        working.result(10)
        serving.result(10)
    beliefs.close()
    state.close()


async def build_toy(client: FlexMeasuresClient) -> dict[str, int]:
    """The toy account's assets and sensors, with a day of prices and sun."""
    kinds = {one["name"]: one["id"] for one in await client.get_asset_types()}
    where = {"account_id": 1, "latitude": 52.37, "longitude": 4.89}
    site = await client.add_asset(
        name="toy-building", generic_asset_type_id=kinds["building"], **where,
        flex_context={"site-power-capacity": "500 kVA"},
    )  # fmt: skip
    ids: dict[str, int] = {"site": site["id"]}
    for name, kind, sensor, unit, step in (
        ("toy-battery", "battery", "discharging", "kW", "PT15M"),
        ("toy-solar", "solar", "production", "kW", "PT1H"),
        ("toy-market", "building", "day-ahead prices", "EUR/MWh", "PT1H"),
    ):
        asset = await client.add_asset(
            name=name, generic_asset_type_id=kinds[kind], parent_asset_id=site["id"], **where
        )
        made = await client.add_sensor(
            name=sensor, unit=unit, event_resolution=step, generic_asset_id=asset["id"],
            timezone="Europe/Amsterdam",
        )  # fmt: skip
        ids[name] = made["id"]
    for name, values, unit in (
        ("toy-solar", SUN, "kW"), ("toy-market", PRICES, "EUR/MWh")
    ):  # fmt: skip
        await client.post_sensor_data(
            ids[name], start=MIDNIGHT, duration="P1D", values=[float(one) for one in values],
            unit=unit,
        )  # fmt: skip
    return ids


async def plans(place: Place) -> list[dict[str, Any]]:
    """Parts I and II of the tutorial."""
    client = place.client()
    try:
        ids = await build_toy(client)
        prices = {"consumption-price": {"sensor": ids["toy-market"]}}
        sun = {"inflexible-production": [{"sensor": ids["toy-solar"]}]}
        one, two = [
            await client.trigger_and_get_schedule(
                sensor_id=ids["toy-battery"], start=MORNING, duration="PT12H", flex_model=BATTERY,
                flex_context={**prices, **more},
            )
            for more in ({}, sun)
        ]  # fmt: skip
        return [one, two]
    finally:
        await client.close()


def test_the_toy_account_is_planned_as_by_flexmeasures(place: Place) -> None:
    first, second = asyncio.run(plans(place))
    for told, values, cost in ((first, TWO_CYCLES, -4.655136), (second, WITH_SUN, -18.620429)):
        assert told["values"] == pytest.approx(values, abs=1e-4)
        costs = told["scheduler_info"]["commitment_costs"]
        assert costs["electricity net energy"] == pytest.approx(cost, abs=1e-5)
        assert (told["start"], told["duration"], told["unit"]) == (MORNING, "PT12H", "kW")
