"""Runs of recurring tasks, as the monitoring of FlexMeasures has them."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from flexedge.wire.shape import Moment, Shape, Told


class Pong(Told):
    """An answer."""

    message: Literal["ok"] = "ok"
    status: Literal[200] = 200


class TaskAsked(Shape):
    """Which task is asked about."""

    model_config = ConfigDict(extra="ignore")
    name: str = ""


class TaskReport(Shape):
    """A task ran, or tried to."""

    model_config = ConfigDict(extra="ignore")
    name: str = Field("", max_length=80)
    status: str = "True"
    """ "True" where it went well."""
    datetime: Moment | None = None
    """When; now if it is not given."""


class TaskTold(Told):
    """The latest run of a task."""

    status: Literal["OK", "ERROR"]
    reason: str
    lastrun: datetime
    frequency: int = 10
    """How often it is to be looked at, in minutes."""
    process: str = "flexedge"
    server: str = ""


class Noted(Told):
    """Whether a run was noted."""

    status: Literal["OK", "ERROR"]
    reason: str | None = None
