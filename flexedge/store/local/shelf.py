"""What can be read now: partitions and hot tables, seen as a whole that does not change.

Who reads holds a view. What a newer view has no use for (files, tables) is thrown away once nobody
holds an older one. No partition is read before its checksum was compared, once in a process.
"""

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flexedge.errors import StoreDamaged
from flexedge.store.local import durable
from flexedge.store.local.partition import COLUMNS, KEYS, TIME, Kind, Partition


class DamagedPartition(StoreDamaged):
    """A file is not what was written."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        super().__init__(f"{name} {why}")


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows are wanted: sensors (None: all) and lo <= time < hi."""

    sensors: Collection[int] | None = None
    lo_us: int | None = None
    hi_us: int | None = None

    def where(self, kind: Kind) -> str:
        """As a condition."""
        parts = []
        if self.sensors is not None:
            listed = ", ".join(str(int(one)) for one in self.sensors) or "null"
            parts.append(f"sensor in ({listed})")
        if self.lo_us is not None:
            parts.append(f"{TIME[kind]} >= {self.lo_us}")
        if self.hi_us is not None:
            parts.append(f"{TIME[kind]} < {self.hi_us}")
        return " and ".join(parts) or "true"

    def widened(self, width_us: int) -> "Window":
        """To whole stretches of a width, those that begin in it and the one that is cut."""
        lo_us = None if self.lo_us is None else self.lo_us // width_us * width_us
        return Window(self.sensors, lo_us, self.hi_us)

    def touches(self, one: Partition) -> bool:
        """Whether a partition may hold some of them."""
        return (self.lo_us is None or one.last_us >= self.lo_us) and (
            self.hi_us is None or one.first_us < self.hi_us
        )


@dataclass(slots=True)
class View:
    """What there is at one moment."""

    partitions: tuple[Partition, ...]
    hot: Mapping[Kind, str]
    """The tables with the rows that are in no file yet."""
    rolled: int = 0
    """Readings of batches up to this one are in the roll-ups."""
    pruned_us: int | None = None
    """Readings from before may have been let go."""
    replaced: bool = False
    """Whether some belief was ever kept twice, the second time with another value."""
    spread: bool = False
    """Whether some belief ever had another probability than 0.5."""
    readers: int = 0
    garbage: list[Callable[[], None]] = field(default_factory=list)
    """What to do when nobody reads this one or an older one any more."""


class Shelf:
    """The newest view, and those that are still read. Safe to use from any thread.

    ``warm`` is called before somebody looks, to bring what just came into the hot tables.
    """

    def __init__(self, history: Path, view: View, warm: Callable[[], None]) -> None:
        self._history = history
        self._warm = warm
        self._lock = threading.Lock()
        self._views = [view]
        self._sound: set[str] = set()

    @property
    def newest(self) -> View:
        """What there is now; to be read only by who holds it."""
        return self._views[-1]

    @contextlib.contextmanager
    def view(self) -> Iterator[View]:
        """Hold what there is now."""
        self._warm()
        with self._lock:
            view = self._views[-1]
            view.readers += 1
        try:
            yield view
        finally:
            with self._lock:
                view.readers -= 1
            self.tidy()

    def publish(self, view: View, garbage: Sequence[Callable[[], None]] = ()) -> None:
        """From now on there is this; ``garbage`` clears away what only older views need."""
        with self._lock:
            self._views[-1].garbage.extend(garbage)
            self._views.append(view)
        self.tidy()

    def tidy(self) -> None:
        """Clear away what nobody reads any more."""
        due: list[Callable[[], None]] = []
        with self._lock:
            while len(self._views) > 1 and not self._views[0].readers:
                due += self._views.pop(0).garbage
        for work in due:
            work()

    def held(self) -> set[str]:
        """The names of all partitions that are, or may still be, read."""
        with self._lock:
            return {one.name for view in self._views for one in view.partitions}

    def written(self, name: str) -> None:
        """A file was just written and read back: its checksum is right."""
        self._sound.add(name)

    def relation(
        self, view: View, kind: Kind, window: Window, *, once: bool = True,
        only: Callable[[Partition], bool] | None = None, hot: bool = True,
    ) -> str:  # fmt: skip
        """The rows of a kind as SQL in brackets, with ``ord``: larger for those kept later.

        ``once``: one row of each key, that kept last. Raises ``DamagedPartition``.
        """
        where = window.where(kind)
        files = [
            one
            for one in view.partitions
            if one.kind == kind and window.touches(one) and (only is None or only(one))
        ]
        parts = []
        if files:
            listed = ", ".join(f"'{self.path(one)}'" for one in files)
            parts.append(f"select {COLUMNS[kind]}, ord from read_parquet([{listed}]) where {where}")
        table = view.hot.get(kind)
        if table is not None and hot:
            parts.append(f"select {COLUMNS[kind]}, ord from {table} where {where}")
        if not parts:
            names = ", ".join(f"null::bigint as {name}" for name in COLUMNS[kind].split(", "))
            parts.append(f"select {names}, null::bigint as ord limit 0")
        whole = " union all ".join(parts)
        if once:
            whole = (
                f"select * from ({whole}) qualify row_number() over"
                f" (partition by {KEYS[kind]} order by ord desc) = 1"
            )
        return f"({whole})"

    def path(self, one: Partition) -> Path:
        """Where a partition is, known to be what was written. Raises ``DamagedPartition``."""
        if one.name not in self._sound:
            for error in self.unfit(one):
                raise error
            self._sound.add(one.name)
        return self._history / one.name

    def unfit(self, one: Partition) -> list[DamagedPartition]:
        """Compare a file with what was written, also where that was done; the one error, if any."""
        path = self._history / one.name
        size = durable.size(path)
        if size is None:
            return [DamagedPartition(one.name, "is gone")]
        if size != one.size or durable.sha256(path) != one.sha256:
            return [DamagedPartition(one.name, "does not fit its checksum")]
        return []
