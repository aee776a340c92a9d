import asyncio
import contextlib
import math
import struct

import pytest

from flexedge.demo.simulation import Simulation
from flexedge.demo.timekeeper import Timekeeper, pause, wall_now

_START = 1776117600.0
_FAST = 1e9


class Gateway:
    """The other end of the clock, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, keeper: Timekeeper) -> tuple["Gateway", float, float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", keeper.port)
        now, speed = struct.unpack("<dd", await reader.readexactly(16))
        return cls(reader, writer), now, speed

    def say(self, until: float) -> None:
        self._writer.write(struct.pack("<d", until))

    async def idle(self, until: float) -> float:
        self.say(until)
        now: float = struct.unpack("<d", await self._reader.readexactly(8))[0]
        return now

    async def answered(self) -> bool:
        try:
            await asyncio.wait_for(self._reader.readexactly(8), 0.1)
        except TimeoutError:
            return False
        return True

    async def leave(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


def _keeper(
    *, speed: float = _FAST, end: float = math.inf, hold: bool = True
) -> tuple[Timekeeper, list[str]]:
    ends: list[str] = []
    simulation = Simulation(1, _START, end)
    return Timekeeper(simulation, speed, lambda: ends.append("end"), hold=hold), ends


def test_lockstep_never_skips_and_never_passes_the_target() -> None:
    async def scene() -> None:
        keeper, _ = _keeper()
        await keeper.start()
        steps: list[float] = []
        keeper.simulation.after_step.append(steps.append)
        gateway, now, speed = await Gateway.connect(keeper)
        assert (now, speed) == (_START, _FAST)
        for until in (_START + 1, _START + 1.25, _START + 61.25):
            assert await gateway.idle(until) == until
            assert keeper.simulation.now == until
        assert len(steps) == 62
        assert await gateway.idle(_START) == _START + 61.25  # the past is now
        assert await gateway.idle(math.inf) == _START + 62.25
        await keeper.stop()
        await gateway.leave()

    asyncio.run(scene())


def test_while_the_gateway_is_silent_time_stands() -> None:
    async def scene() -> None:
        keeper, _ = _keeper()
        await keeper.start()
        await pause(0.05)
        assert keeper.simulation.now == _START  # held until the first gateway
        gateway, *_ = await Gateway.connect(keeper)
        await gateway.idle(_START + 5)
        await pause(0.05)
        assert keeper.simulation.now == _START + 5
        await keeper.stop()
        await gateway.leave()

    asyncio.run(scene())


@pytest.mark.parametrize("hold", [True, False])
def test_alone_the_site_runs_on(*, hold: bool) -> None:
    async def scene() -> None:
        keeper, _ = _keeper(speed=1000.0, hold=hold)
        await keeper.start()
        if hold:
            gateway, *_ = await Gateway.connect(keeper)
            await gateway.idle(_START + 1)
            await gateway.leave()
        async with asyncio.timeout(5):
            while keeper.simulation.now < _START + 61:
                await pause(0.005)
        await keeper.stop()
        stopped = keeper.simulation.now
        await pause(0.05)
        assert keeper.simulation.now == stopped

    asyncio.run(scene())


def test_it_is_not_faster_than_asked() -> None:
    async def scene() -> None:
        keeper, _ = _keeper(speed=200.0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await keeper.start()
        gateway, *_ = await Gateway.connect(keeper)
        for second in range(20):
            await gateway.idle(_START + second + 1)
        assert loop.time() - began >= 0.09  # 20 s at 200 times, less the 5 ms that are let pass
        await keeper.stop()
        await gateway.leave()

    asyncio.run(scene())


def test_a_new_gateway_takes_the_place_of_the_old() -> None:
    async def scene() -> None:
        keeper, _ = _keeper()
        await keeper.start()
        old, *_ = await Gateway.connect(keeper)
        await old.idle(_START + 3)
        new, now, _ = await Gateway.connect(keeper)
        assert now == _START + 3
        assert await new.idle(_START + 4) == _START + 4
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await old.idle(_START + 9)
        assert keeper.simulation.now == _START + 4
        await old.leave()
        await keeper.stop()
        await new.leave()

    asyncio.run(scene())


def test_at_the_end_nobody_is_answered() -> None:
    async def scene() -> None:
        keeper, ends = _keeper(end=_START + 10)
        await keeper.start()
        gateway, *_ = await Gateway.connect(keeper)
        assert await gateway.idle(_START + 9) == _START + 9
        gateway.say(_START + 11)
        assert not await gateway.answered()
        assert keeper.simulation.now == _START + 10
        await gateway.leave()
        await pause(0.05)
        assert keeper.simulation.now == _START + 10
        assert ends == ["end"]
        await keeper.stop()

    asyncio.run(scene())


def test_at_speed_1_the_wall_is_the_clock() -> None:
    async def scene() -> None:
        begin = wall_now()
        ends: list[str] = []
        keeper = Timekeeper(Simulation(1, begin, begin + 0.1), 1.0, lambda: ends.append("end"))
        await keeper.start()
        assert keeper.port is None
        async with asyncio.timeout(5):
            while not ends:
                await pause(0.02)
        assert keeper.simulation.now == begin + 0.1
        assert keeper.wall_s > 0
        await keeper.stop()

    asyncio.run(scene())
