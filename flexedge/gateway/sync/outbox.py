"""What is still to be sent to centres, in portions: the archive itself is the outbox.

A cursor for each link says what has arrived there (``store.tables.cursors``). What came in since
somebody asked last is *live*, at most some rows of it; all else that did not arrive is *backfill*.
Portions under way are in memory only: what was not said to have arrived is sent again.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from flexedge.gateway.received import origin
from flexedge.store.archive import Tally
from flexedge.store.beliefs import Beliefs
from flexedge.store.rows import Ingested, moment
from flexedge.store.sources import Which, numbers
from flexedge.store.spans import Span, Spans, joined, without
from flexedge.store.state import State
from flexedge.store.tables.centres import Link
from flexedge.store.tables.cursors import MOST_GAPS, Cursor, destination

Order = Literal["newest-first", "oldest-first"]
LIVE: Final = 1000
"""So many rows at most are live; what came before them is backfill."""
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "forecast": frozenset({"forecaster"}),
    "schedule": frozenset({"scheduler"}),
}
_ELSEWHERE: Final = frozenset().union(*_KINDS.values())
_ROUGHLY: Final = 4  # stretches that are counted one by one


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Rows of one link to be sent together; in order of their ingest numbers, at least one."""

    link: Link
    rows: Ingested
    span: Span
    live: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not arrived of a link; the count is an estimate, and never 0 where there is some."""

    count: int = 0
    oldest_event: datetime | None = None
    newest_event: datetime | None = None
    newest_there: datetime | None = None
    """The newest event of what has arrived since the start."""


@dataclass(slots=True)
class _Line:
    """What is known of one link. All numbers up to ``position`` have arrived but for the spans."""

    position: int
    todo: Spans
    watched: int
    """What came in after this is in the outbox's news."""
    central_id: int
    """Which sensor it is there."""
    under_way: list[Portion] = field(default_factory=list)
    there_us: int | None = None
    """The newest event that arrived."""

    @property
    def left(self) -> list[Span]:
        """What has not arrived, of what lies before the position."""
        return [*self.todo, *(portion.span for portion in self.under_way)]

    @property
    def cursor(self) -> Cursor:
        """As it is kept."""
        return Cursor(self.position, joined(self.left, MOST_GAPS))


_Key = tuple[str, int]


