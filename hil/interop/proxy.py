"""A bad road to a server: what comes through it is late, cut, lost, or somebody else's answer.

One exchange for each connection. What is to go wrong is a list of faults, taken one for each
exchange; when it is used up all goes well.
"""

import select
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Literal

from hil.waiting import eventually

Kind = Literal[
    "well", "late", "cut", "torn", "lost", "mute", "drip", "half", "dated", "answer"
]  # fmt: skip
_PIECE = 1 << 16
_END = b"\r\n\r\n"
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Fault:
    """What happens to one exchange.

    late: the answer comes ``seconds`` late. cut: the connection is reset after ``n`` bytes of the
    answer. torn: the server gets but ``n`` bytes of the request, then both connections are reset.
    lost: the server does what it is asked, its answer never arrives. mute: nothing comes
    at all, the connection stays. drip: one byte of the answer each ``seconds``. half: half of the
    body, with a length that says so. dated: the answer says that it is ``seconds`` later than it
    is. answer: the server never hears of it, this comes instead.

    ``fits``: which requests it befalls; all others go well until one comes that fits.
    """

    kind: Kind = "well"
    seconds: float = 0.0
    n: int = 0
    answer: bytes = b""
    fits: Callable[[bytes], bool] = lambda _: True


def canned(status: int, body: bytes = b"", **headers: str) -> Fault:
    """Somebody else's answer. Headers are given with _ for -."""
    lines = [f"HTTP/1.1 {status} Canned", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Fault("answer", answer="\r\n".join(lines).encode() + _END + body)


WELL = Fault()


class Proxy:
    """Between a gateway and the server at ``port``, itself at ``url``."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._faults: deque[Fault] = deque()
        self._always: Fault | None = None
        self.exchanges: Counter[str] = Counter()
        """How many there were, by what happened to them."""
        self.paths: Counter[str] = Counter()
        self.sizes: dict[str, int] = {}
        """Bytes of the last answer, by the end of the path ("data")."""
        self._ending = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()  # noqa: TID251 (a piece of network)

    def next(self, faults: Iterable[Fault]) -> None:
        """What happens to the next exchanges."""
        self._faults.extend(faults)

    @contextmanager
    def always(self, fault: Fault) -> Iterator[None]:
        """The same to all exchanges for a while."""
        self._always = fault
        try:
            yield
        finally:
            self._always = None

    def used_up(self, within_s: float) -> None:
        """Wait until every fault has happened."""

        def none_left() -> None:
            assert not self._faults, f"{len(self._faults)} faults have not happened yet"

        eventually(none_left, within_s)

    def close(self) -> None:
        """Listen no more."""
        self._ending.set()
        self._listening.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listening.accept()
                serve = threading.Thread(target=self._serve, args=(peer,), daemon=True)  # noqa: TID251 (a piece of network)
                serve.start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.settimeout(_PATIENCE_S)
            request = _message(peer)
            if not request:
                return
            fault = self._always or self._next(request)
            self.exchanges[fault.kind] += 1
            self.paths[request.split(b" ", 2)[1].decode(errors="replace").partition("?")[0]] += 1
            self._do(fault, peer, request)

    def _note(self, request: bytes, answer: bytes) -> None:
        path = request.split(b" ", 2)[1].decode(errors="replace").partition("?")[0]
        self.sizes[path.rpartition("/")[2]] = len(answer)

    def _next(self, request: bytes) -> Fault:
        return self._faults.popleft() if self._faults and self._faults[0].fits(request) else WELL

    def _do(self, fault: Fault, peer: socket.socket, request: bytes) -> None:
        if fault.kind == "answer":
            peer.sendall(fault.answer)
        elif fault.kind == "mute":
            self._wait(peer, _PATIENCE_S)
        elif fault.kind == "torn":
            self._tear(request[: fault.n])
            _reset(peer)
        else:
            answer = self._forwarded(request)
            self._note(request, answer)
            self._bring(fault, peer, answer)

    def _bring(self, fault: Fault, peer: socket.socket, answer: bytes) -> None:
        if fault.kind in ("lost", "cut"):
            peer.sendall(answer[: fault.n])
            _reset(peer)
        elif fault.kind == "drip":
            for at in range(len(answer)):
                peer.sendall(answer[at : at + 1])
                if self._wait(peer, fault.seconds):
                    return
        elif fault.kind == "half":
            peer.sendall(_halved(answer))
        elif fault.kind == "dated":
            peer.sendall(_dated(answer, fault.seconds))
        elif not (fault.kind == "late" and self._wait(peer, fault.seconds)):
            peer.sendall(answer)

    def _wait(self, peer: socket.socket, seconds: float) -> bool:
        """Let time pass; whether the other side has gone meanwhile, or this ends."""
        readable, _, _ = select.select([peer], [], [], seconds)
        return bool(readable) or self._ending.is_set()

    def _forwarded(self, request: bytes) -> bytes:
        head, _, body = request.partition(_END)
        first, *rest = head.split(b"\r\n")
        unkept = (b"connection:", b"keep-alive:")
        lines = [line for line in rest if not line.lower().startswith(unkept)]
        with socket.create_connection(("127.0.0.1", self._target), _PATIENCE_S) as server:
            lines.append(b"Connection: close")
            server.sendall(b"\r\n".join([first, *lines]) + _END + body)
            pieces = []
            while piece := server.recv(_PIECE):
                pieces.append(piece)
        return b"".join(pieces)

    def _tear(self, some: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self._target), _PATIENCE_S) as server:
            server.sendall(some)
            _reset(server)


def _message(peer: socket.socket) -> bytes:
    """One whole request; nothing where the other side went without one."""
    got = b""
    while _END not in got:
        piece = peer.recv(_PIECE)
        if not piece:
            return b""
        got += piece
    head, _, body = got.partition(_END)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = peer.recv(_PIECE)
        if not piece:
            return b""
        body += piece
    return head + _END + body


def _halved(answer: bytes) -> bytes:
    """Half of the body, as if that were all."""
    head, _, body = answer.partition(_END)
    kept = body[: len(body) // 2]
    lines = [
        line for line in head.split(b"\r\n")
        if not line.lower().startswith((b"content-length:", b"transfer-encoding:"))
    ]  # fmt: skip
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(kept)]) + _END + kept


def _dated(answer: bytes, seconds: float) -> bytes:
    """With another time than it was."""
    head, _, body = answer.partition(_END)
    lines = head.split(b"\r\n")
    for place, line in enumerate(lines):
        if line.lower().startswith(b"date:"):
            told = parsedate_to_datetime(line[5:].decode()) + timedelta(seconds=seconds)
            lines[place] = b"Date: " + format_datetime(told, usegmt=True).encode()
    return b"\r\n".join(lines) + _END + body


def _reset(peer: socket.socket) -> None:
    """End a connection as a router that forgot it: with a reset."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    peer.close()
