"""The sun: where it stands at known moments, and that it behaves as it does."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.sun import clear_sky_share, sine_of_elevation


def elevation(moment: datetime, latitude: float, longitude: float) -> float:
    return math.degrees(math.asin(sine_of_elevation(moment, latitude, longitude)))


def highest(day: datetime, latitude: float, longitude: float) -> float:
    return max(elevation(day + timedelta(minutes=i), latitude, longitude) for i in range(24 * 60))


@pytest.mark.parametrize(
    ("day", "declination"),
    [
        (datetime(2024, 6, 20, tzinfo=UTC), 23.44),  # solstices and equinox of 2024
        (datetime(2024, 12, 21, tzinfo=UTC), -23.44),
        (datetime(2024, 3, 20, tzinfo=UTC), 0.0),
    ],
)
def test_noon_height_follows_the_declination(day: datetime, declination: float) -> None:
    assert highest(day, 52.0, 5.0) == pytest.approx(90 - 52 + declination, abs=0.25)


def test_noon_is_where_the_equation_of_time_says() -> None:
    # at Greenwich on 3 November the sun is 16.4 minutes early, on 11 February 14.2 minutes late
    for day, minutes in ((datetime(2024, 11, 3, tzinfo=UTC), -16.4),
                         (datetime(2024, 2, 11, tzinfo=UTC), 14.2)):  # fmt: skip
        noon = max(
            (day + timedelta(seconds=10 * i) for i in range(24 * 360)),
            key=lambda moment: sine_of_elevation(moment, 51.48, 0.0),
        )
        early = (noon - day - timedelta(hours=12)) / timedelta(minutes=1)
        assert early == pytest.approx(minutes, abs=0.5)


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2050, 1, 1)),  # noqa: DTZ001 (made aware below)
    st.floats(-90, 90),
    st.floats(-180, 180),
)
def test_sine_and_share_are_within_bounds(
    naive: datetime, latitude: float, longitude: float
) -> None:
    sine = sine_of_elevation(naive.replace(tzinfo=UTC), latitude, longitude)
    assert -1.0 - 1e-9 <= sine <= 1.0 + 1e-9
    assert 0.0 <= clear_sky_share(sine) <= 1.0


def test_clear_sky() -> None:
    assert clear_sky_share(-0.2) == 0.0
    assert clear_sky_share(0.0) == 0.0
    assert clear_sky_share(1.0) == pytest.approx(1.0, abs=0.05)
    assert clear_sky_share(0.5) == pytest.approx(0.549 * math.exp(-0.114), rel=1e-6)
