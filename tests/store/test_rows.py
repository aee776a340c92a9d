from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.store.rows import Beliefs, Buckets, Readings, micros, moment


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_survives_as_microseconds_in_every_zone_and_year(at: datetime) -> None:
    assert moment(micros(at)) == at.astimezone(UTC)


def test_after_2038_and_before_1970() -> None:
    assert micros(datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)) == 2**31 * 1_000_000
    before = datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-1)))
    assert moment(micros(before)) == before


def test_rows_are_brought_to_their_types_and_joined_and_picked() -> None:
    one = Readings.of({"sensor": [1, 2], "event_us": [5, 6], "value": [1, 2.5], "quality": [0, 3]})
    assert [column.dtype for column in one.columns().values()] == ["i4", "i8", "f8", "u1"]
    both = Readings.joined([one, Readings.empty(), one])
    assert both.value.tolist() == [1.0, 2.5, 1.0, 2.5]
    assert both.take(both.sensor == 2).quality.tolist() == [3, 3]
    assert len(Beliefs.empty()) == len(Buckets.joined([])) == 0


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        Readings(*(np.zeros(n) for n in (1, 1, 1, 2)))  # type: ignore[arg-type]
