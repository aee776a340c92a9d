import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from flexedge.wire.shape import (
    MOST_DEPTH,
    Duration,
    JsonText,
    KebabShape,
    KebabTold,
    Moment,
    Shape,
    Whole,
    demand_text,
    duration_of,
    duration_text,
    json_of,
    moment_of,
)

DURATIONS = {
    "PT15M": timedelta(minutes=15),
    "PT24H": timedelta(hours=24),
    "PT6H": timedelta(hours=6),
    "P0D": timedelta(0),
    "PT0M": timedelta(0),
    "P0DT0H0M0S": timedelta(0),
    "P0DT12H0M0S": timedelta(hours=12),
    "P1D": timedelta(days=1),
    "P1W": timedelta(weeks=1),
    "P1DT2H3M4.5S": timedelta(days=1, hours=2, minutes=3, seconds=4.5),
    "P1,5D": timedelta(hours=36),
    "-PT15M": timedelta(minutes=-15),
    "+PT1H": timedelta(hours=1),
}


class Asked(Shape):
    name: str
    span: Duration | None = None
    since: Moment | None = None
    more: JsonText = None


class KebabAsked(KebabShape):
    flex_model: int = 0


class KebabAnswer(KebabTold):
    flex_model: int = 0


class Answer(BaseModel):
    span: Duration
    more: JsonText


@pytest.mark.parametrize(("text", "duration"), DURATIONS.items())
def test_durations_are_understood(text: str, duration: timedelta) -> None:
    assert duration_of(text) == duration
    assert duration_of(duration) == duration


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((text, "Cannot parse") for text in ("", "P", "PT", "P1DT", "1D", "pt15m", "PT1H30")),
        *((text, "Cannot parse") for text in ("P-1D", "PT15M ", "P1D1W", "PT" + "9" * 400 + "H")),
        *((text, "Months and years") for text in ("P1M", "P1Y", "P0Y", "P1Y2M3DT4H")),
        *((text, "100 years") for text in ("P99999D", "PT999999999999H", "P9999W")),
        (15, "Cannot parse"),
        (None, "Cannot parse"),
        ([], "Cannot parse"),
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        duration_of(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "P0D"),
        (timedelta(minutes=15), "PT15M"),
        (timedelta(hours=24), "PT24H"),
        (timedelta(days=2, minutes=90), "PT49H30M"),
        (timedelta(seconds=1.5), "PT1.5S"),
        (timedelta(minutes=1, microseconds=10), "PT1M0.00001S"),
        (timedelta(minutes=-15), "-PT15M"),
    ],
)
def test_durations_are_written_as_flexmeasures_does(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text


@given(st.timedeltas(timedelta(days=-30000), timedelta(days=30000)))
def test_what_is_written_is_understood(duration: timedelta) -> None:
    assert duration_of(duration_text(duration)) == duration


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T01:00:00+01:00",
        "2026-11-25T01:00:00 01:00",
        "2026-11-25T01:00:00.000000 0100",
        "2026-11-25 01:00:00+01:00",
        "2026-11-25T00:00:00Z",
        "20261125T000000Z",
    ],
)
def test_moments_are_understood(text: str) -> None:
    assert moment_of(text) == datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-25T00:00:00", "2026-11-25", "2026-13-25T00:00:00Z", 5, 1e9, None, True, [],
     datetime(2026, 11, 25)],  # noqa: DTZ001 (naive is the point)
)  # fmt: skip
def test_what_is_no_aware_moment_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"^Not a valid aware datetime\.$"):
        moment_of(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_moments_that_cannot_be_reckoned_with_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too far away"):
        moment_of(text)


@pytest.mark.parametrize(
    "value",
    [1, -2.5, "text", "😀", None, True, {"a": [1, {"b": 2}]}, [], 2**63 - 1, -(2**63), "\\u0000",
     "\\ud800", "[[[[" * 50],
)  # fmt: skip
def test_json_is_understood(value: Any) -> None:
    assert json_of(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Not valid JSON: Expecting value at character 1."),
        ("[1,]", "Not valid JSON"),
        ("{'a': 1}", "Not valid JSON"),
        ("\ufeff{}", "Not valid JSON"),
        ('"' + '\\"' * 30_000, "Not valid JSON"),
        ('{"a": {"b": 1, "c": 2, "b": 3}}', "The key b is there twice."),
        ("[NaN]", "NaN is not a number"),
        ("-Infinity", "Infinity is not a number"),
        ("1e999", "too large"),
        (str(2**63), "too large"),
        ("9" * 5000, "too large"),
        ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), "Nested too deeply"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "Nested too deeply"),
        ('"\\ud800"', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
        ('[{"a": "\\u0000"}]', "character 0"),
    ],
)
def test_json_that_cannot_be_kept_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        json_of(text)


def test_what_is_as_deep_as_allowed_is_understood() -> None:
    json_of("[" * MOST_DEPTH + "]" * MOST_DEPTH)
    assert len(json_of("[" + "[]," * 1000 + "[]]")) == 1001


def test_texts_are_demanded() -> None:
    demand_text("ä😀")
    with pytest.raises(ValueError, match="character 0"):
        demand_text("a\0")


def test_unknown_keys_are_refused_and_infinite_numbers() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Asked.model_validate({"name": "a", "nmae": "b"})

    class Number(Shape):
        value: float

    with pytest.raises(ValidationError, match="finite"):
        Number.model_validate({"value": float("nan")})


def test_a_shape_reads_durations_moments_and_json_in_text() -> None:
    asked = Asked.model_validate(
        {"name": "a", "span": "PT15M", "since": "2026-11-25T00:00:00Z", "more": '{"b": 1}'}
    )
    assert asked.span == timedelta(minutes=15)
    assert asked.since == datetime(2026, 11, 25, tzinfo=UTC)
    assert asked.more == {"b": 1}
    assert Asked.model_validate({"name": "a", "more": {"b": 1}}).more == {"b": 1}


def test_an_answer_writes_durations_and_json_in_text() -> None:
    answer = Answer(span=timedelta(hours=24), more={"b": None})
    assert answer.model_dump(mode="json") == {"span": "PT24H", "more": '{"b": null}'}


def test_kebab_keys_are_read_beside_snake_keys_and_written() -> None:
    for key in ("flex-model", "flex_model"):
        assert KebabAsked.model_validate({key: 3}).flex_model == 3
    assert KebabAnswer(flex_model=3).model_dump() == {"flex-model": 3}


def test_true_is_no_whole_number() -> None:
    class Counted(Shape):
        n: Whole

    assert Counted.model_validate({"n": 0}).n == 0
    for wrong in (False, True, "x", 0.5):
        with pytest.raises(ValidationError):
            Counted.model_validate({"n": wrong})
