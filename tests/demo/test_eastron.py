import struct
from collections.abc import Callable, Sequence

import pytest

from flexedge.demo.eastron import bank
from flexedge.demo.home import Home
from flexedge.demo.outside import Conditions
from flexedge.demo.registers import Bank

Talk = Callable[[Bank, Sequence[bytes]], list[bytes]]


def test_every_register(talk: Talk) -> None:
    home = Home()
    for second in range(30):
        home.step(float(second), 1.0, Conditions(8.0, 0.1, 4.0, 2.0, 0.2, None))
    requests = [struct.pack(">BHH", 4, 0, 18), struct.pack(">BHH", 4, 52, 24)]
    first, second_block = talk(bank(home), [*requests, struct.pack(">BHH", 3, 0, 2)])[:2]
    volts = struct.unpack_from(">3f", first, 2)
    amps = struct.unpack_from(">3f", first, 2 + 12)
    watts = struct.unpack_from(">3f", first, 2 + 24)
    assert sum(watts) == pytest.approx(home.grid_kw * 1000, rel=1e-5)
    assert all(200 < volt < 240 for volt in volts)
    for volt, amp, watt in zip(volts, amps, watts, strict=True):
        assert volt * amp == pytest.approx(abs(watt), rel=1e-5)
    total, hertz, imported, exported = (
        struct.unpack_from(">f", second_block, 2 + 2 * (address - 52))[0]
        for address in (52, 70, 72, 74)
    )
    assert total == pytest.approx(home.grid_kw * 1000, rel=1e-5)
    assert hertz == 50
    assert imported == pytest.approx(home.import_kwh, rel=1e-5)
    assert exported == pytest.approx(home.export_kwh)
    assert imported > 0
