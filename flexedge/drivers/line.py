"""One shared connection: writes first, then what is due; dead devices are only probed.

Pure of threads and clocks: a loop elsewhere calls ``step`` and waits until the moment it returned
or until it is woken.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from flexedge.domain.schedule import Applied, Outcome, Refused, Released, Unreachable
from flexedge.drivers.driver import Driver, Sample
from flexedge.drivers.station import Station
from flexedge.errors import DeviceError, DeviceRefused


@dataclass(frozen=True, slots=True)
class Write:
    """Ask for a power. Raises ``ValueError`` unless it is finite."""

    device: str
    control: str
    power_kw: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.power_kw):
            raise ValueError(f"{self.power_kw} is not a power")


@dataclass(frozen=True, slots=True)
class Release:
    """Ask that a device be left to itself; tried until it works or the device refuses."""

    device: str
    control: str
    why: str


Request = Write | Release


class Report(Protocol):
    """Who hears what came of it. Called in the line's thread; must neither block nor raise."""

    def read(
        self, device: str, samples: Sequence[Sample], shown: Mapping[str, float], now: datetime
    ) -> None:
        """A poll succeeded; ``shown`` is the power in kW that each control verifiably has.

        Only controls whose read-back point was among the samples and could be told are in it.
        """

    def failed(self, device: str, error: DeviceError, now: datetime) -> None:
        """A poll failed."""

    def wrote(self, device: str, control: str, outcome: Outcome, now: datetime) -> None:
        """What came of a request: ``Applied``, ``Released``, ``Refused`` or ``Unreachable``.

        A release may be reported unreachable several times: it is tried again.
        """


class Line:
    """Drivers that share one connection, asked one at a time.

    ``gap`` is kept between the end of one operation and the start of the next. ``wake`` is called
    after each submission, from the submitting thread.
    """

    def __init__(
        self,
        name: str,
        drivers: Mapping[str, Driver],
        report: Report,
        wake: Callable[[], None],
        gap: timedelta = timedelta(0),
    ) -> None:
        self.name = name
        self.drivers = drivers
        self._report = report
        self._wake = wake
        self._gap = gap
        self._stations = {device: Station(driver) for device, driver in drivers.items()}
        self._inbox: deque[Request] = deque()
        self._anew: deque[str] = deque()
        self._pending: dict[tuple[str, str], Request] = {}
        self._busy = False
        self._free_at: datetime | None = None

    def submit(self, request: Request) -> None:
        """Hand in a request, from any thread; a newer one for the same control replaces it.

        Raises ``KeyError`` for a device that is not on this line.
        """
        if request.control not in self.drivers[request.device].controls:
            raise KeyError(request.control)
        self._inbox.append(request)
        self._wake()

    def restart(self, device: str) -> None:
        """Begin anew with a device, from any thread: connect, and have every poll due at once.

        Other devices on the connection connect anew, too. Raises ``KeyError`` for a device that is
        not on this line.
        """
        if device not in self.drivers:
            raise KeyError(device)
        self._anew.append(device)
        self._wake()

    def step(self, now: datetime) -> datetime | None:
        """Do at most one operation; when to be called again (``now``: at once, None: if woken)."""
        if self._busy:
            # The operation before ended about now: time is a parameter, so only now is it known.
            self._busy = False
            self._free_at = now + self._gap
        while self._anew:
            device = self._anew.popleft()
            self.drivers[device].close()
            self._stations[device] = Station(self.drivers[device])
        while self._inbox:
            request = self._inbox.popleft()
            self._pending[request.device, request.control] = request
        self._answer_for_the_dead(now)
        if self._free_at is not None and now < self._free_at <= now + self._gap:
            return self._free_at if self._pending else max(self._free_at, self._next(now) or now)
        if self._serve(now):
            self._busy = True
            return now
        return self._next(now)

    def close(self) -> None:
        """Close the drivers' connections."""
        for driver in self.drivers.values():
            driver.close()

    def _answer_for_the_dead(self, now: datetime) -> None:
        for key, request in list(self._pending.items()):
            station = self._stations[request.device]
            if station.error is not None and station.dead and isinstance(request, Write):
                del self._pending[key]
                self._report.wrote(*key, Unreachable(str(station.error)), now)

    def _serve(self, now: datetime) -> bool:
        for key, request in self._pending.items():
            if self._stations[request.device].takes_requests(now):
                del self._pending[key]
                self._carry_out(request, now)
                return True
        due = [
            (deadline, index, device)
            for index, (device, station) in enumerate(self._stations.items())
            if (deadline := station.deadline(now)) is not None
        ]
        if not due:
            return False
        self._poll(min(due)[2], now)
        return True

    def _next(self, now: datetime) -> datetime | None:
        asked = {device for device, _ in self._pending}
        moments = (
            moment
            for device, station in self._stations.items()
            for moment in station.moments(requested=device in asked)
        )
        return max(min(moments, default=now), now) if self._stations else None

    def _carry_out(self, request: Request, now: datetime) -> None:
        station = self._stations[request.device]
        outcome: Outcome
        try:
            if isinstance(request, Write):
                station.driver.write(request.control, request.power_kw)
                outcome = Applied(request.power_kw)
            else:
                station.driver.release(request.control)
                outcome = Released(request.why)
            station.succeed()
        except DeviceRefused as error:
            outcome = Refused(error.message)
        except Exception as error:  # noqa: BLE001 (a plug-in's bug must not stop the other devices)
            known = _device_error(request.device, error)
            outcome = Unreachable(known.message)
            if not station.dead:  # the dead are counted by their probes
                station.fail(known, now)
            if isinstance(request, Release):
                station.rest(now)
                self._pending[request.device, request.control] = request
        self._report.wrote(request.device, request.control, outcome, now)

    def _poll(self, device: str, now: datetime) -> None:
        station = self._stations[device]
        poll = station.begin(now)
        try:
            samples = station.driver.read(poll, now)
            shown = _shown(station.driver, {sample.point for sample in samples})
        except Exception as error:  # noqa: BLE001 (a plug-in's bug must not stop the other devices)
            known = _device_error(device, error)
            station.fail(known, now)
            self._report.failed(device, known, now)
            return
        station.succeed()
        self._report.read(device, samples, shown, now)


def _shown(driver: Driver, points: set[str]) -> dict[str, float]:
    shown = {
        name: driver.shown_kw(name)
        for name, control in driver.controls.items()
        if control.readback in points
    }
    return {name: power_kw for name, power_kw in shown.items() if power_kw is not None}


def _device_error(device: str, error: Exception) -> DeviceError:
    if isinstance(error, DeviceError):
        return error
    return DeviceError(device, f"its driver failed: {type(error).__name__}: {error}")
