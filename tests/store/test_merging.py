from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.store.buckets import HOURS_US, MINUTES_US
from flexedge.store.merging import day_edges, gained, grain_us, held, merged
from flexedge.store.rows import Buckets, Micros, Readings, moment
from tests.store.summing import MINUTE, TURNOVERS, by_duckdb, by_hand, histories, table


def every(width_us: int, start_us: int = -2 * HOURS_US, n_hours: int = 24 * 60) -> Micros:
    return np.arange(start_us, start_us + n_hours * HOURS_US + 1, width_us, dtype=np.int64)


def alike(found: Buckets, expected: Buckets) -> None:
    """Equal in every column; only a mean of means is rounded on its way."""
    for name, column in found.columns().items():
        if name == "mean":
            np.testing.assert_allclose(column, expected.mean, rtol=1e-12, atol=1e-12)
        else:
            assert column.tolist() == getattr(expected, name).tolist(), name
        assert column.dtype == getattr(expected, name).dtype


@given(histories(), st.sampled_from(((MINUTE, MINUTES_US), (MINUTES_US, HOURS_US))))
def test_merged_buckets_say_what_the_readings_summed_up_at_once_say(
    history: Readings, widths: tuple[int, int]
) -> None:
    fine, coarse = widths
    joined = merged(by_duckdb(history, fine), every(coarse), fine, TURNOVERS)
    alike(joined, by_duckdb(history, coarse))


@given(histories())
def test_merging_in_two_steps_is_merging_in_one(history: Readings) -> None:
    minutes = by_duckdb(history, MINUTE)
    step = merged(minutes, every(MINUTES_US), MINUTE, TURNOVERS)
    in_two = merged(step, every(HOURS_US), MINUTES_US, TURNOVERS)
    alike(in_two, merged(minutes, every(HOURS_US), MINUTE, TURNOVERS))


@given(histories())
def test_days_of_any_length_are_summed_up_from_hours(history: Readings) -> None:
    edges = np.array([-2, 21, 22, 40]) * HOURS_US
    days = merged(by_duckdb(history, HOURS_US), edges, HOURS_US, TURNOVERS)
    for ours, theirs in zip(table(days), by_hand(history, edges.tolist()), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-9)


def test_an_edge_must_not_cut_a_bucket() -> None:
    hour = by_duckdb(Readings.of({"sensor": [1], "event_us": [0], "value": [1], "quality": [0]}),
                     HOURS_US)  # fmt: skip
    with pytest.raises(ValueError, match="buckets of 3600 s"):
        merged(hour, np.array([-HOURS_US, HOURS_US // 2, 2 * HOURS_US]), HOURS_US)
    assert len(merged(hour, np.array([HOURS_US, 2 * HOURS_US]), HOURS_US)) == 0
    assert len(merged(hour, np.array([0, HOURS_US]), HOURS_US)) == 1


@given(histories(), st.sampled_from((MINUTE, MINUTES_US)))
def test_what_is_held_across_edges_adds_up(history: Readings, width_us: int) -> None:
    mine = history.take(history.sensor == 1)
    edges = every(width_us)
    parts = held(by_duckdb(mine, width_us), edges)
    whole = held(by_duckdb(mine, HOURS_US), every(HOURS_US))
    per_hour = parts.reshape(-1, HOURS_US // width_us).sum(axis=1)
    np.testing.assert_allclose(per_hour, whole, rtol=1e-9, atol=1e-6)


def test_a_reading_is_held_into_what_follows_for_a_minute_and_no_longer() -> None:
    at = np.array([-30, 290, 310, 599, 1000], dtype=np.int64) * 1_000_000
    history = Readings.of({"sensor": np.ones(5), "event_us": at, "value": [9.0, 2, 4, 6, 1],
                           "quality": np.zeros(5)})  # fmt: skip
    edges = np.arange(5, dtype=np.int64) * MINUTES_US
    found = held(by_duckdb(history, MINUTES_US), edges)
    # 9 for the 30 s that are left of its minute, 2 for 10 s; 2 for 10 s, 4 for a minute, 6 for 1 s;
    # 6 for 59 s; 1 for a minute of which all lies inside.
    assert found == pytest.approx([9 * 30 + 2 * 10, 2 * 10 + 4 * 60 + 6, 6 * 59, 60.0])
    assert held(Buckets.empty(), edges).tolist() == [0.0, 0.0, 0.0, 0.0]


def test_gains_are_the_same_in_numpy_as_in_the_database() -> None:
    shown = np.array([1.0, 4.0, 3.9, 2.0, 99.0, 5.0, -1.0, -0.5, np.nan, 3.0])
    found = gained(shown[:-1], shown[1:], 100.0)
    assert found.tolist()[:7] == pytest.approx([3.0, 0.0, 2.0, 97.0, 6.0, 0.0, 0.5])
    assert np.isnan(found[7:]).all()
    assert gained(shown[4:5], shown[5:6]).tolist() == [5.0]


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/Amsterdam", date(2026, 3, 28), [24, 23, 24]),
        ("Europe/Amsterdam", date(2026, 10, 24), [24, 25, 24]),
        ("Asia/Kolkata", date(2026, 3, 28), [24, 24, 24]),
        ("Australia/Lord_Howe", date(2026, 4, 4), [24, 24.5, 24]),
        ("America/Havana", date(2026, 3, 7), [24, 23, 24]),  # clocks change at midnight
        ("America/Havana", date(2026, 10, 31), [24, 25, 24]),
        ("Pacific/Apia", date(2011, 12, 29), [24, 24]),  # there was no 30th
    ],
)
def test_days_are_as_long_as_they_are_on_site(zone: str, first: date, hours: list[float]) -> None:
    edges = day_edges(first, 3, ZoneInfo(zone))
    assert (np.diff(edges) / HOURS_US).tolist() == hours
    midnight = moment(int(edges[0])).astimezone(ZoneInfo(zone))
    assert (midnight.date(), midnight.hour, midnight.minute) == (first, 0, 0)


def test_days_are_made_of_hours_where_those_end_with_them() -> None:
    amsterdam = day_edges(date(2026, 3, 28), 3, ZoneInfo("Europe/Amsterdam"))
    kolkata = day_edges(date(2026, 3, 28), 3, ZoneInfo("Asia/Kolkata"))
    assert grain_us(amsterdam) == HOURS_US
    assert grain_us(kolkata) == MINUTES_US
    assert grain_us(day_edges(date(2026, 3, 28), 1, ZoneInfo("Asia/Kathmandu"))) == MINUTES_US
    with pytest.raises(ValueError, match="whole 5 minutes"):
        grain_us(np.array([0, 90_000_000]))


def test_a_day_with_a_change_of_clocks_holds_its_25_hours() -> None:
    edges = day_edges(date(2026, 10, 24), 3, ZoneInfo("Europe/Amsterdam"))
    times = np.arange(edges[0], edges[-1], MINUTES_US)
    ones, counter = np.ones(len(times)), np.arange(len(times))
    history = Readings.of(
        {"sensor": ones, "event_us": times, "value": counter, "quality": 0 * ones}
    )
    for width in (HOURS_US, MINUTES_US):
        days = merged(by_duckdb(history, width, {}), edges, width)
        assert days.count.tolist() == [288, 300, 288]
        assert days.rise.tolist() == [287.0, 299.0, 287.0]
        assert moment(int(days.start_us[1])) == datetime(2026, 10, 24, 22, tzinfo=UTC)
