"""What is newest, looked for further and further back, and what there is at all."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import numpy as np

from flexedge.domain.belief import USABLE
from flexedge.store.archive import Asked, Statistics
from flexedge.store.asked import statistics
from flexedge.store.local.engine import Engine
from flexedge.store.local.partition import COLUMNS
from flexedge.store.local.shelf import Shelf, View, Window
from flexedge.store.rows import Beliefs, Readings, micros, moment

_Rows = TypeVar("_Rows", Readings, Beliefs)
_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=30), None)
"""How far back the newest is looked for, step by step."""
_SHORT = timedelta(days=2)
_USABLE = ", ".join(str(code) for code in USABLE)


def is_short(asked: Asked) -> bool:
    """Whether so little time is asked about that sorting is quicker here than a query."""
    bounded = asked.start is not None and asked.end is not None
    return bounded and asked.end - asked.start <= _SHORT  # type: ignore[operator] # both are there


class Looks:
    """Queries over a view. Raises ``StoreError``."""

    def __init__(self, engine: Engine, shelf: Shelf) -> None:
        self._engine = engine
        self._shelf = shelf

    def readings(self, view: View, sensors: Sequence[int], now: datetime) -> Readings:
        """The newest usable reading of each sensor."""

        def look(window: Window) -> Readings:
            rows = self._shelf.relation(view, "readings", window)
            sql = (
                "select sensor, max(event_us) as event_us, arg_max(value, event_us) as value,"
                " arg_max(quality, event_us) as quality"
                f" from {rows} where quality in ({_USABLE}) and isfinite(value) group by sensor"
            )
            return Readings.of(self._engine.arrays(sql))

        return _step_by_step(Readings, sensors, now, look)

    def beliefs(self, view: View, sensors: Sequence[int], now: datetime) -> Beliefs:
        """The last belief about the newest event of each sensor."""

        def look(window: Window) -> Beliefs:
            rows = self._shelf.relation(view, "beliefs", window, once=view.replaced)
            sql = (
                f"select {COLUMNS['beliefs']} from {rows}"
                " qualify row_number() over (partition by sensor order by event_us desc,"
                " belief_us desc, source, abs(probability - 0.5)) = 1"
            )
            return Beliefs.of(self._engine.arrays(sql))

        return _step_by_step(Beliefs, sensors, now, look)

    def statistics(self, view: View, asked: Asked, window: Window) -> list[Statistics]:
        """Of the readings of each sensor, then of each source's beliefs."""
        relations = [self._shelf.relation(view, "beliefs", window, once=view.replaced)]
        if asked.sources is None:
            read = self._shelf.relation(view, "readings", window)
            relations.append(
                f"(select sensor, -1 as source, event_us, event_us as belief_us, value from {read})"
            )
        found = [row for rows in relations for row in self._engine.run(*statistics(asked, rows))]
        return [_told(row) for row in sorted(found, key=lambda row: row[:2])]


def _step_by_step(
    kind: type[_Rows], sensors: Sequence[int], now: datetime, look: Callable[[Window], _Rows]
) -> _Rows:
    """The newest of each sensor, looked for further and further back; in order of sensors."""
    found, missing = [], set(sensors)
    for back in _BACK:
        lo_us = None if back is None else micros(now - back)
        found.append(look(Window(sorted(missing), lo_us, micros(now) + 1)))
        missing -= set(found[-1].sensor.tolist())
        if not missing:
            break
    rows = kind.joined(found)
    return rows.take(np.argsort(rows.sensor, kind="stable"))


def _told(row: tuple[Any, ...]) -> Statistics:
    sensor, source, first, last, belief, *numbers, count = row
    least, most, mean, total = (math.nan if one is None else float(one) for one in numbers)
    return Statistics(sensor, None if source < 0 else source, moment(first), moment(last),
                      moment(belief), least, most, mean, total, count)  # fmt: skip
