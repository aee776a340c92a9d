"""Noise that is a pure function of seed and time: the same site however it is stepped."""

import zlib

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def stream_number(stream: str) -> int:
    """A number that stands for a stream's name."""
    return zlib.crc32(stream.encode())


def hashed(seed: int, stream: str, index: NDArray[np.int64]) -> FloatArray:
    """One number in [0, 1) for each index: the SplitMix64 hash of seed, stream and index."""
    key = np.uint64((seed * 0x1000003 + stream_number(stream)) & 0xFFFFFFFFFFFFFFFF)
    z = (index.astype(np.uint64) + key) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    z ^= z >> np.uint64(31)
    shares: FloatArray = (z >> np.uint64(11)).astype(np.float64) / float(1 << 53)
    return shares


def smooth(seed: int, stream: str, times: FloatArray, period_s: float) -> FloatArray:
    """Smooth noise in [0, 1): a new hashed value every ``period_s``, joined by smoothsteps."""
    position = times / period_s
    knot = np.floor(position).astype(np.int64)
    x = position - knot
    before, after = hashed(seed, stream, knot), hashed(seed, stream, knot + 1)
    blend = x * x * (3.0 - 2.0 * x)
    noise: FloatArray = before + (after - before) * blend
    return noise


def daily(seed: int, stream: str, ordinal: int) -> np.random.Generator:
    """A generator for one calendar day (``date.toordinal()``)."""
    return np.random.default_rng([seed, stream_number(stream), ordinal])
