import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.demo.response import clip, lag

_KW = st.floats(-20, 20)


@given(_KW, _KW, st.floats(0.05, 5))
def test_two_half_steps_are_one_whole(output: float, aim: float, dt: float) -> None:
    mean, end = lag(output, aim, dt, 0.7)
    first, middle = lag(output, aim, dt / 2, 0.7)
    second, last = lag(middle, aim, dt / 2, 0.7)
    assert (first + second) / 2 == pytest.approx(mean, abs=1e-9)
    assert last == pytest.approx(end, abs=1e-9)


def test_63_percent_after_tau() -> None:
    assert lag(0.0, 1.0, 0.7, 0.7)[1] == pytest.approx(0.632, abs=1e-3)


def test_clip() -> None:
    assert [clip(x, -1.0, 2.0) for x in (-3.0, 0.5, 9.0)] == [-1.0, 0.5, 2.0]
