"""Jobs: work that was asked for."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from flexedge.wire.shape import Told


class JobTold(Told):
    """How a job stands. Some keys are told twice, as FlexMeasures does: with - and with _."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    status: Literal["QUEUED", "STARTED", "FINISHED", "FAILED"]
    message: str
    result: Any = None
    """Of a schedule: num-beliefs, unresolved and resolved. Of a forecast: its mean error."""
    origin: str
    """The queue."""
    func_name: str
    enqueued_at: str
    started_at: str | None
    ended_at: str | None
    exc_info: str | None
    """Why it failed."""
    func: str = Field(alias="func-name")
    enqueued: str = Field(alias="enqueued-at")
    started: str | None = Field(alias="started-at")
    ended: str | None = Field(alias="ended-at")
    why: str | None = Field(alias="exc-info")


class NoJob(Told):
    """There is no such job."""

    status: Literal["ERROR"] = "ERROR"
    message: str = Field(examples=["Job 1234 not found."])
