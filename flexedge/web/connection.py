"""One connection, with patience that ends: for heads, for bodies, and for who only sits there.

uvicorn's own protocol has one timeout, between requests; who sends a head or a body byte by byte, a
head without end, or nothing at all holds a connection for as long as they like. Not here.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S: Final = 10.0
"""How long a head may take."""
PROGRESS_S: Final = 10.0
LEAST: Final = 4096
"""So many bytes of a body shall come in each PROGRESS_S, but for its end."""
MOST_HEAD: Final = 64 * 1024
"""Bytes of a head, of trailers, and of what is said around chunks beyond nine for each byte."""
MOST_WAITING: Final = 128
"""Connections without a request; one more, and that which has waited longest is closed."""
_AROUND = 9


class Connection(HttpToolsProtocol):
    """Belongs to the server's event loop."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.waits_since: float | None = None
        """Since when there is no request; None while one is answered."""
        self._timer: asyncio.TimerHandle | None = None
        self._whole = True
        self._got = self._body = self._seen = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connected: a request shall come soon."""
        super().connection_made(transport)
        self.waits_since = self.loop.time()
        self._in(HEAD_S, self._too_slow)
        waiting = {
            one: one.waits_since
            for one in self.connections
            if isinstance(one, Connection) and one.waits_since is not None
        }
        if len(waiting) > MOST_WAITING:
            longest = min(waiting, key=lambda one: waiting[one] or 0.0)
            longest.waits_since = None
            self.connections.discard(longest)  # at once: the loop may accept many more before
            longest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._whole and self._timer is None:
            self._in(HEAD_S, self._too_slow)
        self._got += len(data)
        super().data_received(data)
        if self._got - _AROUND * self._body > MOST_HEAD:
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._whole = False
        self._got = self._body = self._seen = 0
        self._in(HEAD_S, self._too_slow)

    def on_headers_complete(self) -> None:
        """The head is here; what has a body goes on sending."""
        super().on_headers_complete()
        self.waits_since = None
        self._in(PROGRESS_S, self._look)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of the request is here."""
        self._whole = True
        self._got = 0
        self._stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It is answered: the next one may come."""
        super().on_response_complete()
        if not self.pipeline:
            self.waits_since = self.loop.time()

    def _in(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, then)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        """The head is late; not counted while it is us who do not read."""
        if self.flow.read_paused:
            self._in(HEAD_S, self._too_slow)
        else:
            self.transport.abort()

    def _look(self) -> None:
        """Whether the body comes on; who is answered already need not send more."""
        if not self.flow.read_paused and (
            self.cycle.response_complete or self._body - self._seen < LEAST
        ):
            self.transport.abort()
            return
        self._seen = self._body
        self._in(PROGRESS_S, self._look)
