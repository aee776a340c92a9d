"""Every shipped MQTT profile through its driver, against a device that answers as documented."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from flexedge.config.profile import MqttProfile
from flexedge.config.profiles import catalogue, load_profile
from flexedge.config.site import Device
from flexedge.domain.belief import Quality
from flexedge.drivers.mqtt.broker import Broker
from flexedge.drivers.mqtt.driver import MqttDriver
from flexedge.errors import DeviceUnreachable

if TYPE_CHECKING:
    from tests.drivers.mqtt.conftest import Ready, Sender, Wait

NOW = datetime(2026, 11, 22, tzinfo=UTC)
Message = tuple[str, str]
"""Topic without the device's own part, and payload."""


@dataclass(frozen=True)
class Golden:
    """What the device ``says`` and what that ``shows``; what it is told for each power.

    ``own`` is the device's part of its topics, {} being the option that names it; ``obeys`` tells
    what it says to a command, or None.
    """

    own: str
    options: Mapping[str, str]
    says: Mapping[str, str]
    shows: Mapping[str, float]
    told: Mapping[float, tuple[Message, ...]]
    released: tuple[Message, ...]
    obeys: Callable[[Message], Message | None]


def goe(command: Message) -> Message | None:
    """A go-e says the new value of a key; it takes no current below 6 A."""
    topic, payload = command
    key = topic.removesuffix("/set")
    return None if key == "amp" and int(payload) < 6 else (key, payload)


def shelly(command: Message) -> Message:
    return "status/switch:0", json.dumps({"output": command[1].startswith("on"), "apower": 0.0})


GOLDEN = {
    "go-e-charger": Golden(
        own="go-eCharger/{}/",
        options={"serial": "{}", "soc-topic": "go-eCharger/{}/telematics"},
        says={
            "nrg": "[231,230,229,3,10.7,10.6,10.7,2471,2438,2450,0,7359,0,0,0,0]",
            "car": "2", "wh": "12345.5", "amp": "11", "frc": "2", "telematics": "63.5",
        },
        shows={
            "ev.power": 7.359, "ev.plugged": 1.0, "ev.session-energy": 12.3455,
            "ev.current": 11.0, "ev.force": 2.0, "ev.allowed": 7.59, "ev.soc": 63.5,
        },
        told={
            7.0: (("amp/set", "10"), ("frc/set", "2")),
            0.0: (("amp/set", "6"), ("frc/set", "1")),
            4.14: (("amp/set", "6"), ("frc/set", "2")),
            11.04: (("amp/set", "16"), ("frc/set", "2")),
        },
        released=(("frc/set", "0"),),
        obeys=goe,
    ),
    "shelly-gen2-switch": Golden(
        own="{}/",
        options={"prefix": "{}"},
        says={
            "status/switch:0": '{"id":0,"source":"MQTT","output":true,"apower":1850.4,"voltage":'
            '230.1,"current":8.05,"aenergy":{"total":12.3},"temperature":{"tC":41.2}}',
        },
        shows={"switch.power": 1.8504, "switch.on": 1.0},
        told={
            1.8: (("command/switch:0", "on,120"),),
            0.0: (("command/switch:0", "off"),),
            2.5: (("command/switch:0", "on,120"),),
        },
        released=(("command/switch:0", "off"),),
        obeys=shelly,
    ),
}  # fmt: skip


def shipped() -> dict[str, MqttProfile]:
    profiles = {name: load_profile(path) for name, path in catalogue().items()}
    return {name: one for name, one in profiles.items() if isinstance(one, MqttProfile)}


@dataclass
class Bench:
    """A driver, and the device behind the broker."""

    driver: MqttDriver
    broker: Broker
    own: str
    send: "Sender"
    until: "Wait"
    commands: list[Message] = field(default_factory=list)

    def say(self, message: Message) -> None:
        topic = self.own + message[0]
        before = self.broker.newest(topic)
        self.send(topic, message[1].encode())
        self.until(lambda: self.broker.newest(topic) is not before)

    def heard(self, count: int) -> tuple[Message, ...]:
        """What the device was told since the last time, as many commands as there should be."""
        self.until(lambda: len(self.commands) >= count)
        heard = tuple(self.commands)
        self.commands.clear()
        return heard

    def read(self) -> dict[str, float | None]:
        samples = [s for poll in self.driver.polls for s in self.driver.read(poll, NOW)]
        assert all(sample.quality is Quality.GOOD for sample in samples), samples
        return {sample.point: sample.value for sample in samples}


@pytest.fixture
def bench(
    name: str, broker: Broker, topic: str, device_sends: "Sender", until: "Wait",
    subscribed: "Ready",
) -> Iterator[Bench]:  # fmt: skip
    golden, unique = GOLDEN[name], topic.replace("/", "-")
    options = {option: text.format(unique) for option, text in golden.options.items()}
    device = Device(profile=name, broker="home", options={**options})
    driver = MqttDriver(name, shipped()[name], device, broker)
    bench = Bench(driver, broker, golden.own.format(unique), device_sends, until)
    everything = [message for messages in golden.told.values() for message in messages]
    for command in {command for command, _ in (*everything, *golden.released)}:
        broker.listen(
            bench.own + command,
            lambda full, message: bench.commands.append(
                (full.removeprefix(bench.own), message.payload.decode())
            ),
        )
    with pytest.raises(DeviceUnreachable, match=name):
        driver.read(driver.polls[0], NOW)
    subscribed(broker)
    for message in golden.says.items():
        bench.say(message)
    yield bench
    driver.close()


def test_every_shipped_profile_has_its_messages_here() -> None:
    assert GOLDEN.keys() == shipped().keys()


@pytest.mark.parametrize("name", GOLDEN)
def test_every_point_says_what_its_messages_mean(name: str, bench: Bench) -> None:
    shown = bench.read()
    assert shown.keys() == bench.driver.sensors.keys() == shipped()[name].points.keys()
    assert shown == {point: pytest.approx(value) for point, value in GOLDEN[name].shows.items()}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_written_power_is_told_and_shown(name: str, bench: Bench) -> None:
    (control,) = bench.driver.controls.values()
    for power_kw, commands in GOLDEN[name].told.items():
        bench.driver.write(control.name, power_kw)
        assert bench.heard(len(commands)) == commands
        for answer in map(GOLDEN[name].obeys, commands):
            if answer is not None:
                bench.say(answer)
        bench.read()
        shown_kw = bench.driver.shown_kw(control.name)
        assert shown_kw == pytest.approx(power_kw, abs=control.readback_tolerance_kw)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_release_leaves_the_device_to_itself(name: str, bench: Bench) -> None:
    (control,), golden = bench.driver.controls, GOLDEN[name]
    power_kw = next(iter(golden.told))
    bench.driver.write(control, power_kw)
    bench.heard(len(golden.told[power_kw]))
    bench.driver.release(control)
    bench.read()
    end = (golden.released[-1][0], "the end")
    bench.broker.publish(bench.own + end[0], end[1])
    assert bench.heard(len(golden.released) + 1) == (*golden.released, end)


@pytest.mark.parametrize("name", ["go-e-charger"])
def test_the_charger_on_one_phase(name: str, broker: Broker) -> None:
    options: dict[str, str | int | float] = {"serial": "012345", "phases": 1}
    driver = MqttDriver(name, shipped()[name], Device(profile=name, options=options), broker)
    control = driver.controls["ev.power"]
    assert control.range_kw == pytest.approx((0.0, 3.68))
    assert control.least_kw == pytest.approx(1.38)
