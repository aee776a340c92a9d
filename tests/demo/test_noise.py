import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flexedge.demo.noise import daily, hashed, smooth


@given(st.integers(0, 2**40), st.integers(0, 10**9))
def test_noise_depends_on_seed_and_time_alone(seed: int, first: int) -> None:
    times = first + np.arange(200.0)
    whole = smooth(seed, "x", times, 37.0)
    assert np.array_equal(whole[50:60], smooth(seed, "x", times[50:60], 37.0))
    assert ((whole >= 0) & (whole < 1)).all()


def test_smooth_noise_has_no_jumps() -> None:
    values = smooth(3, "x", np.arange(0.0, 5000.0), 100.0)
    assert np.abs(np.diff(values)).max() < 1.5 / 100.0
    assert np.ptp(values) > 0.5


def test_streams_and_seeds_differ() -> None:
    index = np.arange(2000)
    one = hashed(1, "a", index)
    assert abs(one.mean() - 0.5) < 0.03
    for other in (hashed(1, "b", index), hashed(2, "a", index)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_days_differ_but_repeat() -> None:
    assert daily(1, "a", 5).random() == daily(1, "a", 5).random()
    assert daily(1, "a", 5).random() != daily(1, "a", 6).random()
