"""A very small MQTT 3.1.1 client: connect, subscribe, publish and listen, all at QoS 0."""

import asyncio
from collections.abc import Callable, Sequence

_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE = 0x10, 0x20, 0x30, 0x82
_CLEAN_SESSION = 0x02
_KEEP_ALIVE_S = 0
"""None: the loopback tells when the other side is gone."""
_MORE = 0x80


def text(value: str) -> bytes:
    """A string as MQTT writes it: length first."""
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def packet(head: int, body: bytes) -> bytes:
    """A control packet: head, length (seven bits at a time), body."""
    length, left = bytearray(), len(body)
    while True:
        left, low = left >> 7, left & 0x7F
        length.append(low | (_MORE if left else 0))
        if not left:
            return bytes((head,)) + bytes(length) + body


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Whole packets (head, body) at the front of ``data``, and the rest."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while True:
        length, shift, i = 0, 0, at + 1
        while i < len(data):
            length |= (data[i] & 0x7F) << shift
            shift, i = shift + 7, i + 1
            if not data[i - 1] & _MORE:
                break
        else:
            return found, data[at:]
        if i + length > len(data):
            return found, data[at:]
        found.append((data[at], data[i : i + length]))
        at = i + length


class Link(asyncio.Protocol):
    """One connection. Give it to ``loop.create_connection``; ``up`` once the broker agreed."""

    def __init__(
        self, client_id: str, topics: Sequence[str], heard: Callable[[str, bytes], None]
    ) -> None:
        self.up = False
        self.lost = False
        self._client_id = client_id
        self._topics = topics
        self._heard = heard
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            body = text("MQTT") + bytes((4, _CLEAN_SESSION)) + _KEEP_ALIVE_S.to_bytes(2, "big")
            transport.write(packet(_CONNECT, body + text(self._client_id)))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's protocol)
        """Remember that the line is gone."""
        self.up = False
        self.lost = True

    def data_received(self, data: bytes) -> None:
        """Take what the broker says."""
        packets, self._rest = split(self._rest + data)
        for head, body in packets:
            if head == _CONNACK and self._transport is not None:
                topics = b"".join(text(topic) + b"\0" for topic in self._topics)
                self._transport.write(packet(_SUBSCRIBE, b"\0\1" + topics))
                self.up = True
            elif head & 0xF0 == _PUBLISH:
                size = int.from_bytes(body[:2], "big")
                skip = 2 if head & 0x06 else 0
                self._heard(body[2 : 2 + size].decode(), body[2 + size + skip :])

    def publish(self, topic: str, payload: str) -> None:
        """Send one message, if the line is up."""
        if self.up and self._transport is not None:
            self._transport.write(packet(_PUBLISH, text(topic) + payload.encode()))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()
