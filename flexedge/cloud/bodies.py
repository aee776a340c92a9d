"""Unpacks answers, never more of them than allowed."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

_GZIP: Final = 16 + zlib.MAX_WBITS


class TooLarge(Exception):
    """More bytes than an answer may have."""


class Undecodable(Exception):
    """It is not packed as it says."""


def unpacked(pieces: Iterable[bytes], encoding: str, largest: int) -> Iterator[bytes]:
    """The content in pieces, of ``largest`` bytes at most altogether, whatever they unpack to.

    ``encoding``: "gzip", "" or "identity". Raises ``TooLarge`` and ``Undecodable``.
    """
    left = largest
    for piece in _decoded(pieces, encoding.strip().lower(), largest):
        left -= len(piece)
        if left < 0:
            raise TooLarge(f"its answer has more than {largest / 1e6:g} MB")
        yield piece


def _decoded(pieces: Iterable[bytes], encoding: str, largest: int) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        yield from pieces
    elif encoding == "gzip":
        yield from _gunzipped(pieces, largest)
    else:
        raise Undecodable("its answer is packed in a way that was not asked for")


def _gunzipped(pieces: Iterable[bytes], largest: int) -> Iterator[bytes]:
    unpacker, begun = zlib.decompressobj(_GZIP), False
    for piece in pieces:
        begun = begun or bool(piece)
        try:
            yield unpacker.decompress(piece, largest + 1)
        except zlib.error as error:
            raise Undecodable("its answer is not packed as it says") from error
        if unpacker.unconsumed_tail:
            raise TooLarge(f"its answer unpacks to more than {largest / 1e6:g} MB")
    if begun and not unpacker.eof:
        raise Undecodable("its answer, which is packed, ends early")
