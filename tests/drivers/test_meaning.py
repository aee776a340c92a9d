import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.profile import Amps, Meaning
from flexedge.domain.belief import Quality
from flexedge.drivers.meaning import MISSING, Judged, complete, inputs, judge


def near(value: float, quality: Quality = Quality.GOOD) -> object:
    return pytest.approx(value), quality


def test_a_scale_turns_signs_and_units() -> None:
    assert judge(Meaning(unit="W", scale=-10), 250) == near(-2.5)


def test_nothing_has_no_sign() -> None:
    assert str(judge(Meaning(unit="kW", scale=-1), 0)[0]) == "0.0"


def test_codes_are_looked_up_and_unknown_ones_missing() -> None:
    codes = Meaning(unit="", values={1: 0.0, 2: 1.0})
    assert judge(codes, 2.0) == (1.0, Quality.GOOD)
    assert [judge(codes, raw) for raw in (3, 1.5, math.nan, math.inf)] == [MISSING] * 4


def test_the_valid_range_is_in_the_points_own_unit() -> None:
    watts = Meaning(unit="W", scale=0.5, valid=(-100, 100))
    assert judge(watts, 200) == near(0.1)
    assert judge(watts, 201) == near(0.1005, Quality.IMPLAUSIBLE)


def test_currents_are_powers_and_shares_are_shares() -> None:
    current = Meaning(unit="A", scale=0.1, amps=Amps(volts=230, phases=2), valid=(0, 32))
    assert judge(current, 100) == near(4.6)
    assert judge(current, 321) == near(14.766, Quality.IMPLAUSIBLE), "valid is in A"
    share = Meaning(unit="%", scale=-0.01, relative_to="pv.rated", valid=(-100, 0))
    assert judge(share, 4000) == near(-0.4)
    codes = Meaning(unit="A", amps=Amps(phases=1), values={1: 6.0, 2: 16.0})
    assert judge(codes, 2) == near(3.68)


@given(st.floats(), st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_comes_a_value_is_finite_or_missing(raw: float, scale: float) -> None:
    value, quality = judge(Meaning(unit="MW", scale=scale), raw)
    assert (value is None) == (quality is Quality.MISSING)
    assert value is None or math.isfinite(value)


GOOD = Quality.GOOD
SHARE = Meaning(unit="%", scale=-1, relative_to="pv.rated")
ALLOWED = Meaning(unit="A", amps=Amps(), zero_when={"ev.force": 1.0, "ev.lock": 0.0})


def test_a_point_of_its_own_is_complete() -> None:
    plain = Meaning(unit="W")
    assert inputs(plain) == ()
    for own in ((1.5, GOOD), (9.0, Quality.IMPLAUSIBLE), MISSING):
        assert complete(plain, own, {}) == own


def test_a_share_is_a_power_of_the_rating() -> None:
    assert inputs(SHARE) == ("pv.rated",)
    assert complete(SHARE, judge(SHARE, 40), {"pv.rated": (8.0, GOOD)}) == near(-3.2)


@pytest.mark.parametrize(
    "rating", [MISSING, (0.0, GOOD), (-8.0, GOOD), (0.0, Quality.IMPLAUSIBLE), None]
)
def test_a_share_of_nothing_known_is_missing(rating: Judged | None) -> None:
    others = {} if rating is None else {"pv.rated": rating}
    assert complete(SHARE, (0.4, GOOD), others) == MISSING


def test_a_switch_that_is_off_makes_it_zero() -> None:
    assert inputs(ALLOWED) == ("ev.force", "ev.lock")
    for force, lock, value in ((2.0, 1.0, 11.04), (1.0, 1.0, 0.0), (2.0, 0.0, 0.0)):
        others: dict[str, Judged] = {"ev.force": (force, GOOD), "ev.lock": (lock, GOOD)}
        assert complete(ALLOWED, (11.04, GOOD), others) == (value, GOOD)


def test_a_number_is_never_guessed_while_an_input_is_missing() -> None:
    off, on = (1.0, GOOD), (2.0, GOOD)
    assert complete(ALLOWED, (11.04, GOOD), {"ev.force": on}) == MISSING
    assert complete(ALLOWED, (11.04, GOOD), {"ev.force": off, "ev.lock": MISSING}) == MISSING
    assert complete(ALLOWED, MISSING, {"ev.force": off, "ev.lock": on}) == MISSING


def test_an_implausible_input_makes_it_implausible() -> None:
    doubtful = Quality.IMPLAUSIBLE
    assert complete(SHARE, (0.5, GOOD), {"pv.rated": (8.0, doubtful)}) == (4.0, doubtful)
    assert complete(SHARE, (0.5, doubtful), {"pv.rated": (8.0, GOOD)}) == (4.0, doubtful)
    others: dict[str, Judged] = {"ev.force": (1.0, doubtful), "ev.lock": (1.0, GOOD)}
    assert complete(ALLOWED, (11.04, GOOD), others) == (0.0, doubtful)


def test_what_grows_beyond_all_numbers_is_missing() -> None:
    assert complete(SHARE, (1e300, GOOD), {"pv.rated": (1e300, GOOD)}) == MISSING
