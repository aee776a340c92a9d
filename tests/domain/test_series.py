"""Grids and series: UTC steps, time-weighted means, NaN for the unknown."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.series import Series, TimeGrid, floor

START = datetime(2025, 3, 30, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def grid(n: int, resolution: timedelta = HOUR, start: datetime = START) -> TimeGrid:
    return TimeGrid(start, resolution, n)


def series(*values: float, resolution: timedelta = HOUR, start: datetime = START) -> Series:
    return Series(grid(len(values), resolution, start), np.array(values))


def test_floor_counts_ticks_in_utc() -> None:
    moment = datetime(2025, 3, 30, 10, 44, 59, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert floor(moment, HOUR) == datetime(2025, 3, 30, 5, tzinfo=UTC)
    assert floor(START, HOUR) == START


def test_a_grid_covers_what_it_is_asked_to() -> None:
    covering = TimeGrid.covering(
        START + timedelta(minutes=7), START + timedelta(minutes=31), QUARTER
    )
    assert covering == TimeGrid(START, QUARTER, 3)
    assert covering.end == START + 3 * QUARTER
    assert covering.hours == 0.25


def test_a_grid_in_local_time_counts_real_hours_over_the_change_of_clocks() -> None:
    night = datetime(2025, 3, 30, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))
    local = TimeGrid(night, HOUR, 4)
    assert local.times() == [night.astimezone(UTC) + i * HOUR for i in range(4)]
    assert local.slot(datetime(2025, 3, 30, 3, tzinfo=ZoneInfo("Europe/Amsterdam"))) == 2


@pytest.mark.parametrize(
    ("start", "resolution", "n"),
    [
        (datetime(2025, 1, 1), HOUR, 1),  # noqa: DTZ001 (naive on purpose)
        (START, timedelta(0), 1),
        (START, HOUR, -1),
    ],
)
def test_impossible_grids(start: datetime, resolution: timedelta, n: int) -> None:
    with pytest.raises(ValueError, match="a grid"):
        TimeGrid(start, resolution, n)


def test_slots() -> None:
    hours = grid(2)
    assert hours.slot(START) == 0
    assert hours.slot(START + 2 * HOUR - timedelta(microseconds=1)) == 1
    assert hours.slot(START + 2 * HOUR) is None
    assert hours.slot(START - timedelta(microseconds=1)) is None


def test_values_fit_the_grid_and_are_nobodys_to_change() -> None:
    with pytest.raises(ValueError, match="3 steps"):
        Series(grid(3), np.zeros(2))
    mine = np.zeros(2)
    kept = Series(grid(2), mine)
    mine[0] = 5.0
    assert kept.values.tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        kept.values[0] = 1.0


def test_missing_is_none_and_zero_is_zero() -> None:
    some = series(np.nan, 0.0)
    assert some.at(START) is None
    assert some.at(START + HOUR) == 0.0
    assert some.at(START + 9 * HOUR) is None
    assert some.filled(3.0).values.tolist() == [3.0, 0.0]
    assert some.filled(None) is some
    assert some.or_else(series(7.0, 8.0)).values.tolist() == [7.0, 0.0]


def test_coarser_averages_what_is_known_and_finer_holds() -> None:
    quarters = series(1.0, 2.0, np.nan, np.nan, *[np.nan] * 4, resolution=QUARTER)
    hours = quarters.on(grid(2))
    assert hours.values[0] == pytest.approx(1.5)
    assert np.isnan(hours.values[1])
    assert series(1.0, 2.0).on(grid(4, timedelta(minutes=30))).values.tolist() == [1, 1, 2, 2]


def test_grids_that_are_not_aligned() -> None:
    shifted = series(0.0, 4.0).on(grid(1, HOUR, START + QUARTER))
    assert shifted.values[0] == pytest.approx(1.0)
    outside = series(1.0).on(grid(1, HOUR, START + 5 * HOUR))
    assert np.isnan(outside.values[0])
    assert series(1.0).on(grid(0)).values.shape == (0,)


_values = st.lists(
    st.floats(min_value=-1e4, max_value=1e4) | st.just(float("nan")), min_size=1, max_size=40
)


@given(_values, st.integers(1, 6))
def test_refining_and_averaging_again_changes_nothing(values: list[float], pieces: int) -> None:
    some = series(*values)
    fine = some.on(grid(len(values) * pieces, HOUR / pieces))
    np.testing.assert_allclose(fine.on(some.grid).values, some.values, rtol=1e-7, atol=1e-5)


@given(
    st.lists(st.floats(min_value=-1e4, max_value=1e4), min_size=4, max_size=40),
    st.integers(1, 7),
    st.integers(-90, 90),
)
def test_means_stay_between_least_and_most(values: list[float], hours: int, shift: int) -> None:
    coarse = grid(5, hours * HOUR, START + timedelta(minutes=shift))
    found = series(*values).on(coarse).values
    known = found[~np.isnan(found)]
    assert (known >= min(values) - 1e-5).all()
    assert (known <= max(values) + 1e-5).all()


@given(st.lists(st.floats(min_value=-1e4, max_value=1e4), min_size=1, max_size=24))
def test_resampling_keeps_the_energy(values: list[float]) -> None:
    some = series(*values)
    coarse = some.on(grid(1, len(values) * HOUR))
    assert coarse.values[0] * len(values) == pytest.approx(sum(values), abs=1e-5)
