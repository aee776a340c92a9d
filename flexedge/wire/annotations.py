"""Annotations as FlexMeasures writes them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from flexedge.wire.shape import Moment, Shape, Told

Type = Literal["alert", "holiday", "label", "feedback", "warning", "error"]


class Remark(Shape):
    """What somebody says about a time span."""

    content: Annotated[str, StringConstraints(max_length=1024)]
    start: Moment
    end: Moment
    type: Type = "label"
    prior: Moment | None = None
    """When it was said; without it that is not kept."""

    @model_validator(mode="after")
    def _demand_a_span(self) -> "Remark":
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class RemarkTold(Told):
    """What was said."""

    id: int
    content: str
    start: datetime
    end: datetime
    type: str
    prior: datetime | None
    source: int
    """The number of the source that said it."""


class RemarksAsked(Shape):
    """Which annotations are told: those that touch a time span."""

    model_config = ConfigDict(extra="ignore")
    start: Moment | None = None
    end: Moment | None = None


class RemarksTold(Told):
    """What was said about something, by start."""

    annotations: list[RemarkTold]
    status: Literal[200] = 200


class ChartRemark(Told):
    """What is shown in a chart: all that was said about spans with the same end."""

    index: int
    start: int
    """Milliseconds since 1970."""
    end: int
    belief_time: int | None
    source: str
    type: str
    content: list[str] = Field(examples=[["Server maintenance"]])
    """Lines of 60 characters at most."""
