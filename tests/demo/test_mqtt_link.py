import asyncio
import contextlib

from hypothesis import given
from hypothesis import strategies as st

from flexedge.demo.mqtt_link import Link, packet, split, text
from flexedge.demo.timekeeper import pause


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300))), st.integers(0, 2000))
def test_packets_come_back_however_they_are_cut(sent: list[tuple[int, bytes]], cut: int) -> None:
    data = b"".join(packet(head, body) for head, body in sent)
    first, rest = split(data[:cut])
    second, left = split(rest + data[cut:])
    assert first + second == sent
    assert left == b""


def test_long_packets_have_long_lengths() -> None:
    assert packet(0x30, b"x" * 321)[:3] == b"\x30\xc1\x02"
    assert text("MQTT") == b"\0\4MQTT"


async def _conversation() -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """What a server sees, and what the link hears of what it is sent."""
    seen: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.put_nowait(await reader.readexactly(16))
        writer.write(packet(0x20, b"\0\0"))
        seen.put_nowait(await reader.readexactly(10 + 11))
        writer.write(packet(0x30, text("a/b") + b"1") + packet(0x32, text("a/c") + b"\0\7" + b"2"))
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    heard: list[tuple[str, bytes]] = []
    done = asyncio.Event()

    def hear(topic: str, payload: bytes) -> None:
        heard.append((topic, payload))
        if len(heard) == 2:
            done.set()

    _, link = await asyncio.get_running_loop().create_connection(
        lambda: Link("me", ["a/+"], hear), *server.sockets[0].getsockname()
    )
    link.publish("lost", "not yet")
    async with asyncio.timeout(5):
        first = await seen.get()
        while not link.up:
            await pause(0)
        link.publish("x/y", "12.5")
        second = await seen.get()
        await done.wait()
    link.close()
    await gone.wait()
    await pause(0)
    assert link.lost
    server.close()
    await server.wait_closed()
    return first, second, heard


def test_it_connects_subscribes_speaks_and_listens() -> None:
    first, second, heard = asyncio.run(_conversation())
    assert first == b"\x10\x0e\0\4MQTT\4\2\0\0\0\2me"
    assert second == b"\x82\x08\0\1\0\3a/+\0" + b"\x30\x09\0\3x/y12.5"
    assert heard == [("a/b", b"1"), ("a/c", b"2")]
