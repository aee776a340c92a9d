import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.profile import Amps, Control, When, Written
from flexedge.drivers.power import code, grip, number, toward_zero

AMPS = Control(readback="ev.current", amps=Amps(volts=230, phases=3))
KW_PER_AMPERE = 0.69


def written(**fields: object) -> Written:
    return Written.model_validate(fields)


@pytest.mark.parametrize(
    ("asked_kw", "amperes"),
    [
        (0.0, 0), (4.13, 0), (4.14, 6), (4.15, 6), (11.03, 15), (11.04, 16), (99.0, 16), (-3.0, 0),
    ],
)  # fmt: skip
def test_amperes_are_whole_never_more_than_asked_and_off_below_the_least(
    asked_kw: float, amperes: int
) -> None:
    doable = grip("ev.power", AMPS).doable(asked_kw)
    assert doable == pytest.approx(amperes * KW_PER_AMPERE)


@given(st.floats(-1e6, 1e6))
def test_what_is_doable_lies_between_nothing_and_what_was_asked(asked_kw: float) -> None:
    doable = grip("ev.power", AMPS).doable(asked_kw)
    assert 0 <= doable <= max(asked_kw, 0) * (1 + 1e-8)
    assert doable <= 16 * KW_PER_AMPERE + 1e-9
    assert doable == 0 or doable >= 6 * KW_PER_AMPERE - 1e-9


def test_two_way_chargers_keep_the_sign() -> None:
    control = AMPS.model_copy(update={"range": (-5.0, 11.04)})
    assert grip("ev.power", control).doable(-4.9) == pytest.approx(-7 * KW_PER_AMPERE)


def test_range_and_least_follow_from_amps() -> None:
    three = grip("ev.power", AMPS)
    assert three.kw_per_ampere == pytest.approx(KW_PER_AMPERE)
    assert three.point.range_kw == pytest.approx((0.0, 11.04))
    assert three.point.least_kw == pytest.approx(4.14)
    plain = grip("ev.power", Control(readback="ev.power"))
    assert (plain.kw_per_ampere, plain.point.range_kw, plain.point.least_kw) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("setpoint", "power_kw", "expected"),
    [
        ({"unit": "W"}, 1.2345, 1234.5),
        ({"unit": "W", "round": "down"}, -1.2345, -1234),
        ({"unit": "W", "scale": -10}, 1.0, -100.0),
        ({"unit": "kW"}, 1.5, 1.5),
        ({"unit": "A"}, 11.04, 16),
        ({"unit": "A", "scale": 0.1}, 6.9, 100),
        ({"unit": "mA"}, 6.9, 10000),
        ({"unit": "%", "relative-to": "pv.rating"}, 2.5, 50.0),
        ({"unit": "%", "scale": -1, "relative-to": "pv.rating"}, -5.0, 100.0),
    ],
)
def test_powers_become_numbers(
    setpoint: dict[str, object], power_kw: float, expected: float
) -> None:
    assert number(written(setpoint=setpoint), power_kw, KW_PER_AMPERE, 5.0) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("rating_kw", [None, 0.0, -1.0, math.nan])
def test_a_share_needs_a_rating(rating_kw: float | None) -> None:
    share = written(setpoint={"unit": "%", "relative-to": "pv.rating"})
    with pytest.raises(ValueError, match=r"usable value of pv\.rating"):
        number(share, 1.0, None, rating_kw)


def test_a_current_needs_amps_and_a_power_must_be_finite() -> None:
    with pytest.raises(ValueError, match="usable amps"):
        number(written(setpoint={"unit": "A"}), 1.0, None, None)
    with pytest.raises(ValueError, match="not a power"):
        number(written(setpoint={"unit": "W"}), math.nan, None, None)


def test_constants_stay_as_they_are() -> None:
    assert number(written(value="on"), 1.0, None, None) == "on"
    assert number(written(value=7), 1.0, None, None) == 7


def test_codes_follow_the_sign() -> None:
    both, one_way = When(negative=2, zero=0, positive=1), When(zero=0, positive=1)
    assert [code(both, kw) for kw in (-1.0, -0.0, 1.0)] == [2, 0, 1]
    assert code(one_way, -1.0) == 0
    assert number(written(when={"zero": 3, "positive": 4}), 0.0, None, None) == 3
    switch = written(when={"zero": "off", "positive": "on,120"})
    assert number(switch, 2.0, None, None) == "on,120"


@given(st.integers(-1000, 1000))
def test_whole_numbers_survive_rounding_errors(whole: int) -> None:
    assert toward_zero(whole * KW_PER_AMPERE / KW_PER_AMPERE) == whole
    assert toward_zero(whole + math.copysign(0.99, whole)) == whole
