import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.errors import StoreDamaged
from flexedge.store.local.codec import pack, unpack
from flexedge.store.rows import Beliefs, Readings

ids = st.integers(0, 2**31 - 1)
times = st.integers(-(2**63), 2**63 - 1)
numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(ids, times, numbers, st.integers(0, 255)), max_size=50))
def test_readings_come_back_to_the_bit(rows: list[tuple[int, int, float, int]]) -> None:
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    given_rows = Readings.of(
        dict(zip(("sensor", "event_us", "value", "quality"), map(list, columns), strict=True))
    )
    back = unpack(Readings, pack(given_rows), len(rows))
    for name, column in given_rows.columns().items():
        assert back.columns()[name].tobytes() == column.tobytes()


def test_beliefs_come_back() -> None:
    rows = Beliefs.of({"sensor": [1, 2], "source": [3, 4], "event_us": [10, 20],
                       "belief_us": [5, -5], "probability": [0.5, 0.1],
                       "value": [1.5, np.nan]})  # fmt: skip
    back = unpack(Beliefs, pack(rows), 2)
    assert back.belief_us.tolist() == [5, -5]
    assert back.probability.tolist() == [0.5, 0.1]


def test_every_flipped_bit_is_found() -> None:
    rows = Readings.of({"sensor": [1], "event_us": [2], "value": [3.0], "quality": [0]})
    data = pack(rows)
    for bit in range(len(data) * 8):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StoreDamaged):
            unpack(Readings, bytes(bad), 1)


def test_a_wrong_number_of_rows_is_found() -> None:
    data = pack(Readings.of({"sensor": [1], "event_us": [2], "value": [3.0], "quality": [0]}))
    with pytest.raises(StoreDamaged, match="cannot be unpacked"):
        unpack(Readings, data, 2)
    data = pack(Readings.of({"sensor": [1, 1], "event_us": [2, 3], "value": [3.0, 4.0],
                             "quality": [0, 0]}))  # fmt: skip
    with pytest.raises(StoreDamaged, match="21 bytes too many for 1 rows"):
        unpack(Readings, data, 1)
