"""A thousand gateways and one centre: who asks when, with the very pace that gateways keep.

Discrete events, no sockets: a gateway is what it has to ask and when; the centre is a queue in
front of so many workers that each take a while for a request. Everything follows from a seed.
"""

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from flexedge.cloud.pace import Pace
from flexedge.errors import CentreAway

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_STEP_S = 300.0
"""How long the events are whose values are sent."""
_BETWEEN_S = 0.01
_TINY = 1e-9
_LATE = 2  # rounds: what waited longer is no longer new
_HASTY_S = 10.0
"""A fleet without chance tries again after this."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What there is: gateways, and what each asks for."""

    gateways: int = 1000
    sensors: int = 30
    """That each gateway sends; one request for each."""
    send_every_s: float = 300.0
    poll_every_s: float = 300.0
    """Edits, commands, heartbeat: together ``polls`` requests."""
    polls: int = 3
    head_bytes: int = 450
    """Of a request without its values, with TCP and TLS."""
    value_bytes: int = 8
    answer_bytes: int = 600
    jitter: bool = True
    """False: what a fleet without chance would do."""
    requests_per_min: int = 120


@dataclass(frozen=True, slots=True)
class Server:
    """The centre: so many requests at a time, each so long; away from and until (seconds)."""

    workers: int = 40
    request_s: float = 0.03
    away: tuple[float, float] | None = None
    busy_after_s: float = 20.0
    """Who would wait longer is told to come back: 503 with Retry-After."""


@dataclass(slots=True)
class Seen:
    """What came of it, by second."""

    requests: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    sent_bytes: Counter[int] = field(default_factory=Counter)
    open: Counter[int] = field(default_factory=Counter)
    """Requests under way at once, at most."""
    late_s: list[float] = field(default_factory=list)
    """How long each answer took."""
    caught_up: list[float] = field(default_factory=list)
    """When each gateway had nothing left to send, for the first time after the server was back."""


@dataclass(slots=True)
class _Gateway:
    pace: Pace
    offset_s: float
    """When in its five minutes it has new values."""
    sent: list[int] = field(default_factory=list)
    """Up to which round each sensor's values are there."""
    polled_s: float = 0.0
    polls: int = 0
    """How many requests of the present poll were made."""
    whole: bool = False
    """Whether all was sent since the centre was back."""


class Simulation:
    """One run. ``together``: all gateways start in the same second, as after a power cut."""

    def __init__(self, fleet: Fleet, server: Server, seed: int = 1, *, together: bool) -> None:
        self.fleet, self.server, self.seen = fleet, server, Seen()
        self._chance = Random(seed)  # noqa: S311 (a simulation)
        self._queue: list[tuple[float, int, int]] = []
        self._order = count()
        self._free = [0.0] * server.workers
        self._under_way: list[float] = []
        self._gateways = [self._gateway() for _ in range(fleet.gateways)]
        for number, one in enumerate(self._gateways):
            start = 0.0 if together else self._chance.uniform(0.0, fleet.send_every_s)
            one.sent = [self._round(one, start) - 1] * fleet.sensors
            one.polled_s = start - fleet.poll_every_s
            first = _seconds(one.pace.first(_moment(start))) if fleet.jitter and together else start
            self._at(first, number)

    def _gateway(self) -> _Gateway:
        seed = self._chance.getrandbits(32) if self.fleet.jitter else 1
        offset = self._chance.uniform(0.0, _STEP_S) if self.fleet.jitter else 0.0
        pace = Pace(self.fleet.requests_per_min, Random(seed))  # noqa: S311 (a simulation)
        return _Gateway(pace, offset)

    def _at(self, seconds: float, gateway: int) -> None:
        heapq.heappush(self._queue, (seconds, next(self._order), gateway))

    def run(self, until_s: float) -> Seen:
        """Let so much time pass."""
        while self._queue and self._queue[0][0] < until_s:
            now, _, number = heapq.heappop(self._queue)
            self._at(self._step(self._gateways[number], now), number)
        return self.seen

    def _step(self, one: _Gateway, now: float) -> float:
        """One request, if there is one to make; when the next one is."""
        this = self._round(one, now)
        sensor = next((n for n, sent in enumerate(one.sent) if sent < this), None)
        if sensor is None and now - one.polled_s < self.fleet.poll_every_s:
            self._note_whole(one, now)
            fresh = one.offset_s + (this + 1) * self.fleet.send_every_s
            due = min(fresh, one.polled_s + self.fleet.poll_every_s)
            return max(due, now) + _BETWEEN_S
        rounds = 0 if sensor is None else this - one.sent[sensor]
        try:
            done = self._sent(one, rounds, now)
        except CentreAway as error:
            return self._again(one, error, now)
        one.pace.succeeded(_moment(done))
        if sensor is not None:
            one.sent[sensor] = this
        else:
            one.polls = (one.polls + 1) % self.fleet.polls
            one.polled_s = one.polled_s if one.polls else now
        return done + _BETWEEN_S

    def _round(self, one: _Gateway, now: float) -> int:
        """The number of the newest values that are there to be sent."""
        return math.floor((now - one.offset_s) / self.fleet.send_every_s + _TINY)

    def _note_whole(self, one: _Gateway, now: float) -> None:
        if self.server.away and now > self.server.away[1] and not one.whole:
            one.whole = True
            self.seen.caught_up.append(now - self.server.away[1])

    def _sent(self, one: _Gateway, rounds: int, now: float) -> float:
        """When the answer to one request is there."""
        values = rounds * round(self.fleet.send_every_s / _STEP_S)
        size = self.fleet.head_bytes + self.fleet.value_bytes * values
        if rounds > _LATE and self.fleet.jitter:
            one.pace.backfill(_moment(now), size)
        one.pace.take(_moment(now), size)
        return self._asked(now, size)

    def _again(self, one: _Gateway, error: CentreAway, now: float) -> float:
        if error.kind == "paced":
            return now + (error.retry_after or timedelta(seconds=1)).total_seconds()
        self.seen.refused[int(now)] += 1
        if not self.fleet.jitter:
            return now + _HASTY_S
        return max(_seconds(one.pace.failed(error, _moment(now))), now + _BETWEEN_S)

    def _asked(self, now: float, size: int) -> float:
        """When the answer is there. Raises ``CentreAway``."""
        seen = self.seen
        seen.requests[int(now)] += 1
        seen.sent_bytes[int(now)] += size
        away = self.server.away
        if away is not None and away[0] <= now < away[1]:
            raise CentreAway("centre", "connect", "refused")
        begin = max(heapq.heappop(self._free), now)
        if begin - now > self.server.busy_after_s:
            heapq.heappush(self._free, begin)
            raise CentreAway("centre", "busy", "503", timedelta(seconds=60))
        done = begin + self.server.request_s
        heapq.heappush(self._free, done)
        seen.sent_bytes[int(now)] += self.fleet.answer_bytes
        while self._under_way and self._under_way[0] <= now:
            heapq.heappop(self._under_way)
        heapq.heappush(self._under_way, done)
        seen.open[int(now)] = max(seen.open[int(now)], len(self._under_way))
        seen.late_s.append(done - now)
        return done


def _moment(seconds: float) -> datetime:
    return _BEGIN + timedelta(seconds=seconds)


def _seconds(moment: datetime) -> float:
    return (moment - _BEGIN).total_seconds()
