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
        "ev.allowed": {
            "topic": "{serial}/amp", "unit": "A", "amps": {"phases": 3},
            "zero-when": {"ev.force": 1},
        },
        "ev.extra": {
            "topic": "{second}", "unit": "W", "every": "60s", "max-age": "1 h", "optional": True,
        },
    },
    "control": {
        "ev.power": {
            "readback": "ev.allowed",
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
}  # fmt: skip


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


def read(driver: MqttDriver, *points: str, now: datetime = NOW) -> list[Sample]:
    """What a poll's own points show."""
    return [sample for sample in driver.read(poll(*points), now) if sample.point in points]


def values(driver: MqttDriver, *points: str, now: datetime = NOW) -> dict[str, float | None]:
    return {sample.point: sample.value for sample in read(driver, *points, now=now)}


def test_points_without_their_option_are_left_out(charger: MqttDriver) -> None:
    assert set(charger.sensors) == {
        "ev.power", "ev.state", "ev.current", "ev.force", "ev.allowed",
    }  # fmt: skip
    assert charger.sensors["ev.power"] == Sensor("ev.power", "kW")
    assert [p.points for p in charger.polls] == [
        ("ev.power", "ev.current", "ev.force", "ev.allowed"),
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
    assert read(charger, "ev.power", "ev.state", "ev.current", "ev.force") == [
        Sample("ev.power", 3.68),
        Sample("ev.state", 1.0),
        Sample("ev.current", None, Quality.MISSING),
    ], "an optional point that was never heard of is left out"
    say("nrg", b"[0, 99999]")
    assert read(charger, "ev.power")[0].quality is Quality.IMPLAUSIBLE


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

    def spoke() -> bool:
        device_sends(f"{topic}/nrg", b"[0, 0]")  # lost as long as the broker has not subscribed us
        return broker.newest(f"{topic}/nrg") is not None

    until(spoke)
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
    assert read(charger, "ev.power") == [Sample("ev.power", None, Quality.MISSING)]


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


def test_the_read_back_is_the_current_as_power_and_zero_while_switched_off(
    charger: MqttDriver, say: "Sender"
) -> None:
    assert charger.sensors["ev.allowed"] == Sensor("ev.allowed", "kW")
    assert charger.shown_kw("ev.power") is None
    say("amp", b"10")
    assert values(charger, "ev.allowed") == {"ev.allowed": None}, "not known whether it is off"
    assert charger.shown_kw("ev.power") is None
    say("frc", b"0")
    assert values(charger, "ev.allowed") == {"ev.allowed": pytest.approx(6.9)}
    assert charger.shown_kw("ev.power") == pytest.approx(6.9)
    say("frc", b"1")
    assert values(charger, "ev.allowed") == {"ev.allowed": 0.0}
    assert charger.shown_kw("ev.power") == 0.0
    with pytest.raises(DeviceUnreachable):
        charger.read(poll("ev.allowed"), at(100))
    assert charger.shown_kw("ev.power") is None


def told(driver: MqttDriver, *points: str, now: datetime = NOW) -> set[str]:
    """The points a read tells of."""
    return {sample.point for sample in driver.read(poll(*points), now)}


def test_any_read_tells_what_is_new(charger: MqttDriver, say: "Sender") -> None:
    say("nrg", b"[0, 3680]")
    assert told(charger, "ev.power") == {"ev.power", "ev.state", "ev.current", "ev.allowed"}
    assert told(charger, "ev.power") == {"ev.power"}, "that they are missing was told"
    say("car", b"2")
    assert told(charger, "ev.power") == {"ev.power", "ev.state"}
    say("car", b"2")
    assert told(charger, "ev.power") == {"ev.power"}, "the same again is not news"
    assert told(charger, "ev.state") == {"ev.state"}, "but told when it is its turn"
    say("amp", b"10")
    say("frc", b"2")
    assert told(charger, "ev.power") == {"ev.power", "ev.current", "ev.force", "ev.allowed"}
    say("frc", b"1")
    assert told(charger, "ev.power") == {"ev.power", "ev.force", "ev.allowed"}


def test_after_a_failure_everything_is_told_anew(charger: MqttDriver, say: "Sender") -> None:
    say("car", b"2")
    charger.read(poll("ev.power"), NOW)
    with pytest.raises(DeviceUnreachable):
        charger.read(poll("ev.power"), at(61))
    say("car", b"2")
    assert "ev.state" in told(charger, "ev.power", now=at(62))


class TestWhatSomethingElsePublishes:
    """The topic of ev.extra is an option of its own: not the charger speaks there."""

    @pytest.fixture
    def both(self, broker: Broker, topic: str, subscribed: "Ready") -> MqttDriver:
        device = Device(profile="test", options={"serial": topic, "second": f"{topic}/meter"})
        driver = MqttDriver("charger", MqttProfile.model_validate(CHARGER), device, broker)
        with pytest.raises(DeviceUnreachable, match="charger"):
            driver.read(poll("ev.power"), NOW)
        subscribed(broker)
        return driver

    def test_is_seen_with_the_next_read(self, both: MqttDriver, say: "Sender") -> None:
        say("nrg", b"[0, 1000]")
        assert values(both, "ev.power", "ev.extra") == {"ev.power": 1.0}
        say("meter", b"500")
        assert Sample("ev.extra", 0.5) in both.read(poll("ev.power"), NOW)

    def test_is_no_sign_of_life_of_the_device(self, both: MqttDriver, say: "Sender") -> None:
        say("meter", b"500")
        for points in (("ev.power",), ("ev.extra",)):
            with pytest.raises(DeviceUnreachable, match="has not spoken yet"):
                both.read(poll(*points), NOW)

    def test_is_missing_when_it_grows_old_while_the_device_lives_on(
        self, both: MqttDriver, say: "Sender"
    ) -> None:
        say("nrg", b"[0, 1000]")
        say("meter", b"500")
        assert values(both, "ev.extra") == {"ev.extra": 0.5}
        say("nrg", b"[0, 1000]")
        assert values(both, "ev.extra", now=at(3600)) == {"ev.extra": 0.5}
        say("nrg", b"[0, 1000]")
        assert read(both, "ev.extra", now=at(3601)) == [Sample("ev.extra", None, Quality.MISSING)]
        assert values(both, "ev.power", now=at(3601)) == {"ev.power": 1.0}

    def test_counts_from_when_it_was_first_seen_if_the_broker_kept_it(
        self, broker: Broker, topic: str, device_sends: "Sender", until: "Wait", say: "Sender"
    ) -> None:
        device_sends(f"{topic}/meter", b"500", retain=True)
        device = Device(profile="test", options={"serial": topic, "second": f"{topic}/meter"})
        driver = MqttDriver("charger", MqttProfile.model_validate(CHARGER), device, broker)
        with pytest.raises(DeviceUnreachable):
            driver.read(poll("ev.power"), NOW)
        until(lambda: broker.newest(f"{topic}/meter") is not None)
        for now, value in ((at(0), 0.5), (at(3600), 0.5), (at(3601), None)):
            say("nrg", b"[0, 1000]")
            assert values(driver, "ev.extra", now=now) == {"ev.extra": value}
        device_sends(f"{topic}/meter", b"", retain=True)


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
