"""What several tests of the demo need."""

import asyncio
import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import settings

from flexedge.demo.modbus_server import ModbusServer
from flexedge.demo.registers import Bank

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")
Talk = Callable[[Bank, Sequence[bytes]], list[bytes]]
_HEAD = struct.Struct(">HHHB")


async def _talk(bank: Bank, requests: Sequence[bytes]) -> list[bytes]:
    server = ModbusServer(bank)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answers = []
    for number, request in enumerate(requests):
        writer.write(_HEAD.pack(number, 0, len(request) + 1, bank.unit) + request)
        transaction, protocol, length, unit = _HEAD.unpack(await reader.readexactly(7))
        assert (transaction, protocol, unit) == (number, 0, bank.unit)
        answers.append(await reader.readexactly(length - 1))
    writer.close()
    await writer.wait_closed()
    await server.stop()
    return answers


@pytest.fixture
def talk() -> Talk:
    """Serve a bank on a real socket, send requests (function and data), give the answers."""
    return lambda bank, requests: asyncio.run(_talk(bank, requests))
