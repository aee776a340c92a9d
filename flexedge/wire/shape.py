"""What all shapes have in common: keys, JSON within JSON, moments and durations."""

import json
import math
import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final

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

MOST_DEPTH: Final = 50
"""Lists and objects within one another in JSON."""
_LONGEST: Final = timedelta(days=100 * 366)
_DURATION: Final = re.compile(
    r"(?P<sign>[-+]?)P(?:(?P<years>{n}Y)?(?P<months>{n}M)?(?P<weeks>{n}W)?(?P<days>{n}D)?)"
    r"(?P<time>T(?P<hours>{n}H)?(?P<minutes>{n}M)?(?P<seconds>{n}S)?)?".replace(
        "{n}", r"[0-9]{1,12}(?:[.,][0-9]{1,12})?"
    )
)
_UNITS: Final = ("weeks", "days", "hours", "minutes", "seconds")
_UNQUOTED_PLUS: Final = re.compile(r"(?<=\d) (?=\d\d:?(\d\d)?$)")
_MOMENT: Final = re.compile(r"\d{4}-?\d\d-?\d\d[Tt ].*")
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')
_NO_TEXT: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class Shape(BaseModel):
    """What is asked: unknown keys are errors; keys are snake_case, as FlexMeasures' own are."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True,
        allow_inf_nan=False,
    )  # fmt: skip


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


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("Not a valid integer.")
    return value


Whole = Annotated[int, BeforeValidator(_no_truth)]
"""A whole number in JSON: true and false are none."""


def duration_of(text: Any) -> Any:
    """An ISO 8601 duration ("PT15M", "P1DT0H0M0S", "-PT1H") of whole microseconds.

    Days are 24 hours. Raises ``ValueError`` for what is none, has calendar months or years, or is
    longer than 100 years.
    """
    if isinstance(text, timedelta):
        return text
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or text[-1] in "PT":
        raise ValueError(f"Cannot parse {_shown(text)} as ISO8601 duration, such as PT15M.")
    if found["years"] or found["months"]:
        raise ValueError(
            "Months and years differ in length; give the duration in weeks, days or hours."
        )
    parts = {unit: float(found[unit][:-1].replace(",", ".")) for unit in _UNITS if found[unit]}
    if any(value > _LONGEST / timedelta(**{unit: 1}) for unit, value in parts.items()):
        raise ValueError("A duration of more than 100 years is too long.")
    duration = timedelta(**parts)
    return -duration if found["sign"] == "-" else duration


def duration_text(duration: timedelta) -> str:
    """A duration as FlexMeasures writes it: "PT15M", "PT24H", "P0D"."""
    if not duration:
        return "P0D"
    micros = abs(duration) // timedelta(microseconds=1)
    seconds, micros = divmod(micros, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    text = f"{hours}H" if hours else ""
    text += f"{minutes}M" if minutes else ""
    text += f"{seconds}{fraction}S" if seconds or micros else ""
    return ("-PT" if duration < timedelta(0) else "PT") + text


def moment_of(text: Any) -> Any:
    """An aware moment in ISO 8601, also with a space where a "+" was not quoted in an address.

    Raises ``ValueError``.
    """
    moment = text
    if isinstance(text, str) and _MOMENT.fullmatch(text):
        try:
            moment = datetime.fromisoformat(_UNQUOTED_PLUS.sub("+", text))
        except ValueError:
            moment = None
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise ValueError("Not a valid aware datetime.")
    if not 1 < moment.year < 9999:  # noqa: PLR2004 - datetime's own limits, and a day's room
        raise ValueError("This datetime is too far away.")
    return moment


def json_of(text: str) -> Any:
    """The value of a JSON text, more strictly than ``json``.

    Raises ``ValueError`` for what is no JSON or cannot be kept: a key twice in an object, NaN and
    infinity, numbers beyond 64 bits, half characters, characters 0, more than 50 levels.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"Not valid JSON: {error.msg} at character {error.pos + 1}.") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if text.count("[") + text.count("{") > MOST_DEPTH and _depth(text) > MOST_DEPTH:
        raise ValueError(_TOO_DEEP)
    if _NO_TEXT.search(text):
        _demand_texts(value)
    return value


def demand_text(text: str) -> None:
    """Refuse half characters (lone surrogates) and the character 0. Raises ``ValueError``."""
    if "\0" in text:
        raise ValueError(_NUL)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("Half a character (a lone surrogate) is no text.") from None


_TOO_DEEP: Final = f"Nested too deeply: more than {MOST_DEPTH} levels."
_NUL: Final = "The character 0 is not allowed in a text."


def _demand_texts(value: Any) -> None:
    match value:
        case str():
            demand_text(value)
        case dict():
            for key, one in value.items():
                demand_text(key)
                _demand_texts(one)
        case list():
            for one in value:
                _demand_texts(one)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = sorted(name for name, _ in pairs)
        twice = next(one for one, other in pairwise(names) if one == other)
        raise ValueError(f"The key {_shown(twice)} is there twice.")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number in JSON; a missing value is null.")


def _integer(text: str) -> int | float:
    if len(text) <= 20 and -(2**63) <= (value := int(text)) < 2**63:  # noqa: PLR2004 - digits of 64 bits
        return value
    raise ValueError("A number is too large.")


def _float(text: str) -> float:
    value = float(text)
    if math.isfinite(value):
        return value
    raise ValueError("A number is too large.")


def _depth(text: str) -> int:
    """How deeply a valid JSON text is nested; stops counting beyond what is allowed."""
    depth = deepest = 0
    for found in _STRUCTURE.finditer(text):
        mark = found[0]
        depth += (mark in "[{") - (mark in "]}")
        deepest = max(deepest, depth)
        if deepest > MOST_DEPTH:
            break
    return deepest


def _shown(value: Any, most: int = 40) -> str:
    text = value if isinstance(value, str) else type(value).__name__
    return text if len(text) <= most else f"{text[:most]}…"


def _json_of(text: Any) -> Any:
    """JSON in a text, or what it stands for already."""
    return json_of(text) if isinstance(text, str) else text


Duration = Annotated[
    timedelta,
    BeforeValidator(duration_of),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["PT15M"]}),
]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(moment_of),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-25T00:00:00+01:00"]}
    ),
]
"""A moment with its offset; in a request only as text."""
JsonText = Annotated[
    Any,
    BeforeValidator(_json_of),
    PlainSerializer(json.dumps, return_type=str),
    WithJsonSchema({"type": "string", "contentMediaType": "application/json"}),
]
"""JSON that travels as text. Texts and what they stand for are both understood."""
__all__ = [
    "MOST_DEPTH",
    "Duration",
    "JsonText",
    "KebabShape",
    "KebabTold",
    "Moment",
    "Shape",
    "Told",
    "demand_text",
    "duration_of",
    "duration_text",
    "json_of",
    "moment_of",
    "to_snake",
]
