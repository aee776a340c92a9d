"""The only place that reads a clock, and the only place that waits for one.

``WallClock`` is the real thing. ``SharedClock`` follows a simulated site's timekeeper: time stands
still while any loop of the daemon works and moves on to the next moment somebody waits for when
all are idle, so that site and daemon see the same time however fast it runs.
"""

import contextlib
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from flexedge.daemon.timeline import Timeline
from flexedge.errors import FlexedgeError
from flexedge.store.archive import Stamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = struct.Struct("<d")
_HELLO = struct.Struct("<dd")
_CONNECT_S = 10.0
_LEAST_WALL_S = 1e-3  # time moves on in steps of about a wall millisecond at least,
_LEAST_S = 0.5  # but never of more than this because of it


class ClockUnavailable(FlexedgeError):
    """The timekeeper of the simulated site does not answer."""


class Sleeper(Protocol):
    """One loop's way of waiting."""

    def sleep(self, until: datetime | None) -> None:
        """Wait until a moment (None: for good) or until woken, whichever comes first."""

    def wake(self) -> None:
        """End the present sleep, or the next one at once. From any thread."""

    def close(self) -> None:
        """Take part no longer."""


class Clock(Protocol):
    """Time, as the daemon hands it to everybody else."""

    @property
    def speed(self) -> float:
        """How many seconds pass in one second of wall time."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    def stamp(self) -> Stamp:
        """How the clock stands: to be kept with what is read now."""

    def sleeper(self) -> Sleeper:
        """A new way of waiting, for one thread."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep simulated time from moving on while some work is done."""

    def let_run(self) -> None:
        """From now on follow wall time only: nobody waits for a timekeeper that may be gone."""


class WallSleeper:
    """Waits by the wall, for a clock that runs at a speed of its own."""

    def __init__(self, now: Callable[[], datetime], speed: float = 1.0) -> None:
        self._now = now
        self._speed = speed
        self._event = threading.Event()

    def sleep(self, until: datetime | None) -> None:
        """As ``Sleeper``."""
        seconds = None if until is None else (until - self._now()).total_seconds() / self._speed
        if seconds is None or seconds > 0:
            self._event.wait(seconds)
        self._event.clear()

    def wake(self) -> None:
        """As ``Sleeper``."""
        self._event.set()

    def close(self) -> None:
        """As ``Sleeper``."""
        self._event.set()


def machine() -> tuple[int, int]:
    """The machine's clocks in microseconds: monotonic (suspended or not), and UTC as it says."""
    up_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return up_ns // 1000, time.clock_gettime_ns(time.CLOCK_REALTIME) // 1000


class WallClock:
    """The clock on the wall as it was at the start, carried on by monotonic time.

    However the machine's clock is set, this one does not jump: see ``timekeeping``.
    """

    speed = 1.0

    def __init__(self, machine: Callable[[], tuple[int, int]] = machine) -> None:
        self.machine = machine
        up_us, utc_us = machine()
        self._line = Timeline(utc_us - up_us, utc_us - up_us)
        self.boot = ""
        self.trusted = True

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return _EPOCH + timedelta(microseconds=self._line.utc(self.machine()[0]))

    def stamp(self) -> Stamp:
        """How the clock stands: to be kept with what is read now."""
        return Stamp(self.boot, self._line.offset(self.machine()[0]), self.trusted)

    def follow(self, offset_us: int) -> None:
        """Go, slowly, to where UTC is so far from monotonic time."""
        self._line = self._line.towards(offset_us, self.machine()[0])

    def sleeper(self) -> Sleeper:
        """A new way of waiting, for one thread."""
        return WallSleeper(self.now)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Nobody holds the wall clock."""
        yield

    def let_run(self) -> None:
        """It runs already."""


class _SharedSleeper:
    """Waits at a gate; counted as busy by the clock whenever it does not wait."""

    def __init__(self, clock: "SharedClock") -> None:
        self._clock = clock
        self._gate = threading.Lock()  # locked: whoever comes waits
        self._gate.acquire()
        self.until: float | None = None
        """While asleep: the moment waited for; None while busy."""
        self._woken = False

    def sleep(self, until: datetime | None) -> None:
        with self._clock.lock:
            free = self._clock.running_free
            if not free:
                due = until is not None and until.timestamp() <= self._clock.moment
                if self._woken or due:
                    self._woken = False
                    return
                self.until = math.inf if until is None else until.timestamp()
                self._clock.rest()
        if free:
            self._sleep_free(until)
        else:
            self._gate.acquire()

    def _sleep_free(self, until: datetime | None) -> None:
        """Wait by wall time, as after ``let_run``."""
        seconds = -1.0  # for good
        if until is not None:
            left = (until - self._clock.now()) / timedelta(seconds=1) / self._clock.speed
            seconds = max(left, 0.0)
        self._gate.acquire(timeout=seconds)

    def wake(self) -> None:
        with self._clock.lock:
            if self._clock.running_free:
                self._open()
            elif self.until is None:
                self._woken = True
            else:
                self.rouse()

    def rouse(self) -> None:
        """Let the sleeper go on; the clock's lock is held."""
        self.until = None
        self._woken = False
        self._clock.busy += 1
        self._open()

    def _open(self) -> None:
        if self._gate.locked():
            self._gate.release()

    def close(self) -> None:
        self._clock.leave(self)


