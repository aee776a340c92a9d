from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.store.placing import believed, on, stamps, ticks, us
from flexedge.store.rows import micros

START = datetime(2026, 3, 29, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@given(
    moments=st.lists(
        st.datetimes(
            min_value=datetime(1970, 1, 1),  # noqa: DTZ001 (the strategy adds the zone)
            max_value=datetime(2099, 12, 31),  # noqa: DTZ001 (as above)
            timezones=st.timezones(),
        )
    )
)
def test_stamps_keep_every_microsecond_of_any_zone(moments: list[datetime]) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert stamps(moments).tolist() == [(at - epoch) // timedelta(microseconds=1) for at in moments]


def test_a_grid_has_its_ticks() -> None:
    found = ticks(TimeGrid(START, QUARTER, 3))
    assert found.tolist() == [micros(START) + i * us(QUARTER) for i in range(3)]


def test_of_several_about_one_event_the_last_counts() -> None:
    events = np.array([micros(START), micros(START + QUARTER), micros(START)])
    grid = TimeGrid(START, QUARTER, 3)
    for step in (QUARTER, timedelta(0)):
        placed = on(grid, step, events, np.array([1.0, 2.0, 3.0])).values
        np.testing.assert_array_equal(placed, [3.0, 2.0, np.nan])


def test_a_series_becomes_rows_of_its_sensors_resolution() -> None:
    values = Series(TimeGrid(START, 2 * QUARTER, 2), np.array([3.0, np.nan]))
    at_once = believed(Belief("price", "", None, values), 4, 5, QUARTER)
    start, step = micros(START), us(QUARTER)
    assert at_once.event_us.tolist() == [start, start + step]
    assert at_once.belief_us.tolist() == [start + step, start + 2 * step]
    assert (at_once.value.tolist(), at_once.sensor.tolist()) == ([3.0, 3.0], [4, 4])
    later = believed(Belief("price", "", START, values), 4, 5, timedelta(0))
    assert (later.event_us.tolist(), later.belief_us.tolist()) == ([start], [start])
    assert (later.source.tolist(), later.probability.tolist()) == ([5], [0.5])
