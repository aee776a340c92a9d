"""A device that speaks through an MQTT broker, as its profile describes it."""

import contextlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from flexedge.config.profile import MqttControl, MqttPoint, MqttProfile, MqttWrite
from flexedge.config.profiles import options
from flexedge.config.site import Device
from flexedge.domain.asset import Sensor
from flexedge.drivers import power
from flexedge.drivers.driver import ControlPoint, Poll, Sample
from flexedge.drivers.known import Known
from flexedge.drivers.meaning import MISSING, Judged, judge
from flexedge.drivers.mqtt.broker import Broker, is_topic
from flexedge.drivers.mqtt.payload import NotJson, raw_number, text
from flexedge.drivers.mqtt.speaker import Speaker
from flexedge.drivers.settings import Options, in_phases
from flexedge.errors import (
    ConfigError,
    DeviceError,
    DeviceGarbled,
    DeviceRefused,
    DeviceUnreachable,
    Problem,
)

_OPTION = re.compile(r"\{([^{}]*)\}")


class MqttDriver:
    """One device behind a broker that others may share. Asks nothing before its first use.

    Reading what has arrived costs nothing, so every read looks at all points: it tells those of
    its poll, and every other one that shows something else than was told last.
    """

    def __init__(self, name: str, profile: MqttProfile, device: Device, broker: Broker) -> None:
        given = options(profile, device)
        self._name = name
        self._broker = broker
        points = {
            point_name: point.model_copy(update={"topic": topic})
            for point_name, point in profile.points.items()
            if (topic := fill(point.topic, given)) is not None
        }
        controls = {
            control_name: control
            for control_name, described in profile.control.items()
            if (control := _with_topics(described, given)) is not None
            and control.readback in points
        }
        self._points = in_phases(name, points, given)
        self._controls = in_phases(name, controls, given)
        self._check_topics()
        self._grips = {
            control: power.grip(control, described) for control, described in self._controls.items()
        }
        self._known = Known(self._points, self._controls)
        self._speakers = _speakers(profile, self._points)
        self._listening = False
        self._told: dict[str, Sample] = {}

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
        """The newest values of one poll's points, and of all others that show something else now.

        Optional points never heard of are left out. Raises ``DeviceUnreachable`` without a broker,
        and when the device said nothing for the shortest ``max-age`` of its points;
        ``DeviceGarbled`` when nothing it says on the poll's topics is JSON.
        """
        self._known.heard.clear()
        try:
            self._connect()
            away = self._away(now)
            self._known.heard.update(self._heard(poll, away))
        except DeviceError:
            self._told.clear()
            raise
        samples = [
            sample
            for sample in self._known.samples(self._known.heard)
            if sample.point in poll.points or sample != self._told.get(sample.point)
        ]
        self._told.update((sample.point, sample) for sample in samples)
        return samples

    def write(self, control: str, power_kw: float) -> None:
        """Set a power (consumption positive), clipped to what the profile says is possible.

        Done when the broker has the messages; whether the device took them its read-back shows.
        """
        if not math.isfinite(power_kw):
            raise DeviceRefused(self._name, f"{power_kw} is not a power")
        self._connect()
        described, doable = self._controls[control], self._grips[control].doable(power_kw)
        if control not in self._known.written_kw:
            self._publish(control, described.fallback, 0.0)
            self._publish(control, described.enable, doable)
            self._known.written_kw[control] = 0.0
        self._publish(control, described.write, doable)
        self._known.written_kw[control] = doable

    def release(self, control: str) -> None:
        """Give the device back to itself."""
        self._connect()
        self._known.written_kw.pop(control, None)
        self._publish(control, self._controls[control].release, 0.0)

    def shown_kw(self, control: str) -> float | None:
        """The power the read-back point shows."""
        return self._known.shown_kw(control)

    def close(self) -> None:
        """Forget what was written; the broker is closed by whoever made it."""
        self._known.written_kw.clear()

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
            self._known.written_kw.clear()
            raise DeviceUnreachable(self._name, error.message) from error

    def _connect(self) -> None:
        with self._named():
            if not self._listening:
                for topic in {point.topic for point in self._points.values()}:
                    self._broker.listen(topic)
                self._listening = True
            self._broker.ensure_connected()

    def _away(self, now: datetime) -> set[str]:
        """The topics of whoever is away; raises ``DeviceUnreachable`` when that is the device."""
        away: set[str] = set()
        for speaker in self._speakers:
            silence = speaker.silence(self._broker, now)
            if silence is not None and speaker.required:
                raise DeviceUnreachable(self._name, silence)
            if silence is not None:
                away |= speaker.topics
        return away

    def _heard(self, poll: Poll, away: set[str]) -> dict[str, Judged]:
        """What each point says by itself, without optional ones never heard of."""
        heard: dict[str, Judged] = {}
        garbled: dict[str, str] = {}
        for name, point in self._points.items():
            message = self._broker.newest(point.topic)
            if message is None and point.optional:
                continue
            raw = None
            if message is not None and point.topic not in away:
                try:
                    raw = raw_number(message.payload, point.path)
                except NotJson as error:
                    garbled[name] = f"{point.topic} {error}"
            heard[name] = MISSING if raw is None else judge(point, raw)
        asked = [name for name in poll.points if name in heard]
        if asked and garbled.keys() >= set(asked):
            raise DeviceGarbled(self._name, garbled[asked[0]])
        return heard

    def _publish(self, control: str, writes: Sequence[MqttWrite], power_kw: float) -> None:
        for write in writes:
            setpoint = write.setpoint
            rated = None if setpoint is None else setpoint.relative_to
            rating = None if rated is None else self._known.value(rated)
            try:
                number = power.number(write, power_kw, self._grips[control].kw_per_ampere, rating)
            except ValueError as error:
                raise DeviceRefused(self._name, f"{control}: {error}") from error
            with self._named():
                self._broker.publish(write.topic, text(write, number))


def _speakers(profile: MqttProfile, points: Mapping[str, MqttPoint]) -> list[Speaker]:
    """The device, and whoever else speaks of it: the first option in a topic says who."""
    groups: dict[str, list[MqttPoint]] = {}
    for name, point in points.items():
        whose = _OPTION.search(profile.points[name].topic)
        groups.setdefault("" if whose is None else whose[1], []).append(point)
    speakers: list[Speaker] = []
    for group in groups.values():
        required = [point for point in group if not point.optional]
        max_age = min(point.max_age for point in required or group)
        topics = (point.topic for point in group)
        speakers.append(Speaker(topics, max_age, required=bool(required)))
    return speakers


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
