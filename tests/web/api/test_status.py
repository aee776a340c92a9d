import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from flexedge.store.tables.jobs import Job
from flexedge.web.api.status import operations
from tests.web.api.asking import NOW, Platform, platform


def ask(here: Platform, path: str, number: int) -> Any:
    return here.ask("GET", f"/api/v3_0/{path}", number).body.model_dump(mode="json")


def test_the_status_of_a_sensor_is_told_by_type_of_source(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        power = here.sensor(here.asset("battery"), "power")
        here.believe(power, NOW - timedelta(hours=2), [1])
        assert ask(here, "sensors/{id}/status", power) == {"status": 200, "sensors_data": [{
            "id": power, "name": "power", "asset_name": "battery", "resolution": "PT15M",
            "source_type": "user", "staleness": "PT1H45M", "stale": True,
            "staleness_since": "2026-04-14T12:15:00+02:00",
            "reason": "most recent data is 1 hour and 45 minutes old, but should not be more than"
                      " 30 minutes old",
            "relation": "sensor belongs to this asset",
        }]}  # fmt: skip


def test_an_asset_tells_of_all_sensors_that_matter_to_it(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        grid, home = here.asset("grid"), here.asset("home")
        price, _ = here.sensor(grid, "price"), here.sensor(home, "power")
        state = here.parts.state
        asset = state.assets.get(home)
        assert asset is not None
        state.assets.change(home, replace(
            asset, flex_context={"consumption-price": {"sensor": price},
                                 "production-price": {"sensor": 99}},
            sensors_to_show=[price],
        ))  # fmt: skip
        told = ask(here, "assets/{id}/status", home)["sensors_data"]
        assert [(one["name"], one["asset_name"], one["relation"]) for one in told] == [
            ("power", "home", "sensor belongs to this asset"),
            ("price", "grid", "flex context (consumption-price);sensor is shown with this asset"),
        ]
        assert (told[0]["source_type"], told[0]["reason"]) == (None, "no data recorded")


def test_jobs_are_told_of_the_asset_and_its_sensors(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        home = here.asset("home")
        power, jobs = here.sensor(home, "power"), here.parts.state.jobs
        jobs.add(Job("one", "scheduling", "finished", {"start": 1}, {"cost": 2}, NOW,
                     asset_id=home))  # fmt: skip
        later = NOW + timedelta(hours=1)
        jobs.add(Job("two", "forecasting", "failed", {}, None, later, error="no data",
                     asset_id=home, sensor_id=power))  # fmt: skip
        jobs.add(Job("other", "scheduling", "queued", {}, None, NOW, asset_id=home + 1))
        told = ask(here, "assets/{id}/jobs", home)
        assert (told["redis_connection_err"], told["status"]) == (None, 200)
        first, second = told["jobs"]
        assert json.loads(second.pop("metadata")) == {"start": 1, "cost": 2, "job_id": "one"}
        assert len(second.pop("metadata_hash")) == 64
        assert second == {
            "job_id": "one", "queue": "scheduling", "asset_or_sensor_type": "asset",
            "entity": f"asset: home (Id: {home})", "status": "finished", "err": None,
            "enqueued_at": "Tue, 14 Apr 2026 12:00:00 GMT",
        }  # fmt: skip
        assert (first["entity"], first["err"]) == (
            f"sensor: power (Id: {power})", "Forecasting job failed: no data")  # fmt: skip
