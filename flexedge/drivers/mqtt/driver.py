"""A device that speaks through an MQTT broker, as its profile describes it."""

import contextlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from flexedge.config.profile import MqttControl, MqttProfile, MqttWrite, Setpoint
from flexedge.config.site import Device
from flexedge.domain.asset import Sensor
from flexedge.domain.belief import Quality
from flexedge.drivers import power
from flexedge.drivers.driver import ControlPoint, Poll, Sample
from flexedge.drivers.meaning import MISSING, judge
from flexedge.drivers.mqtt.broker import Broker, is_topic
from flexedge.drivers.mqtt.payload import NotJson, raw_number, text
from flexedge.drivers.settings import Options, grips, option_values
from flexedge.errors import (
    ConfigError,
    DeviceError,
    DeviceGarbled,
    DeviceRefused,
    DeviceUnreachable,
    Problem,
)

_OPTION = re.compile(r"\{([^{}]*)\}")
_COMMAND = "/set"  # a command's topic is its status topic and this


class MqttDriver:
    """One device behind a broker that others may share. Asks nothing before its first use.

    What counts as a sign of life is a live message on any of the device's topics: many devices
    send a value only when it changes. Retained messages are values, but no sign of life.
    """

    def __init__(self, name: str, profile: MqttProfile, device: Device, broker: Broker) -> None:
        options = option_values(profile, device)
        self._name = name
        self._broker = broker
        self._points = {
            point_name: point.model_copy(update={"topic": topic})
            for point_name, point in profile.points.items()
            if (topic := fill(point.topic, options)) is not None
        }
        self._controls = {
            control_name: control
            for control_name, described in profile.control.items()
            if (control := _with_topics(described, options)) is not None
            and control.readback in self._points
        }
        self._check_topics()
        self._grips = grips(name, self._controls, options)
        self._listening = False
        self._armed: set[str] = set()
        self._last: dict[str, Sample] = {}
        self._arrivals = 0
        self._spoke_at: datetime | None = None

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """Every point whose options are given."""
        return {name: Sensor(name, point.sensor_unit) for name, point in self._points.items()}

    @property
    def controls(self) -> Mapping[str, ControlPoint]:
        """Every control point whose options are given."""
        return {name: grip.point for name, grip in self._grips.items()}

    @property
    def polls(self) -> Sequence[Poll]:
        """The points by how often they are looked at, the fastest first."""
        return [
            Poll(tuple(name for name, point in self._points.items() if point.every == every), every)
            for every in sorted({point.every for point in self._points.values()})
        ]

    def read(self, poll: Poll, now: datetime) -> Sequence[Sample]:
        """The newest values of one poll's points; optional ones never heard of are left out.

        Raises ``DeviceUnreachable`` without a broker, and when the device said nothing for the
        shortest ``max-age`` of the poll; ``DeviceGarbled`` when nothing it says is JSON.
        """
        try:
            self._connect()
            self._must_live(poll, now)
            samples = self._samples(poll)
        except DeviceError:
            for name in poll.points:
                self._last.pop(name, None)
            raise
        self._last.update((sample.point, sample) for sample in samples)
        return samples

    def write(self, control: str, power_kw: float) -> None:
        """Set a power (consumption positive), clipped to what the profile says is possible.

        Done when the broker has the messages; whether the device took them its read-back shows.
        """
        if not math.isfinite(power_kw):
            raise DeviceRefused(self._name, f"{power_kw} is not a power")
        self._connect()
        described, doable = self._controls[control], self._grips[control].doable(power_kw)
        if control not in self._armed:
            self._publish(control, described.fallback, 0.0)
            self._publish(control, described.enable, doable)
            self._armed.add(control)
        self._publish(control, described.write, doable)

    def release(self, control: str) -> None:
        """Give the device back to itself."""
        self._connect()
        self._armed.discard(control)
        self._publish(control, self._controls[control].release, 0.0)

    def shown_kw(self, control: str) -> float | None:
        """The power the read-back point shows.

        0 where the status topic of a command chosen by sign (its topic without "/set") is a
        point and shows the code of zero, unless the read-back is itself a power.
        """
        described = self._controls[control]
        value = self._value(described.readback)
        point = self._points[described.readback]
        if value is None:
            return None
        if point.sensor_unit != "kW" and self._is_off(described):
            return 0.0
        setpoint = power.setpoint_of(described.write)
        return power.shown(
            value, point, setpoint, self._grips[control].kw_per_ampere, self._rating(setpoint)
        )

    def close(self) -> None:
        """Forget what was written; the broker is closed by whoever made it."""
        self._armed.clear()

    def _check_topics(self) -> None:
        topics = [point.topic for point in self._points.values()]
        topics += [
            write.topic
            for control in self._controls.values()
            for write in (*control.fallback, *control.enable, *control.write, *control.release)
        ]
        wrong = [topic for topic in topics if not is_topic(topic)]
        if wrong:
            message = f"its options make {wrong[0]!r}, which is not a topic"
            raise ConfigError([Problem(f"devices.{self._name}", None, None, message)])

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """The broker's failures become this device's."""
        try:
            yield
        except DeviceUnreachable as error:
            self._armed.clear()
            raise DeviceUnreachable(self._name, error.message) from error

    def _connect(self) -> None:
        with self._named():
            if not self._listening:
                for topic in {point.topic for point in self._points.values()}:
                    self._broker.listen(topic)
                self._listening = True
            self._broker.ensure_connected()

    def _must_live(self, poll: Poll, now: datetime) -> None:
        topics = {point.topic for point in self._points.values()}
        messages = [self._broker.newest(topic) for topic in topics]
        arrivals = sum(message.arrivals for message in messages if message is not None)
        if arrivals != self._arrivals:
            self._arrivals, self._spoke_at = arrivals, now
        if self._spoke_at is None:
            raise DeviceUnreachable(self._name, "has not spoken yet")
        max_age = min(self._points[name].max_age for name in poll.points)
        silence = now - self._spoke_at
        if silence > max_age:
            raise DeviceUnreachable(
                self._name, f"has not spoken for {silence.total_seconds():.0f} s"
            )

    def _samples(self, poll: Poll) -> list[Sample]:
        samples: list[Sample] = []
        garbled: list[str] = []
        for name in poll.points:
            point = self._points[name]
            message = self._broker.newest(point.topic)
            if message is None and point.optional:
                continue
            try:
                raw = None if message is None else raw_number(message.payload, point.path)
            except NotJson as error:
                garbled.append(f"{point.topic} {error}")
                raw = None
            samples.append(Sample(name, *(MISSING if raw is None else judge(point, raw))))
        if garbled and len(garbled) == len(samples):
            raise DeviceGarbled(self._name, garbled[0])
        return samples

    def _publish(self, control: str, writes: Sequence[MqttWrite], power_kw: float) -> None:
        for write in writes:
            try:
                number = power.number(
                    write,
                    power_kw,
                    self._grips[control].kw_per_ampere,
                    self._rating(write.setpoint),
                )
            except ValueError as error:
                raise DeviceRefused(self._name, f"{control}: {error}") from error
            with self._named():
                self._broker.publish(write.topic, text(write, number))

    def _rating(self, setpoint: Setpoint | None) -> float | None:
        if setpoint is None or setpoint.relative_to is None:
            return None
        return self._value(setpoint.relative_to)

    def _value(self, point: str) -> float | None:
        sample = self._last.get(point)
        return sample.value if sample is not None and sample.quality is Quality.GOOD else None

    def _is_off(self, control: MqttControl) -> bool:
        return any(
            write.when is not None
            and write.when.zero != write.when.positive
            and self._value(name) == write.when.zero * point.factor
            for write in control.write
            for name, point in self._points.items()
            if point.topic + _COMMAND == write.topic
        )


def fill(topic: str, options: Options) -> str | None:
    """The topic with options in place of their names in braces; None where one is not given."""
    if any(name not in options for name in _OPTION.findall(topic)):
        return None
    return _OPTION.sub(lambda match: str(options[match[1]]), topic)


def _with_topics(control: MqttControl, options: Options) -> MqttControl | None:
    lists: dict[str, tuple[MqttWrite, ...]] = {}
    for phase in ("fallback", "enable", "write", "release"):
        writes: tuple[MqttWrite, ...] = getattr(control, phase)
        topics = [fill(write.topic, options) for write in writes]
        if None in topics:
            return None
        lists[phase] = tuple(
            write.model_copy(update={"topic": topic})
            for write, topic in zip(writes, topics, strict=True)
        )
    return control.model_copy(update=lists)
