import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from flexedge.drivers.modbus.client import IllegalAddress, ModbusClient, Wire
from flexedge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceUnreachable

if TYPE_CHECKING:
    from tests.drivers.modbus.conftest import Asked, Fault, Slave


@pytest.fixture
def pymodbus_server() -> Iterator[int]:
    """A server written by others, with registers 0 to 9 holding 100 to 109."""

    async def serve() -> tuple[ModbusTcpServer, int]:
        device = SimDevice(
            id=1, simdata=[SimData(0, values=list(range(100, 110)), datatype=DataType.REGISTERS)]
        )
        server = ModbusTcpServer([device], address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        listening: Any = server.transport
        return server, listening.sockets[0].getsockname()[1]

    async def shutdown(server: Any) -> None:
        await server.shutdown()

    loop = asyncio.new_event_loop()
    server, port = loop.run_until_complete(serve())
    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop.run_forever)
        yield port
        asyncio.run_coroutine_threadsafe(shutdown(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
    loop.close()


def test_reads_and_writes_a_server_written_by_others(pymodbus_server: int) -> None:
    wire = Wire("127.0.0.1", pymodbus_server, 2.0)
    client = ModbusClient("meter", wire, 1)
    assert client.read("holding", 2, 3) == (102, 103, 104)
    assert client.read("input", 9, 1) == (109,)
    client.write(4, (7,), 6)
    client.write(5, (8, 9), 16)
    assert client.read("holding", 4, 3) == (7, 8, 9)
    with pytest.raises(IllegalAddress):
        client.read("holding", 4711, 1)
    client.close()


def _other_function(asked: "Asked") -> bytes:
    return asked.frame(bytes([7 - asked.function]) + asked.answer)


def _too_short(asked: "Asked") -> bytes:
    return asked.frame(bytes([asked.function, 2, 0, 1]))


def _too_long(asked: "Asked") -> bytes:
    return asked.frame(bytes([asked.function, 6, 0, 1, 0, 2, 0, 3]))


def _empty(asked: "Asked") -> bytes:
    return asked.frame(bytes([asked.function]))


def _byte_count_beyond_the_end(asked: "Asked") -> bytes:
    return asked.frame(bytes([asked.function, 200, 0, 1]))


def _unknown_function(asked: "Asked") -> bytes:
    return asked.frame(b"\x63\x01")


def _transaction_zero(asked: "Asked") -> bytes:
    return asked.frame(transaction=0)


def _exception_to_another_function(asked: "Asked") -> bytes:
    return asked.frame(bytes([0x90, 2]))


@pytest.mark.parametrize(
    "fault",
    [
        _other_function,
        _too_short,
        _too_long,
        _empty,
        _byte_count_beyond_the_end,
        _unknown_function,
        _transaction_zero,
        _exception_to_another_function,
    ],
)
def test_an_answer_that_does_not_fit_is_garbled_and_the_next_one_is_clean(
    slave: "Slave", client: ModbusClient, fault: "Fault"
) -> None:
    slave.put("holding", 10, 1, 2)
    slave.fault = fault
    with pytest.raises(DeviceGarbled, match="battery"):
        client.read("holding", 10, 2)
    slave.fault = None
    assert client.read("holding", 10, 2) == (1, 2)
    assert [one.connection for one in slave.asked] == [1, 2]


def _silent(_asked: "Asked") -> bytes:
    return b"silence"


def _closes(_asked: "Asked") -> bytes:
    return b""


def _half(asked: "Asked") -> bytes:
    return asked.frame()[:7]


def _other_transaction(asked: "Asked") -> bytes:
    return asked.frame(transaction=asked.transaction + 1)


def _other_unit(asked: "Asked") -> bytes:
    frame = bytearray(asked.frame())
    frame[6] = 77
    return bytes(frame)


def _other_protocol(asked: "Asked") -> bytes:
    frame = bytearray(asked.frame())
    frame[2:4] = b"\xde\xad"
    return bytes(frame)


@pytest.mark.parametrize(
    "fault", [_silent, _closes, _half, _other_transaction, _other_unit, _other_protocol]
)
def test_no_answer_is_unreachable_and_the_next_one_is_clean(
    slave: "Slave", client: ModbusClient, fault: "Fault"
) -> None:
    slave.put("holding", 10, 1, 2)
    slave.fault = fault
    with pytest.raises(DeviceUnreachable, match="battery"):
        client.read("holding", 10, 2)
    assert len(slave.asked) == 1, "asked once only: whoever waits decides about retries"
    slave.fault = None
    assert client.read("holding", 10, 2) == (1, 2)


def test_a_late_answer_is_never_taken_for_the_next(slave: "Slave", client: ModbusClient) -> None:
    slave.put("holding", 10, 1, 2)
    slave.put("holding", 50, 3, 4)
    late: list[Asked] = []

    def answer_one_too_late(asked: "Asked") -> bytes | None:
        late.append(asked)
        if len(late) == 1:
            return b"silence"
        if asked.connection == late[0].connection:
            return late[-2].frame(transaction=asked.transaction)
        return None

    slave.fault = answer_one_too_late
    with pytest.raises(DeviceUnreachable, match="no answer within"):
        client.read("holding", 10, 2)
    assert client.read("holding", 50, 2) == (3, 4)


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (1, DeviceRefused, "does not know this function"),
        (2, IllegalAddress, "no register at this address"),
        (3, DeviceRefused, "does not accept this number"),
        (4, DeviceRefused, "failed"),
        (5, DeviceRefused, "needs longer"),
        (6, DeviceRefused, "busy"),
        (8, DeviceRefused, "memory"),
        (10, DeviceUnreachable, "no path"),
        (11, DeviceUnreachable, "no answer"),
        (200, DeviceRefused, "exception 200"),
    ],
)
def test_exceptions_are_told_in_words(
    slave: "Slave", client: ModbusClient, code: int, error: type[DeviceError], words: str
) -> None:
    slave.fault = lambda asked: asked.refusal(code)
    with pytest.raises(error, match=words):
        client.read("input", 10, 2)
    with pytest.raises(error, match=words):
        client.write(10, (1,), 6)
    assert slave.connections == 1, "a refusal is an answer: the connection stays"


