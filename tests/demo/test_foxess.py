import struct
from collections.abc import Callable, Sequence

from flexedge.demo.battery import BACK_UP, Battery, Hybrid
from flexedge.demo.foxess import UNIT, bank
from flexedge.demo.registers import Bank

Talk = Callable[[Bank, Sequence[bytes]], list[bytes]]


def _read(address: int, count: int) -> bytes:
    return struct.pack(">BHH", 3, address, count)


def test_every_register(talk: Talk) -> None:
    hybrid = Hybrid(Battery(5.0))
    for second in range(10):
        hybrid.ct_kw = 3.0 + hybrid.battery.power_kw
        hybrid.step(float(second), 1.0)
    answers = talk(
        bank(hybrid, lambda: (-1.25, 0.5, 0.0), lambda: 50.0),
        [
            _read(31026, 3), _read(31036, 3),
            struct.pack(">BHH", 6, 41000, BACK_UP),
            struct.pack(">BHHBHHi", 16, 44000, 4, 8, 1, 60, -2500),
            _read(41000, 1), _read(44000, 4),
            struct.pack(">BHH", 6, 41000, 9), struct.pack(">BHH", 6, 44000, 2),
        ],
    )  # fmt: skip
    assert UNIT == 247
    assert struct.unpack(">3h", answers[0][2:]) == (1250, -500, 0)  # + exports
    power, _, soc = struct.unpack(">hHH", answers[1][2:])
    assert abs(power - 3000) < 5  # + discharges
    assert soc == 50
    assert struct.unpack(">H", answers[4][2:]) == (BACK_UP,)
    assert struct.unpack(">HHi", answers[5][2:]) == (1, 60, -2500)
    assert answers[6:] == [b"\x86\x03", b"\x86\x03"]
    assert hybrid.remote
    assert hybrid.written_at == 50.0
    assert hybrid.written_by is not None
