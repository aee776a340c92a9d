"""One device's place on a line: which poll is due, and whether the device is alive. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flexedge.drivers.driver import Driver, Poll
from flexedge.errors import DeviceError

_FAILURES_TO_DIE = 3  # in a row
_PROBE_STEP = timedelta(seconds=2)  # the n-th probe comes n of these after the one before
_MOST_REST = timedelta(seconds=30)


class Station:
    """A driver with the moments its polls are due. Starts alive, with everything due at once."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.error: DeviceError | None = None
        """What went wrong last; None since the last success."""
        self._polls = sorted(driver.polls, key=lambda poll: poll.every)
        self._due: list[datetime | None] = [None] * len(self._polls)  # None: at once
        self._failures = 0
        self._probes = 0
        self._probe_at: datetime | None = None
        self._rests_until: datetime | None = None

    @property
    def dead(self) -> bool:
        """Whether it is only probed: it failed several times in a row."""
        return self._failures >= _FAILURES_TO_DIE and bool(self._polls)

    def takes_requests(self, now: datetime) -> bool:
        """Whether a write or release may be tried now; of a dead device, with its probe."""
        if self.dead and not _reached(self._probe_at, now):
            return False
        return _reached(self._rests_until, now)

    def deadline(self, now: datetime) -> datetime | None:
        """By when the most urgent due poll should be done; None when none is due.

        The earliest deadline first is fastest first, and lets nobody starve.
        """
        if self.dead:
            return now + self._polls[0].every if _reached(self._probe_at, now) else None
        return min((self._urgency(i, now) for i in self._ready(now)), default=None)

    def begin(self, now: datetime) -> Poll:
        """Take the most urgent due poll; the next one keeps the pace, without catching up.

        To be called only when ``deadline`` named one.
        """
        ready = self._ready(now)
        if self.dead:  # should it come back, everything else is due at once
            self._due = [now] + [None] * (len(self._polls) - 1)
            ready = [0]
        chosen = min(ready, key=lambda i: self._urgency(i, now))
        poll, due = self._polls[chosen], self._due[chosen]
        late = timedelta(0) if due is None else max(now - due, timedelta(0))
        self._due[chosen] = now - late % poll.every + poll.every
        return poll

    def succeed(self) -> None:
        """The device answered."""
        if self.dead:
            self._rests_until = None
        self.error, self._failures, self._probes = None, 0, 0

    def fail(self, error: DeviceError, now: datetime) -> None:
        """The device did not answer, or answered nonsense."""
        self.error = error
        self._failures += 1
        if self.dead:
            self._probes += 1
            self._probe_at = now + min(_PROBE_STEP * self._probes, _MOST_REST)

    def rest(self, now: datetime) -> None:
        """Leave it alone with requests for a while: one failed and will be tried again."""
        self._rests_until = now + min(_PROBE_STEP * self._failures, _MOST_REST)

    def moments(self, *, requested: bool) -> Iterator[datetime]:
        """When it may want something; ``requested``: something is asked of it."""
        if self.dead:
            if self._probe_at is not None:
                yield self._probe_at
            return
        if requested and self._rests_until is not None:
            yield self._rests_until
        yield from (due for due in self._due if due is not None)

    def _ready(self, now: datetime) -> list[int]:
        self._due = [now if due is None else due for due in self._due]
        return [
            i
            for i, (poll, due) in enumerate(zip(self._polls, self._due, strict=True))
            if _reached(due, now, poll.every)
        ]

    def _urgency(self, i: int, now: datetime) -> datetime:
        due, every = self._due[i], self._polls[i].every
        return (now if due is None else due) + every


def _reached(moment: datetime | None, now: datetime, at_most: timedelta = _MOST_REST) -> bool:
    """Whether it is time; also when the clock was put back, which makes the moment absurd."""
    return moment is None or now >= moment or moment - now > at_most
