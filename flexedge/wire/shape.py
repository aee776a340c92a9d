"""What all shapes have in common: keys, JSON within JSON, moments and durations."""

import json
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_snake

from flexedge.domain.record import kebab


class Shape(BaseModel):
    """What is asked: unknown keys are errors; keys are snake_case, as FlexMeasures' own are."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


class KebabShape(Shape):
    """What is asked with kebab-case keys; snake_case ones are understood, too."""

    model_config = ConfigDict(
        alias_generator=kebab, validate_by_alias=True, validate_by_name=True,
        serialize_by_alias=True,
    )  # fmt: skip


class Told(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class KebabTold(Told):
    """What is answered with kebab-case keys."""

    model_config = ConfigDict(
        alias_generator=kebab, validate_by_alias=True, validate_by_name=True,
        serialize_by_alias=True,
    )  # fmt: skip


def duration_of(text: Any) -> Any:
    """An ISO 8601 duration ("PT15M", "P1DT0H0M0S"); no calendar months and years.

    Raises ``ValueError``.
    """
    raise NotImplementedError


def duration_text(duration: timedelta) -> str:
    """A duration as FlexMeasures writes it: "PT15M", "PT24H", "P0D"."""
    raise NotImplementedError


def _json_of(text: Any) -> Any:
    """JSON in a text, or what it stands for already."""
    return json.loads(text) if isinstance(text, str) else text


Duration = Annotated[
    timedelta,
    BeforeValidator(duration_of),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["PT15M"]}),
]
Moment = AwareDatetime
JsonText = Annotated[
    Any,
    BeforeValidator(_json_of),
    PlainSerializer(json.dumps, return_type=str),
    WithJsonSchema({"type": "string", "contentMediaType": "application/json"}),
]
"""JSON that travels as text. Texts and what they stand for are both understood."""
__all__ = ["Duration", "JsonText", "KebabShape", "KebabTold", "Moment", "Shape", "Told", "to_snake"]
_ = datetime
