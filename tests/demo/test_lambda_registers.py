import struct
from collections.abc import Callable, Sequence

from flexedge.demo.heating import HeatPump
from flexedge.demo.lambda_registers import bank
from flexedge.demo.registers import Bank

Talk = Callable[[Bank, Sequence[bytes]], list[bytes]]


def _read(address: int) -> bytes:
    return struct.pack(">BHH", 3, address, 1)


def _write(watts: int) -> bytes:
    return struct.pack(">BHHBh", 16, 102, 1, 2, watts)


def test_every_register(talk: Talk) -> None:
    pump = HeatPump(44.04)
    pump.tell(1500, 0.0, "me")
    for second in range(10):
        pump.step(float(second), 1.0, -3.26, 2.0)
    answers = talk(
        bank(pump, lambda: 9.0),
        [*map(_read, (2, 1004, 1012, 1013, 3002, 102)), struct.pack(">BHH", 6, 102, 5)],
    )
    values = [struct.unpack(">h", answer[2:])[0] for answer in answers[:6]]
    assert values == [-33, round((pump.buffer_c + 4) * 100), 1500, round(pump.cop * 100), 440, 1500]
    assert answers[6] == b"\x86\x01"  # function 16 only


def test_surplus_is_written_renewed_and_taken_back(talk: Talk) -> None:
    pump = HeatPump(45.0)
    talk(bank(pump, lambda: 9.0), [_write(2000)])
    assert (pump.surplus_w, pump.written_at) == (2000, 9.0)
    talk(bank(pump, lambda: 10.0), [_write(2000), _write(-0x8000)])
    assert pump.surplus_w is None


def test_who_asks_for_nothing_and_hangs_up_holds_nothing(talk: Talk) -> None:
    pump = HeatPump(45.0)
    talk(bank(pump, lambda: 9.0), [_write(0)])
    assert pump.surplus_w is None
