"""Readers that take what comes into an archive in portions, and a list of what they should see."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from flexedge.store.archive import Archive, Since, Stretch
from flexedge.store.rows import Beliefs
from flexedge.store.spans import Spans, joined, without
from tests.store import naive
from tests.store.naive import Row

KEY = 5
"""So many columns of a belief are its key; the value comes after them."""


@dataclass
class Told:
    """What was committed and what is left of it, as plain as can be."""

    there: dict[Row, Row] = field(default_factory=dict)
    stayed: dict[Row, Row] = field(default_factory=dict)
    """Those that nothing ever took the place of, and that were never deleted."""
    ever: set[Row] = field(default_factory=set)

    def commit(self, rows: Beliefs) -> None:
        for row in naive.rows(rows):
            key = row[:KEY]
            if key in self.there:
                self.stayed.pop(key, None)
            elif row not in self.ever:
                self.stayed[key] = row
            self.there[key] = row
            self.ever.add(row)

    def delete(self, sensor: int, source: int, start: int, end: int) -> None:
        for key in list(self.there):
            if key[0] == sensor and key[1] == source and start <= key[2] < end:
                del self.there[key]
                self.stayed.pop(key, None)

    def of(self, rows: dict[Row, Row], sensor: int, sources: tuple[int, ...] | None) -> set[Row]:
        return {
            row for row in rows.values()
            if row[0] == sensor and (sources is None or row[1] in sources)
        }  # fmt: skip


@dataclass
class Reader:
    """Takes one sensor's rows in portions, from one end; what is new comes at the next look."""

    archive: Archive
    sensor: int
    sources: tuple[int, ...] | None
    newest_first: bool
    position: int = 0
    left: Spans = ()
    seen: Counter[Row] = field(default_factory=Counter)
    numbers: dict[int, Row] = field(default_factory=dict)

    def take(self, limit: int) -> bool:
        """One portion; whether there was anything to look for."""
        top = self.archive.top()
        assert top >= self.position
        self.left = joined([*self.left, (self.position, top)])
        self.position = top
        if not self.left:
            return False
        lo, hi = self.left[-1 if self.newest_first else 0]
        found = self.archive.since(
            Since(self.sensor, lo, hi, self.sources, limit, newest_first=self.newest_first)
        )
        self._check(found, lo, hi, limit)
        self.left = without(self.left, (found.lo, found.hi))
        return True

    def _check(self, found: Stretch, lo: int, hi: int, limit: int) -> None:
        number = found.rows.number
        assert lo <= found.lo < found.hi <= hi
        assert (found.hi == hi) if self.newest_first else (found.lo == lo)
        assert len(number) <= limit
        assert ((number > found.lo) & (number <= found.hi)).all()
        steps = np.diff(number)
        assert (steps < 0).all() if self.newest_first else (steps > 0).all()
        for *row, n in naive.rows(found.rows):
            assert self.numbers.setdefault(n, tuple(row)) == tuple(row), "a number is one row's"
            self.seen[tuple(row)] += 1

    def settle(self, told: Told) -> None:
        """Take all that is left, and hold it against what should have been seen."""
        while self.take(7):
            pass
        assert told.of(told.there, self.sensor, self.sources) <= self.seen.keys()
        stayed = told.of(told.stayed, self.sensor, self.sources)
        assert {row: self.seen[row] for row in stayed} == dict.fromkeys(stayed, 1)
        assert self.seen.keys() <= told.ever
