"""Slows down who guesses: each failure beyond the allowed ones doubles the wait."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from flexedge.errors import TooManyTries

WINDOW = timedelta(minutes=15)
_MOST_KEYS = 1000


@dataclass(frozen=True, slots=True)
class Allowance:
    """Failures that are free within 15 minutes, and the longest wait after more of them."""

    failures: int
    longest: timedelta


ONE_ADDRESS = Allowance(10, WINDOW)
EVERYBODY = Allowance(100, timedelta(seconds=10))
"""Short, so that strangers who guess from many addresses cannot lock the owner out."""
_EVERYBODY = "*"


def wait(failures: int, since_last: timedelta, allowance: Allowance) -> timedelta:
    """How much longer to wait after so many failures, the last of them so long ago."""
    excess = failures - allowance.failures
    if excess < 0:
        return timedelta(0)
    doubled = timedelta(seconds=2 ** min(excess, 20))
    return max(min(doubled, allowance.longest) - max(since_last, timedelta(0)), timedelta(0))


class Throttle:
    """Counts failures by address and over all addresses. Not thread-safe by itself."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()

    def check(self, address: str, now: datetime) -> None:
        """Raise ``TooManyTries`` while the address, or everybody together, has to wait."""
        longest = max(
            self._wait(address, ONE_ADDRESS, now),
            self._wait(_EVERYBODY, EVERYBODY, now),
        )
        if longest > timedelta(0):
            raise TooManyTries(-int(-longest.total_seconds() // 1))

    def failed(self, address: str, now: datetime) -> None:
        """Count a wrong code or password."""
        for key, allowance in ((address, ONE_ADDRESS), (_EVERYBODY, EVERYBODY)):
            times = self._failures.setdefault(key, deque(maxlen=allowance.failures + 20))
            times.append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forgive an address."""
        self._failures.pop(address, None)

    def _wait(self, key: str, allowance: Allowance, now: datetime) -> timedelta:
        times = self._failures.get(key)
        if not times:
            return timedelta(0)
        recent = sum(now - time <= WINDOW for time in times)
        return wait(recent, now - times[-1], allowance) if recent else timedelta(0)
