"""A small Modbus TCP server: functions 3, 4, 6 and 16, many clients, one device."""

import asyncio
import struct

from flexedge.demo.registers import (
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MANY,
    WRITE_ONE,
    Bank,
    Refusal,
)

_MBAP = struct.Struct(">HHHB")
_TWO = struct.Struct(">HH")
_MOST_READ, _MOST_WRITTEN = 125, 123
_SHORTEST, _LONGEST = 2, 254
"""What the length field of a frame may say."""
_NO_SUCH_UNIT = 11
_WRITE_ONE_SIZE = 5
_WRITE_MANY_HEAD = 6


class ModbusServer:
    """One device on one port of the loopback. May be stopped, started again, and struck dumb."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.port = 0
        """Chosen at the first start and kept."""
        self.silent = False
        """Accepts connections and reads, but never answers."""
        self.connections: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; does nothing if it does already."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for transport in tuple(self.connections):
            transport.abort()
        await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, server: ModbusServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            host, port = transport.get_extra_info("peername")[:2]
            self._peer = f"{host}:{port}"
            self._server.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's protocol)
        if self._transport is not None:
            self._server.connections.discard(self._transport)
        if self._server.bank.hang_up is not None:
            self._server.bank.hang_up(self._peer)

    def data_received(self, data: bytes) -> None:
        if self._server.silent or self._transport is None:
            return
        data = self._rest + data
        at = 0
        while len(data) - at >= _MBAP.size:
            transaction, protocol, length, unit = _MBAP.unpack_from(data, at)
            if protocol or not _SHORTEST <= length <= _LONGEST:
                self._transport.abort()  # what follows cannot be framed
                return
            end = at + 6 + length
            if end > len(data):
                break
            answer = self._answer(unit, data[at + _MBAP.size : end])
            self._transport.write(_MBAP.pack(transaction, 0, len(answer) + 1, unit) + answer)
            at = end
        self._rest = data[at:]

    def _answer(self, unit: int, request: bytes) -> bytes:
        try:
            return self._done(unit, request)
        except Refusal as refusal:
            return bytes((request[0] | 0x80, refusal.code))

    def _done(self, unit: int, request: bytes) -> bytes:
        function, bank = request[0], self._server.bank
        if unit != bank.unit:
            raise Refusal(_NO_SUCH_UNIT)
        if function in (READ_HOLDING, READ_INPUT):
            return _read(bank, request)
        if function == WRITE_ONE:
            return self._write_one(bank, request)
        if function == WRITE_MANY:
            return self._write_many(bank, request)
        raise Refusal(ILLEGAL_FUNCTION)

    def _write_one(self, bank: Bank, request: bytes) -> bytes:
        if len(request) != _WRITE_ONE_SIZE:
            raise Refusal(ILLEGAL_VALUE)
        address = int.from_bytes(request[1:3], "big")
        bank.write(WRITE_ONE, address, request[3:5], self._peer)
        return request

    def _write_many(self, bank: Bank, request: bytes) -> bytes:
        if len(request) < _WRITE_MANY_HEAD:
            raise Refusal(ILLEGAL_VALUE)
        address, count = _TWO.unpack_from(request, 1)
        size, content = request[5], request[_WRITE_MANY_HEAD:]
        if not 1 <= count <= _MOST_WRITTEN or size != count * 2 or len(content) != size:
            raise Refusal(ILLEGAL_VALUE)
        bank.write(WRITE_MANY, address, content, self._peer)
        return request[:5]


def _read(bank: Bank, request: bytes) -> bytes:
    if len(request) != _WRITE_ONE_SIZE:
        raise Refusal(ILLEGAL_VALUE)
    address, count = _TWO.unpack_from(request, 1)
    if not 1 <= count <= _MOST_READ:
        raise Refusal(ILLEGAL_VALUE)
    content = bank.read(request[0], address, count)
    return bytes((request[0], len(content))) + content