class Outbox:
    """Of all centres. Safe to use from any thread. Raises ``StoreError``."""

    def __init__(self, state: State, beliefs: Beliefs) -> None:
        self._state = state
        self._beliefs = beliefs
        self._lock = threading.RLock()
        self._lines: dict[_Key, _Line] = {}
        self._top = -1
        self._news: dict[tuple[int, int], int] = {}
        """The greatest ingest number that came by sensor and source, of what is watched."""

    def next(self, link: Link, order: Order, limit: int) -> Portion | None:
        """What to send next of a link; None where all has arrived or is under way."""
        return self.live(link, min(limit, LIVE)) or self.backfill(link, order, limit)

    def live(self, link: Link, limit: int = LIVE) -> Portion | None:
        """What came in since this was called last, the newest rows of it; the rest is backfill."""
        with self._lock:
            line, top = self._line(link), self._top
            span = (line.position, top)
            if line.position >= top or self._quiet(link, line):
                line.position = top
                return None
            found = self._beliefs.since(
                self._name(link), span, self.which(link), limit, newest_first=True
            )
            line.position = top
            line.todo = joined([*line.todo, (span[0], found.lo)], MOST_GAPS)
            return self._portion(link, found.rows, (found.lo, found.hi), live=True)

    def backfill(self, link: Link, order: Order, limit: int) -> Portion | None:
        """What is left from before."""
        newest_first = order == "newest-first"
        with self._lock:
            line = self._line(link)
            while line.todo:
                span = line.todo[-1 if newest_first else 0]
                found = self._beliefs.since(
                    self._name(link), span, self.which(link), limit, newest_first=newest_first
                )
                line.todo = without(line.todo, (found.lo, found.hi))
                portion = self._portion(link, found.rows, (found.lo, found.hi), live=False)
                if portion is not None:
                    return portion
            return None

    def arrived(self, portions: Iterable[Portion]) -> None:
        """The centre has stored these: note it, all with one commit."""
        with self._lock:
            moved: dict[_Key, _Line] = {}
            for portion in portions:
                line = self._taken_back(portion)
                if line is not None:
                    moved[_key(portion.link)] = line
                    newest_us = int(portion.rows.event_us.max())
                    line.there_us = max(newest_us, line.there_us or newest_us)
            if moved:
                self._state.cursors.move({key: line.cursor for key, line in moved.items()})

    def back(self, portions: Iterable[Portion]) -> None:
        """These did not arrive: they are backfill from now on."""
        with self._lock:
            for portion in portions:
                line = self._taken_back(portion)
                if line is not None:
                    line.todo = joined([*line.todo, portion.span], MOST_GAPS)

    def waiting(self, *links: Link) -> list[Waiting]:
        """What has not arrived yet of each link, whether under way or not.

        Most links wait for the same stretch of what came in, so the archive is asked once for it.
        """
        with self._lock:
            lines = [(link, self._line(link)) for link in links]
            spans = [self._spans(link, line) for link, line in lines]
            asked: dict[Span, set[str]] = {}
            for (link, _), mine in zip(lines, spans, strict=True):
                for span in mine:
                    asked.setdefault(span, set()).add(self._name(link))
            found = {
                span: self._beliefs.tally(sorted(names), span) for span, names in asked.items()
            }
            return [
                self._summed(link, line, [one for span in mine for one in found[span]])
                for (link, line), mine in zip(lines, spans, strict=True)
            ]

    def _spans(self, link: Link, line: _Line) -> Spans:
        """Roughly the stretches in which something waits."""
        spans = line.left
        if not self._quiet(link, line):
            spans.append((line.position, self._top))
        return joined(spans, _ROUGHLY)

    def _summed(self, link: Link, line: _Line, found: Iterable[Tally]) -> Waiting:
        there = None if line.there_us is None else moment(line.there_us)
        sources = frozenset(self._sources(link))
        mine = [one for one in found if one.sensor == link.local_id and one.source in sources]
        if not mine:
            return Waiting(newest_there=there)
        return Waiting(
            sum(one.count for one in mine),
            min(one.first_event for one in mine),
            max(one.last_event for one in mine),
            there,
        )

    def forget(self, link: Link) -> None:
        """Send all of it again, as to a sensor that was made anew there."""
        with self._lock:
            self._state.cursors.forget(*_key(link))
            self._lines.pop(_key(link), None)

    def _portion(self, link: Link, rows: Ingested, span: Span, *, live: bool) -> Portion | None:
        if not len(rows):
            return None
        in_order = rows.take(rows.number.argsort(kind="stable"))
        portion = Portion(link, in_order, span, live)
        self._lines[_key(link)].under_way.append(portion)
        return portion

    def _taken_back(self, portion: Portion) -> _Line | None:
        """The line that a portion was under way of; None where that was forgotten."""
        line = self._lines.get(_key(portion.link))
        if line is None or portion not in line.under_way:
            return None
        line.under_way.remove(portion)
        return line

    def _line(self, link: Link) -> _Line:
        """What is known of a link, after a look at what came in."""
        self.look()
        key = _key(link)
        known = self._lines.get(key)
        if known is None or known.central_id != link.central_id:  # it was made anew there
            cursor = self._state.cursors.of(key[0]).get(key[1], Cursor())
            self._lines[key] = _Line(cursor.position, cursor.gaps, self._top, link.central_id)
        return self._lines[key]

    def look(self) -> None:
        """See what came in about sensors of links since the last look.

        The first look is best before anything comes in: an archive that was put back to an older
        one is known by numbers that are not there yet.
        """
        with self._lock:
            top = self._beliefs.top()
            if self._top < 0 or top < self._top:
                self._state.cursors.keep_to(self._beliefs.epoch(), top)
                self._lines.clear()
                self._news.clear()
            elif top > self._top:
                sensors = self._state.sensors()
                watched = {number for _, number in self._lines}
                names = [sensors[number].name for number in watched if number in sensors]
                for one in self._beliefs.tally(names, (self._top, top)):
                    self._news[one.sensor, one.source] = one.last
            self._top = top

    def _quiet(self, link: Link, line: _Line) -> bool:
        """Whether nothing came in that is new to a link, as far as can be told without a look."""
        sources = self._sources(link)
        if line.position < line.watched and sources:
            return False
        last = (self._news.get((link.local_id, source), 0) for source in sources)
        return max(last, default=0) <= line.position

    def _name(self, link: Link) -> str:
        known = self._state.sensors().get(link.local_id)
        return "" if known is None else known.name

    def which(self, link: Link) -> Which:
        """The sources whose beliefs go to a link."""
        kinds = _KINDS.get(link.role)
        if kinds is not None:
            return Which(kinds=kinds)
        centre = self._state.centres.get(link.centre_id)
        own = frozenset() if centre is None else frozenset({origin(centre.name).kind})
        return Which(not_kinds=_ELSEWHERE | own)

    def _sources(self, link: Link) -> Sequence[int]:
        return numbers(self.which(link), self._state.sources())


def _key(link: Link) -> _Key:
    return destination(link.centre_id, link.role), link.local_id
