"""A Modbus TCP device made of bare sockets, which can misbehave in all the ways devices do."""

import contextlib
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from flexedge.drivers.modbus.client import ModbusClient, Wire

TABLES = {3: "holding", 4: "input"}
SILENCE = b"silence"


@dataclass
class Asked:
    """One request, and what an honest device would answer (without the function code)."""

    transaction: int
    unit: int
    function: int
    address: int
    count: int
    connection: int
    answer: bytes = b""

    def frame(self, pdu: bytes | None = None, transaction: int | None = None) -> bytes:
        body = bytes([self.function]) + self.answer if pdu is None else pdu
        tid = self.transaction if transaction is None else transaction
        return struct.pack(">HHHB", tid, 0, len(body) + 1, self.unit) + body

    def refusal(self, code: int) -> bytes:
        return self.frame(bytes([self.function | 0x80, code]))


Fault = Callable[[Asked], bytes | None]


@dataclass
class Slave:
    """``words`` by (table, address); ``units`` overrides them for single units.

    ``fault`` may replace an answer (None: answer as usual; b"": close the connection; SILENCE).
    """

    words: dict[tuple[str, int], int] = field(default_factory=dict)
    units: dict[int, dict[tuple[str, int], int]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    written: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    fault: Fault | None = None
    connections: int = 0
    hung_up: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released whenever a connection was closed from the other side."""
    port: int = 0

    def put(self, table: str, address: int, *words: int) -> None:
        self.words.update({(table, address + i): word for i, word in enumerate(words)})

    @property
    def reads(self) -> list[tuple[int, int]]:
        return [(one.address, one.count) for one in self.asked if one.function in TABLES]

    def answer(self, frame: bytes, connection: int) -> bytes:
        transaction, _, _, unit, function, address, last = struct.unpack(">HHHBBHH", frame[:12])
        one = Asked(transaction, unit, function, address, last, connection)
        self.asked.append(one)
        words = self.units.get(unit, self.words)
        refusal = None
        if function in TABLES:
            found = [words.get((TABLES[function], address + i)) for i in range(last)]
            if None in found:
                refusal = one.refusal(2)
            values = [word or 0 for word in found]
            one.answer = struct.pack(f">B{last}H", 2 * last, *values)
        else:
            values = [last] if function == 6 else list(struct.unpack(f">{last}H", frame[13:]))
            one.answer = struct.pack(">HH", address, last)
            if ("holding", address) not in words:
                refusal = one.refusal(2)
        replaced = self.fault(one) if self.fault is not None else None
        if replaced is not None:
            return replaced
        if refusal is None and function not in TABLES:
            self.written.append((address, tuple(values)))
            self.put("holding", address, *values)
        return refusal or one.frame()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextlib.contextmanager
def serving(slave: Slave) -> Iterator[Slave]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            slave.connections += 1
            connection = slave.connections
            with contextlib.suppress(OSError):
                while head := self.rfile.read(6):
                    frame = head + self.rfile.read(struct.unpack(">H", head[4:])[0])
                    answer = slave.answer(frame, connection)
                    if answer == b"":
                        return
                    if answer != SILENCE:
                        self.wfile.write(answer)
                        self.wfile.flush()
            slave.hung_up.release()

    with _Server(("127.0.0.1", slave.port), Handler) as server, ThreadPoolExecutor(1) as pool:
        slave.port = server.server_address[1]
        pool.submit(server.serve_forever, 0.01)
        try:
            yield slave
        finally:
            server.shutdown()


@pytest.fixture
def slave() -> Iterator[Slave]:
    with serving(Slave()) as running:
        yield running


@pytest.fixture
def wire(slave: Slave) -> Iterator[Wire]:
    wire = Wire("127.0.0.1", slave.port, timeout_s=0.15)
    yield wire
    wire.close()


@pytest.fixture
def client(wire: Wire) -> ModbusClient:
    return ModbusClient("battery", wire, 1)
