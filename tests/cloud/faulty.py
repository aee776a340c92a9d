"""A server on a real socket that answers as badly as it is told to."""

import json
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Self

Step = Callable[[socket.socket, Event], bool]
"""Answers one request; whether the connection is good for another one."""


@dataclass(frozen=True)
class Got:
    """A request that came in, and over which connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(status: int = 200, content: Any = None, headers: dict[str, str] | None = None) -> bytes:
    """A good HTTP answer. ``content``: bytes, or what becomes JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    told = {
        "Content-Type": "application/json", "Content-Length": str(len(body)),
        "FlexMeasures-Version": "1.0.1",
    } | (headers or {})  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value)
    return f"HTTP/1.1 {status} Told\r\n{head}\r\n".encode() + body


def says(raw: bytes, *, then_close: bool = False) -> Step:
    """Sends this."""

    def step(connection: socket.socket, _over: Event) -> bool:
        connection.sendall(raw)
        return not then_close

    return step


def resets(raw: bytes = b"") -> Step:
    """Sends this, then cuts the connection off."""

    def step(connection: socket.socket, _over: Event) -> bool:
        connection.sendall(raw)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return step


def waits(raw: bytes = b"") -> Step:
    """Sends this, then nothing any more, with the connection open."""

    def step(connection: socket.socket, over: Event) -> bool:
        connection.sendall(raw)
        over.wait(30)
        return False

    return step


def drips(raw: bytes, pause_s: float) -> Step:
    """Sends this one byte after the other."""

    def step(connection: socket.socket, over: Event) -> bool:
        for one in raw:
            if over.wait(pause_s):
                return False
            connection.sendall(bytes([one]))
        return True

    return step


@dataclass
class Faulty:
    """Listens on a free port until its context ends; the last step goes on for ever."""

    steps: Sequence[Step]
    tls: ssl.SSLContext | None = None
    got: list[Got] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._over = Event()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._pool = ThreadPoolExecutor(8)
        self._pool.submit(self._listen)
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._pool.shutdown()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._pool.submit(self._serve, connection, self.connections)

    def _serve(self, plain: socket.socket, number: int) -> None:
        self._open.add(plain)
        try:
            with plain, self._shaken(plain) as connection:
                while self._one(connection, number):
                    pass
        except OSError:
            pass
        finally:
            self._open.discard(plain)

    def _shaken(self, plain: socket.socket) -> socket.socket:
        return plain if self.tls is None else self.tls.wrap_socket(plain, server_side=True)

    def _one(self, connection: socket.socket, number: int) -> bool:
        received = b""
        while b"\r\n\r\n" not in received:
            if not (piece := connection.recv(1 << 16)):
                return False
            received += piece
            if received.startswith(b"\x16\x03"):  # TLS, to a server that speaks none
                connection.sendall(answer(400, b"plain HTTP, please"))
                return False
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(1 << 16)
        method, path, _ = first.split(" ")
        self.got.append(Got(method, path, headers, body, number))
        step = self.steps[min(len(self.got), len(self.steps)) - 1]
        return step(connection, self._over)
