"""Words on the wire to numbers with a meaning, and back. Pure."""

import math
import struct
from collections.abc import Sequence

from flexedge.config.profile import WORDS, ModbusPoint, NumberType, Register
from flexedge.drivers.meaning import MISSING, Judged, judge

_FORMATS: dict[NumberType, str] = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
_MOST_FLOAT32 = 3.4028234663852886e38
_MOST_FLOAT64 = 1.7976931348623157e308
_RANGES: dict[NumberType, tuple[float, float]] = {
    "int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1),
    "float32": (-_MOST_FLOAT32, _MOST_FLOAT32), "float64": (-_MOST_FLOAT64, _MOST_FLOAT64),
}  # fmt: skip
_MOST_EXPONENT = 10  # SunSpec's scale factors lie between -10 and 10


def number(register: Register, words: Sequence[int]) -> float | int:
    """The raw number in ``words``, exactly as many as its type has. Floats may be NaN or inf."""
    raw: float | int = struct.unpack(_FORMATS[register.type], _octets(register, words))[0]
    return raw


def _octets(register: Register, words: Sequence[int]) -> bytes:
    ordered = words if register.word_order == "big" else words[::-1]
    return struct.pack(f">{len(ordered)}H", *ordered)


def power_of_ten(word: int | None) -> int | None:
    """The exponent in a word; None where the device does not know it (0x8000) or it is absurd."""
    if word is None:
        return None
    signed = word - 0x10000 if word & 0x8000 else word
    return signed if abs(signed) <= _MOST_EXPONENT else None


def decode(point: ModbusPoint, words: Sequence[int], exponent: int | None = None) -> Judged:
    """The value in the sensor's unit and its quality; ``exponent`` is the word of that register.

    Never raises: what cannot be read is missing.
    """
    if len(words) != WORDS[point.type]:
        return MISSING
    raw = number(point, words)
    bits = int.from_bytes(_octets(point, words), "big")
    if raw in point.missing or bits in point.missing:
        return MISSING
    if point.exponent is not None:
        power = power_of_ten(exponent)
        if power is None:
            return MISSING
        raw = raw * 10.0**power if power >= 0 else raw / 10.0**-power
    return judge(point, raw)


def encode(register: Register, value: float, exponent: int | None = None) -> tuple[int, ...]:
    """The words for a number: rounded and clipped to what the type holds, never wrapped.

    ``exponent`` is the power of ten the number is divided by. Raises ``ValueError`` for NaN and
    infinities.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    if exponent:
        value = value / 10.0**exponent
    low, high = _RANGES[register.type]
    clipped = min(max(value, low), high)
    if register.type not in ("float32", "float64"):
        clipped = min(max(round(clipped), low), high)
    octets = struct.pack(_FORMATS[register.type], clipped)
    words = struct.unpack(f">{len(octets) // 2}H", octets)
    return words if register.word_order == "big" else words[::-1]
