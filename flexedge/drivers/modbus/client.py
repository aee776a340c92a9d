"""The door to pymodbus: Modbus TCP requests whose answers are checked, with our own exceptions.

pymodbus accepts answers with another function code or another number of registers than were
asked for; both are checked here. A connection on which anything went wrong is closed, so that a
late answer can never be taken for that to the next question. pymodbus also logs what goes wrong;
as all of it is raised here, its log is switched off.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.logging import Log
from pymodbus.pdu import ModbusPDU

from flexedge.errors import DeviceGarbled, DeviceRefused, DeviceUnreachable

Log.setLevel(1000)  # type: ignore[no-untyped-call] # above all levels

_ILLEGAL_ADDRESS = 2
_BEHIND_GATEWAY = (10, 11)
_EXCEPTIONS = {
    1: "does not know this function",
    2: "has no register at this address",
    3: "does not accept this number",
    4: "failed while doing it",
    5: "needs longer to do it",
    6: "is busy",
    7: "cannot do it",
    8: "found an error in its memory",
    10: "gateway has no path to it",
    11: "gateway got no answer from it",
}
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}  # seconds, seconds, times
_READ_FUNCTIONS = {"holding": 3, "input": 4}
_WRITE_ONE, _WRITE_MANY = 6, 16  # functions


class IllegalAddress(DeviceRefused):
    """The device has no register there (exception 2)."""


class Wire:
    """One TCP connection to ``host:port``, shared by all units behind it; connects when used.

    Used from the thread of one line only, so requests never overlap. ``gap_s`` of silence is kept
    between the requests of one operation; between operations the line keeps it.
    """

    def __init__(self, host: str, port: int, timeout_s: float, gap_s: float = 0.0) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._gap_s = gap_s
        self._client: ModbusTcpClient | None = None
        self._quiet = threading.Event()  # never set: waiting for it is how silence is kept
        self._rested = True
        self.connections = 0
        """How often it was connected; tells whoever left something behind on a connection."""

    def connect(self, device: str) -> int:
        """Begin an operation: connect where needed; the number of the connection, from 1."""
        self._rested = True
        if self._client is not None:
            return self.connections
        client = ModbusTcpClient(self._host, port=self._port, timeout=self._timeout_s, retries=0)
        try:
            connected = client.connect()  # type: ignore[no-untyped-call] # pymodbus leaves it out
        except (OSError, ValueError) as error:  # a host name that cannot even be one
            raise DeviceUnreachable(device, f"{self._host}: {error}") from error
        if not connected or client.socket is None:
            raise DeviceUnreachable(device, f"no connection to {self._host}:{self._port}")
        _tune(client.socket)
        self._client = client
        self.connections += 1
        return self.connections

    def ask(self, device: str, question: Callable[[ModbusTcpClient], ModbusPDU]) -> ModbusPDU:
        """One request and its answer, which may be an exception response."""
        if self._client is None:
            self.connect(device)
        if self._client is None:  # pragma: no cover - connect raises instead
            raise DeviceUnreachable(device, "not connected")
        if not self._rested and self._gap_s > 0:
            self._quiet.wait(self._gap_s)
        self._rested = False
        try:
            return question(self._client)
        except ConnectionException as error:
            self.close()
            raise DeviceUnreachable(device, "the connection was lost") from error
        except ModbusException as error:
            self.close()
            if "No response" in str(error):
                raise DeviceUnreachable(
                    device, f"no answer within {self._timeout_s:g} s"
                ) from error
            raise DeviceGarbled(device, f"an answer that is none: {error}") from error
        except OSError as error:
            self.close()
            raise DeviceUnreachable(device, f"the connection was lost: {error}") from error

    def close(self) -> None:
        """Close the connection; the next use opens a new one."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call] # as above
            self._client = None


class ModbusClient:
    """One unit (Modbus device number) on a wire; all errors name ``device``."""

    def __init__(self, device: str, wire: Wire, unit: int) -> None:
        self._device = device
        self._wire = wire
        self._unit = unit

    def connect(self) -> int:
        """Begin an operation: connect where needed; the number of the connection, from 1.

        Raises ``DeviceUnreachable``.
        """
        return self._wire.connect(self._device)

    def read(self, table: str, address: int, count: int) -> tuple[int, ...]:
        """``count`` registers of a table ("holding" or "input") from ``address`` on.

        Raises ``IllegalAddress`` or another ``DeviceRefused``, ``DeviceUnreachable`` or
        ``DeviceGarbled``.
        """
        function = _READ_FUNCTIONS[table]
        what = f"reading {count} {table} registers at {address}"

        def question(client: ModbusTcpClient) -> ModbusPDU:
            if table == "holding":
                return client.read_holding_registers(address, count=count, device_id=self._unit)
            return client.read_input_registers(address, count=count, device_id=self._unit)

        answer = self._ask(what, function, question)
        registers = tuple(answer.registers)
        if len(registers) != count:
            self._garbled(f"{what}: {len(registers)} came back")
        return registers

    def write(self, address: int, words: Sequence[int], function: int) -> None:
        """Write holding registers with function 6 (one word) or 16. Raises as ``read`` does."""
        what = f"writing {len(words)} registers at {address}"

        def question(client: ModbusTcpClient) -> ModbusPDU:
            if function == _WRITE_ONE:
                return client.write_register(address, words[0], device_id=self._unit)
            return client.write_registers(address, list(words), device_id=self._unit)

        answer = self._ask(what, function, question)
        confirmed = {
            _WRITE_ONE: list(answer.registers) == list(words),
            _WRITE_MANY: answer.count == len(words),
        }
        if answer.address != address or not confirmed[function]:
            self._garbled(f"{what}: the device confirmed something else")

    def close(self) -> None:
        """Close the connection, also for the other units on it; the next use opens a new one."""
        self._wire.close()

    def _ask(
        self, what: str, function: int, question: Callable[[ModbusTcpClient], ModbusPDU]
    ) -> ModbusPDU:
        answer = self._wire.ask(self._device, question)
        if answer.function_code == function:
            return answer
        if answer.function_code != function | 0x80:
            self._garbled(f"{what}: the answer is to function {answer.function_code}")
        code = answer.exception_code
        words = f"{what}: the device {_EXCEPTIONS.get(code, 'refused')} (exception {code})"
        if code == _ILLEGAL_ADDRESS:
            raise IllegalAddress(self._device, words)
        if code in _BEHIND_GATEWAY:
            raise DeviceUnreachable(self._device, words)
        raise DeviceRefused(self._device, words)

    def _garbled(self, message: str) -> None:
        self._wire.close()
        raise DeviceGarbled(self._device, message)


def _tune(connection: socket.socket) -> None:
    """Send at once, and notice within half a minute that the other end has gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        with contextlib.suppress(AttributeError, OSError):  # not every system has all of them
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
