"""Keeps a data folder writable: makes room on a full disk, and waits for a sick one.

What holds is in ``conditions`` and goes away by itself when it ends. While a disk takes no writes
nothing on it is touched, not even what looks damaged, and the journal is closed: SQLite does not
recover on its own, and a file system can only be mounted again when nothing holds its files.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from flexedge.errors import StoreDamaged, StoreError, StoreFull, StoreUnwritable
from flexedge.store.archive import Keep
from flexedge.store.local import ballast, disk, durable, recover
from flexedge.store.local.compact import Compactor
from flexedge.store.local.disk import Bounds, Room
from flexedge.store.local.journal import Journal
from flexedge.store.local.partition import Partition
from flexedge.store.local.shelf import DamagedPartition
from flexedge.store.rows import micros, moment

_T = TypeVar("_T")
_MINUTE = timedelta(minutes=1)
_TOLD = timedelta(days=1)
"""So long it is told that something was let go, after the last time."""
_SOON = timedelta(days=14)
_WHAT = {"readings": "readings", "minutes": "5-minute roll-ups"}
_HELP = "remove other files from it, use a larger one, or keep readings for fewer days"
_NOTHING = f"the disk is nearly full and nothing more can be let go; {_HELP}"


@dataclass(frozen=True, slots=True)
class Found:
    """How the disk was found at some time."""

    room: Room
    left: int
    """Bytes until something has to go."""
    full_in: timedelta | None
    """None: never, as things go now."""


def found(
    room: Room, bounds: Bounds, keep: Keep, partitions: Sequence[Partition], now: datetime
) -> Found:
    """What the room means, as things go now."""
    left = room.left(bounds)
    return Found(room, left, disk.forecast(partitions, keep, micros(now), left))


class Guard:
    """Of one folder. Safe to use from any thread but for ``maintain``, which is for one."""

    def __init__(
        self, folder: Path, bounds: Bounds, keep: Keep, journal: Journal, compactor: Compactor
    ) -> None:
        self._folder = folder
        self._bounds = bounds
        self._keep = keep
        self._journal = journal
        self._compactor = compactor
        self._lock = threading.Lock()
        self._sick = self._full = self._short = self._early = self._soon = ""
        self._tried: datetime | None = None
        self._looked: datetime | None = None
        self._early_at: datetime | None = None
        self._untidy = False
        self.found: Found | None = None
        """As of the last maintenance."""

    def conditions(self) -> Mapping[str, str]:
        """What is wrong with the disk now and what to do, by what it is about; "" is well."""
        sick = f"the disk takes no writes, readings wait in memory: {self._sick}"
        return {
            "store-disk": sick if self._sick else "",
            "store-room": self._full or self._short or self._early,
            "store-forecast": self._soon,
        }

    def writing(self, work: Callable[[], _T]) -> _T:
        """Do something that writes; once more with the ballast's room where the disk is full.

        ``work`` must bear that. Raises ``StoreError``; at once while the disk takes no writes.
        """
        if self._sick:
            raise StoreUnwritable(self._sick)
        try:
            done = self._with_ballast(work)
        except DamagedPartition:
            raise
        except StoreFull:
            self._full = f"the disk is full, readings wait in memory; {_HELP}"
            self._untidy = True
            raise
        except (StoreUnwritable, StoreDamaged) as error:
            self._fell_sick(error)  # on a failing disk sound files look damaged
            raise
        self._full = ""
        return done

    def _with_ballast(self, work: Callable[[], _T]) -> _T:
        try:
            return self._told(work)
        except StoreFull:
            if not ballast.release(self._folder):
                raise
            self._looked = None
            self._untidy = True
        return self._told(work)

    def _told(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except OSError as error:  # of a look at files, which fails on a sick disk only
            raise durable.failed(str(error.filename or self._folder), error) from error

    def _fell_sick(self, error: StoreError) -> None:
        with self._lock:
            self._journal.let_go()
            self._sick, self._tried = str(error), None

    def maintain(self, now: datetime, work: Callable[[int], None]) -> None:
        """Look after the disk and do ``work`` if it takes writes; what it refuses is a condition.

        ``work`` gets the bytes of free room. Raises ``StoreError`` for what the disk is not to
        blame for.
        """
        if self._sick and not self._back(now):
            return
        try:
            self.writing(lambda: self._round(now, work))
        except StoreFull:
            self._short = _NOTHING
        except StoreUnwritable:
            pass  # a condition, and what failed work left is removed when it ends

    def _back(self, now: datetime) -> bool:
        """Whether the disk takes writes again; asked once a minute."""
        with self._lock:
            if self._tried is not None and abs(now - self._tried) < _MINUTE:
                return False
            self._tried = now
            try:
                try:
                    recover.present(self._folder)
                except StoreFull:
                    if not ballast.release(self._folder):
                        raise
                self._compactor.reopen()
            except StoreDamaged as error:
                self._sick = f"{error}; restart flexedge, which saves what can be read of it"
                return False
            except StoreError as error:
                self._sick = str(error)
                return False
            self._sick, self._untidy = "", True
        return True

    def _round(self, now: datetime, work: Callable[[int], None]) -> None:
        recover.demand_mounted(self._folder)
        if self._untidy:
            self._tidy()
        room = disk.measure(self._folder)
        self._make_room(room, now)
        work(room.free)
        looked = self._looked
        if looked is None or abs(now - looked) >= _MINUTE:
            self._look(now)

    def _tidy(self) -> None:
        """Show what there is and remove what failed work left.

        First a commit: one that failed half-way counts from now on, or never will.
        """
        self._journal.touch()
        self._compactor.show()
        with self._compactor.work:
            known = {one.name for one in self._journal.partitions()}
            recover.clear(self._folder / "history", known | self._compactor.shelf.held())
        self._untidy = False

    def _make_room(self, room: Room, now: datetime) -> None:
        need = -room.left(self._bounds)
        if need > 0:
            need -= self._let_go(need, now)
        for path in disk.leavings(self._folder, now) if need > 0 else ():
            if need > 0:
                need -= durable.size(path) or 0
                durable.remove(path)
        self._short = _NOTHING if need > 0 else ""
        if self._early_at is not None and abs(now - self._early_at) >= _TOLD:
            self._early, self._early_at = "", None

    def _let_go(self, need: int, now: datetime) -> int:
        with self._compactor.work:
            view = self._compactor.shelf.newest
            gone = disk.chosen(view.partitions, view.rolled, need, micros(now))
            self._compactor.let_go(gone)
        if gone:
            last = {one.kind: one.last_us for one in sorted(gone, key=lambda one: one.last_us)}
            until = " and ".join(
                f"{_WHAT[kind]} until {moment(us):%Y-%m-%d %H:%M} UTC" for kind, us in last.items()
            )
            self._early = f"for want of room {until} were let go early; {_HELP}"
            self._early_at = now
        return sum(one.size for one in gone)

    def _look(self, now: datetime) -> None:
        """Hold ballast again if there is room, and say when the disk will be full."""
        room = disk.measure(self._folder)
        want = self._bounds.ballast(room.size)
        if room.usage[disk.BALLAST] != want and room.available >= 2 * want:
            ballast.hold(self._folder, want)
            room = disk.measure(self._folder)
        partitions = self._compactor.shelf.newest.partitions
        self.found = found(room, self._bounds, self._keep, partitions, now)
        full_in = self.found.full_in
        self._soon = ""
        if full_in is not None and full_in < _SOON and not (self._short or self._early):
            about = disk.about(full_in)
            self._soon = (
                f"the disk will be full {about}, then the oldest readings go early; {_HELP}"
            )
        self._looked = now
