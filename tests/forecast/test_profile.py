"""Yesterday's profile, at clock times, moved towards what is measured now."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.domain.series import Series, TimeGrid
from flexedge.forecast.profile import persistence

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def hourly(start: datetime, values: list[float]) -> Series:
    return Series(TimeGrid(start, HOUR, len(values)), np.array(values, dtype=np.float64))


def week(days: int) -> Series:
    """Hour of the day plus 100 per day, ending now."""
    start = NOW - timedelta(days=days)
    return hourly(start, [100.0 * (h // 24) + (start.hour + h) % 24 for h in range(24 * days)])


def test_tomorrow_is_as_yesterday() -> None:
    forecast = persistence(week(2), TimeGrid(NOW, HOUR, 30), NOW, None, BERLIN)
    assert list(forecast.values[:12]) == [100.0 + h for h in range(12, 24)]
    assert list(forecast.values[24:30]) == [100.0 + h for h in range(12, 18)]  # still the last day


def test_a_gap_is_filled_from_the_days_before() -> None:
    history = week(3)
    values = history.values.copy()
    values[-24:-20] = np.nan
    forecast = persistence(
        Series(history.grid, values), TimeGrid(NOW, HOUR, 6), NOW, None, UTC_ZONE
    )
    assert list(forecast.values) == [112, 113, 114, 115, 216, 217]


UTC_ZONE = ZoneInfo("UTC")


def test_nothing_older_than_a_week_counts() -> None:
    history = hourly(NOW - timedelta(days=9), [5.0] * 24)
    forecast = persistence(history, TimeGrid(NOW, HOUR, 3), NOW, None, BERLIN)
    assert np.isnan(forecast.values).all()


def test_what_is_not_over_is_not_known() -> None:
    history = hourly(NOW - 24 * HOUR, [1.0] * 24 + [99.0] * 24)
    forecast = persistence(history, TimeGrid(NOW, HOUR, 30), NOW, None, BERLIN)
    assert forecast.values.max() == 1.0


def test_the_present_deviation_fades_over_two_hours() -> None:
    history = hourly(NOW - 24 * HOUR, [0.0, *([2.0] * 20), 9.0, 9.0, 9.0])
    history = hourly(NOW - 24 * HOUR, [2.0] * 20 + [9.0] * 4)
    grid = TimeGrid(NOW, timedelta(minutes=30), 6)
    forecast = persistence(history, grid, NOW, 4.0, BERLIN)
    assert forecast.values == pytest.approx([4.0, 3.5, 3.0, 2.5, 2.0, 2.0])


def test_the_blend_stays_within_what_was_seen() -> None:
    history = hourly(NOW - 24 * HOUR, [3.0, 0.0, *([1.0] * 22)])
    forecast = persistence(history, TimeGrid(NOW, HOUR, 4), NOW, 0.5, BERLIN)
    assert forecast.values == pytest.approx([0.5, 0.0, 1.0, 1.0])


def test_without_a_profile_the_present_holds_for_two_hours() -> None:
    forecast = persistence(hourly(NOW, []), TimeGrid(NOW, HOUR, 4), NOW, 1.5, BERLIN)
    assert list(forecast.values[:2]) == [1.5, 1.5]
    assert np.isnan(forecast.values[2:]).all()


def test_steps_before_now_are_not_forecast() -> None:
    forecast = persistence(week(2), TimeGrid(NOW - 2 * HOUR, HOUR, 4), NOW, None, BERLIN)
    assert np.isnan(forecast.values[:2]).all()
    assert not np.isnan(forecast.values[2:]).any()


def test_an_empty_grid_is_fine() -> None:
    assert persistence(week(1), TimeGrid(NOW, HOUR, 0), NOW, 1.0, BERLIN).grid.n == 0


@pytest.mark.parametrize("day", [datetime(2026, 3, 29), datetime(2026, 10, 25)])  # noqa: DTZ001 (local)
def test_clock_times_survive_the_change_of_clocks(day: datetime) -> None:
    """Breakfast is at seven o'clock by the clock, on the day of the change and after it."""
    now = datetime(day.year, day.month, day.day, 1, tzinfo=BERLIN).astimezone(UTC)
    start = now - timedelta(days=2)
    grid = TimeGrid(start, HOUR, 48)
    load = [5.0 if t.astimezone(BERLIN).hour == 7 else 1.0 for t in grid.times()]
    forecast = persistence(Series(grid, np.array(load)), TimeGrid(now, HOUR, 12), now, None, BERLIN)
    at = [t.astimezone(BERLIN).hour for t in forecast.grid.times()]
    assert [at[i] for i in np.flatnonzero(forecast.values == 5.0)] == [7]


def test_finer_history_is_averaged() -> None:
    fine = TimeGrid(NOW - 24 * HOUR, timedelta(minutes=20), 72)
    history = Series(fine, np.tile([1.0, 2.0, 6.0], 24))
    forecast = persistence(history, TimeGrid(NOW, HOUR, 2), NOW, None, BERLIN)
    assert forecast.values == pytest.approx([3.0, 3.0])
