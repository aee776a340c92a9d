import struct
from collections.abc import Callable, Sequence

import pytest

from flexedge.demo.registers import Bank
from flexedge.demo.solar import PEAK_KW, Inverter
from flexedge.demo.sunspec import BASE, bank

Talk = Callable[[Bank, Sequence[bytes]], list[bytes]]


def _read(address: int, count: int) -> bytes:
    return struct.pack(">BHH", 3, address, count)


def _words(answer: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{(len(answer) - 2) // 2}H", answer[2:])


def _running() -> Inverter:
    inverter = Inverter()
    for second in range(3600):
        inverter.step(float(second), 1.0, 0.5, 10.0)
    return inverter


def test_the_chain_of_models(talk: Talk) -> None:
    served = bank(_running(), lambda: 0.0)
    (marker,) = talk(served, [_read(BASE, 2)])
    assert marker[2:] == b"SunS"
    at, chain = BASE + 2, []
    while True:
        model, length = _words(talk(served, [_read(at, 2)])[0])
        if model == 0xFFFF:
            break
        chain.append((model, length))
        at += 2 + length
    assert chain == [(1, 66), (103, 50), (120, 26), (123, 24)]
    assert talk(served, [_read(at + 2, 1)]) == [b"\x83\x02"]


def test_measured_values(talk: Talk) -> None:
    inverter = _running()
    inverter_block, nameplate = talk(
        bank(inverter, lambda: 0.0), [_read(40070, 52), _read(40122, 28)]
    )
    model = _words(inverter_block)
    assert model[14] == round(-inverter.power_kw * 1000)
    assert model[15] == 0
    assert (model[24] << 16) + model[25] == int(inverter.energy_wh)
    assert (model[16], model[17]) == (5000, 0xFFFE)
    assert model[38] == 4  # MPPT
    amps = model[2] * 0.01
    assert amps * 230 == pytest.approx(model[14], rel=0.01)
    rating = _words(nameplate)
    assert rating[3] * 10 ** rating[4] == PEAK_KW * 1000
    assert model[34] == 0x8000  # no sensor there


def test_the_limit(talk: Talk) -> None:
    inverter = _running()
    answers = talk(
        bank(inverter, lambda: 7.0),
        [
            struct.pack(">BHH", 6, 40155, 2500),
            struct.pack(">BHH", 6, 40157, 60),
            struct.pack(">BHH", 6, 40159, 1),
            _read(40150, 26),
            struct.pack(">BHH", 6, 40155, 10001),
            struct.pack(">BHH", 6, 40159, 2),
            struct.pack(">BHH", 6, 40084, 1),
        ],
    )
    controls = _words(answers[3])
    assert (controls[5], controls[7], controls[9], controls[23]) == (2500, 60, 1, 0xFFFE)
    assert answers[4:] == [b"\x86\x03", b"\x86\x03", b"\x86\x02"]
    assert (inverter.limit_share, inverter.revert_s, inverter.limited) == (0.25, 60, True)
    inverter.step(8.0, 1.0, 0.9, 10.0)
    assert inverter.power_kw == -PEAK_KW / 4
    inverter.step(68.0, 1.0, 0.9, 10.0)
    assert not inverter.limited


def test_states(talk: Talk) -> None:
    inverter = Inverter()
    assert _words(talk(bank(inverter, lambda: 0.0), [_read(40108, 1)])[0]) == (1,)  # off
    inverter.limited, inverter.limit_share = True, 0.1
    inverter.step(0.0, 1.0, 0.9, 10.0)
    assert _words(talk(bank(inverter, lambda: 0.0), [_read(40108, 1)])[0]) == (5,)  # throttled
