import asyncio
import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.demo.modbus_server import ModbusServer
from flexedge.demo.registers import READ_HOLDING, Bank, Field

Talk = Callable[[Bank, Sequence[bytes]], list[bytes]]
_READ = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, 2)
_ANSWER = struct.pack(">HHHBBBHH", 1, 0, 7, 1, 3, 4, 5, 0)


def _bank() -> Bank:
    cell = [5]

    def write(raw: int, _peer: str) -> None:
        cell[0] = raw

    return Bank(1, {READ_HOLDING: {0: Field("uint16", lambda: cell[0], write)}}, [(0, 200)])


def test_reads_writes_and_exceptions(talk: Talk) -> None:
    answers = talk(
        _bank(),
        [
            struct.pack(">BHH", 6, 0, 77),
            struct.pack(">BHH", 3, 0, 1),
            struct.pack(">BHHBH", 16, 0, 1, 2, 88),
            struct.pack(">BHH", 3, 0, 1),
            struct.pack(">BHH", 4, 0, 1),
            struct.pack(">BHH", 43, 0, 1),
            struct.pack(">BHH", 3, 199, 2),
            struct.pack(">BHH", 3, 0, 126),
            struct.pack(">BHH", 3, 0, 0),
            struct.pack(">BHHBH", 16, 0, 2, 2, 88),
            b"\x03\x00",
            b"\x06\x00",
            b"\x10",
        ],
    )
    assert answers == [
        struct.pack(">BHH", 6, 0, 77),
        b"\x03\x02\x00\x4d",
        struct.pack(">BHH", 16, 0, 1),
        b"\x03\x02\x00\x58",
        b"\x84\x01",
        b"\xab\x01",
        b"\x83\x02",
        b"\x83\x03",
        b"\x83\x03",
        b"\x90\x03",
        b"\x83\x03",
        b"\x86\x03",
        b"\x90\x03",
    ]


async def _sent(*pieces: bytes) -> bytes:
    """What a client gets that sends pieces and then ends its side."""
    server = ModbusServer(_bank())
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0)
    if writer.can_write_eof():
        writer.write_eof()
    try:
        got = await reader.read()
    except ConnectionError:
        got = b""
    writer.close()
    await server.stop()
    return got


def test_another_unit_gets_no_data() -> None:
    assert asyncio.run(_sent(_READ[:6] + b"\x09" + _READ[7:])).endswith(b"\x09\x83\x0b")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 24))
def test_frames_may_come_in_pieces_and_together(cut: int) -> None:
    data = _READ + _READ
    assert asyncio.run(_sent(data[:cut], data[cut:])) == _ANSWER * 2


@pytest.mark.parametrize("frame", [b"\0\1\0\7\0\6\1\3\0\0\0\1", b"\0\1\0\0\xff\xff\1\3", b"\0" * 9])
def test_what_cannot_be_framed_ends_the_connection(frame: bytes) -> None:
    assert asyncio.run(_sent(frame + _READ)) == b""


async def _through_faults() -> None:
    gone: list[str] = []
    server = ModbusServer(_bank())
    server.bank.hang_up = gone.append
    await server.start()
    port = server.port
    one_reader, one = await asyncio.open_connection("127.0.0.1", port)
    two_reader, two = await asyncio.open_connection("127.0.0.1", port)
    for reader, writer in ((one_reader, one), (two_reader, two)):
        writer.write(_READ)
        assert await reader.readexactly(len(_ANSWER)) == _ANSWER
    server.silent = True
    one.write(_READ)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one_reader.read(1), 0.05)
    await server.stop()
    await server.stop()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await two_reader.readexactly(1)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    one.close()
    two.close()
    server.silent = False
    await server.start()
    await server.start()
    assert server.port == port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_READ)
    assert await reader.readexactly(len(_ANSWER)) == _ANSWER
    writer.close()
    await server.stop()
    assert len(gone) == 3


def test_it_can_fall_silent_stop_and_come_back() -> None:
    asyncio.run(_through_faults())
