"""How jobs stand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from flexedge.domain.rights import Caller, Thing
from flexedge.gateway.service.work import FORECASTING, INGESTION, SCHEDULING
from flexedge.store.tables.jobs import Job
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.jobs import JobTold, NoJob

_FUNCTIONS = {
    SCHEDULING: "flexedge.gateway.service.schedules",
    FORECASTING: "flexedge.gateway.service.forecasts",
    INGESTION: "flexedge.gateway.service.values",
}
_TOLD = {SCHEDULING: ("num-beliefs", "resolved", "unresolved")}
"""What of a result is for others to see; of other queues all is, or its ``told``."""
_STATUS: Final[Mapping[str, Literal["QUEUED", "STARTED", "FINISHED", "FAILED"]]] = {
    "queued": "QUEUED", "started": "STARTED", "finished": "FINISHED", "failed": "FAILED",
}  # fmt: skip
_NOT_YET = {"queued": "{} job waiting to be processed.", "started": "{} job in progress."}


def operations(parts: Parts) -> tuple[Op, ...]:
    """Looking a job up."""

    def job(call: Call[None, None]) -> Reply:
        found = parts.work.soon(call.path["uuid"])
        if found is None:
            return Reply(NoJob(message=f"Job {call.path['uuid']} not found."), 404)
        demand_seen(parts, call.caller, found)
        status = {"finished": 200, "failed": 422}.get(found.status, 202)
        return Reply(told(found), status)

    return (
        Op(method="GET", path="/api/v3_0/jobs/{uuid}", run=job, summary="How a job stands",
           tag="Jobs", answers={200: JobTold, 202: JobTold, 404: NoJob, 422: JobTold}),
    )  # fmt: skip


def demand_seen(parts: Parts, caller: Caller, job: Job) -> None:
    """Refuse whoever may not read what a job is about (403)."""
    placed = None if job.sensor_id is None else parts.state.placed.get(job.sensor_id)
    asset = None if job.asset_id is None else parts.state.assets.get(job.asset_id)
    about = placed or asset
    if about is not None:
        parts.demand(caller, "read", parts.thing(about))
    elif job.user_id is None or job.user_id != caller.user_id:
        parts.demand(caller, "read", Thing("platform"))


def described(job: Job) -> str:
    """How a job stands, in a sentence; FlexMeasures' client knows some of them."""
    queue = job.queue.capitalize()
    if job.status == "finished":
        return f"{queue} job has finished."
    if job.status == "failed":
        return f"{queue} job failed with {(job.error or 'no reason').rstrip('.')}."
    return _NOT_YET[job.status].format(queue)


def told(job: Job) -> JobTold:
    """A job as it is told."""
    result = job.result
    if result is not None and job.queue in _TOLD:
        result = {key: result[key] for key in _TOLD[job.queue] if key in result}
    elif result is not None and "told" in result:
        result = result["told"]
    func, queued = _FUNCTIONS.get(job.queue, job.queue), job.queued.isoformat()
    started, ended, why = _iso(job.started), _iso(job.ended), job.error
    return JobTold(
        status=_STATUS[job.status], message=described(job), result=result, origin=job.queue,
        func_name=func, enqueued_at=queued, started_at=started, ended_at=ended, exc_info=why,
        func=func, enqueued=queued, started=started, ended=ended, why=why,
    )  # fmt: skip


def found(parts: Parts, uuid: str) -> Job:
    """A job of schedules, or the answer FlexMeasures has for an unknown one (400)."""
    job = parts.work.soon(uuid)
    if job is None:
        raise Rejected(
            400,
            "UNRECOGNIZED_UDI_EVENT",
            f"The requested UDI event (id = {uuid}, type = job) is not known.",
        )
    return job


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
