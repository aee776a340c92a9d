"""A road to a server on which requests and answers are lost, cut off or refused, as a test says."""

import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD, LOST, CUT, HALF, BUSY, BROKEN, ODD = (
    "good", "lost", "cut", "half", "busy", "broken", "odd",
)  # fmt: skip
"""As it should be; the server does it, but its answer is lost; only some bytes of the answer come;
only some bytes of the request arrive; 503; the server does it, but 502 comes back; HTML comes."""
Request = tuple[str, str, bytes]
"""Method, path and body."""


_OURS = {"Content-Type": "application/json", "FlexMeasures-Version": "1.0.1"}


@dataclass
class Road:
    """What befalls requests, one after the other; good ones when there is no more to come."""

    url: str = ""
    fate: Callable[[Request], tuple[str, int]] = lambda _: (GOOD, 0)
    answer: Callable[[Request], tuple[int, bytes] | None] = lambda _: None
    """What is answered in the server's place, without asking it."""
    seen: list[Request] = field(default_factory=list, repr=False)

    @property
    def posts(self) -> list[Request]:
        """Requests that carry values."""
        return [one for one in self.seen if one[0] == "POST" and one[1].endswith("/data")]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: str, made: Road) -> None:
        self.host, _, port = target.partition("://")[2].partition(":")
        self.port, self.road = int(port), made
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_about: Any) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, *_words: Any) -> None:
        pass

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = self.command, self.path, body
        self.server.road.seen.append(request)
        own = self.server.road.answer(request)
        if own is not None:
            self._say(own[0], _OURS, own[1])
            return
        fate, n = self.server.road.fate(request)
        if fate == BUSY:
            self._say(503, {"Content-Type": "application/json", "Retry-After": "1"}, b"{}")
        elif fate == ODD:
            self._say(200, {"Content-Type": "text/html"}, b"<html>Welcome!</html>")
        elif fate == HALF:
            self._some(body, n)
            self._hang_up()
        else:
            self._ask(body, fate, n)

    do_GET = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815 (as http.server calls them)

    def _ask(self, body: bytes, fate: str, n: int) -> None:
        connection = HTTPConnection(self.server.host, self.server.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        told = {
            name: value for name, value in answer.getheaders()
            if name.lower() not in ("content-length", "transfer-encoding", "connection")
        }  # fmt: skip
        connection.close()
        if fate == GOOD:
            self._say(answer.status, told, content)
        elif fate == BROKEN:
            self._say(502, {"Content-Type": "text/html"}, b"<html>Bad gateway</html>")
        elif fate == CUT:
            head = f"HTTP/1.1 {answer.status} X\r\nContent-Type: application/json\r\n"
            whole = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
            self.wfile.write(whole[: n % len(whole)])
            self.wfile.flush()
            self._hang_up()
        else:
            self._hang_up()

    def _some(self, body: bytes, n: int) -> None:
        head = f"{self.command} {self.path} HTTP/1.1\r\nHost: {self.server.host}\r\n"
        head += "".join(f"{k}: {v}\r\n" for k, v in self.headers.items() if k != "Host")
        whole = f"{head}\r\n".encode() + body
        with socket.create_connection((self.server.host, self.server.port), timeout=60) as out:
            out.sendall(whole[: n % len(whole)])

    def _say(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        linger = struct.pack("ii", 1, 0)  # a reset, not an orderly end
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()


@contextmanager
def road(target: str) -> Iterator[Road]:
    """A road to ``target`` ("http://host:port")."""
    made = Road()
    with _Server(target, made) as server, ThreadPoolExecutor(1) as threads:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        running = threads.submit(server.serve_forever, 0.05)
        try:
            yield made
        finally:
            server.shutdown()
            running.result(timeout=30)
