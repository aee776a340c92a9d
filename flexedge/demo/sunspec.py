"""The solar inverter's registers: SunSpec models 1, 103, 120 and 123 at 40000 (unit 1)."""

import math
from collections.abc import Callable

from flexedge.demo.registers import ILLEGAL_VALUE, READ_HOLDING, Bank, Field, Refusal, constant
from flexedge.demo.solar import PEAK_KW, Inverter

UNIT = 1
BASE = 40000
_COMMON, _INVERTER, _NAMEPLATE, _CONTROLS = 40002, 40070, 40122, 40150
_END = 40176
_LENGTHS = {_COMMON: (1, 66), _INVERTER: (103, 50), _NAMEPLATE: (120, 26), _CONTROLS: (123, 24)}
_TEXTS = ((2, 16, "Demo"), (18, 16, "Roof 8"), (34, 8, ""), (42, 8, "1.0"), (50, 16, "12345678"))
_NO_INT, _NO_UINT = -0x8000, 0xFFFF
_OFF, _MPPT, _THROTTLED = 1, 4, 5
_FULL_PCT = 100.0


def _text(first: int, words: int, text: str) -> dict[int, Field]:
    content = text.encode().ljust(words * 2, b"\0")
    return {
        first + i: constant("uint16", int.from_bytes(content[2 * i : 2 * i + 2], "big"))
        for i in range(words)
    }


def _unknown(signed: tuple[int, ...], unsigned: tuple[int, ...]) -> dict[int, Field]:
    """Values and scale factors the inverter does not have."""
    return {place: constant("int16", _NO_INT) for place in signed} | {
        place: constant("uint16", _NO_UINT) for place in unsigned
    }


def _common() -> dict[int, Field]:
    fields = _unknown((), (_COMMON + 66, _COMMON + 67))
    for offset, words, text in _TEXTS:
        fields |= _text(_COMMON + offset, words, text)
    return fields


def _measured(inverter: Inverter) -> dict[int, Field]:
    at = _INVERTER
    unknown = _unknown(
        (
            *(at + n for n in (18, 19, 20, 21, 22, 23, 28, 30, 31, 32)),
            *range(at + 33, at + 38),
        ),
        tuple(at + n for n in (7, 8, 9, 27, 29, 39)),
    )

    def watts() -> float:
        return -inverter.power_kw * 1000.0

    def centiamps() -> float:
        return watts() / 690.0 * 100.0

    def state() -> int:
        if inverter.power_kw == 0:
            return _OFF
        return _THROTTLED if inverter.throttled else _MPPT

    return unknown | {
        at + 2: Field("uint16", lambda: centiamps() * 3.0),
        **{at + n: Field("uint16", centiamps) for n in (3, 4, 5)},
        at + 6: constant("int16", -2),
        **{at + n: constant("uint16", 2300) for n in (10, 11, 12)},
        at + 13: constant("int16", -1),
        at + 14: Field("int16", watts),
        at + 15: constant("int16", 0),
        at + 16: constant("uint16", 5000),
        at + 17: constant("int16", -2),
        at + 24: Field("uint32", lambda: math.floor(inverter.energy_wh)),
        at + 26: constant("int16", 0),
        at + 38: Field("uint16", state),
    }


def _nameplate() -> dict[int, Field]:
    at = _NAMEPLATE
    unknown = _unknown(
        (*(at + n for n in (6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 20, 22, 24, 26)),),
        tuple(at + n for n in (5, 12, 19, 21, 23, 25, 27)),
    )
    return unknown | {
        at + 2: constant("uint16", 4),
        at + 3: constant("uint16", round(PEAK_KW * 100)),
        at + 4: constant("int16", 1),
    }


def _controls(inverter: Inverter, now: Callable[[], float]) -> dict[int, Field]:
    at = _CONTROLS

    def limit(number: int, peer: str) -> None:
        if number > _FULL_PCT * 100:
            raise Refusal(ILLEGAL_VALUE)
        inverter.limit_share = number / 1e4
        inverter.touch(now(), peer)

    def revert(number: int, peer: str) -> None:
        inverter.revert_s = number
        inverter.touch(now(), peer)

    def enable(number: int, peer: str) -> None:
        if number not in (0, 1):
            raise Refusal(ILLEGAL_VALUE)
        inverter.limited = bool(number)
        inverter.touch(now(), peer)

    unknown = _unknown((at + 10, at + 24, at + 25), ())
    return unknown | {
        at + 4: constant("uint16", 1),
        at + 5: Field("uint16", lambda: inverter.limit_share * 1e4, limit),
        at + 7: Field("uint16", lambda: inverter.revert_s, revert),
        at + 9: Field("uint16", lambda: inverter.limited, enable),
        at + 23: constant("int16", -2),
    }


def bank(inverter: Inverter, now: Callable[[], float]) -> Bank:
    """Registers in front of ``inverter``; ``now`` is the site's clock in unix seconds."""
    fields = _text(BASE, 2, "SunS")
    for place, (model, length) in _LENGTHS.items():
        fields |= {place: constant("uint16", model), place + 1: constant("uint16", length)}
    fields |= _common() | _measured(inverter) | _nameplate() | _controls(inverter, now)
    fields |= {_END: constant("uint16", 0xFFFF), _END + 1: constant("uint16", 0)}
    return Bank(UNIT, {READ_HOLDING: fields}, ((BASE, _END + 2 - BASE),))
