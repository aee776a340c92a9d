import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.profile import Meaning
from flexedge.domain.belief import Quality
from flexedge.drivers.meaning import MISSING, judge


def near(value: float, quality: Quality = Quality.GOOD) -> object:
    return pytest.approx(value), quality


def test_a_scale_turns_signs_and_units() -> None:
    assert judge(Meaning(unit="W", scale=-10), 250) == near(-2.5)


def test_codes_are_looked_up_and_unknown_ones_missing() -> None:
    codes = Meaning(unit="", values={1: 0.0, 2: 1.0})
    assert judge(codes, 2.0) == (1.0, Quality.GOOD)
    assert [judge(codes, raw) for raw in (3, 1.5, math.nan, math.inf)] == [MISSING] * 4


def test_the_valid_range_is_in_the_points_own_unit() -> None:
    watts = Meaning(unit="W", scale=0.5, valid=(-100, 100))
    assert judge(watts, 200) == near(0.1)
    assert judge(watts, 201) == near(0.1005, Quality.IMPLAUSIBLE)


@given(st.floats(), st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_comes_a_value_is_finite_or_missing(raw: float, scale: float) -> None:
    value, quality = judge(Meaning(unit="MW", scale=scale), raw)
    assert (value is None) == (quality is Quality.MISSING)
    assert value is None or math.isfinite(value)
