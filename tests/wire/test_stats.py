from datetime import UTC, datetime

from flexedge.wire.stats import StatsAsked


def test_a_time_without_offset_is_in_utc() -> None:
    asked = StatsAsked.model_validate({"event_start_time": "2026-04-14T02:00", "sort": "false"})
    assert asked.event_start_time == datetime(2026, 4, 14, 2, tzinfo=UTC)
    assert (asked.event_end_time, asked.sort) == (None, False)
