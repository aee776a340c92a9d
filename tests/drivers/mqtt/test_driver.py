import math
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flexedge.config.profile import MqttProfile
from flexedge.config.site import Device
from flexedge.domain.asset import Sensor
from flexedge.domain.belief import Quality
from flexedge.drivers.driver import Poll, Sample
from flexedge.drivers.mqtt.broker import Broker
from flexedge.drivers.mqtt.driver import MqttDriver, fill
from flexedge.errors import ConfigError, DeviceGarbled, DeviceRefused, DeviceUnreachable

if TYPE_CHECKING:
    from tests.drivers.mqtt.conftest import Ready, Sender, Wait

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CHARGER: dict[str, Any] = {
    "profile": "test-charger",
    "title": "Charger",
    "driver": "mqtt",
    "provides": ["ev"],
    "source": "made up",
    "options": {
        "serial": {"help": "on the label", "required": True},
        "second": {"help": "a second meter"},
    },
    "points": {
        "ev.power": {"topic": "{serial}/nrg", "path": [1], "unit": "W", "valid": [0, 22000]},
        "ev.state": {"topic": "{serial}/car", "unit": "", "values": {1: 0, 2: 1}, "every": "5s"},
        "ev.current": {"topic": "{serial}/amp", "unit": "A"},
        "ev.force": {"topic": "{serial}/frc", "unit": "", "optional": True},
        "ev.extra": {"topic": "{second}/power", "unit": "W"},
    },
    "control": {
        "ev.power": {
            "readback": "ev.current",
            "amps": {"volts": 230, "phases": 3, "least": "6 A", "most": "16 A"},
            "fallback": [{"topic": "{serial}/fallback/set", "value": "auto"}],
            "enable": [{"topic": "{serial}/mode/set", "value": 3}],
            "write": [
                {"topic": "{serial}/amp/set", "setpoint": {"unit": "A"}},
                {"topic": "{serial}/frc/set", "when": {"zero": 1, "positive": 2}},
            ],
            "release": [{"topic": "{serial}/frc/set", "value": 0}],
        }
    },
}


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def poll(*points: str) -> Poll:
    return Poll(points, timedelta(seconds=1))


@pytest.fixture
def charger(broker: Broker, topic: str, subscribed: "Ready") -> MqttDriver:
    device = Device(profile="test-charger", options={"serial": topic})
    driver = MqttDriver("charger", MqttProfile.model_validate(CHARGER), device, broker)
    with pytest.raises(DeviceUnreachable, match="charger"):
        driver.read(poll("ev.power"), NOW)
    subscribed(broker)
    return driver


@pytest.fixture
def commands(broker: Broker, topic: str) -> list[tuple[str, str]]:
    """What the device is sent: (what, payload)."""
    received: list[tuple[str, str]] = []
    for what in ("fallback", "mode", "amp", "frc"):
        broker.listen(
            f"{topic}/{what}/set",
            lambda name, message: received.append((name.split("/")[-2], message.payload.decode())),
        )
    return received


@pytest.fixture
def say(broker: Broker, topic: str, device_sends: "Sender", until: "Wait") -> "Sender":
    """The device says something, and it has arrived."""

    def send(status: str, payload: bytes, *, retain: bool = False) -> None:
        before = broker.newest(f"{topic}/{status}")
        device_sends(f"{topic}/{status}", payload, retain=retain)
        until(lambda: broker.newest(f"{topic}/{status}") is not before)

    return send


def values(driver: MqttDriver, *points: str, now: datetime = NOW) -> dict[str, float | None]:
    return {sample.point: sample.value for sample in driver.read(poll(*points), now)}


def test_points_without_their_option_are_left_out(charger: MqttDriver) -> None:
    assert set(charger.sensors) == {"ev.power", "ev.state", "ev.current", "ev.force"}
    assert charger.sensors["ev.power"] == Sensor("ev.power", "kW")
    assert [p.points for p in charger.polls] == [
        ("ev.power", "ev.current", "ev.force"),
        ("ev.state",),
    ]


def test_a_control_without_its_option_is_left_out(broker: Broker) -> None:
    driver = MqttDriver(
        "charger", MqttProfile.model_validate(CHARGER), Device(profile="test-charger"), broker
    )
    assert driver.controls == {}
    assert driver.sensors == {}


def test_numbers_are_found_and_judged(charger: MqttDriver, say: "Sender") -> None:
    say("nrg", b"[0, 3680]")
    say("car", b'"2"')
    samples = charger.read(poll("ev.power", "ev.state", "ev.current", "ev.force"), NOW)
    assert list(samples) == [
        Sample("ev.power", 3.68),
        Sample("ev.state", 1.0),
        Sample("ev.current", None, Quality.MISSING),
    ], "an optional point that was never heard of is left out"
    say("nrg", b"[0, 99999]")
    assert charger.read(poll("ev.power"), NOW)[0].quality is Quality.IMPLAUSIBLE


def test_a_device_that_has_not_spoken_is_unreachable(charger: MqttDriver, say: "Sender") -> None:
    with pytest.raises(DeviceUnreachable, match="charger: has not spoken yet"):
        charger.read(poll("ev.power"), NOW)
    say("nrg", b"[0, 1000]")
    assert values(charger, "ev.power", now=at(0)) == {"ev.power": 1.0}
    assert values(charger, "ev.power", now=at(60)) == {"ev.power": 1.0}
    with pytest.raises(DeviceUnreachable, match="has not spoken for 61 s"):
        charger.read(poll("ev.power"), at(61))
    say("amp", b"6")  # a sign of life on another topic
    assert values(charger, "ev.power", now=at(62)) == {"ev.power": 1.0}


