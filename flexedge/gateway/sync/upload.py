"""The duty that sends values up: what is new first, then what waited, every sensor in its turn.

What was sent has arrived when the centre has stored it; whatever happens before that, it is sent
again, which does no harm: belief times are those of the rows.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

import structlog

from flexedge.domain.asset import Sensor
from flexedge.domain.runs import Run
from flexedge.errors import CentreAway, CentreRefused
from flexedge.gateway.health import Health
from flexedge.gateway.sync.delivery import Delivery, Tally, size
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.line import Going, Line
from flexedge.gateway.sync.outbox import Outbox, Portion
from flexedge.gateway.sync.revised import ROLES
from flexedge.gateway.sync.runs import EARLY
from flexedge.gateway.sync.sent import is_gone
from flexedge.gateway.sync.sizes import Sizes
from flexedge.gateway.sync.telling import Telling, scope_of
from flexedge.gateway.sync.unwanted import run_of, to_try
from flexedge.store.beliefs import Beliefs
from flexedge.store.rows import EPOCH
from flexedge.store.state import State
from flexedge.store.tables.centres import Link, Unwanted

HANDFUL: Final = 8
"""Requests in one step."""
PORTIONS: Final = 64
"""Portions done in one step, as those of which nothing is to be told."""
UNDER_WAY: Final = 16
"""Portions that are on their way at once, beside what is new."""
JOBS_AGAIN: Final = timedelta(seconds=2)
"""After how long a job is asked for; twice as long, each time that it is not done,"""
MOST_PATIENT: Final = 16
"""up to so many times as long: what was asked in vain could have been sent instead."""
_SLOW: Final = frozenset({"timeout", "reset", "server"})
"""So it ends where a request took too long for the server, or for what stands before it (504)."""
_LATE: Final = timedelta(hours=1)
_SECOND: Final = timedelta(seconds=1)
_log = structlog.get_logger()


class Upload:
    """For one centre and one thread; ``counts`` and ``troubles`` for any."""

    name = "upload"

    def __init__(
        self, linked: Linked, state: State, beliefs: Beliefs, outbox: Outbox, health: Health,
        sizes: Sizes | None = None,
    ) -> None:  # fmt: skip
        self._state = state
        self._outbox = outbox
        self._health = health
        early = linked.centre.details.get("server") == EARLY
        self._telling = Telling(beliefs, outbox, linked.rules, early=early)
        self._lines: dict[int, Line] = {}
        self._round: deque[int] = deque()
        self._sizes = sizes or Sizes()
        self._tally = Tally()
        self._backfill_from = EPOCH
        self._links: Mapping[int, tuple[Link, Sensor]] = {}
        self._entries: Mapping[int, Unwanted] = {}
        self._arrived: list[Portion] = []
        self._more = False
        self._gateway = state.fact("gateway.id") or ""
        self._live_due = {False: EPOCH, True: EPOCH}
        """When it is looked for news, of what is measured and (True) of forecasts and schedules."""
        self._due = EPOCH
        self._troubles: Mapping[int, str] = {}

    def counts(self) -> Mapping[str, int]:
        """What was done since the start."""
        tally = self._tally
        return {
            "requests": tally.requests, "bytes": tally.bytes, "values": tally.values,
            "already-there": tally.known, "refused": tally.refused, "left-out": tally.left_out,
            "paused-sensors": len(self._troubles),
        }  # fmt: skip

    @property
    def troubles(self) -> Mapping[int, str]:
        """Why links wait, by their numbers."""
        return self._troubles

    def step(self, linked: Linked, now: datetime) -> datetime:
        """Post some of what waits; returns when to come again."""
        if now < self._due:  # somebody asked for it
            self._live_due, self._backfill_from = dict.fromkeys(self._live_due, now), EPOCH
        self._due = now
        self._renew(linked)
        self._look_for_news(linked, now)
        self._more = False
        try:
            finished = self._round_of(linked, now)
        finally:
            self._note_arrived()
            self._tell(linked)
        if finished and not self._more:
            self._due = self._again(now)
        return self._due

    def _look_for_news(self, linked: Linked, now: datetime) -> None:
        for plans, due in self._live_due.items():
            if now < due:
                continue
            every = linked.rules.sent_every(plans=plans)
            self._live_due[plans] = _next(now, every, self._gateway)
            for number, line in self._lines.items():
                if (self._links[number][0].role in ROLES) == plans:
                    line.news = True

    def _round_of(self, linked: Linked, now: datetime) -> bool:
        """Visit every link, first for what is new; whether that took no more than a handful."""
        before = self._tally.requests
        for live in (True, False):
            for number in self._turns():
                if self._tally.requests - before >= HANDFUL or len(self._arrived) >= PORTIONS:
                    return False
                self._visit(linked, number, now, live=live)
        return True

    def _renew(self, linked: Linked) -> None:
        """See which links there are, and what is to be tried once more."""
        sensors = self._state.sensors()
        self._links = {
            number: (link, sensors[link.local_id])
            for number, link in self._state.links.find(centre_id=linked.number).items()
            if link.thing == "sensor" and link.local_id in sensors and not is_gone(link)
            and self._wanted(linked, link, sensors[link.local_id])
        }  # fmt: skip
        for number in self._lines.keys() - self._links.keys():
            self._give_back(self._lines.pop(number).let_go())
        for number in self._links.keys() - self._lines.keys():
            self._lines[number] = Line(news=True)
        if set(self._round) != self._links.keys():
            self._round = deque(sorted(self._links))
        self._entries = to_try(self._state, linked.number)

    def _wanted(self, linked: Linked, link: Link, sensor: Sensor) -> bool:
        scope = scope_of(sensor, link.role)
        return scope is not None and linked.may(scope) and self._telling.report(sensor).send

    def _turns(self) -> Iterator[int]:
        """Every link once; the next step begins with the one whose turn it is then."""
        for _ in range(len(self._round)):
            number = self._round[0]
            self._round.rotate(-1)
            yield number

    def _visit(self, linked: Linked, number: int, now: datetime, *, live: bool) -> None:
        """Make at most one request for a link; live: only for what is new."""
        line = self._lines[number]
        if line.rests(now):
            return
        if line.going is None:
            line.going = self._begin(linked, number, now, live=live)
        going = line.going
        if going is None or going.live != live or (going.wait is not None and now < going.wait):
            return
        piece = going.delivery.next()
        if piece is not None:
            paid = live or going.delivery.job or going.paid
            if not (paid or self._affords(linked, size(piece), now)):
                return
            self._carry(linked, number, going, now)
        self._more = True
        if line.going is not None and going.delivery.next() is None:
            self._finish(line, going, now)

    def _affords(self, linked: Linked, size: int, now: datetime) -> bool:
        """Whether so many bytes of what waited may be sent now; what is new goes in any case."""
        if now < self._backfill_from:
            return False
        try:
            linked.central.backfill(size)
        except CentreAway as away:
            if away.kind != "paced":
                raise
            self._backfill_from = now + (away.retry_after or _SECOND)
            return False
        return True

    def _begin(self, linked: Linked, number: int, now: datetime, *, live: bool) -> Going | None:
        """What is to be sent next of a link, if there is anything."""
        link, sensor = self._links[number]
        line = self._lines[number]
        if live != line.news:
            return None
        if live:
            line.news = False
            return self._of(self._outbox.live(link, self._sizes.live), number, now)
        if sum(one.going is not None for one in self._lines.values()) >= UNDER_WAY:
            return None
        for entry, one in self._entries.items():
            if one.link_id == number:
                again = self._telling.again(run_of(one), link, sensor, now)
                return Going(self._delivery(number, again), entry=entry)
        if line.look_late is None or now >= line.look_late:
            line.look_late = now + _LATE
            some = list(self._telling.late(link, sensor, line.memory, now))
            if some:
                return Going(self._delivery(number, some))
        return self._of(
            self._outbox.backfill(link, linked.rules.backfill, self._sizes.most), number, now
        )

    def _of(self, portion: Portion | None, number: int, now: datetime) -> Going | None:
        if portion is None:
            return None
        _, sensor = self._links[number]
        try:
            some, left_out = self._telling.runs(portion, sensor, self._lines[number].memory, now)
        except BaseException:
            self._outbox.back([portion])
            raise
        self._tally.left_out += left_out
        return Going(self._delivery(number, some), portion)

    def _delivery(self, number: int, some: list[Run]) -> Delivery:
        link, _ = self._links[number]
        return Delivery.of(self._state, (number, link), some, self._sizes, self._tally)

    def _carry(self, linked: Linked, number: int, going: Going, now: datetime) -> None:
        """Make one request."""
        going.wait = None
        try:
            if going.delivery.step(linked, now):
                going.wait = now + max(JOBS_AGAIN * going.patience, going.delivery.pause)
                going.patience = min(2 * going.patience, MOST_PATIENT)
            else:
                going.patience = 1
            going.paid = False
        except CentreRefused as refused:
            self._pause(linked, number, refused.message, now)
        except CentreAway as away:
            going.paid = away.kind == "paced"
            if away.kind in _SLOW:
                self._sizes.too_slow()
            raise

    def _finish(self, line: Line, going: Going, now: datetime) -> None:
        """All of it is stored, or set aside."""
        if going.portion is not None:
            self._arrived.append(going.portion)
        if going.entry is not None:
            entry = self._state.unwanted.get(going.entry)
            if entry is not None and entry.tries < 0:
                self._state.unwanted.remove(going.entry)
            self._entries = {n: one for n, one in self._entries.items() if n != going.entry}
        line.finished(now)

    def _pause(self, linked: Linked, number: int, why: str, now: datetime) -> None:
        """Leave a sensor alone for a while; what was under way waits with the rest.

        The log tells of it once, however often it is refused for that reason.
        """
        line, (_, sensor) = self._lines[number], self._links[number]
        if line.why != why:
            _log.warning("sensor not taken", centre=linked.centre.name, sensor=sensor.name, why=why)
        self._give_back(line.pause(why, now))

    def _give_back(self, portion: Portion | None) -> None:
        if portion is not None:
            self._outbox.back([portion])

    def _note_arrived(self) -> None:
        """Let the cursors know, with one commit; on ``StoreError`` at the next step."""
        if self._arrived:
            self._outbox.arrived(self._arrived)
            self._arrived.clear()

    def _again(self, now: datetime) -> datetime:
        """When there will be something to do."""
        due = [*self._live_due.values()]
        going = [one.going for one in self._lines.values() if one.going is not None]
        due += [one.wait for one in going if one.wait is not None]
        if any(one.wait is None for one in going):
            due.append(max(now, self._backfill_from))
        return min(due)

    def _tell(self, linked: Linked) -> None:
        """Say which sensors wait and why, and that values were set aside."""
        self._troubles = {number: line.why for number, line in self._lines.items() if line.why}
        said = [f"{self._links[number][1].name}: {why}" for number, why in self._troubles.items()
                if number in self._links]  # fmt: skip
        words = f"{len(said)} sensors wait; {'; '.join(said[:3])}" if said else ""
        self._health.alarm(f"centre {linked.centre.name}: values", words)


def _next(now: datetime, every: timedelta, gateway: str) -> datetime:
    """The next time at which a gateway sends: so that not all of a fleet do at once."""
    own = timedelta(seconds=crc32(gateway.encode()) % max(every // _SECOND, 1))
    return now + every - (now - EPOCH - own) % every
