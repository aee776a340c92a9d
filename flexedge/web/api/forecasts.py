"""Forecasts: asking for them, and what came of it."""

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flexedge.errors import BadField
from flexedge.gateway.service.refusals import told as refusal
from flexedge.gateway.service.stored import mentioned
from flexedge.gateway.service.work import FORECASTING
from flexedge.optim.request.answer import iso
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.op import Call, On, Op, Rejected, Reply, invalid
from flexedge.web.api.parts import Parts
from flexedge.wire.forecasts import Accepted, Forecast, Trigger, Underway

_TAG: Final = "Forecasts"
_MOST_BYTES: Final = 256 * 1024
_LISTS: Final = ("future-regressors", "past-regressors", "regressors")


def operations(parts: Parts) -> tuple[Op, ...]:
    """Asking for forecasts, and what came of it."""

    def ask(call: Call[None, Trigger]) -> Reply:
        request = call.body.model_dump(mode="json", by_alias=True, exclude_none=True)
        _demand(parts, call, request)
        try:
            job = parts.forecasts.ask(
                call.number, request, call.now, user_id=call.caller.user_id
            )  # fmt: skip
        except BadField as error:
            raise Rejected(422, "UNPROCESSABLE_ENTITY", refusal(error)) from error
        results = f"/api/v3_0/sensors/{call.number}/forecasts/{job.id}"
        url = f"/api/v3_0/jobs/{job.id}"
        return Reply(Accepted(job=job.id, forecast=job.id, job_url=url, results_url=results), 202)

    def get(call: Call[None, None]) -> Reply:
        uuid = call.path["uuid"]
        job = parts.work.soon(uuid)
        if job is None or job.queue != FORECASTING:
            raise Rejected(422, "UNPROCESSABLE_ENTITY", {"json": f"Job {uuid} not found."})
        if job.sensor_id != call.number:
            raise Rejected(
                422, "UNPROCESSABLE_ENTITY",
                {"json": f"Sensor ID mismatch: job {uuid} is for sensor {job.sensor_id}, not sensor"
                 f" {call.number}."},
            )  # fmt: skip
        if job.status != "finished" or job.result is None:
            code = 422 if job.status == "failed" else 202
            return Reply(Underway(status=_status(job)), code)
        return Reply(_forecast(job.result, call.found))

    return (
        Op(method="POST", path="/api/v3_0/sensors/{id}/forecasts/trigger", run=ask,
           summary="Ask for forecasts of a sensor", tag=_TAG, scope="plan",
           on=On("sensor", "create-children"), body=Trigger, answers={202: Accepted},
           most_bytes=_MOST_BYTES, triggers=True),
        Op(method="GET", path="/api/v3_0/sensors/{id}/forecasts/{uuid}", run=get,
           summary="The forecast of a sensor", tag=_TAG, on=On("sensor", "read"),
           answers={200: Forecast, 202: Underway, 422: Underway}),
    )  # fmt: skip


def _demand(parts: Parts, call: Call[None, Trigger], request: dict[str, Any]) -> None:
    """Let nobody learn from what they may not read, or write where they may not write."""
    config = request.get("config", {})
    numbers = {int(name) for name in mentioned(config) if name.isdecimal()}
    numbers |= {one for key in _LISTS for one in config.get(key, ()) if isinstance(one, int)}
    for number in sorted(numbers):
        placed = parts.state.placed.get(number) if number < 2**31 else None
        if placed is None:
            invalid({"config": [f"No sensor found with ID {number}."]})
        parts.demand(call.caller, "read", parts.thing(placed))
    for one in config.get("annotation-regressors", ()):
        _demand_remarks(parts, call, one)
    save = request.get("sensor-to-save")
    target = None if save is None or save >= 2**31 else parts.state.placed.get(save)
    if target is not None:
        parts.demand(call.caller, "create-children", parts.thing(target))


def _demand_remarks(parts: Parts, call: Call[None, Trigger], one: dict[str, Any]) -> None:
    given = [key for key in ("account", "asset", "sensor") if one.get(key) is not None]
    if len(given) != 1:
        invalid({"config": {"annotation-regressors": [
            "Specify exactly one of account, asset, or sensor."]}})  # fmt: skip
    kind, number = given[0], one[given[0]]
    tables: dict[str, Any] = {
        "account": parts.state.accounts, "asset": parts.state.assets, "sensor": parts.state.placed
    }  # fmt: skip
    found = tables[kind].get(number) if 0 <= number < 2**31 else None
    if found is None:
        invalid({"config": {"annotation-regressors": [f"No {kind} found with ID {number}."]}})
    thing = parts.account(number) if kind == "account" else parts.thing(found)
    parts.demand(call.caller, "read", thing)


def _status(job: Job) -> Any:
    return job.status.upper()


def _forecast(result: dict[str, Any], sensor: PlacedSensor) -> Forecast:
    step = timedelta(microseconds=result["resolution"])
    start = datetime.fromisoformat(result["start"]).astimezone(ZoneInfo(sensor.timezone))
    return Forecast(
        values=result["values"], start=start.isoformat(), unit=result["unit"],
        duration=iso(len(result["values"]) * step),
    )  # fmt: skip
