from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from flexedge.wire.charts import (
    AssetBrief,
    ChartAsked,
    Compact,
    DataAsked,
    NotesAsked,
    Record,
    SensorBrief,
    Spec,
    TimeRange,
    Window,
)

START, END = "2026-04-14T00:00:00Z", "2026-04-15T00:00:00Z"
SPAN = (datetime(2026, 4, 14, tzinfo=UTC), datetime(2026, 4, 15, tzinfo=UTC))


@pytest.mark.parametrize("given", [
    {"start": START, "end": END}, {"event_starts_after": START, "event_ends_before": END},
    {"start": START, "duration": "PT24H"}, {"end": END, "duration": "P1D"},
    {"start": START, "end": END, "duration": "PT1H"},
])  # fmt: skip
def test_a_span_has_two_ends_or_one_and_a_length(given: dict[str, Any]) -> None:
    assert Window.model_validate(given).span() == SPAN


def test_a_length_alone_says_nothing() -> None:
    assert Window.model_validate({}).span() == (None, None)
    with pytest.raises(ValidationError, match="together with"):
        Window.model_validate({"duration": "PT1H"})


def test_older_names_are_understood() -> None:
    asked = DataAsked.model_validate(
        {"beliefs_before": START, "most_recent_beliefs_only": "false", "compress-json": "true"}
    )
    assert (asked.prior, asked.most_recent_beliefs_only, asked.compress_json) == (
        SPAN[0], False, True)  # fmt: skip
    assert asked.use_latest_version_per_event is None
    assert NotesAsked.model_validate({"clip": "0"}).clip is False
    assert ChartAsked.model_validate({"include_data": "true", "width": "9"}).width == 9


@pytest.mark.parametrize("wrong", [
    {"resolution": "PT0.9S"}, {"resolution": "soon"}, {"start": "2026-04-14T00:00"},
])  # fmt: skip
def test_what_cannot_be_told_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DataAsked.model_validate(wrong)


def test_charts_are_of_a_known_type() -> None:
    with pytest.raises(ValidationError, match="bar_chart"):
        ChartAsked.model_validate({"chart_type": "pie"})


def test_answers_are_told() -> None:
    assert Spec.model_validate({"layer": []}).model_dump() == {"layer": []}
    assert Record(event_start=1, event_value=None, sensor={}, source={}).belief_time is None
    assert Compact(data=[], sensors={}, sources={}).data == []
    span = TimeRange(start="a", end="b")
    assert SensorBrief(name="a", timezone="UTC", timerange=span).status == 200
    brief = AssetBrief(name="a", timezone="UTC", timerange_of_sensors_to_show=span)
    assert brief.timerange_of_sensors_to_show.end == "b"
    assert Window().span() == (None, None)
