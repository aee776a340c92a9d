"""Production under a clear sky, and how clear it is."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flexedge.domain.series import Series, TimeGrid
from flexedge.forecast.sun import clear_sky, scaled, share_of_clear_sky

QUARTER = timedelta(minutes=15)
DAY = TimeGrid(datetime(2026, 6, 21, tzinfo=UTC), QUARTER, 96)
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def test_production_is_negative_by_day_and_nothing_by_night() -> None:
    clear = clear_sky(DAY, 52.0, 0.0, 10.0)
    assert clear.values.max() == 0.0
    assert np.argmin(clear.values) in (47, 48)  # noon at Greenwich
    assert -10.0 <= clear.values.min() < -8.0
    assert clear.at(DAY.start) == 0.0


def test_the_mean_of_a_step_does_not_depend_on_its_length() -> None:
    hours = TimeGrid(DAY.start, timedelta(hours=1), 24)
    fine = clear_sky(DAY, 52.0, 5.0, 5.0).on(hours).values
    assert clear_sky(hours, 52.0, 5.0, 5.0).values == pytest.approx(fine, abs=1e-9)


def test_the_recent_share_of_the_clear_sky_scales_the_rest() -> None:
    clear = clear_sky(DAY, 52.0, 0.0, 10.0)
    measured = Series(DAY, clear.values * 0.4)
    share = share_of_clear_sky(measured, clear, NOON)
    assert share == pytest.approx(0.4)
    assert scaled(clear, share).values == pytest.approx(measured.values)
    assert scaled(clear, None) is clear


def test_only_the_window_before_now_counts() -> None:
    clear = clear_sky(DAY, 52.0, 0.0, 10.0)
    later = np.arange(96) >= 48
    earlier = np.arange(96) < 36
    measured = Series(DAY, clear.values * np.where(later | earlier, 0.0, 0.7))
    assert share_of_clear_sky(measured, clear, NOON) == pytest.approx(0.7)


def test_darkness_and_ignorance_say_nothing() -> None:
    clear = clear_sky(DAY, 52.0, 0.0, 10.0)
    unknown = Series.constant(DAY, np.nan)
    assert share_of_clear_sky(unknown, clear, NOON) is None
    assert share_of_clear_sky(clear, clear, DAY.start + QUARTER) is None
    assert share_of_clear_sky(clear, clear, DAY.start - QUARTER) is None


def test_the_share_is_bounded() -> None:
    clear = clear_sky(DAY, 52.0, 0.0, 10.0)
    assert share_of_clear_sky(Series(DAY, clear.values * 9), clear, NOON) == 1.5
    assert share_of_clear_sky(Series(DAY, -clear.values), clear, NOON) == 0.0
