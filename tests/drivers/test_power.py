import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.profile import Amps, Control, Meaning, Setpoint, When, Written
from flexedge.drivers.power import code, grip, number, setpoint_of, shown, toward_zero

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
    doable = grip("ev.power", AMPS, {}).doable(asked_kw)
    assert doable == pytest.approx(amperes * KW_PER_AMPERE)


@given(st.floats(-1e6, 1e6))
def test_what_is_doable_lies_between_nothing_and_what_was_asked(asked_kw: float) -> None:
    doable = grip("ev.power", AMPS, {}).doable(asked_kw)
    assert 0 <= doable <= max(asked_kw, 0) * (1 + 1e-8)
    assert doable <= 16 * KW_PER_AMPERE + 1e-9
    assert doable == 0 or doable >= 6 * KW_PER_AMPERE - 1e-9


def test_two_way_chargers_keep_the_sign() -> None:
    control = AMPS.model_copy(update={"range": (-5.0, 11.04)})
    assert grip("ev.power", control, {}).doable(-4.9) == pytest.approx(-7 * KW_PER_AMPERE)


def test_range_and_least_follow_from_amps_and_the_option_phases() -> None:
    three = grip("ev.power", AMPS, {}).point
    assert three.range_kw == pytest.approx((0.0, 11.04))
    assert three.least_kw == pytest.approx(4.14)
    one = grip("ev.power", AMPS, {"phases": "1"}).point
    assert one.range_kw == pytest.approx((0.0, 3.68))
    with pytest.raises(ValueError, match="phases"):
        grip("ev.power", AMPS, {"phases": 4})


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


@given(st.integers(-1000, 1000))
def test_whole_numbers_survive_rounding_errors(whole: int) -> None:
    assert toward_zero(whole * KW_PER_AMPERE / KW_PER_AMPERE) == whole
    assert toward_zero(whole + math.copysign(0.99, whole)) == whole


def test_the_first_setpoint_counts() -> None:
    first = Setpoint(unit="W")
    writes = [written(value=1), Written(setpoint=first), written(setpoint={"unit": "kW"})]
    assert setpoint_of(writes) is first
    assert setpoint_of(writes[:1]) is None


@pytest.mark.parametrize(
    ("unit", "scale", "setpoint_scale", "value", "power_kw"),
    [
        ("W", -1.0, 1.0, -2.0, -2.0),
        ("A", 1.0, 1.0, 10.0, 6.9),
        ("%", 1.0, -1.0, 60.0, -3.0),
        ("%", -1.0, -1.0, -60.0, -3.0),
        ("%", 0.01, 1.0, 60.0, 3.0),
        ("degC", 1.0, 1.0, 60.0, None),
    ],
)
def test_read_backs_become_powers(
    unit: str, scale: float, setpoint_scale: float, value: float, power_kw: float | None
) -> None:
    got = shown(
        value, Meaning(unit=unit, scale=scale), Setpoint(scale=setpoint_scale), KW_PER_AMPERE, 5.0
    )
    assert got == (None if power_kw is None else pytest.approx(power_kw))


def test_without_amps_or_rating_nothing_is_shown() -> None:
    assert shown(10.0, Meaning(unit="A"), None, None, None) is None
    assert shown(10.0, Meaning(unit="%"), None, None, None) is None
