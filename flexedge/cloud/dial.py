"""Connections to whichever address of a name answers first, and of which every wait ends in time.

One deadline holds for all that a request does: finding a connection, the handshake, sending, and
every byte of the answer. Sockets find it in a context variable, for the libraries between would
give each byte a time of its own. Finding the addresses of a name takes as long as the system's
resolver is set to try.
"""

import errno
import os
import selectors
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

Address = tuple[socket.AddressFamily, Any]
STAGGER_S: Final = 0.25
"""How long one address has before the next one is tried beside it (RFC 8305)."""
_DEAF_MS: Final = 10_000
"""Sent, and not even the other side's kernel has said that it got it: nobody is there any more."""


class NoSuchName(OSError):
    """A name has no address, or nobody can be asked for it."""


class NoConnection(OSError):
    """No address of a name takes a connection."""


@dataclass(slots=True)
class Patience:
    """Until when a request may take, and what has happened so far."""

    until: float
    """Of ``time.monotonic``."""
    connect_s: float
    dialled: int = 0
    heard: int = 0
    """Bytes of the answer."""

    def left(self) -> float:
        """Seconds. Raises ``TimeoutError`` where there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this request is over")
        return left


PATIENCE: ContextVar[Patience] = ContextVar("PATIENCE")


class Plain(socket.socket):
    """A socket that keeps to the deadline of the request that uses it."""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As a socket's."""
        patience = PATIENCE.get()
        self.settimeout(patience.left())
        n = super().recv_into(buffer, nbytes, flags)
        patience.heard += n
        return n

    def sendall(self, data: Any, flags: int = 0) -> None:
        """As a socket's; its time limit is for all of the data."""
        self.settimeout(PATIENCE.get().left())
        super().sendall(data, flags)


class Secure(ssl.SSLSocket):
    """The same with TLS."""

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """As a socket's."""
        patience = PATIENCE.get()
        self.settimeout(patience.left())
        n = super().recv_into(buffer, nbytes, flags)
        patience.heard += n
        return n

    def send(self, data: Any, flags: int = 0) -> int:
        """As a socket's; ``sendall`` calls it for each part."""
        self.settimeout(PATIENCE.get().left())
        return super().send(data, flags)


def dial(host: str, port: int) -> Plain:
    """A connection. Raises ``NoSuchName``, ``NoConnection``, ``TimeoutError``."""
    patience = PATIENCE.get()
    patience.dialled += 1
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no name"
        raise NoSuchName(f"the name {host} was not found: {why}") from error
    connection = reach(
        alternating((family, place) for family, _, _, _, place in found),
        min(patience.connect_s, patience.left()),
    )
    connection.settimeout(patience.left())  # for the handshake
    return connection


def alternating(addresses: Iterable[Address]) -> list[Address]:
    """Addresses of both families by turns, in the system's order otherwise, each once."""
    found = list(dict.fromkeys(addresses))
    first = [one for one in found if one[0] == found[0][0]]
    other = [one for one in found if one[0] != found[0][0]]
    return [one for pair in zip_longest(first, other) for one in pair if one is not None]


def reach(addresses: list[Address], wait_s: float) -> Plain:
    """A connection with the first address that takes one. Raises ``NoConnection``."""
    attempts = _Attempts(addresses)
    try:
        return attempts.first(time.monotonic() + wait_s)
    finally:
        attempts.drop()


class _Attempts:
    """Connections that are being made, one more each quarter of a second."""

    def __init__(self, addresses: list[Address]) -> None:
        self._untried = list(reversed(addresses))
        self._waiting: selectors.BaseSelector = selectors.DefaultSelector()
        self._why = "no answer in time"

    def first(self, until: float) -> Plain:
        following = 0.0
        while (now := time.monotonic()) < until and (self._untried or self._waiting.get_map()):
            ended: Iterator[Plain | None] = iter(())
            if not self._untried or now < following:
                ended = self._ended(min(until, following if self._untried else until) - now)
            elif self._begin(*self._untried.pop()):
                following = now + STAGGER_S
            else:
                following = now
            for done in ended:
                if done is not None:
                    return done
                following = now
        raise NoConnection(self._why)

    def drop(self) -> None:
        for key in list(self._waiting.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr] # all are sockets
        self._waiting.close()

    def _begin(self, family: socket.AddressFamily, place: Any) -> bool:
        """Start a connection; whether it is worth waiting for."""
        try:
            connection = Plain(family, socket.SOCK_STREAM)
        except OSError as error:
            self._why = error.strerror or str(error)
            return False
        connection.setblocking(False)
        code = _try(connection, place)
        if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._judged(connection, code)
            return False
        self._waiting.register(connection, selectors.EVENT_WRITE)
        return True

    def _ended(self, wait_s: float) -> Iterator[Plain | None]:
        """Attempts that came to an end: connections, and None for what failed."""
        for key, _ in self._waiting.select(max(wait_s, 0)):
            connection = key.fileobj
            assert isinstance(connection, Plain)  # noqa: S101 (for mypy)
            self._waiting.unregister(connection)
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            yield self._judged(connection, code)

    def _judged(self, connection: Plain, code: int) -> Plain | None:
        if code:
            connection.close()
            self._why = os.strerror(code)
            return None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAF_MS)
        return connection


def _try(connection: socket.socket, place: Any) -> int:
    try:
        return connection.connect_ex(place)
    except OSError as error:
        return error.errno or errno.EINVAL