def _echo(*words: int) -> Callable[["Asked"], bytes]:
    def fault(asked: "Asked") -> bytes:
        return asked.frame(bytes([asked.function, *b"".join(w.to_bytes(2) for w in words)]))

    return fault


@pytest.mark.parametrize(
    ("function", "fault"),
    [(6, _echo(10, 6)), (6, _echo(11, 5)), (16, _echo(10, 3)), (16, _echo(11, 1))],
)
def test_a_write_confirmed_as_something_else_is_garbled(
    slave: "Slave", client: ModbusClient, function: int, fault: "Fault"
) -> None:
    slave.fault = fault
    with pytest.raises(DeviceGarbled, match="confirmed something else"):
        client.write(10, (5,), function)


def test_nobody_there_is_unreachable_and_coming_back_is_noticed(slave: "Slave") -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        wire = Wire("127.0.0.1", free.getsockname()[1], 0.1)
        with pytest.raises(DeviceUnreachable, match="no connection"):
            ModbusClient("meter", wire, 1).read("holding", 0, 1)
    wire = Wire("127.0.0.1", slave.port, 0.1)
    assert ModbusClient("meter", wire, 1).connect() == 1
    wire.close()
    assert ModbusClient("meter", wire, 1).connect() == 2
    wire.close()


def test_what_goes_wrong_is_raised_and_not_logged(
    slave: "Slave", client: ModbusClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    for fault in (_silent, _closes, _unknown_function, _transaction_zero):
        slave.fault = fault
        with pytest.raises(DeviceError):
            client.read("holding", 0, 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = ModbusClient("battery", Wire("127.0.0.1", free.getsockname()[1], 0.5), 1)
        with pytest.raises(DeviceUnreachable):
            nobody.connect()
    assert caplog.records == []


def test_a_host_that_cannot_be_one_is_unreachable() -> None:
    with pytest.raises(DeviceUnreachable, match="meter"):
        ModbusClient("meter", Wire("a..b", 502, 0.1), 1).connect()


def test_two_units_share_a_connection(slave: "Slave", wire: Wire) -> None:
    slave.units = {1: {("holding", 0): 11}, 2: {("holding", 0): 22}}
    one, two = ModbusClient("one", wire, 1), ModbusClient("two", wire, 2)
    assert [one.read("holding", 0, 1), two.read("holding", 0, 1)] == [(11,), (22,)]
    assert slave.connections == 1


class _Pauses(threading.Event):
    """Notes how long silence was kept, instead of keeping it."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return False


def test_the_gap_is_kept_between_the_requests_of_one_operation(slave: "Slave") -> None:
    slave.put("holding", 0, 1)
    wire = Wire("127.0.0.1", slave.port, 0.15, gap_s=0.05)
    wire._quiet = pauses = _Pauses()
    client = ModbusClient("battery", wire, 1)
    for _ in range(2):
        client.connect()
        for _ in range(3):
            client.read("holding", 0, 1)
    assert pauses.seconds == [0.05] * 4
    wire.close()


def test_the_connection_sends_at_once_and_is_watched(client: ModbusClient, wire: Wire) -> None:
    client.connect()
    assert wire._client is not None
    connection = wire._client.socket
    assert connection is not None
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
