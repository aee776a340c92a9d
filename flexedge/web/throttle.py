"""Slows down who guesses: each failure beyond the allowed ones doubles the wait."""

import hashlib
import json
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from flexedge.errors import TooManyTries

WINDOW = timedelta(minutes=15)
_MOST_KEYS = 1000
_MOST_REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class Allowance:
    """Failures that are free within 15 minutes, and the longest wait after more of them."""

    failures: int
    longest: timedelta


ONE_ADDRESS = Allowance(10, WINDOW)
ONE_NAME = Allowance(10, timedelta(seconds=30))
EVERYBODY = Allowance(100, timedelta(seconds=10))
"""These two are short, so that strangers who guess cannot lock anybody out. From an address where
the right password was given before they do not count."""
_EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class _Failure:
    at: datetime
    name: str


def wait(failures: int, since_last: timedelta, allowance: Allowance) -> timedelta:
    """How much longer to wait after so many failures, the last of them so long ago."""
    excess = failures - allowance.failures
    if excess < 0:
        return timedelta(0)
    doubled = timedelta(seconds=2 ** min(excess, 20))
    return max(min(doubled, allowance.longest) - max(since_last, timedelta(0)), timedelta(0))


class Throttle:
    """Counts failures by address, by the name that was guessed for, and over all.

    ``remembered`` is what ``memory`` gave before a restart. Not thread-safe by itself.
    """

    def __init__(self, remembered: str | None = None) -> None:
        self._failures: OrderedDict[str, deque[_Failure]] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        for key, failures in json.loads(remembered or "{}").items():
            self._failures[key] = deque(
                (_Failure(datetime.fromisoformat(at), name) for at, name in failures),
                maxlen=_allowance(key).failures + 20,
            )

    def check(self, address: str, now: datetime, name: str = "") -> None:
        """Raise ``TooManyTries`` while the address, the name, or everybody has to wait."""
        keys = _keys(address, name)
        if (address, _hidden(name)) in self._known:
            keys = keys[:1]
        longest = max(self._wait(key, now) for key in keys)
        if longest > timedelta(0):
            raise TooManyTries(-int(-longest.total_seconds() // 1))

    def failed(self, address: str, now: datetime, name: str = "") -> bool:
        """Count a wrong code or password; whether somebody has to wait for it."""
        failure = _Failure(now, _hidden(name))
        keys = _keys(address, name)
        for key in keys:
            times = self._failures.setdefault(key, deque(maxlen=_allowance(key).failures + 20))
            times.append(failure)
            self._failures.move_to_end(key)
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)
        return any(self._wait(key, now) > timedelta(0) for key in keys)

    def succeeded(self, address: str, name: str = "") -> None:
        """Forgive an address what it got wrong for this name, and know it from now on."""
        (key, *_), hidden = _keys(address, name), _hidden(name)
        others = [failure for failure in self._failures.get(key, ()) if failure.name != hidden]
        if others:
            self._failures[key] = deque(others, maxlen=ONE_ADDRESS.failures + 20)
        else:
            self._failures.pop(key, None)
        self._known[address, hidden] = None
        self._known.move_to_end((address, hidden))
        while len(self._known) > _MOST_KEYS:
            self._known.popitem(last=False)

    def memory(self, now: datetime) -> str:
        """What is worth knowing after a restart: who has to wait, as JSON."""
        waiting = [key for key in self._failures if self._wait(key, now) > timedelta(0)]
        return json.dumps(
            {
                key: [(failure.at.isoformat(), failure.name) for failure in self._failures[key]]
                for key in waiting[-_MOST_REMEMBERED:]
            }
        )

    def _wait(self, key: str, now: datetime) -> timedelta:
        times = self._failures.get(key)
        if not times:
            return timedelta(0)
        recent = sum(now - failure.at <= WINDOW for failure in times)
        return wait(recent, now - times[-1].at, _allowance(key)) if recent else timedelta(0)


def _hidden(name: str) -> str:
    """A name as it is remembered: people type passwords into the wrong field."""
    return hashlib.sha256(name.lower().encode()).hexdigest()[:16]


def _keys(address: str, name: str) -> list[str]:
    """What a try is counted under, the address first; who names nobody means the owner."""
    return [f"address {address}", *([f"name {_hidden(name)}"] if name else []), _EVERYBODY]


def _allowance(key: str) -> Allowance:
    if key == _EVERYBODY:
        return EVERYBODY
    return ONE_NAME if key.startswith("name ") else ONE_ADDRESS
