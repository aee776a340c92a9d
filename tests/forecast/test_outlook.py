"""Forecasts by the way that would have been best of late."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.domain.series import FloatArray
from flexedge.forecast.candidates import Known, calendar
from flexedge.forecast.outlook import filled, outlook, shaped

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday


def known(values: FloatArray, *ahead: FloatArray, beyond: int = 72) -> Known:
    hours, weekdays = calendar(START, HOUR, len(values) + beyond, ZoneInfo("UTC"))
    return Known(24, values, hours, weekdays, ahead)


def days(*levels: float) -> FloatArray:
    shape = 1 + np.sin(2 * np.pi * np.arange(24) / 24)
    return np.concatenate([level * shape for level in levels])


def test_a_weekly_pattern_is_taken_from_the_week_before() -> None:
    rng = np.random.default_rng(3)
    week = rng.uniform(0, 5, 7 * 24)
    found = outlook(known(np.tile(week, 4)[: 24 * 24]), 24)
    assert found.chosen == ("last week",)
    assert found.values == pytest.approx(week[3 * 24 : 4 * 24])
    assert found.errors[0]["last week"] == 0.0


def test_a_known_weather_beats_what_was_yesterday() -> None:
    rng = np.random.default_rng(2)
    sun = rng.uniform(0, 1, 24 * 24)
    found = outlook(known(5 * sun[: 21 * 24], sun), 48)
    assert found.chosen == ("linear", "linear")
    assert found.values == pytest.approx(5 * sun[21 * 24 : 23 * 24], abs=0.05)
    assert found.errors[0]["linear"] < found.errors[0]["yesterday"] / 20


def test_the_same_past_gives_the_same_forecast() -> None:
    values = np.random.default_rng(5).normal(size=20 * 24)
    one, other = (outlook(known(values.copy()), 30) for _ in range(2))
    assert one.values.tolist() == other.values.tolist()
    assert one.quantiles[0.9].tolist() == other.quantiles[0.9].tolist()


def test_quantiles_lie_around_the_forecast_and_hold_most_of_what_comes() -> None:
    rng = np.random.default_rng(7)
    values = days(*[2.0] * 40) + rng.normal(scale=0.5, size=40 * 24)
    inside = []
    for n in range(30 * 24, 37 * 24, 24):
        found = outlook(known(values[:n]), 72)
        low, middle, high = (found.quantiles[q] for q in (0.1, 0.5, 0.9))
        assert (low <= middle).all()
        assert (middle <= high).all()
        inside.append(((low <= values[n : n + 72]) & (values[n : n + 72] <= high)).mean())
    assert 0.7 < np.mean(inside) < 0.9  # 0.8 is meant


def test_a_day_is_enough_for_the_next_one_and_less_for_its_mean() -> None:
    assert outlook(known(days(1.0)), 24).values == pytest.approx(days(1.0))
    found = outlook(known(np.array([np.nan, 1.0, 3.0])), 5)
    assert (found.chosen, found.values.tolist()) == (("mean",), [2.0] * 5)


def test_nothing_known_is_no_forecast() -> None:
    with pytest.raises(ValueError, match="nothing is known"):
        outlook(known(np.full(48, np.nan)), 24)


def test_gaps_are_bridged_but_not_what_was_before() -> None:
    nan = np.nan
    found = filled(np.array([nan, 1.0, nan, 3.0, nan]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [1.0, 2.0, 3.0, 3.0]


def test_values_snap_first_and_are_bounded_then() -> None:
    values = np.array([-1.0, 0.0, 3.9, 4.0, 30.0])
    assert shaped(values, [(0.0, 0.0, 4.0)], -0.5, 20.0).tolist() == [-0.5, 0, 0, 4, 20]
    assert shaped(values, [(0.0, 4.0, 0.0)], -9, 99).tolist() == [-1, 0, 0, 0, 30]
