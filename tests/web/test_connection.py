"""Connections that only cost: who keeps them open, and who is let in nevertheless."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from flexedge.web import connection
from flexedge.web.connection import MOST_HEAD, MOST_WAITING
from flexedge.web.server import Server

HEAD = b"POST /size HTTP/1.1\r\nHost: localhost\r\n"
GET = b"GET /size HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def size(request: Request) -> Response:
    return PlainTextResponse(f"size {len(await request.body())}")


async def no(_request: Request) -> Response:
    return PlainTextResponse("no", 413)


async def late(_request: Request) -> Response:
    await asyncio.sleep(0.3)
    return PlainTextResponse("late")


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server that is patient for a fifth of a second."""
    monkeypatch.setattr(connection, "HEAD_S", 0.2)
    monkeypatch.setattr(connection, "PROGRESS_S", 0.2)
    routes = [
        Route("/size", size, methods=["GET", "POST"]),
        Route("/no", no, methods=["POST"]),
        Route("/late", late),
    ]
    app = Starlette(routes=routes)
    app.state.hang_up = lambda: None
    server = Server(app, "127.0.0.1", 0)
    server.start()
    with ThreadPoolExecutor() as pool:
        serving = pool.submit(server.serve)
        yield int(server.url.rpartition(":")[2])
        server.stop()
        serving.result(10)


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), 10) as wire:
        yield wire


def rest(wire: socket.socket) -> bytes:
    """All that comes until the server hangs up."""
    told = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := wire.recv(65536):
            told += piece
    return told


def answered(wire: socket.socket, words: bytes) -> bool:
    """Whether these words come before the server hangs up."""
    told = b""
    while words not in told:
        piece = wire.recv(65536)
        if not piece:
            return False
        told += piece
    return True


@pytest.mark.parametrize("begun", [b"", b"GET / HT", HEAD, HEAD + b"X-Long: a", b"\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(port: int, begun: bytes) -> None:
    with connected(port) as wire:
        wire.sendall(begun)
        assert rest(wire) == b""


def test_a_head_that_trickles_is_not_waited_for(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(GET)
        assert answered(wire, b"size 0")
        wire.settimeout(0.05)
        with contextlib.suppress(ConnectionError):
            while _silent(wire):  # each byte comes within any timeout between bytes
                wire.sendall(b"\r\n")


def _silent(wire: socket.socket) -> bool:
    """Whether the server neither says anything nor hangs up for a moment."""
    try:
        return bool(wire.recv(1))
    except TimeoutError:
        return True


def test_a_head_without_an_end_is_refused(port: int) -> None:
    with connected(port) as wire, contextlib.suppress(OSError):
        wire.sendall(HEAD)
        for _ in range(100):
            wire.sendall(b"X-More: " + b"a" * MOST_HEAD + b"\r\n")
        pytest.fail("6 MB of head were taken")


def test_trailers_without_an_end_are_refused(port: int) -> None:
    with connected(port) as wire, contextlib.suppress(OSError):
        wire.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
        for _ in range(100):
            wire.sendall(b"X-More: " + b"a" * MOST_HEAD + b"\r\n")
        pytest.fail("6 MB of trailers were taken")


def test_a_body_that_trickles_is_not_waited_for(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(HEAD + b"Content-Length: 1000000\r\n\r\nabc")
        assert b"size" not in rest(wire)


def test_who_is_answered_need_not_go_on_sending(port: int) -> None:
    with connected(port) as wire:
        head = b"POST /no HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000000\r\n\r\n"
        wire.sendall(head)
        assert answered(wire, b"413")
        with contextlib.suppress(OSError):
            for _ in range(4_000_000):  # it is some thousands where nobody is quick
                wire.sendall(b"a" * 1000)
            pytest.fail("4 GB were taken for nothing")


def test_a_body_that_comes_on_is_taken_however_long_it_takes(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PROGRESS_S", 1.0)
    pieces = 12
    with connected(port) as wire:
        wire.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (pieces * 5000))
        wire.settimeout(0.2)
        for _ in range(pieces):
            wire.sendall(b"a" * 5000)
            with contextlib.suppress(TimeoutError):
                wire.recv(1, socket.MSG_PEEK)
        wire.settimeout(10)
        assert answered(wire, b"size 60000")


def test_small_chunks_are_no_attack(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 20_000)
        wire.sendall(b"0\r\n\r\n")
        assert answered(wire, b"size 20000")


def test_an_answer_may_take_longer_than_a_request(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(GET.replace(b"/size", b"/late"))
        assert answered(wire, b"late")


def test_requests_may_come_one_behind_the_other(port: int) -> None:
    with connected(port) as wire:
        wire.sendall(GET.replace(b"/size", b"/late") + GET * 50)
        told = b""
        while told.count(b"size 0") < 50:
            told += wire.recv(65536)
        assert told.count(b"late") == 1


def test_however_many_sit_there_one_more_is_let_in(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 60.0)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(port)) for _ in range(MOST_WAITING + 200)]
        wire = stack.enter_context(connected(port))
        wire.sendall(GET)
        assert answered(wire, b"size 0")
        assert rest(idle[0]) == b""
        idle[-1].sendall(GET)
        assert answered(idle[-1], b"size 0")
