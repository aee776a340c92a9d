"""All a driver must know. Plug-ins implement ``Driver`` and declare it in ``flexedge.drivers``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from flexedge.domain.asset import Sensor
from flexedge.domain.belief import Quality


@dataclass(frozen=True, slots=True)
class Sample:
    """What one point showed. ``value`` is in the sensor's unit, None when missing."""

    point: str
    value: float | None
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class Poll:
    """Points that are read together, and how often."""

    points: tuple[str, ...]
    every: timedelta


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """What can be asked of a control point and how it wants to be treated.

    ``least_kw`` is the smallest power above zero it can do; ``readback_tolerance_kw`` how far the
    read-back may be off; ``range_kw`` (most production, most consumption) or None where the device
    does not say.
    """

    name: str
    kind: Literal["setpoint", "limit"]
    range_kw: tuple[float, float] | None
    least_kw: float
    refresh: timedelta
    device_timeout: timedelta | None
    readback: str
    readback_tolerance_kw: float
    settle: timedelta
    writes_per_day: int | None


class Driver(Protocol):
    """One device. All calls come from the thread of the line the device is on.

    Every call may raise ``DeviceUnreachable`` (no answer), ``DeviceRefused`` (the device said no)
    or ``DeviceGarbled`` (the answer does not fit), and nothing else.
    """

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """Every point the device has, with the sensor that describes it (name: the point's)."""

    @property
    def controls(self) -> Mapping[str, ControlPoint]:
        """Every control point."""

    @property
    def polls(self) -> Sequence[Poll]:
        """What to read and when; the line calls ``read`` with one of these at a time."""

    def read(self, poll: Poll, now: datetime) -> Sequence[Sample]:
        """Read the points of one poll."""

    def write(self, control: str, power_kw: float) -> None:
        """Set a power (consumption positive); arms fallback and enables on the first write."""

    def shown_kw(self, control: str) -> float | None:
        """The power the device shows to have taken; None while that is not known.

        Computed from what was read last, without asking the device; comparable to what ``write``
        was given, whatever unit the read-back point has.
        """

    def release(self, control: str) -> None:
        """Give the device back to itself. May be called at any time, also twice."""

    def close(self) -> None:
        """Close connections. The driver may be used again afterwards: it reconnects."""
