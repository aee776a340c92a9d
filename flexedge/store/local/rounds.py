"""Every partition is compared with what was written once a week, a few at a time."""

import zlib
from collections.abc import Sequence
from datetime import datetime

from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import Partition
from flexedge.store.local.shelf import DamagedPartition, Shelf
from flexedge.store.rows import micros

_DAY_US = 86_400_000_000
_WEEK_US = 7 * _DAY_US
_MOST = 32 << 20  # bytes at once: a second on an SD card
_FACT = "looked"


class Rounds:
    """Each partition has its moment of the week; for one thread.

    How far it got is put down once a day, so that a gateway that is off at night misses none.
    """

    def __init__(self, journal: Journal, shelf: Shelf) -> None:
        self._journal = journal
        self._shelf = shelf
        self._noted_us = journal.fact(_FACT)
        self._until_us = self._noted_us

    def go_on(self, now: datetime) -> list[DamagedPartition]:
        """Look at those whose moment has come, the first of many; returns what is damaged."""
        now_us = micros(now)
        start = now_us if self._until_us is None else self._until_us
        start = max(min(start, now_us), now_us - _WEEK_US)
        bad, size = [], 0
        with self._shelf.view() as view:
            for at_us, one in _in_turn(view.partitions, start, now_us):
                if size and size + one.size > _MOST:
                    break
                size += one.size
                start = at_us
                bad += self._shelf.unfit(one)
            else:
                start = now_us
        self._until_us = start
        if self._noted_us is None or abs(start - self._noted_us) >= _DAY_US:
            self._journal.exchange([], facts={_FACT: start})
            self._noted_us = start
        return bad


def _in_turn(
    partitions: Sequence[Partition], after_us: int, until_us: int
) -> list[tuple[int, Partition]]:
    """The partitions whose moment lies in a span of at most a week, and when, in order."""
    due = []
    for one in partitions:
        phase = zlib.crc32(one.name.encode()) * 1_000_000 % _WEEK_US
        at_us = after_us + 1 + (phase - after_us - 1) % _WEEK_US
        if at_us <= until_us:
            due.append((at_us, one))
    return sorted(due, key=lambda pair: pair[0])
