"""A batch of rows as bytes: columns one after another, packed, with a checksum.

SQLite has no checksums of its own; with these a flipped bit is found and named. Times are kept as
differences, which pack to almost nothing at an even pace.
"""

import zlib
from dataclasses import fields
from typing import TypeVar

import numpy as np

from flexedge.errors import StoreDamaged
from flexedge.store.rows import DTYPES, Beliefs, Readings

_Rows = TypeVar("_Rows", Readings, Beliefs)
_LEVEL = 1  # more takes time and saves little
_TIMES = ("event_us", "belief_us")


def pack(rows: Readings | Beliefs, about: str = "") -> bytes:
    """The bytes of some rows, led by the checksum of the rest and of what is said about them."""
    parts = []
    for name, column in rows.columns().items():
        if name in _TIMES:
            column = np.diff(column, prepend=np.int64(0))  # noqa: PLW2901 (wraps around and back)
        parts.append(np.ascontiguousarray(column, np.dtype(DTYPES[name]).newbyteorder("<")))
    packed = zlib.compress(b"".join(part.tobytes() for part in parts), _LEVEL)
    return _checksum(packed, about).to_bytes(4, "little") + packed


def unpack(kind: type[_Rows], data: bytes, n: int, about: str = "") -> _Rows:
    """The ``n`` rows that were packed. Raises ``StoreDamaged`` when a bit of them has changed."""
    packed = data[4:]
    if _checksum(packed, about) != int.from_bytes(data[:4], "little"):
        raise StoreDamaged("a batch of the journal does not fit its checksum")
    try:
        raw = zlib.decompress(packed)
        columns, at = {}, 0
        for field in fields(kind):
            dtype = np.dtype(DTYPES[field.name]).newbyteorder("<")
            column = np.frombuffer(raw, dtype, n, at)
            at += n * dtype.itemsize
            columns[field.name] = np.cumsum(column) if field.name in _TIMES else column
        rows = kind.of(columns)
    except (zlib.error, ValueError) as error:
        raise StoreDamaged(f"a batch of the journal cannot be unpacked: {error}") from error
    if at != len(raw):
        raise StoreDamaged(
            f"a batch of the journal has {len(raw) - at} bytes too many for {n} rows"
        )
    return rows


def _checksum(packed: bytes, about: str) -> int:
    return zlib.crc32(packed, zlib.crc32(about.encode()))