class SharedClock:
    """Time as a simulated site keeps it (see flexedge.demo.timekeeper for the other end).

    The timekeeper greets with its time and speed; "idle until T" is answered with the new time.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._socket = socket.create_connection((host, int(port)), timeout=_CONNECT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.moment, self.speed = _HELLO.unpack(self._receive(_HELLO.size))
        except (OSError, ValueError, struct.error) as error:
            raise ClockUnavailable(f"no timekeeper at {address}: {error}") from error
        self._socket.settimeout(None)
        self.lock = threading.Lock()
        wanted_s = min(_LEAST_WALL_S * max(self.speed, 1.0), _LEAST_S)
        self._step = 2.0 ** math.floor(math.log2(wanted_s))  # so that seconds are whole steps
        self._sleepers: set[_SharedSleeper] = set()
        self.busy = 0
        self._idle = threading.Lock()  # opened whenever nobody is busy any more
        self._idle.acquire()
        self.running_free = False
        self._freed_at = 0.0

    def _receive(self, size: int) -> bytes:
        parts = b""
        while len(parts) < size:
            part = self._socket.recv(size - len(parts))
            if not part:
                raise OSError("the timekeeper hung up")
            parts += part
        return parts

    def now(self) -> datetime:
        """The present moment, in UTC."""
        moment = self.moment
        if self.running_free:
            moment += (time.monotonic() - self._freed_at) * self.speed
        return datetime.fromtimestamp(moment, UTC)

    def stamp(self) -> Stamp:
        """Simulated time is right."""
        return Stamp("", 0, trusted=True)

    def sleeper(self) -> Sleeper:
        """A new way of waiting, for one thread; time stands still until it first sleeps."""
        sleeper = _SharedSleeper(self)
        with self.lock:
            self._sleepers.add(sleeper)
            self.busy += 1
        return sleeper

    def leave(self, sleeper: _SharedSleeper) -> None:
        """Take a sleeper out."""
        with self.lock:
            if sleeper not in self._sleepers:
                return
            self._sleepers.discard(sleeper)
            if sleeper.until is not None:
                sleeper.rouse()
            self.rest()

    def rest(self) -> None:
        """Count one less as busy; the lock is held."""
        self.busy -= 1
        if self.busy == 0 and self._idle.locked():
            self._idle.release()

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keep time from moving on while some work is done."""
        with self.lock:
            self.busy += 1
        try:
            yield
        finally:
            with self.lock:
                self.rest()

    def run(self) -> None:
        """Move time on whenever everybody is idle. For a thread of its own, until ``let_run``."""
        while not self.running_free:
            target = self._next()
            if target is None:
                self._idle.acquire()
                continue
            try:
                self._socket.sendall(_MOMENT.pack(target))
                (moment,) = _MOMENT.unpack(self._receive(_MOMENT.size))
            except OSError:
                self.let_run()
                return
            with self.lock:
                self.moment = moment
                for sleeper in self._sleepers:
                    if sleeper.until is not None and sleeper.until <= moment:
                        sleeper.rouse()

    def _next(self) -> float | None:
        """The moment to ask for; None while somebody is busy or nobody waits."""
        with self.lock:
            waits = [sleeper.until for sleeper in self._sleepers if sleeper.until is not None]
            if self.busy or not waits:
                return None
        target = min(waits)
        return target if math.isinf(target) else math.ceil(target / self._step) * self._step

    def let_run(self) -> None:
        """Follow wall time from here on: the timekeeper may be gone or its days over."""
        with self.lock:
            if self.running_free:
                return
            self._freed_at = time.monotonic()
            self.running_free = True
            for sleeper in self._sleepers:
                if sleeper.until is not None:
                    sleeper.rouse()
            if self._idle.locked():
                self._idle.release()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
