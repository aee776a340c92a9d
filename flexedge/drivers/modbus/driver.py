"""A Modbus device as its profile describes it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from flexedge.config.profile import ModbusProfile, ModbusWrite, Register
from flexedge.config.profiles import options
from flexedge.config.site import Device
from flexedge.domain.asset import Sensor
from flexedge.drivers import power
from flexedge.drivers.driver import ControlPoint, Poll, Sample
from flexedge.drivers.known import Known
from flexedge.drivers.modbus import codec, sunspec
from flexedge.drivers.modbus.client import ModbusClient
from flexedge.drivers.modbus.reader import Place, Reader, locate
from flexedge.drivers.settings import in_phases
from flexedge.errors import DeviceGarbled, DeviceRefused


class ModbusDriver:
    """One unit on a Modbus line. Asks nothing before its first use."""

    def __init__(
        self, name: str, profile: ModbusProfile, device: Device, client: ModbusClient
    ) -> None:
        given = options(profile, device)
        fitted = {
            "points": in_phases(name, profile.points, given),
            "control": in_phases(name, profile.control, given),
        }
        self._name = name
        self._profile = profile = profile.model_copy(update=fitted)
        self._client = client
        self._grips = {
            control: power.grip(control, described)
            for control, described in profile.control.items()
        }
        self._known = Known(profile.points, profile.control)
        self._connection = 0
        self._reader: Reader | None = None
        self._models: Mapping[int, int] = {}

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """Every point of the profile."""
        return {
            name: Sensor(name, point.sensor_unit) for name, point in self._profile.points.items()
        }

    @property
    def controls(self) -> Mapping[str, ControlPoint]:
        """Every control point of the profile."""
        return {name: grip.point for name, grip in self._grips.items()}

    @property
    def polls(self) -> Sequence[Poll]:
        """The points by how often they are read, the fastest first."""
        points = self._profile.points
        return [
            Poll(tuple(name for name, point in points.items() if point.every == every), every)
            for every in sorted({point.every for point in points.values()})
        ]

    def read(self, poll: Poll, now: datetime) -> Sequence[Sample]:  # noqa: ARG002 (registers have no age)
        """Read the points of one poll, in as few requests as their places allow.

        Points in registers the device refuses are missing (optional ones are left out); only when
        it refuses all of them is ``DeviceRefused`` raised.
        """
        return self._read(poll.points)

    def write(self, control: str, power_kw: float) -> None:
        """Set a power (consumption positive), clipped to what the profile says is possible.

        The first write on a connection and after a release is led by fallback and enable.
        """
        if not math.isfinite(power_kw):
            raise DeviceRefused(self._name, f"{power_kw} is not a power")
        self._begin()
        described, doable = self._profile.control[control], self._grips[control].doable(power_kw)
        if control not in self._known.written_kw:
            self._write_all(control, described.fallback, 0.0)
            self._write_all(control, described.enable, doable)
            self._known.written_kw[control] = 0.0
        self._write_all(control, described.write, doable)
        self._known.written_kw[control] = doable

    def release(self, control: str) -> None:
        """Give the device back to itself."""
        self._begin()
        self._known.written_kw.pop(control, None)
        self._write_all(control, self._profile.control[control].release, 0.0)

    def shown_kw(self, control: str) -> float | None:
        """The power the read-back point shows."""
        return self._known.shown_kw(control)

    def close(self) -> None:
        """Close the connection, also for other devices on it: they reconnect."""
        self._client.close()

    def _begin(self) -> Reader:
        """Connect, and learn a new connection's places anew: another device may be there now."""
        connection = self._client.connect()
        if self._reader is None or connection != self._connection:
            self._reader = None
            self._known.clear()
            self._models = self._walk()
            self._reader = Reader(self._name, self._profile, self._models, self._client)
            self._connection = connection
        return self._reader

    def _walk(self) -> Mapping[int, int]:
        registers: Iterable[Register] = [
            *self._profile.points.values(),
            *(
                write
                for control in self._profile.control.values()
                for write in (*control.fallback, *control.enable, *control.write, *control.release)
            ),
        ]
        if all(register.sunspec is None for register in registers):
            return {}
        return sunspec.walk(self._name, self._client, self._profile.connection.sunspec_base)

    def _read(self, points: Sequence[str]) -> Sequence[Sample]:
        """What points show; those they depend on are read along while they are not known."""
        for point in points:
            self._known.heard.pop(point, None)
        reader = self._begin()
        heard = reader.read([*points, *self._known.lacking(points)])
        self._known.heard.update(heard)
        return self._known.samples(point for point in points if point in heard)

    def _write_all(self, control: str, writes: Sequence[ModbusWrite], power_kw: float) -> None:
        for write in writes:
            place = self._place(write)
            number = self._number(control, write, power_kw)
            try:
                words = codec.encode(write, number, self._exponent(write))
            except ValueError as error:
                raise DeviceRefused(self._name, f"{control}: {error}") from error
            self._client.write(place.address, words, write.function)

    def _place(self, register: ModbusWrite) -> Place:
        place = locate(register, register.exponent, self._models)
        if place is None:
            raise DeviceGarbled(self._name, f"has no SunSpec model {register.sunspec}")
        return place

    def _number(self, control: str, write: ModbusWrite, power_kw: float) -> float:
        rating = None
        if write.setpoint is not None and write.setpoint.relative_to is not None:
            rating = self._known.value(write.setpoint.relative_to)
            if rating is None:
                self._read([write.setpoint.relative_to])
                rating = self._known.value(write.setpoint.relative_to)
        try:
            return float(power.number(write, power_kw, self._grips[control].kw_per_ampere, rating))
        except ValueError as error:
            raise DeviceRefused(self._name, f"{control}: {error}") from error

    def _exponent(self, write: ModbusWrite) -> int | None:
        exponent = self._place(write).exponent
        if exponent is None:
            return None
        (word,) = self._client.read(write.table, exponent, 1)
        known = codec.power_of_ten(word)
        if known is None:
            raise DeviceGarbled(self._name, f"has no scale factor at {exponent}")
        return known
