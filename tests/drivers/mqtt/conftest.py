"""Real brokers: amqtt, and mosquitto for the tests that are marked so."""

import asyncio
import contextlib
import secrets
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import pytest

from flexedge.drivers.mqtt.broker import Broker


class Background:
    """An event loop in a thread, for brokers to live in."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(1)
        self._pool.submit(self._loop.run_forever)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._pool.shutdown()
        self._loop.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


class Cable:
    """The way to a broker, which can be cut and mended: a proxy on a port of its own."""

    def __init__(self, background: Background, broker: tuple[str, int]) -> None:
        self._background = background
        self._broker = broker
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.port = _free_port()

    async def _connected(self, near: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        far, questions = await asyncio.open_connection(*self._broker)
        self._writers += [answers, questions]
        await asyncio.gather(self._carry(near, questions), self._carry(far, answers))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while octets := await source.read(4096):
                sink.write(octets)
        sink.close()

    async def _mend(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def mend(self) -> None:
        self._background.run(self._mend())

    def cut(self) -> None:
        self._background.run(self._cut())


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


# amqtt does not close all it opened when it is shut down, so it lives in a process of its own.
AMQTT = """
import asyncio, sys
from amqtt.broker import Broker

async def serve():
    listener = {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}}
    await Broker({"listeners": {"default": listener}, "plugins": plugins}).start()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""


MOSQUITTO = "/usr/sbin/mosquitto"
MOSQUITTO_SETTINGS = """
listener {port} 127.0.0.1
allow_anonymous true
persistence false
"""


@contextlib.contextmanager
def _amqtt(port: int, _folder: Path) -> Iterator[None]:
    command = [sys.executable, "-c", AMQTT, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
        process.kill()


@contextlib.contextmanager
def _mosquitto(port: int, folder: Path) -> Iterator[None]:
    settings = folder / "mosquitto.conf"
    settings.write_text(MOSQUITTO_SETTINGS.format(port=port))
    pause = threading.Event()
    with (folder / "log").open("wb") as log:  # a pipe nobody reads would fill up and stop it
        command = [MOSQUITTO, "-c", str(settings)]
        with subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                while not _listens(port):
                    assert process.poll() is None, (folder / "log").read_text()
                    pause.wait(0.01)
                yield
            finally:
                process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


BROKERS = {"amqtt": _amqtt, "mosquitto": _mosquitto}


@pytest.fixture(
    scope="session", params=["amqtt", pytest.param("mosquitto", marks=pytest.mark.mosquitto)]
)
def address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """A broker: amqtt, and once more mosquitto for whoever asks for what is marked so."""
    port = _free_port()
    with BROKERS[request.param](port, tmp_path_factory.mktemp("broker")):
        yield "127.0.0.1", port


@pytest.fixture
def cable(background: Background, address: tuple[str, int]) -> Iterator[Cable]:
    cable = Cable(background, address)
    cable.mend()
    yield cable
    cable.cut()


@pytest.fixture
def broker(address: tuple[str, int]) -> Iterator[Broker]:
    broker = Broker("home", *address)
    yield broker
    broker.close()


@pytest.fixture
def topic() -> str:
    """A topic nobody has used before."""
    return f"test/{secrets.token_hex(6)}"


class Sender(Protocol):
    def __call__(self, topic: str, payload: bytes, /, *, retain: bool = False) -> None: ...


def _packet(kind: int, body: bytes) -> bytes:
    length, octets = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        octets += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([kind]) + octets + body


def _text(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


@pytest.fixture
def device_sends(address: tuple[str, int]) -> Iterator[Sender]:
    """A device that publishes with bare sockets: whatever bytes, acknowledged by the broker."""
    with socket.create_connection(address, timeout=5) as connection:
        name = _text(b"device-" + secrets.token_hex(4).encode())
        connection.sendall(_packet(0x10, _text(b"MQTT") + b"\x04\x02\x00\x3c" + name))
        assert connection.recv(4) == b"\x20\x02\x00\x00"

        def send(topic: str, payload: bytes, *, retain: bool = False) -> None:
            body = _text(topic.encode()) + b"\x00\x01" + payload
            connection.sendall(_packet(0x33 if retain else 0x32, body))
            assert connection.recv(4) == b"\x40\x02\x00\x01"

        yield send


Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def until() -> Wait:
    """Wait until something is true, for at most ten seconds."""
    pause = threading.Event()

    def wait(happened: Callable[[], bool]) -> None:
        for _ in range(1000):
            if happened():
                return
            pause.wait(0.01)
        raise AssertionError("it never happened")

    return wait


Ready = Callable[[Broker], None]


@pytest.fixture
def subscribed(until: Wait) -> Ready:
    """Wait until all that a broker listens to has been subscribed: a message came around."""

    def wait(broker: Broker) -> None:
        probe = f"test/{secrets.token_hex(6)}"
        broker.listen(probe)
        until(lambda: broker.connected)

        def came_around() -> bool:
            broker.publish(probe, b"")
            return broker.newest(probe) is not None

        until(came_around)

    return wait
