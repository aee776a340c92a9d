import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from flexedge.demo.broker import DemoBroker
from flexedge.demo.charger import Car, Charger
from flexedge.demo.goe import GoE, nrg
from flexedge.demo.mqtt_link import Link
from flexedge.demo.timekeeper import pause


class Bench:
    """A charger behind a real broker, and a client that hears everything it says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.charger = Charger(Car(29.0))
        self.broker = DemoBroker()
        self.front = GoE(self.charger, self.broker.port, lambda: self.now)
        self.heard: list[tuple[str, str]] = []
        self.link: Link | None = None

    def _hear(self, topic: str, payload: bytes) -> None:
        self.heard.append((topic.removeprefix("go-eCharger/123456/"), payload.decode()))

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, self.link = await loop.create_connection(
            lambda: Link("ear", ["#"], self._hear), "127.0.0.1", self.broker.port
        )
        await self.until(lambda: self.link is not None and self.link.up)
        await self._echo()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not done():
                await pause(0.001)

    async def _echo(self) -> None:
        """What was sent before this has arrived when it returns."""
        mark = ("echo", f"{len(self.heard)}")
        async with asyncio.timeout(5):
            while mark not in self.heard:
                assert self.link is not None
                self.link.publish(*mark)
                await pause(0.002)
        self.heard = [message for message in self.heard if message[0] != "echo"]

    async def live(self, seconds: int) -> list[tuple[str, str]]:
        """Live on; what was said meanwhile."""
        self.heard.clear()
        for _ in range(seconds):
            self.charger.step(self.now, 1.0, None)
            self.now += 1.0
            self.front.step(self.now)
            await self._echo()
        return self.heard

    async def command(self, key: str, value: str) -> None:
        assert self.link is not None
        self.link.publish(f"go-eCharger/123456/{key}/set", value)
        await self._echo()


@asynccontextmanager
async def _bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.broker.start()
    await bench.connect()
    await bench.front.start()
    await bench.until(lambda: bench.front.up)
    yield bench
    await bench.front.stop()
    await bench.broker.stop()


def test_it_says_everything_and_not_too_often() -> None:
    async def scene() -> None:
        async with _bench() as bench:
            said = await bench.live(35)
            keys = [key for key, _ in said]
            assert set(keys) == {"nrg", "car", "wh", "amp", "frc", "psm", "vehicle/car/soc"}
            for key in ("car", "amp", "frc", "psm", "vehicle/car/soc"):
                assert 6 <= keys.count(key) <= 9  # every 5 s
            assert keys.count("nrg") <= 22
            assert dict(said)["car"] == "2"
            assert json.loads(dict(said)["nrg"])[11] == pytest.approx(11040, abs=1)
            assert float(dict(said)["vehicle/car/soc"]) == pytest.approx(50.0, abs=0.3)

    asyncio.run(scene())


def test_it_obeys_and_falls_back() -> None:
    async def scene() -> None:
        async with _bench() as bench:
            await bench.live(3)
            await bench.command("amp", "8")
            await bench.command("frc", "2")
            said = dict(await bench.live(6))
            assert (said["amp"], said["frc"]) == ("8", "2")
            assert json.loads(said["nrg"])[11] == pytest.approx(5520, abs=30)
            await bench.command("frc", "1")
            said = dict(await bench.live(8))
            assert (said["frc"], said["car"]) == ("1", "3")
            assert json.loads(said["nrg"])[11] == pytest.approx(0, abs=10)
            for key, value in (("amp", "5"), ("amp", "17"), ("frc", "x"), ("frc", "3"), ("z", "1")):
                await bench.command(key, value)
            assert (bench.charger.amps, bench.charger.force) == (8, 1)
            await bench.live(60)
            assert bench.charger.force == 0

    asyncio.run(scene())


def test_it_comes_back_after_the_broker() -> None:
    async def scene() -> None:
        async with _bench() as bench:
            await bench.broker.stop()
            await bench.until(lambda: not bench.front.up)
            for _ in range(5):
                bench.now += 1.0
                bench.front.step(bench.now)
                await pause(0.002)
            assert not bench.front.up
            await bench.broker.start()
            await bench.connect()
            for _ in range(5):
                bench.now += 1.0
                bench.front.step(bench.now)
                await pause(0.002)
            await bench.until(lambda: bench.front.up)
            assert "car" in dict(await bench.live(6))

    asyncio.run(scene())


def test_silent_or_off_it_neither_speaks_nor_listens() -> None:
    async def scene() -> None:
        async with _bench() as bench:
            bench.front.silent = True
            await bench.command("frc", "1")
            assert await bench.live(6) == []
            assert bench.charger.force == 0
            bench.front.silent = False
            assert await bench.live(6)
            await bench.front.stop()
            await bench.command("frc", "1")
            assert await bench.live(6) == []
            await bench.front.start()
            await bench.until(lambda: bench.front.up)
            assert await bench.live(6)

    asyncio.run(scene())


def test_one_phase_shows_in_one_leg() -> None:
    charger = Charger(Car(20.0))
    charger.phase_mode = 1
    for second in range(10):
        charger.step(float(second), 1.0, None)
    array = json.loads(nrg(charger))
    assert array[7] == array[11] == pytest.approx(3680, abs=1)
    assert array[8] == array[9] == 0
    assert array[4] == pytest.approx(16, abs=0.1)
