import asyncio
import struct

import pytest

from flexedge.demo.front import Front
from flexedge.demo.simulation import Simulation

_SOC = struct.pack(">HHHBBHH", 1, 0, 6, 247, 3, 31038, 1)


async def _soc(front: Front) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.ports["battery"])
    try:
        writer.write(_SOC)
        answer = await asyncio.wait_for(reader.readexactly(11), 0.1)
    finally:
        writer.close()
    return int.from_bytes(answer[-2:], "big")


def test_devices_go_and_come_back() -> None:
    async def scene() -> None:
        front = Front(Simulation(1, 1776117600.0))
        await front.start()
        ports = front.ports
        assert set(ports) == {"battery", "solar", "meter", "heating", "broker"}
        assert len(set(ports.values())) == 5
        for fault, repair in (("stop", "start"), ("silence", "speak")):
            assert await _soc(front) == 30
            await front.act("battery", fault)
            with pytest.raises((ConnectionError, TimeoutError)):
                await _soc(front)
            await front.act("battery", repair)
        await front.act("all", "stop")
        for port in ports.values():
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
        await front.act("all", "start")
        assert await _soc(front) == 30
        assert front.ports == ports
        heard = []
        for do in ("silence", "speak"):
            await front.act("charger", do)
            heard.append(front.charger.silent)
        assert heard == [True, False]
        await front.stop()

    asyncio.run(scene())


def test_what_can_be_asked_of_what() -> None:
    async def scene() -> None:
        front = Front(Simulation(1, 1776117600.0))
        assert front.knows("broker", "stop")
        assert front.knows("all", "start")
        assert front.knows("charger", "silence")
        assert not front.knows("broker", "silence")
        assert not front.knows("toaster", "stop")
        assert not front.knows("battery", "explode")

    asyncio.run(scene())
