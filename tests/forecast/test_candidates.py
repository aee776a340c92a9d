"""Ways to forecast a series from its own past."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.domain.series import FloatArray
from flexedge.forecast.candidates import (
    LAST_WEEK,
    PROFILE,
    YESTERDAY,
    Known,
    calendar,
    errors,
    features,
    fit,
    lagged,
    simple,
)

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 23, tzinfo=UTC)  # a Monday
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def known(values: FloatArray, beyond: int = 48, **more: FloatArray) -> Known:
    hours, weekdays = calendar(START, HOUR, len(values) + beyond, AMSTERDAM)
    return Known(24, values, hours, weekdays, **{k: (v,) for k, v in more.items()})


def test_hours_and_weekdays_are_local_also_when_clocks_change() -> None:
    hours, weekdays = calendar(START, timedelta(minutes=30), 8 * 48, AMSTERDAM)
    assert (hours[0], hours[1], weekdays[0]) == (1.0, 1.5, 0)
    assert hours[6 * 48 + 2] == 3.0  # on Sunday the clock went from two to three
    assert weekdays[6 * 48] == 6


def test_what_was_so_long_ago_is_told_where_it_is_known() -> None:
    found = lagged(np.arange(5.0), np.array([1, 3, 6, 9]), 2)
    assert found[1:3].tolist() == [1.0, 4.0]
    assert np.isnan(found[[0, 3]]).all()


def test_nothing_is_used_that_is_not_known_at_the_viewpoint() -> None:
    values = np.arange(10.0 * 24)
    far = np.arange(11 * 24, 12 * 24)  # the second day beyond
    told = simple(known(values), far, 2)
    assert told[YESTERDAY].tolist() == values[-24:].tolist()
    assert told[LAST_WEEK].tolist() == values[4 * 24 : 5 * 24].tolist()
    assert told[PROFILE][0] == values[[24 * day for day in range(3, 10)]].mean()
    week = simple(known(values, 240), np.arange(19 * 24, 20 * 24), 10)
    assert week[LAST_WEEK].tolist() == values[5 * 24 : 6 * 24].tolist()  # two weeks back


def test_a_linear_model_finds_what_a_series_follows() -> None:
    rng = np.random.default_rng(1)
    sun = rng.uniform(0, 1, 22 * 24)
    values = 3 * sun[: 20 * 24] + 1
    here = known(values, ahead=sun)
    train, ahead = np.arange(20 * 24), np.arange(20 * 24, 21 * 24)
    model = fit(features(here, train, 1), values)
    assert model is not None
    assert model(features(here, ahead, 1)) == pytest.approx(3 * sun[ahead] + 1, abs=0.02)


def test_too_little_is_nothing_to_learn_from() -> None:
    rows = np.random.default_rng(1).normal(size=(8, 3))
    assert fit(rows, np.arange(8.0)) is None
    assert fit(np.vstack([rows, rows]), np.arange(16.0)) is not None
    assert fit(rows, np.full(8, np.nan)) is None


def test_features_that_are_mostly_unknown_do_not_count() -> None:
    rows = np.random.default_rng(1).normal(size=(30, 2))
    rows[5:, 1] = np.nan
    model = fit(rows, 2 * rows[:, 0])
    assert model is not None
    assert model.used.tolist() == [True, False]
    assert model(np.array([[1.0, np.nan]])) == pytest.approx([2.0], abs=0.1)


def test_ways_that_do_not_cover_all_have_no_error() -> None:
    true = np.array([1.0, np.nan, 3.0])
    told = {"good": np.array([1.0, 0.0, 4.0]), "holes": np.array([1.0, 2.0, np.nan])}
    assert errors(told, true) == {"good": 0.5}
