import math
import struct
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.profile import WORDS, ModbusPoint, NumberType, Register
from flexedge.domain.belief import Quality
from flexedge.drivers.modbus.codec import decode, encode, number, power_of_ten

WORD = st.integers(0, 0xFFFF)
ORDERS = st.sampled_from(["big", "little"])
INTEGERS: tuple[NumberType, ...] = ("int16", "uint16", "int32", "uint32", "int64", "uint64")


def point(**fields: object) -> ModbusPoint:
    return ModbusPoint.model_validate({"address": 0, "unit": "", **fields})


def near(value: float, quality: Quality = Quality.GOOD) -> object:
    return pytest.approx(value), quality


@given(st.sampled_from(get_args(NumberType)), ORDERS, st.lists(WORD, min_size=4, max_size=4))
def test_words_survive_the_round_trip(kind: NumberType, order: str, words: list[int]) -> None:
    register = Register.model_validate({"address": 0, "type": kind, "word_order": order})
    some = tuple(words[: WORDS[kind]])
    raw = number(register, some)
    if math.isfinite(raw):
        assert encode(register, raw) == some


@given(st.sampled_from(INTEGERS), st.floats(allow_nan=False, allow_infinity=False))
def test_integers_are_rounded_and_clipped_never_wrapped(kind: NumberType, value: float) -> None:
    register = Register(address=0, type=kind)
    back = number(register, encode(register, value))
    bits = 16 * WORDS[kind]
    low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert back == min(max(round(value), low), high)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float32_is_clipped(value: float) -> None:
    register = Register(address=0, type="float32")
    back = number(register, encode(register, value))
    assert math.isfinite(back)
    assert back == pytest.approx(min(max(value, -3.4028235e38), 3.4028235e38), rel=1e-6, abs=1e-38)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_what_is_not_finite_is_refused(value: float, kind: NumberType) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        encode(Register(address=0, type=kind), value)


@pytest.mark.parametrize(
    ("fields", "words", "value"),
    [
        ({"type": "int16", "unit": "W", "scale": -1}, (0xFC18,), 1.0),
        ({"type": "uint16", "unit": "%", "scale": 0.1}, (505,), 50.5),
        ({"type": "uint32", "unit": "Wh"}, (0x0001, 0x86A0), 100.0),
        ({"type": "uint32", "unit": "Wh", "word_order": "little"}, (0x86A0, 0x0001), 100.0),
        ({"type": "int32", "unit": "kW"}, (0xFFFF, 0xFFFE), -2.0),
        ({"type": "float32", "unit": "V"}, (0x4366, 0x0000), 230.0),
        ({"type": "float64", "unit": "Hz"}, (0x4049, 0, 0, 0), 50.0),
        ({"type": "int64", "unit": ""}, (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF), -1.0),
    ],
)
def test_known_words(fields: dict[str, object], words: tuple[int, ...], value: float) -> None:
    assert decode(point(**fields), words) == near(value)


@pytest.mark.parametrize(
    ("fields", "words", "exponent"),
    [
        ({"type": "int16", "missing": (-32768,)}, (0x8000,), None),
        ({"type": "int16", "missing": (0x8000,)}, (0x8000,), None),
        ({"type": "uint32", "missing": (0xFFFFFFFF,)}, (0xFFFF, 0xFFFF), None),
        ({"type": "float32"}, (0x7FC0, 0), None),
        ({"type": "float32"}, (0xFF80, 0), None),
        ({"type": "float64"}, (0x7FF0, 0, 0, 0), None),
        ({"type": "float64", "scale": 1e10}, (0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF), None),
        ({"values": {1: 0.0, 2: 1.0}}, (3,), None),
        ({"exponent": 5}, (1,), 0x8000),
        ({"exponent": 5}, (1,), 11),
        ({"exponent": 5}, (1,), None),
        ({"type": "uint32"}, (1,), None),
        ({"type": "uint16"}, (), None),
    ],
)
def test_what_the_device_does_not_know_is_missing(
    fields: dict[str, object], words: tuple[int, ...], exponent: int | None
) -> None:
    assert decode(point(**fields), words, exponent) == (None, Quality.MISSING)


def test_codes_have_values() -> None:
    assert decode(point(values={1: 0.0, 2: 1.0}), (2,)) == (1.0, Quality.GOOD)


def test_an_exponent_multiplies() -> None:
    register = point(type="int16", unit="W", exponent=5)
    assert decode(register, (1234,), 0xFFFE) == near(0.01234)
    assert decode(register, (12,), 2) == near(1.2)


def test_what_is_outside_the_valid_range_is_kept_as_implausible() -> None:
    soc = point(unit="%", scale=0.1, valid=(0, 100))
    assert decode(soc, (1001,)) == near(100.1, Quality.IMPLAUSIBLE)
    watts = point(unit="W", valid=(0, 5000))
    assert decode(watts, (5001,)) == near(5.001, Quality.IMPLAUSIBLE)
    assert decode(watts, (5000,)) == near(5.0)


@given(
    st.sampled_from(get_args(NumberType)),
    ORDERS,
    st.lists(WORD, max_size=5),
    st.none() | WORD,
    st.sampled_from([None, 9]),
)
def test_decoding_never_raises(
    kind: str, order: str, words: list[int], exponent: int | None, offset: int | None
) -> None:
    register = point(type=kind, word_order=order, exponent=offset, missing=(0xFFFF,), valid=(0, 9))
    value, quality = decode(register, words, exponent)
    assert (value is None) == (quality is Quality.MISSING)
    assert value is None or math.isfinite(value)


def test_an_exponent_divides_what_is_written() -> None:
    assert encode(Register(address=0), 60.0, power_of_ten(0xFFFE)) == (6000,)
    assert encode(Register(address=0), 6000.0, power_of_ten(2)) == (60,)


def test_floats_keep_their_fraction() -> None:
    words = encode(Register(address=0, type="float32"), 2.5)
    assert struct.unpack(">f", struct.pack(">2H", *words))[0] == 2.5
