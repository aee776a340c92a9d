"""The site's time for threads that a simulated site does not wait for.

What talks to servers elsewhere waits for them by the wall. Took part in it the shared clock, the
whole simulation would stand still with it; a real site does not, either.
"""

from datetime import datetime, timedelta

from flexedge.daemon.clock import Clock, Sleeper, WallSleeper

_LEAST_WALL = timedelta(milliseconds=20)  # simulated time may be slower than it was to be


class Beside:
    """Shows the time of a clock, and holds nobody up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._clock.now()

    def sleeper(self) -> Sleeper:
        """A new way of waiting, for one thread."""
        return _Patient(self._clock)


class _Patient:
    """Waits by the wall, for as long as it should take until then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = WallSleeper(clock.now, clock.speed)

    def sleep(self, until: datetime | None) -> None:
        if until is not None and self._clock.speed > 1:
            until = max(until, self._clock.now() + _LEAST_WALL * self._clock.speed)
        self._wall.sleep(until)

    def wake(self) -> None:
        self._wall.wake()

    def close(self) -> None:
        self._wall.close()
