import gzip
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.cloud.bodies import TooLarge, Undecodable, unpacked


def cut(raw: bytes, size: int) -> list[bytes]:
    return [raw[n : n + size] for n in range(0, len(raw), size)]


@given(st.binary(max_size=2000), st.integers(1, 500), st.sampled_from(["", "identity", "gzip"]))
def test_content_comes_out_as_it_went_in(content: bytes, size: int, encoding: str) -> None:
    raw = gzip.compress(content) if encoding == "gzip" else content
    assert b"".join(unpacked(cut(raw, size), encoding, 2000)) == content


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 500))
def test_what_is_longer_than_allowed_is_too_large(content: bytes, size: int) -> None:
    for raw, encoding in ((content, ""), (gzip.compress(content), "gzip")):
        with pytest.raises(TooLarge):
            list(unpacked(cut(raw, size), encoding, len(content) - 1))


@given(st.binary(max_size=300), st.data())
def test_what_ends_early_is_no_whole_answer(content: bytes, data: st.DataObject) -> None:
    raw = gzip.compress(content)
    end = data.draw(st.integers(1, len(raw) - 1))
    with pytest.raises(Undecodable):
        list(unpacked([raw[:end]], "gzip", 1000))


def test_nothing_packed_is_nothing() -> None:
    assert b"".join(unpacked([], "gzip", 10)) == b""


def test_what_is_too_large_is_not_read_on() -> None:
    read = []

    def pieces() -> Iterator[bytes]:
        for n in range(100):
            read.append(n)
            yield b"x" * 10

    with pytest.raises(TooLarge):
        list(unpacked(pieces(), "", 25))
    assert read == [0, 1, 2]


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(b"\0" * 60_000_000, 9)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            list(unpacked([bomb], "gzip", 1_000_000))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@given(st.binary(min_size=20, max_size=100))
def test_nonsense_is_told(raw: bytes) -> None:
    with pytest.raises(Undecodable):
        list(unpacked([b"no" + raw], "gzip", 1000))
    with pytest.raises(Undecodable):
        list(unpacked([raw], "br", 1000))