def test_a_retained_message_is_a_value_but_no_sign_of_life(
    broker: Broker, topic: str, device_sends: "Sender", until: "Wait"
) -> None:
    device_sends(f"{topic}/amp", b"10", retain=True)
    device = Device(profile="test-charger", options={"serial": topic})
    driver = MqttDriver("charger", MqttProfile.model_validate(CHARGER), device, broker)
    with pytest.raises(DeviceUnreachable):
        driver.read(poll("ev.current"), NOW)
    until(lambda: broker.newest(f"{topic}/amp") is not None)
    with pytest.raises(DeviceUnreachable, match="has not spoken yet"):
        driver.read(poll("ev.current"), NOW)
    device_sends(f"{topic}/nrg", b"[0, 0]")
    until(lambda: broker.newest(f"{topic}/nrg") is not None)
    assert values(driver, "ev.current") == {"ev.current": 10.0}
    device_sends(f"{topic}/amp", b"", retain=True)


def test_what_is_not_json_is_garbled_only_when_nothing_else_comes(
    charger: MqttDriver, say: "Sender"
) -> None:
    say("nrg", b"{oops")
    say("car", b"1")
    assert values(charger, "ev.power", "ev.state") == {"ev.power": None, "ev.state": 0.0}
    with pytest.raises(DeviceGarbled, match="nrg should be JSON"):
        charger.read(poll("ev.power"), NOW)


@pytest.mark.parametrize("payload", [b"[0, 1e400]", b"[0, NaN]", b"[0, null]", b"[0]", b"[0, {}]"])
def test_what_is_no_number_is_missing(charger: MqttDriver, say: "Sender", payload: bytes) -> None:
    say("nrg", payload)
    assert charger.read(poll("ev.power"), NOW) == [Sample("ev.power", None, Quality.MISSING)]


def test_writes_are_led_by_fallback_and_enable_once(
    charger: MqttDriver, commands: list[tuple[str, str]], until: "Wait"
) -> None:
    charger.write("ev.power", 7.0)
    charger.write("ev.power", 4.0)
    charger.release("ev.power")
    charger.write("ev.power", 99.0)
    until(lambda: len(commands) == 11)
    assert commands == [
        ("fallback", "auto"), ("mode", "3"), ("amp", "10"), ("frc", "2"),
        ("amp", "0"), ("frc", "1"),
        ("frc", "0"),
        ("fallback", "auto"), ("mode", "3"), ("amp", "16"), ("frc", "2"),
    ]  # fmt: skip


def test_the_read_back_shows_power_and_off(charger: MqttDriver, say: "Sender") -> None:
    assert charger.shown_kw("ev.power") is None
    say("amp", b"10")
    charger.read(poll("ev.current", "ev.force"), NOW)
    assert charger.shown_kw("ev.power") == pytest.approx(6.9)
    say("frc", b"1")
    charger.read(poll("ev.current", "ev.force"), NOW)
    assert charger.shown_kw("ev.power") == 0.0
    with pytest.raises(DeviceUnreachable):
        charger.read(poll("ev.current", "ev.force"), at(100))
    assert charger.shown_kw("ev.power") is None


def test_range_and_least_follow_from_the_option_phases(broker: Broker) -> None:
    device = Device(profile="test-charger", options={"serial": "1", "phases": 1})
    driver = MqttDriver("charger", MqttProfile.model_validate(CHARGER), device, broker)
    control = driver.controls["ev.power"]
    assert control.range_kw == pytest.approx((0.0, 3.68))
    assert control.least_kw == pytest.approx(1.38)


@pytest.mark.parametrize("power_kw", [math.nan, -math.inf])
def test_what_is_no_power_is_not_sent(charger: MqttDriver, power_kw: float) -> None:
    with pytest.raises(DeviceRefused, match="is not a power"):
        charger.write("ev.power", power_kw)


def test_without_a_broker_everything_names_the_device() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = Broker("home", "127.0.0.1", free.getsockname()[1])
        device = Device(profile="test-charger", options={"serial": "1"})
        driver = MqttDriver("charger", MqttProfile.model_validate(CHARGER), device, away)
        with pytest.raises(DeviceUnreachable, match="charger: no connection to the broker"):
            driver.write("ev.power", 5.0)
        with pytest.raises(DeviceUnreachable, match="charger: no connection to the broker"):
            driver.release("ev.power")
        with pytest.raises(DeviceUnreachable, match="charger: no connection to the broker"):
            driver.read(poll("ev.power"), NOW)
        away.close()


def test_options_that_make_no_topic_are_refused(broker: Broker) -> None:
    device = Device(profile="test-charger", options={"serial": "a/#"})
    with pytest.raises(ConfigError, match=r"devices\.charger.*not a topic"):
        MqttDriver("charger", MqttProfile.model_validate(CHARGER), device, broker)


def test_topics_are_filled() -> None:
    assert fill("go/{serial}/nrg", {"serial": 42}) == "go/42/nrg"
    assert fill("go/nrg", {}) == "go/nrg"
    assert fill("go/{serial}", {"other": 1}) is None
