"""What no friend would send: is the server still there, how much memory went, were polls late?"""

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from time import perf_counter
from typing import Final

import requests

from bench.load import lateness, lateness_rows, polled
from bench.measure import Row, goal, limit, resident_mb, seconds
from bench.served import Server

_MB = 1_000_000
_PATH = "/api/v3_0/gateway/overrides"
_MEMORY_MB = 60.0
_ANSWER_S = 1.0
_BODIES: Final = {
    "10 MB of JSON": b'{"asset": "' + b"a" * (10 * _MB) + b'"}',
    "1,000,000 values": b'{"values": [' + b"1.5," * (_MB - 1) + b"1.5]}",
    "100,000 deep": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "20,000 deep": b"[" * 20_000 + b"]" * 20_000,
    "wrong types": b'{"asset": [], "action": {}, "power": true, "until": 1e400, "why": null}',
    "huge numbers": b'{"asset": "battery", "power": ' + b"9" * 50_000 + b"}",
    "not UTF-8": b'{"asset": "\\xff\\xfe"}',
    "UTF-16": '{"asset": "battery"}'.encode("utf-16"),
    "half a surrogate": b'{"asset": "\\\\ud800", "action": "idle"}',
    "cut off": b'{"asset": "batt',
    "nothing but NaN": b'{"asset": NaN}',
}
_never = Event()


def rows(*, quick: bool) -> Iterator[Row]:
    """Bodies, then connections, against one gateway that polls a site."""
    span = 3.0 if quick else 20.0
    with polled() as (server, pid):
        _body(server, _BODIES["wrong types"])
        quiet = lateness(server, lambda: _never.wait(span))
        before = resident_mb(pid)
        slowest: list[float] = []
        busy = lateness(server, lambda: slowest.append(_bodies(server, span)))
        yield Row(f"{len(_BODIES)} hostile bodies, the slowest answer", "s", slowest, [_ANSWER_S],
                  "allowed", limit(most=1.0))  # fmt: skip
        yield from lateness_rows(quiet, busy)
        answers: list[float] = []
        busy = lateness(
            server, lambda: answers.append(_crowd(server, 300 if quick else 1000, span))
        )
        yield Row("1,000 idle and 400 trickling connections: an answer", "ms",
                  [1e3 * answers[0]], [1e3 * _ANSWER_S], "allowed", limit(most=1.0))  # fmt: skip
        yield from lateness_rows(quiet, busy)
        grown = resident_mb(pid) - before
        yield Row("memory that all this took", "MB", [max(grown, 0.1)], [_MEMORY_MB], "allowed",
                  goal(most=1.0))  # fmt: skip


def _bodies(server: Server, span: float) -> float:
    """The slowest answer; each must be a refusal."""
    began, slowest = perf_counter(), 0.0
    while perf_counter() - began < span:
        for body in _BODIES.values():
            slowest = max(slowest, seconds(partial(_body, server, body)))
    return slowest


def _body(server: Server, body: bytes) -> None:
    headers = {"Authorization": server.token, "Content-Type": "application/json"}
    answer = requests.post(f"{server.url}{_PATH}", body, headers=headers, timeout=30)
    if not 400 <= answer.status_code < 500:
        raise RuntimeError(f"{body[:30]!r}: {answer.status_code} {answer.text[:200]}")


def _crowd(server: Server, idle: int, span: float) -> float:
    """The slowest answer to a friend while connections only sit there, or trickle."""
    host, _, port = server.url.rpartition("//")[2].rpartition(":")
    place = host, int(port)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        for _ in range(idle):
            stack.enter_context(socket.create_connection(place, 10))
        heads = [stack.enter_context(socket.create_connection(place, 10)) for _ in range(200)]
        ending = Event()
        trickle = pool.submit(_trickle, heads, ending)
        slowest = 0.0
        for _ in range(int(span * 5)):
            with contextlib.suppress(OSError):
                heads.append(stack.enter_context(socket.create_connection(place, 10)))
            slowest = max(slowest, seconds(lambda: server.do("GET", "/gateway")))
            _never.wait(0.2)
        ending.set()
        trickle.result(30)
    return slowest


def _trickle(wires: list[socket.socket], ending: Event) -> None:
    """A byte of a head, or of a body, on each connection now and then."""
    begun = b"POST /api/v3_0/gateway/overrides HTTP/1.1\r\nHost: localhost\r\n"
    for i, wire in enumerate(list(wires)):
        with contextlib.suppress(OSError):
            wire.sendall(begun + (b"Content-Length: 60000\r\n\r\n" if i % 2 else b""))
    while not ending.wait(0.5):
        for wire in list(wires):
            with contextlib.suppress(OSError):
                wire.sendall(b"a")
