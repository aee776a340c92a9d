from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.drivers.mqtt.broker import Broker
from flexedge.drivers.mqtt.speaker import Speaker

if TYPE_CHECKING:
    from tests.drivers.mqtt.conftest import Ready, Sender, Wait

AGE = timedelta(seconds=10)


def at(seconds: float) -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize("required", [True, False])
def test_any_of_its_topics_is_a_sign_of_life(
    broker: Broker,
    topic: str,
    device_sends: "Sender",
    until: "Wait",
    subscribed: "Ready",
    required: bool,  # noqa: FBT001 (a parameter of a test)
) -> None:
    speaker = Speaker([f"{topic}/a", f"{topic}/b"], AGE, required=required)
    for one in speaker.topics:
        broker.listen(one)
    subscribed(broker)
    assert speaker.silence(broker, at(0)) == "has not spoken yet"
    device_sends(f"{topic}/a", b"1")
    until(lambda: broker.newest(f"{topic}/a") is not None)
    assert speaker.silence(broker, at(1)) is None
    assert speaker.silence(broker, at(11)) is None
    assert speaker.silence(broker, at(12)) == "has not spoken for 11 s"
    device_sends(f"{topic}/b", b"1")
    until(lambda: broker.newest(f"{topic}/b") is not None)
    assert speaker.silence(broker, at(13)) is None


@pytest.mark.parametrize(
    ("required", "told"),
    [
        (True, ["has not spoken yet", "has not spoken yet"]),
        (False, [None, "has not spoken for 11 s"]),
    ],
)
def test_what_the_broker_kept_is_none_of_who_must_be_there(
    broker: Broker,
    topic: str,
    device_sends: "Sender",
    until: "Wait",
    required: bool,  # noqa: FBT001 (a parameter of a test)
    told: list[str | None],
) -> None:
    device_sends(topic, b"1", retain=True)
    broker.listen(topic)
    until(lambda: broker.newest(topic) is not None)
    speaker = Speaker([topic], AGE, required=required)
    assert [speaker.silence(broker, at(0)), speaker.silence(broker, at(11))] == told
    device_sends(topic, b"", retain=True)
