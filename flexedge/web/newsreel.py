"""What was newly believed, for those who wait for it: the last of it, and a wait for more."""

import asyncio
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from flexedge.store.rows import Beliefs

MOST_ROWS = 100_000
"""Rows that are remembered; who is further behind reads the data anew."""


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """What somebody has not heard yet, and how far that goes."""

    cursor: str
    rows: Beliefs
    missed: bool = False
    """Whether more was believed than is remembered."""


class Newsreel:
    """Remembers what it hears. Threads tell it, those who wait are in event loops.

    A cursor is a place in it: it is good until the program ends, or until what came after it is
    forgotten. Nothing queues up for anybody.
    """

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._run = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._batches: deque[tuple[int, Beliefs]] = deque()
        self._rows = 0
        self._last = 0
        self._forgotten = 0
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.closed = False
        """Whether nobody is to wait any longer."""

    def hear(self, rows: Beliefs) -> None:
        """Remember what was kept just now, and wake who waits."""
        with self._lock:
            self._last += 1
            self._batches.append((self._last, rows))
            self._rows += len(rows)
            while self._rows > self._most_rows:
                self._forgotten, oldest = self._batches.popleft()
                self._rows -= len(oldest)
        self._wake()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self.closed = True
        self._wake()

    @property
    def cursor(self) -> str:
        """The place after all that was heard."""
        return f"{self._run}-{self._last}"

    def since(self, cursor: str, sensors: Collection[int]) -> News:
        """What was believed of some sensors since a place, in order; empty if nothing was."""
        with self._lock:
            after = self._place(cursor)
            known = after is not None and self._forgotten <= after <= self._last
            start = after if after is not None and known else self._last
            parts = [rows for number, rows in self._batches if number > start]
            end = self.cursor
        wanted = list(sensors)
        picked = [rows.take(np.isin(rows.sensor, wanted)) for rows in parts]
        return News(end, Beliefs.joined(picked), missed=not known)

    def _place(self, cursor: str) -> int | None:
        run, _, number = cursor.partition("-")
        fits = run == self._run and number.isascii() and number.isdecimal() and len(number) < 19  # noqa: PLR2004
        return int(number) if fits else None

    async def wait(self, cursor: str, seconds: float) -> bool:
        """Wait until something is believed after a place; False if nothing was for so long."""
        sleeper = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self.closed or cursor != self.cursor:
                return True
            self._sleepers.add(sleeper)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(sleeper[1].wait(), seconds)
                return True
            return False
        finally:
            with self._lock:
                self._sleepers.discard(sleeper)

    def _wake(self) -> None:
        with self._lock:
            sleepers = tuple(self._sleepers)
        for loop, event in sleepers:
            with contextlib.suppress(RuntimeError):  # that loop has ended
                loop.call_soon_threadsafe(event.set)
