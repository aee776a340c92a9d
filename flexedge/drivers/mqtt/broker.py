"""The door to paho: one connection to a broker, kept up, with the newest message of each topic.

An exception in a paho callback ends its network thread for good (so does a malformed packet), and
paho repeats unacknowledged messages whenever it reconnects. So callbacks here never raise, a dead
thread is noticed and replaced, and a client with a message that was not acknowledged in time is
thrown away with it: no setpoint is ever delivered late.
"""

import contextlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from flexedge.errors import DeviceUnreachable

_MOST_BYTES = 64 * 1024
_MOST_TOPIC_BYTES = 65535
_KEEPALIVE_S = 15
_CONNECT_S = 5.0


@dataclass(frozen=True, slots=True)
class Message:
    """The newest message of a topic.

    ``arrivals`` counts the live messages on the topic so far. A ``retained`` one was kept by the
    broker: nobody knows how old it is. Payloads above 64 KiB are dropped: the payload is empty.
    """

    payload: bytes
    arrivals: int
    retained: bool


Listener = Callable[[str, Message], None]


def is_topic(text: str) -> bool:
    """Whether messages can be sent to it: not empty, no wildcards, no NUL."""
    return 0 < len(text.encode()) <= _MOST_TOPIC_BYTES and not set("+#\0") & set(text)


class Broker:
    """One MQTT 3.1.1 broker. Connects when first used, and again whenever it must.

    ``retry_s`` are the shortest and the longest pause between attempts to connect. Safe to use
    from several threads; errors name ``name``.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int = 1883,
        credentials: tuple[str, str | None] | None = None,
        *,
        acknowledged_within_s: float = 3.0,
        retry_s: tuple[int, int] = (1, 30),
    ) -> None:
        self.name = name
        self._host = host
        self._port = port
        self._credentials = credentials
        self._acknowledged_within_s = acknowledged_within_s
        self._retry_s = retry_s
        self._lock = threading.RLock()
        self._client: Client | None = None
        self._newest: dict[str, Message] = {}
        self._listeners: dict[str, list[Listener]] = {}

    @property
    def connected(self) -> bool:
        """Whether messages go through now."""
        client = self._client
        return client is not None and client.is_connected()

    def listen(self, topic: str, listener: Listener | None = None) -> None:
        """Subscribe to a topic (no wildcards), now and after every reconnection.

        ``listener`` is called with each message, in the network's thread; what it raises is
        dropped. Raises ``ValueError`` for what is no topic and ``DeviceUnreachable`` where the
        broker's address cannot be one.
        """
        if not is_topic(topic):
            raise ValueError(f"{topic!r} is not a topic")
        with self._lock:
            new = topic not in self._listeners
            listeners = self._listeners.setdefault(topic, [])
            if listener is not None:
                listeners.append(listener)
            client = self._alive()
        if new and client.is_connected():
            client.subscribe(topic, qos=1)

    def newest(self, topic: str) -> Message | None:
        """The newest message of a topic that is listened to; None before the first."""
        return self._newest.get(topic)

    def ensure_connected(self) -> None:
        """Raise ``DeviceUnreachable`` unless messages go through now; keeps the connection up."""
        with self._lock:
            client = self._alive()
        if not client.is_connected():
            raise DeviceUnreachable(
                self.name, f"no connection to the broker at {self._host}:{self._port}"
            )

    def publish(self, topic: str, payload: str | bytes) -> None:
        """Send a message and wait until the broker has acknowledged it.

        Raises ``DeviceUnreachable`` without a connection or an acknowledgement in time; the
        message is then not sent again.
        """
        self.ensure_connected()
        client = self._client
        if client is None:
            raise DeviceUnreachable(self.name, "the broker's connection was closed")
        sent = None
        with contextlib.suppress(ValueError, RuntimeError, OSError):
            sent = client.publish(topic, payload, qos=1)
            sent.wait_for_publish(self._acknowledged_within_s)
        if sent is None or sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS or not sent.is_published():
            self._discard(client)
            raise DeviceUnreachable(
                self.name, f"the broker did not acknowledge a message to {topic}"
            )

    def close(self) -> None:
        """Disconnect. The next use connects again."""
        with self._lock:
            client = self._client
        if client is not None:
            self._discard(client)

    def _alive(self) -> Client:
        """The client, with its network thread running."""
        client = self._client
        # loop_start refuses while the thread lives, so success means that it had died
        if client is not None and client.loop_start() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._discard(client)
            client = None
        if client is None:
            client = self._client = self._make()
            client.loop_start()
        return client

    def _make(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"flexedge-{secrets.token_hex(4)}",
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        if self._credentials is not None:
            client.username_pw_set(*self._credentials)
        client.reconnect_delay_set(*self._retry_s)
        client.connect_timeout = _CONNECT_S
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        try:
            self._host.encode("idna")  # paho's thread would die of a name that cannot be one
            client.connect_async(self._host, self._port, keepalive=_KEEPALIVE_S)
        except ValueError as error:
            raise DeviceUnreachable(self.name, f"{self._host}:{self._port}: {error}") from error
        return client

    def _discard(self, client: Client) -> None:
        """Throw a client away, with all that it has not delivered; its thread ends by itself."""
        with self._lock:
            if self._client is client:
                self._client = None
        client.on_message = None
        client.disconnect()

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        with self._lock:
            if client is not self._client:  # discarded while it was connecting
                client.disconnect()
                return
            topics = [(topic, 1) for topic in self._listeners]
        if topics:
            client.subscribe(topics)

    def _on_message(self, client: Client, _userdata: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        if client is not self._client or topic not in self._listeners:
            return
        before = self._newest.get(topic)
        payload = bytes(message.payload) if len(message.payload) <= _MOST_BYTES else b""
        arrivals = (before.arrivals if before else 0) + (not message.retain)
        newest = self._newest[topic] = Message(payload, arrivals, message.retain)
        for listener in tuple(self._listeners[topic]):
            with contextlib.suppress(Exception):  # it would end the network's thread
                listener(topic, newest)
