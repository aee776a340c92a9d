import asyncio

import pytest

from flexedge.demo.broker import DemoBroker
from flexedge.demo.mqtt_link import Link
from flexedge.demo.timekeeper import pause


async def _until(link: Link, heard: list[tuple[str, bytes]], count: int) -> None:
    """Let the loop run until so many messages are there."""
    async with asyncio.timeout(5):
        while len(heard) < count:
            link.publish("a/b", f"{len(heard)}")
            await pause(0.001)


async def _restarted() -> None:
    broker = DemoBroker()
    loop = asyncio.get_running_loop()
    for _ in range(2):
        await broker.start()
        await broker.start()
        heard: list[tuple[str, bytes]] = []
        _, link = await loop.create_connection(
            lambda heard=heard: Link(  # type: ignore[misc]
                "me", ["a/+"], lambda topic, payload: heard.append((topic, payload))
            ),
            "127.0.0.1",
            broker.port,
        )
        await _until(link, heard, 3)
        assert heard[0] == ("a/b", b"0")
        await broker.stop()
        await broker.stop()
        async with asyncio.timeout(5):
            while not link.lost:
                await pause(0.001)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", broker.port)


def test_messages_pass_also_after_a_restart() -> None:
    asyncio.run(_restarted())
