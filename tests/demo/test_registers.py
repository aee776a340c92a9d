import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.demo.registers import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MANY,
    WRITE_ONE,
    Bank,
    Field,
    Refusal,
    constant,
)


def _bank(written: list[tuple[str, int]]) -> Bank:
    fields = {
        10: constant("uint16", 7),
        12: Field("int32", lambda: -5.0, lambda raw, peer: written.append((peer, raw))),
        14: Field("float32", lambda: 1.5),
        16: Field("uint16", lambda: 3, lambda raw, peer: written.append((peer, raw)), True),
    }
    return Bank(1, {READ_HOLDING: fields}, [(10, 8)])


@given(st.integers(10, 17), st.integers(1, 8))
def test_a_block_is_a_slice_of_the_whole(first: int, count: int) -> None:
    whole = struct.pack(">HHifHH", 7, 0, -5, 1.5, 3, 0)
    bank = _bank([])
    if first + count > 18:
        with pytest.raises(Refusal) as refusal:
            bank.read(READ_HOLDING, first, count)
        assert refusal.value.code == ILLEGAL_ADDRESS
    else:
        part = whole[(first - 10) * 2 : (first - 10 + count) * 2]
        assert bank.read(READ_HOLDING, first, count) == part


def test_numbers_that_do_not_fit_stand_at_the_end_of_the_range() -> None:
    assert Field("int16", lambda: 1e9).encode() == b"\x7f\xff"
    assert Field("uint16", lambda: -3.0).encode() == b"\0\0"


def test_writes_are_checked_before_anything_changes() -> None:
    written: list[tuple[str, int]] = []
    bank = _bank(written)
    bank.write(WRITE_MANY, 12, struct.pack(">i", -2000), "me")
    assert written == [("me", -2000)]
    refused = [
        (WRITE_MANY, 12, struct.pack(">if", 1, 2.0), ILLEGAL_ADDRESS),
        (WRITE_MANY, 12, b"\0\1", ILLEGAL_ADDRESS),
        (WRITE_ONE, 10, b"\0\1", ILLEGAL_ADDRESS),
        (WRITE_ONE, 99, b"\0\1", ILLEGAL_ADDRESS),
        (WRITE_ONE, 16, b"\0\1", ILLEGAL_FUNCTION),
    ]
    for function, address, content, code in refused:
        with pytest.raises(Refusal) as refusal:
            bank.write(function, address, content, "me")
        assert refusal.value.code == code
    assert len(written) == 1
    with pytest.raises(Refusal):
        bank.read(READ_INPUT, 10, 1)
