"""Snapshots of the state in ``backup/``: complete, checked, and named by their order.

The order is a number in the name, because clocks may be wrong; the time beside it is for people
and for what is kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flexedge.errors import StoreError
from flexedge.store import sqlite
from flexedge.store.local import durable
from flexedge.store.tables.seals import demand_sealed

STATE = "state.db"
FOLDER = "backup"
_NAME = re.compile(r"state-(\d{6,})-(\d{8}T\d{6})Z\.db")
_STAMP = "%Y%m%dT%H%M%S"
_PARTIAL = ".tmp"
_NEWEST, _DAYS, _WEEKS = 24, 7, 4


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One copy of the state."""

    path: Path
    number: int
    made: datetime
    """By the clock of that time."""


class Snapshots:
    """The snapshots of the state in a data folder. Raises ``StoreError``."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / STATE
        self._folder = folder / FOLDER
        self._seen: int | None = None

    def newest_first(self) -> list[Snapshot]:
        """All there are."""
        return sorted(self._all(), key=lambda one: one.number, reverse=True)

    def if_changed(self, changes: int, now: datetime) -> Snapshot | None:
        """Take one, unless the count of changes is that of the last time. To be called hourly."""
        if changes == self._seen:
            return None
        taken = self.take(now)
        self._seen = changes
        return taken

    def take(self, now: datetime) -> Snapshot:
        """Take one now, while the state is in use; older ones that are not needed go."""
        durable.make_folder(self._folder)
        for left in self._folder.glob(f"state-*{_PARTIAL}*"):
            durable.remove(left)
        number = max((one.number for one in self._all()), default=0) + 1
        path = self._folder / f"state-{number:06d}-{now.astimezone(UTC):{_STAMP}}Z.db"
        partial = path.with_name(path.name + _PARTIAL)
        try:
            sqlite.vacuum_into(self._state, partial)
            sqlite.check(partial, whole=True)
            demand_sealed(partial)
            durable.put_in_place(partial, path)
        except StoreError:
            durable.remove(partial)
            raise
        self._prune()
        return Snapshot(path, number, now)

    def put_back(self, snapshot: Snapshot) -> None:
        """Make a snapshot the state; nothing may be in its place. ``StoreDamaged``: it is not good.

        Whatever belonged to an older state beside it must have been set aside.
        """
        partial = self._state.with_name(f"{STATE}.new")
        for left in self._state.parent.glob(f"{partial.name}*"):
            durable.remove(left)  # SQLite would take a half copy, or its log, for a database
        try:
            sqlite.copy(snapshot.path, partial)
            sqlite.check(partial, whole=True)
            demand_sealed(partial)
            durable.put_in_place(partial, self._state)
        except StoreError:
            durable.remove(partial)
            raise

    def _all(self) -> Iterator[Snapshot]:
        for path in self._folder.glob("state-*.db"):
            match = _NAME.fullmatch(path.name)
            if match is not None:
                made = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
                yield Snapshot(path, int(match[1]), made)

    def _prune(self) -> None:
        """Keep the newest, and the newest of each of the last days and weeks there are."""
        snapshots = self.newest_first()
        kept = {one.path for one in snapshots[:_NEWEST]}
        for most, period in ((_DAYS, "%Y-%m-%d"), (_WEEKS, "%G-%V")):
            first: dict[str, Path] = {}
            for one in snapshots:
                first.setdefault(f"{one.made:{period}}", one.path)
            kept.update(list(first.values())[:most])
        for one in snapshots:
            if one.path not in kept:
                durable.remove(one.path)
