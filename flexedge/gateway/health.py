"""How every part of the gateway fares: feeds the page, the CLI and the watchdog."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flexedge.gateway.view import DeviceState

LOST_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """How one device fares. ``error`` is what went wrong last, None when all is well."""

    polls: int = 0
    failures: int = 0
    last_ok: datetime | None = None
    first_tried: datetime | None = None
    error: str | None = None

    def state(self, now: datetime) -> DeviceState:
        """ok: answers; stale: failed just now; lost: has not answered for a while."""
        if self.last_ok is None:
            tried = self.first_tried
            return "starting" if tried is None or now - tried <= LOST_AFTER else "lost"
        if self.error is None:
            return "ok"
        return "stale" if now - self.last_ok <= LOST_AFTER else "lost"


@dataclass(frozen=True, slots=True)
class Counts:
    """What has happened since the start."""

    written: int = 0
    verified: int = 0
    clamped: int = 0
    refused: int = 0
    plans: int = 0
    infeasible: int = 0
    plan_seconds_max: float = 0.0
    errors: int = 0
    """Exceptions nobody expected; each is in the log."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is wrong, and since when as far as that is known: to the second, by the loops' beats."""

    about: str
    message: str
    since: datetime | None = None


@dataclass(slots=True)
class Health:
    """Shared between threads; one lock inside."""

    time_known: bool = True
    """Whether the clock can be trusted; otherwise nothing that depends on the time of day is done.
    Written by one thread."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _devices: dict[str, DeviceHealth] = field(default_factory=dict)
    _counts: Counts = field(default_factory=Counts)
    _alarms: dict[str, Alarm] = field(default_factory=dict)
    _beats: dict[str, datetime] = field(default_factory=dict)

    def answered(self, device: str, now: datetime) -> None:
        """A device answered."""
        with self._lock:
            known = self._devices.get(device, DeviceHealth())
            self._devices[device] = replace(
                known,
                polls=known.polls + 1,
                last_ok=now,
                first_tried=known.first_tried or now,
                error=None,
            )

    def failed(self, device: str, error: str, now: datetime) -> None:
        """A device did not answer, or not as it should."""
        with self._lock:
            known = self._devices.get(device, DeviceHealth())
            self._devices[device] = replace(
                known,
                failures=known.failures + 1,
                first_tried=known.first_tried or now,
                error=error,
            )

    def device(self, name: str) -> DeviceHealth:
        """How a device fares."""
        with self._lock:
            return self._devices.get(name, DeviceHealth())

    def count(self, **more: int) -> None:
        """Add to the counts: ``count(written=1)``."""
        with self._lock:
            sums = {name: getattr(self._counts, name) + n for name, n in more.items()}
            self._counts = replace(self._counts, **sums)

    def planned(self, seconds: float) -> None:
        """A plan was made."""
        with self._lock:
            self._counts = replace(
                self._counts,
                plans=self._counts.plans + 1,
                plan_seconds_max=max(self._counts.plan_seconds_max, seconds),
            )

    @property
    def counts(self) -> Counts:
        """What has happened since the start."""
        with self._lock:
            return self._counts

    def alarm(self, about: str, message: str) -> None:
        """Raise, replace or (with an empty message) clear the alarm about something."""
        with self._lock:
            if message:
                known = self._alarms.get(about, Alarm(about, message))
                self._alarms[about] = replace(known, message=message)
            else:
                self._alarms.pop(about, None)

    @property
    def alarms(self) -> Mapping[str, str]:
        """What is wrong now, by what it is about."""
        with self._lock:
            return {about: alarm.message for about, alarm in self._alarms.items()}

    @property
    def raised(self) -> tuple[Alarm, ...]:
        """The alarms with their times, in the order in which they came."""
        with self._lock:
            return tuple(self._alarms.values())

    def beat(self, loop: str, now: datetime) -> None:
        """A loop made progress."""
        with self._lock:
            self._beats[loop] = now
            for about, alarm in self._alarms.items():
                if alarm.since is None:
                    self._alarms[about] = replace(alarm, since=now)

    @property
    def beats(self) -> Mapping[str, datetime]:
        """When each loop made progress last."""
        with self._lock:
            return dict(self._beats)

    def silent(self, now: datetime, longer_than: timedelta) -> tuple[str, ...]:
        """Loops that made no progress for too long."""
        with self._lock:
            return tuple(name for name, at in self._beats.items() if now - at > longer_than)
