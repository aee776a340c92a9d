"""How fresh the data of sensors are, and the jobs about an asset."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from zoneinfo import ZoneInfo

from flexedge.gateway.service.freshness import fresh, relations
from flexedge.gateway.service.panels import shown
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call, On, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.status import Freshness, JobsTold, JobTold, StatusTold

ROOT: Final = "/api/v3_0"
_JOBS: Final = 100


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations."""
    state = parts.state

    def sensor_status(call: Call[None, None]) -> Reply:
        sensor: PlacedSensor = call.found
        asset = state.assets.get(sensor.asset_id)
        related = {} if asset is None else relations(state, sensor.asset_id, asset)
        mine = {call.number: related.get(call.number, [])}
        return Reply(_statuses(parts, call, {call.number: sensor}, mine))

    def asset_status(call: Call[None, None]) -> Reply:
        asset: Asset = call.found
        related = relations(state, call.number, asset)
        for number in shown(state, call.number, asset, suggested=False).sensors:
            related.setdefault(number, []).append("sensor is shown with this asset")
        found = {number: state.placed.get(number) for number in related}
        sensors = {number: one for number, one in found.items() if one is not None}
        return Reply(_statuses(parts, call, sensors, related))

    def jobs(call: Call[None, None]) -> Reply:
        found = state.jobs.about([call.number], _JOBS)
        names = {number: one.name for number, one in state.placed.of(call.number).items()}
        return Reply(JobsTold(jobs=[_job(one, call.found, names) for one in found]))

    return (
        Op(
            method="GET", path=f"{ROOT}/sensors/{{id}}/status", run=sensor_status, tag="Sensors",
            summary="Tell how fresh the data of a sensor are, by type of source",
            on=On("sensor", "read"), answers={200: StatusTold},
        ),
        Op(
            method="GET", path=f"{ROOT}/assets/{{id}}/status", run=asset_status, tag="Assets",
            summary="Tell how fresh the data of an asset's sensors are",
            description="Of its own, those of its flex-context and those shown with it.",
            on=On("asset", "read"), answers={200: StatusTold},
        ),
        Op(
            method="GET", path=f"{ROOT}/assets/{{id}}/jobs", run=jobs, tag="Assets",
            summary="List the newest jobs about an asset and its sensors",
            on=On("asset", "read"), answers={200: JobsTold},
        ),
    )  # fmt: skip


def _statuses(
    parts: Parts, call: Call[None, None], sensors: Mapping[int, PlacedSensor],
    related: Mapping[int, list[str]],
) -> StatusTold:  # fmt: skip
    found = fresh(parts.state, parts.beliefs, sensors, call.now)
    owners = {one: parts.state.assets.get(one) for one in {s.asset_id for s in sensors.values()}}
    names = {number: "" if one is None else one.name for number, one in owners.items()}
    told = [
        Freshness(
            id=number,
            name=sensor.name,
            asset_name=names[sensor.asset_id],
            resolution=sensor.resolution,
            source_type=one.source_type,
            staleness=one.staleness,
            stale=one.stale,
            staleness_since=_local(one.since, sensor.timezone),
            reason=one.reason,
            relation=";".join(related[number]),
        )
        for number, sensor in sensors.items()
        for one in found[number]
    ]
    return StatusTold(sensors_data=told)


def _local(moment: datetime | None, zone: str) -> datetime | None:
    return None if moment is None else moment.astimezone(ZoneInfo(zone))


def _job(job: Job, asset: Asset, names: Mapping[int, str]) -> JobTold:
    kind, number, name = "asset", job.asset_id, asset.name
    if job.sensor_id is not None:
        kind, number, name = "sensor", job.sensor_id, names.get(job.sensor_id, "deleted")
    metadata = json.dumps({**job.payload, **(job.result or {}), "job_id": job.id}, indent=4)
    return JobTold(
        job_id=job.id,
        queue=job.queue,
        asset_or_sensor_type="asset" if kind == "asset" else "sensor",
        entity=f"{kind}: {name} (Id: {number})",
        status=job.status,
        err=None if job.error is None else f"{job.queue.capitalize()} job failed: {job.error}",
        enqueued_at=format_datetime(job.queued, usegmt=True),
        metadata=metadata,
        metadata_hash=hashlib.sha256(metadata.encode()).hexdigest(),
    )
