"""A server between us and a centre that hangs up when it is told to: real HTTP on real sockets."""

import contextlib
import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


class Cutter(ThreadingHTTPServer):
    """Passes ``passing`` requests on; then hangs up, before asking the centre or after it."""

    daemon_threads = True

    def __init__(self, centre: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.centre = urlsplit(centre).netloc
        self.passing: int | None = None
        """None: all of them."""
        self.how: Literal["before", "after"] = "before"
        self.passed: list[str] = []
        """What was asked of the centre, as "POST /api/v3_0/assets"."""
        self.refusing: dict[str, tuple[int, str]] = {}
        """What is answered instead, by a beginning of "POST /api/v3_0/assets"."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Cutter
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        server, told = self.server, f"{self.command} {self.path.partition('?')[0]}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        cut = server.passing is not None and len(server.passed) >= server.passing
        if cut and server.how == "before":
            self.close_connection = True
            return
        refusal = next(
            (one for start, one in server.refusing.items() if told.startswith(start)), None
        )
        if refusal is not None:
            self._answer(refusal[0], [("Content-Type", "application/json")], refusal[1].encode())
            return
        status, headers, content = self._asked(body)
        server.passed.append(told)
        if cut:
            self.close_connection = True
            return
        self._answer(status, headers, content)

    do_GET = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815 (as the library calls them)

    def _asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.centre, timeout=30)
        with contextlib.closing(connection):
            headers = {
                name: value for name, value in self.headers.items() if name.lower() != "host"
            }
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def cutter(centre: str) -> Iterator[Cutter]:
    """One that runs."""
    with Cutter(centre) as server, ThreadPoolExecutor(1) as pool:
        done = pool.submit(server.serve_forever, 0.01)
        try:
            yield server
        finally:
            server.shutdown()
            done.result()
