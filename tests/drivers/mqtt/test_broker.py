import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from flexedge.drivers.mqtt.broker import Broker, Message, is_topic
from flexedge.errors import DeviceUnreachable

if TYPE_CHECKING:
    from tests.drivers.mqtt.conftest import Cable, Ready, Sender, Wait

Listening = Callable[[Broker, str], None]


@pytest.fixture
def listening(subscribed: "Ready", until: "Wait") -> Listening:
    """Listen, and see a first message of our own."""

    def listen(broker: Broker, topic: str) -> None:
        broker.listen(topic)
        subscribed(broker)
        broker.publish(topic, b"ready")
        until(lambda: broker.newest(topic) is not None)

    return listen


def test_a_message_arrives_and_is_counted(
    broker: Broker, topic: str, device_sends: "Sender", until: "Wait", listening: Listening
) -> None:
    listening(broker, topic)
    assert broker.newest(topic) == Message(b"ready", 1, retained=False)
    device_sends(topic, b"12.5")
    until(lambda: broker.newest(topic) == Message(b"12.5", 2, retained=False))


def test_retained_messages_are_marked_and_not_counted(
    broker: Broker, topic: str, device_sends: "Sender", until: "Wait"
) -> None:
    device_sends(topic, b"old", retain=True)
    broker.listen(topic)
    until(lambda: broker.newest(topic) == Message(b"old", 0, retained=True))
    device_sends(topic, b"new", retain=True)
    until(lambda: broker.newest(topic) == Message(b"new", 1, retained=False))
    device_sends(topic, b"", retain=True)


def test_payloads_that_are_too_large_are_dropped(
    broker: Broker, topic: str, device_sends: "Sender", until: "Wait", listening: Listening
) -> None:
    listening(broker, topic)
    device_sends(topic, b"x" * 65536)
    until(lambda: broker.newest(topic) == Message(b"x" * 65536, 2, retained=False))
    device_sends(topic, b"x" * 65537)
    until(lambda: broker.newest(topic) == Message(b"", 3, retained=False))


def test_a_listener_that_raises_does_no_harm(
    broker: Broker, topic: str, until: "Wait", listening: Listening
) -> None:
    heard: list[tuple[str, bytes]] = []

    def faulty(_topic: str, _message: Message) -> None:
        raise ZeroDivisionError

    broker.listen(topic, faulty)
    broker.listen(topic, lambda name, message: heard.append((name, message.payload)))
    listening(broker, topic)
    broker.publish(topic, "again")
    until(lambda: heard == [(topic, b"ready"), (topic, b"again")])


def test_listening_to_more_topics_later(broker: Broker, topic: str, listening: Listening) -> None:
    listening(broker, topic)
    listening(broker, topic + "/more")
    assert broker.newest(topic + "/never") is None


def test_without_a_broker_nothing_is_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        broker = Broker("home", "127.0.0.1", free.getsockname()[1])
        with pytest.raises(DeviceUnreachable, match="home: no connection to the broker"):
            broker.publish("a", "1")
        assert not broker.connected
        broker.close()


def test_after_an_interruption_it_listens_again(
    cable: "Cable", topic: str, until: "Wait", listening: Listening, subscribed: "Ready"
) -> None:
    broker = Broker("home", "127.0.0.1", cable.port)
    listening(broker, topic)
    cable.cut()
    until(lambda: not broker.connected)
    cable.mend()
    subscribed(broker)
    broker.publish(topic, b"back")
    until(lambda: broker.newest(topic) == Message(b"back", 2, retained=False))
    broker.close()


def test_closed_it_connects_again_when_used(
    broker: Broker, topic: str, until: "Wait", listening: Listening, subscribed: "Ready"
) -> None:
    listening(broker, topic)
    broker.close()
    assert not broker.connected
    subscribed(broker)
    broker.publish(topic, b"back")
    until(lambda: broker.newest(topic) == Message(b"back", 2, retained=False))


class Scripted:
    """A broker of bare sockets that says what it is told and keeps what it gets."""

    def __init__(self, connections: socket.socket) -> None:
        self._connections = connections
        self.port: int = connections.getsockname()[1]
        self.received: list[bytes] = []
        self.greeting = b"\x20\x02\x00\x00"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._connections.accept()
            except OSError:
                return
            with connection:
                got = connection.recv(4096)
                connection.sendall(self.greeting)
                self.received.append(b"")
                while got:
                    got = connection.recv(4096)
                    self.received[-1] += got


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with socket.create_server(("127.0.0.1", 0)) as connections, ThreadPoolExecutor(1) as pool:
        scripted = Scripted(connections)
        pool.submit(scripted.serve)
        yield scripted
        connections.shutdown(socket.SHUT_RDWR)


def test_a_message_that_is_not_acknowledged_is_never_sent_again(
    scripted: Scripted, until: "Wait"
) -> None:
    broker = Broker("home", "127.0.0.1", scripted.port, acknowledged_within_s=0.1)
    broker.listen("a/status")
    until(lambda: broker.connected)
    with pytest.raises(DeviceUnreachable, match="did not acknowledge a message to a/set"):
        broker.publish("a/set", b"stale setpoint")
    assert b"stale setpoint" in scripted.received[0]
    broker.listen("a/status")  # used again, it connects again
    until(lambda: broker.connected)
    until(lambda: b"a/status" in scripted.received[-1])
    assert len(scripted.received) == 2
    assert b"stale setpoint" not in scripted.received[1]
    broker.close()


def test_a_client_discarded_while_connecting_delivers_nothing(
    scripted: Scripted, until: "Wait"
) -> None:
    broker = Broker("home", "127.0.0.1", scripted.port)
    discarded = broker._make()
    discarded.publish("a/set", b"stale setpoint", qos=1)
    discarded.loop_start()
    until(lambda: scripted.received != [] and scripted.received[0].endswith(b"\xe0\x00"))
    assert scripted.received == [b"\xe0\x00"], "the packet that says goodbye"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_network_thread_that_died_is_replaced(scripted: Scripted, until: "Wait") -> None:
    scripted.greeting += b"\x30\x01\x00"  # a message whose topic has half a length
    broker = Broker("home", "127.0.0.1", scripted.port)
    broker.listen("a")
    until(lambda: len(scripted.received) == 1)
    scripted.greeting = scripted.greeting[:4]

    def back() -> bool:
        broker.listen("a")
        return len(scripted.received) == 2 and broker.connected

    until(back)
    broker.close()


def test_a_topic_that_is_no_text_is_passed_over(scripted: Scripted, until: "Wait") -> None:
    scripted.greeting += b"\x30\x05\x00\x02\xff\xfeX" + b"\x30\x04\x00\x01a5"
    broker = Broker("home", "127.0.0.1", scripted.port)
    broker.listen("a")
    until(lambda: broker.newest("a") == Message(b"5", 1, retained=False))
    broker.close()


def test_a_host_that_cannot_be_one_is_unreachable() -> None:
    for host in ("a..b", ""):
        with pytest.raises(DeviceUnreachable, match="home"):
            Broker("home", host).listen("a")


@pytest.mark.parametrize("topic", ["", "a/#", "+/b", "a\0", "a" * 65536])
def test_what_is_no_topic(topic: str) -> None:
    assert not is_topic(topic)
    with pytest.raises(ValueError, match="is not a topic"):
        Broker("home", "127.0.0.1").listen(topic)


def test_credentials_are_sent(scripted: Scripted) -> None:
    broker = Broker("home", "127.0.0.1", scripted.port, ("me", "secret"))
    client = broker._make()
    assert (client._username, client._password) == (b"me", b"secret")
