"""Schedules: what is asked for, and what is told of them."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from flexedge.wire.shape import KebabShape, KebabTold, Told

Json = dict[str, Any]
MomentText = Annotated[
    str,
    Field(max_length=64),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment whose offset from UTC is kept as it is written."""
DurationText = Annotated[
    str,
    Field(max_length=64),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["PT24H"]}),
]
_FLEX_MODEL = "Devices and their flexibility: docs/scheduling.md has every field."


class Trigger(KebabShape):
    """A request for a schedule of an asset and all below it."""

    start: MomentText
    """From when on; moved back to a tick of the power sensors."""
    duration: DurationText | None = None
    """How far; 48 hours if left out."""
    resolution: DurationText | None = None
    """How often set-points may change; the finest of the power sensors if left out."""
    prior: MomentText | None = None
    """Only what was believed then counts."""
    flex_model: Annotated[list[Json] | Json | None, Field(description=_FLEX_MODEL)] = None
    flex_context: list[Json] | Json | None = None
    """Prices, the connection, and what cannot be controlled; over what is stored."""
    sequential: bool | None = None
    """One device after the other, in the order of the flex-model."""
    force_new_job_creation: bool | None = None
    """Plan anew though the same was asked for less than an hour ago."""


class SensorTrigger(KebabShape):
    """A request for a schedule of one sensor."""

    start: MomentText
    duration: DurationText | None = None
    resolution: DurationText | None = None
    prior: MomentText | None = None
    flex_model: Annotated[Json | None, Field(description=_FLEX_MODEL)] = None
    flex_context: list[Json] | Json | None = None
    force_new_job_creation: bool | None = None


class Accepted(KebabTold):
    """The job that was made, or made before of the same request."""

    status: Literal["ACCEPTED"] = "ACCEPTED"
    message: str = "Request has been accepted for processing."
    job: str
    schedule: str
    """The same."""
    job_url: str


class AcceptedForSensor(Accepted):
    """The same, and where the schedule will be."""

    results_url: str


class Of(KebabShape):
    """Which part of a schedule is wanted, and how."""

    duration: DurationText | None = None
    """From the start of the schedule on; 6 hours if left out, 48 at most."""
    unit: Annotated[str, Field(max_length=50)] | None = None
    """That of the sensor if left out."""
    sign_convention: Literal["consumption-positive", "production-positive", "wysiwyg"] = (
        "consumption-positive"
    )
    """wysiwyg: as it is stored."""


class SchedulerInfo(Told):
    """Who made it, and what it costs, item by item."""

    scheduler: str
    commitment_costs: dict[str, float]


class Schedule(Told):
    """The values of a schedule for one sensor."""

    values: list[float | None]
    start: str
    duration: str
    unit: str
    scheduler_info: SchedulerInfo
    status: Literal["PROCESSED"] = "PROCESSED"
    message: str


class Underway(Told):
    """A job that is not done yet."""

    status: Literal["QUEUED", "STARTED"]
    message: str


class WholePlan(KebabTold):
    """Everything about a schedule, and why it is what it is."""

    job: str
    status: str
    message: str
    asset: int | None
    sensor: int | None
    scheduler: str | None = None
    outputs: dict[str, Json] | None = None
    """By the number of the sensor: start, resolution, unit and values, consumption positive."""
    commitment_costs: dict[str, float] | None = None
    unresolved: list[Json] | None = None
    resolved: list[Json] | None = None
    plan: Json | None = None
    """As ``flexedge solve`` tells it: status, costs, soc, breaches, notes, explanation."""


class SolveFile(KebabShape):
    """A self-contained problem, as ``flexedge solve`` reads it; what else it holds is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    request: Json
    """A trigger: start, duration, flex-model, flex-context and the like."""
    sensors: Json | None = None
    """By the names that the request uses: unit, resolution, asset, attributes."""
    series: Json | None = None
    """By the names of the sensors: start and values."""
    assets: Json | None = None
    """What is stored about assets, by name: parent, flex-model, flex-context."""
    level: str | None = None
    scheduling_resolution: str | None = None
    sensor: str | int | None = None
    asset: str | int | None = None


class HowToSolve(KebabShape):
    """How to solve it."""

    time_limit: Annotated[float, Field(gt=0, le=30)] = 5.0
    """Seconds for the solver."""
    compat: Literal["flexmeasures-1.0"] | None = None
    """Charge penalties as FlexMeasures 1.0 does."""
    explain: bool = True
    """Tell for each step why."""


class Solved(KebabTold):
    """The answer of ``flexedge solve``."""

    model_config = ConfigDict(extra="allow")

    status: str
    """optimal, feasible (the best plan within the time limit), or relaxed (limits contradict)."""
    currency: str
    outputs: Json
    """By sensor: start, resolution, unit and values."""
    commitment_costs: dict[str, float]
    objective: float
    cost: float
