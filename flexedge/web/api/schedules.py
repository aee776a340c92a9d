"""Schedules: asking for them, and what came of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flexedge.domain.convert import factor
from flexedge.domain.units import duration
from flexedge.errors import BadField
from flexedge.gateway.service import packed
from flexedge.gateway.service.refusals import told as refusal
from flexedge.gateway.service.stored import mentioned
from flexedge.gateway.service.work import SCHEDULING
from flexedge.optim.request.answer import iso
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.jobs import demand_seen, described, found
from flexedge.web.api.op import Call, On, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.schedules import (
    Accepted,
    AcceptedForSensor,
    Of,
    Schedule,
    SchedulerInfo,
    SensorTrigger,
    Trigger,
    Underway,
    WholePlan,
)

_TAG: Final = "Schedules"
_PLACE: Final = "args_and_json"
_MOST_BYTES: Final = 1024 * 1024
_WANTED: Final = timedelta(hours=6)
HORIZON: Final = timedelta(hours=48)
"""So much of a schedule is told at most, as by FlexMeasures."""
_SIGNS: Final[Mapping[str, int]] = {"consumption-positive": 1, "production-positive": -1}
_HOW: Final = ("force_new_job_creation",)
Json = dict[str, Any]


def operations(parts: Parts) -> tuple[Op, ...]:
    """Triggers, what came of them, and plans of problems that bring all their data along."""
    return (*_triggers(parts), *_results(parts))


def _triggers(parts: Parts) -> tuple[Op, ...]:
    def of_asset(call: Call[None, Trigger]) -> Reply:
        job = _ask(parts, call, call.number, None)
        return Reply(Accepted(job=job.id, schedule=job.id, job_url=_job_url(job)), 202)

    def of_sensor(call: Call[None, SensorTrigger]) -> Reply:
        sensor: PlacedSensor = call.found
        job = _ask(parts, call, sensor.asset_id, call.number)
        results = f"/api/v3_0/sensors/{call.number}/schedules/{job.id}"
        newer = f"</api/v3_0/assets/{sensor.asset_id}/schedules/trigger>; rel=successor-version"
        accepted = AcceptedForSensor(
            job=job.id, schedule=job.id, job_url=_job_url(job), results_url=results
        )
        return Reply(accepted, 202, {"Link": newer})

    return (
        Op(method="POST", path="/api/v3_0/assets/{id}/schedules/trigger", run=of_asset,
           summary="Ask for a schedule of an asset and all below it", tag=_TAG, scope="plan",
           on=On("asset", "create-children"), body=Trigger, place=_PLACE, answers={202: Accepted},
           most_bytes=_MOST_BYTES, triggers=True),
        Op(method="POST", path="/api/v3_0/sensors/{id}/schedules/trigger", run=of_sensor,
           summary="Ask for a schedule of one sensor", tag=_TAG, scope="plan",
           on=On("sensor", "create-children"), body=SensorTrigger, place=_PLACE,
           answers={202: AcceptedForSensor}, most_bytes=_MOST_BYTES, triggers=True,
           deprecated=True),
    )  # fmt: skip


def _results(parts: Parts) -> tuple[Op, ...]:
    def one(call: Call[Of, None]) -> Reply:
        job = found(parts, call.path["uuid"])
        demand_seen(parts, call.caller, job)
        if job.queue != SCHEDULING:
            raise Rejected(400, "UNKNOWN_SCHEDULE", f"{described(job)} It makes no schedule.")
        name = (job.result or {}).get("scheduler", "")
        said = f"{described(job)} {name} was used."
        if job.status == "failed":
            raise Rejected(400, "UNKNOWN_SCHEDULE", said)
        if job.status != "finished":
            return Reply(Underway(status=_status(job), message=said), 202)
        told = (job.result or {}).get("outputs", {}).get(str(call.number))
        if told is None:
            raise Rejected(
                400, "UNKNOWN_SCHEDULE",
                f"A scheduling job has been processed with your job ID, but it has no schedule for"
                f" sensor {call.number}. {name} was used.",
            )  # fmt: skip
        return Reply(_schedule(call, job, told))

    def whole(call: Call[None, None]) -> Reply:
        job = found(parts, call.path["uuid"])
        demand_seen(parts, call.caller, job)
        result = job.result or {}
        status = {"finished": 200, "failed": 422}.get(job.status, 202)
        return Reply(
            WholePlan(
                job=job.id, status=job.status.upper(), message=described(job), asset=job.asset_id,
                sensor=job.sensor_id, scheduler=result.get("scheduler"),
                outputs=result.get("outputs"), commitment_costs=result.get("commitment-costs"),
                unresolved=result.get("unresolved"), resolved=result.get("resolved"),
                plan=packed.unpack(result["plan"]) if "plan" in result else None,
            ),
            status,
        )  # fmt: skip

    return (
        Op(method="GET", path="/api/v3_0/sensors/{id}/schedules/{uuid}", run=one,
           summary="The schedule for one sensor", tag=_TAG, on=On("sensor", "read"), query=Of,
           place=_PLACE, answers={200: Schedule, 202: Underway}),
        Op(method="GET", path="/api/v3_0/schedules/{uuid}", run=whole,
           summary="Everything about a schedule, and why it is what it is", tag=_TAG,
           answers={200: WholePlan, 202: WholePlan, 422: WholePlan}),
    )  # fmt: skip


def _ask(
    parts: Parts, call: Call[None, Trigger] | Call[None, SensorTrigger], asset: int,
    sensor: int | None,
) -> Job:  # fmt: skip
    """The job for a trigger, if the caller may read every sensor it refers to."""
    said = call.body.model_dump(by_alias=True, exclude_none=True, exclude=set(_HOW))
    named = mentioned([said.get("flex-model"), said.get("flex-context")])
    for name in sorted(named):
        placed = _sensor(parts, name)
        if placed is not None:
            parts.demand(call.caller, "read", parts.thing(placed))
    try:
        return parts.schedules.ask(
            asset, sensor, said, anew=bool(call.body.force_new_job_creation),
            user_id=call.caller.user_id,
        )  # fmt: skip
    except BadField as error:
        raise Rejected(422, "UNPROCESSABLE_ENTITY", refusal(error)) from error


def _sensor(parts: Parts, name: str) -> PlacedSensor | None:
    number = parts.schedules.number(name)
    return None if number is None else parts.state.placed.get(number)


def _status(job: Job) -> Any:
    return job.status.upper()


def _job_url(job: Job) -> str:
    return f"/api/v3_0/jobs/{job.id}"


def _schedule(call: Call[Of, None], job: Job, told: Json) -> Schedule:
    """What was asked for of one sensor's schedule, in the unit and with the sign asked for."""
    asked, sensor = call.query, call.found
    step, start = duration(told["resolution"]), datetime.fromisoformat(told["start"])
    values: list[float | None] = told["values"]
    ends = 0 if told["power"] else 1  # a stock is told at both ends of the last step
    length = min(_wanted(asked), HORIZON, (len(values) - ends) * step)
    values = values[: length // step + ends]
    unit = asked.unit or sensor.unit
    scale = _scale(sensor, unit, step) * _sign(asked.sign_convention, told)
    result = job.result or {}
    info = SchedulerInfo(scheduler=result["scheduler"], commitment_costs=result["commitment-costs"])
    return Schedule(
        values=[None if one is None else one * scale for one in values], start=start.isoformat(),
        duration=iso(length), unit=unit, scheduler_info=info,
        message=f"Request has been processed. {info.scheduler} was used.",
    )  # fmt: skip


def _wanted(asked: Of) -> timedelta:
    if asked.duration is None:
        return _WANTED
    try:
        return duration(asked.duration)
    except ValueError:
        wrong = {"duration": ["Not a valid duration."]}
        raise Rejected(422, "UNPROCESSABLE_ENTITY", wrong) from None


def _scale(sensor: PlacedSensor, unit: str, step: timedelta) -> float:
    try:
        return factor(sensor.unit, unit, None if not sensor.resolution else step)
    except ValueError:
        told = f"Incompatible units: {sensor.unit} cannot be converted to {unit}."
        raise Rejected(422, "UNPROCESSABLE_ENTITY", {"unit": [told]}) from None


def _sign(convention: str, told: Json) -> int:
    """What a value, consumption positive, is to be multiplied by."""
    if not told["power"]:
        return 1
    return int(told["stored"]) if convention == "wysiwyg" else _SIGNS[convention]
