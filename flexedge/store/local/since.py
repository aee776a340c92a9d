"""Beliefs by when they came in: every row has a number that stays, whatever file it is moved to."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flexedge.store.archive import Since, Stretch, Tally
from flexedge.store.local.engine import Engine
from flexedge.store.local.partition import COLUMNS, KEYS, ORDER_BITS
from flexedge.store.local.shelf import Shelf, View, Window
from flexedge.store.rows import Ingested, Micros, moment


def last_of(batch: int) -> int:
    """The greatest ingest number that a row of a batch can have; 0 where there is no batch."""
    return ((batch + 1) << ORDER_BITS) - 1 if batch > 0 else 0


class Came:
    """Queries over a view. Raises ``StoreError``."""

    def __init__(self, engine: Engine, shelf: Shelf) -> None:
        self._engine = engine
        self._shelf = shelf

    def since(self, view: View, since: Since) -> Stretch:
        """Beliefs of one sensor in order of their numbers."""
        rows = self._relation(view, Window((since.sensor,)), since.lo, since.hi)
        where = f"ord > {int(since.lo)} and ord <= {int(since.hi)}{_of(since.sources)}"
        order = "ord desc" if since.newest_first else "ord"
        found = self._engine.arrays(
            f"select {COLUMNS['beliefs']}, ord as number from {rows} where {where}"
            f" order by {order} limit {int(since.limit)}"
        )
        number = found["number"]
        lo, hi = since.lo, since.hi
        if len(number) == since.limit and since.newest_first:
            lo = int(number[-1]) - 1
        elif len(number) == since.limit:
            hi = int(number[-1])
        kept = Ingested.of(found)
        if view.replaced and len(kept):
            kept = kept.take(np.isin(kept.number, self._counting(view, since, kept)))
        return Stretch(kept, lo, hi)

    def _counting(self, view: View, since: Since, found: Ingested) -> Micros:
        """The numbers of rows that nothing took the place of, among those about these events."""
        first = int(found.number.min())
        window = Window((since.sensor,), int(found.event_us.min()), int(found.event_us.max()) + 1)
        rows = self._relation(view, window, first - 1, None)
        counting: NDArray[np.int64] = self._engine.arrays(
            f"select max(ord) as number from {rows} where ord >= {first}{_of(since.sources)}"
            f" group by {KEYS['beliefs']}"
        )["number"]
        return counting

    def tally(
        self, view: View, lo: int, hi: int, sensors: Sequence[int] | None = None
    ) -> list[Tally]:
        """What came in, by sensor and source."""
        rows = self._relation(view, Window(sensors), lo, hi)
        found = self._engine.run(
            "select sensor, source, count(*), max(ord), min(event_us), max(event_us)"
            f" from {rows} where ord > {int(lo)} and ord <= {int(hi)}"
            " group by sensor, source order by sensor, source"
        )
        return [
            Tally(sensor, source, n, last, moment(first_event), moment(last_event))
            for sensor, source, n, last, first_event, last_event in found
        ]

    def _relation(self, view: View, window: Window, lo: int, hi: int | None) -> str:
        """All rows of the batches that numbers in (lo, hi] belong to, as SQL in brackets."""
        first = (lo + 1) >> ORDER_BITS
        last = None if hi is None else hi >> ORDER_BITS
        return self._shelf.relation(
            view, "beliefs", window, once=False,
            only=lambda one: one.hi >= first and (last is None or one.lo <= last),
        )  # fmt: skip


def _of(sources: Sequence[int] | None) -> str:
    if sources is None:
        return ""
    return f" and source in ({', '.join(str(int(one)) for one in sources) or 'null'})"
