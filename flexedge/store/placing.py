"""Between the times of people and grids, and those of rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.store.rows import Beliefs, Floats, Micros, micros, moment


def us(span: timedelta) -> int:
    """A span in microseconds."""
    return span // timedelta(microseconds=1)


def ticks(grid: TimeGrid) -> Micros:
    """The start of each step."""
    return micros(grid.start) + np.arange(grid.n, dtype=np.int64) * us(grid.resolution)


def on(grid: TimeGrid, step: timedelta, events: Micros, values: Floats) -> Series:
    """Events on a grid; of several about the same one the last counts."""
    if not len(events):
        return Series.constant(grid, np.nan)
    if not step:
        placed = np.full(grid.n, np.nan)
        placed[(events - micros(grid.start)) // us(grid.resolution)] = values
        return Series(grid, placed)
    first = int(events.min())
    whole = np.full((int(events.max()) - first) // us(step) + 1, np.nan)
    whole[(events - first) // us(step)] = values
    return Series(TimeGrid(moment(first), step, len(whole)), whole).on(grid)


def stamps(moments: Sequence[datetime]) -> Micros:
    """Aware times in microseconds; floats of seconds are good to the microsecond until 2100.

    Exact arithmetic takes ten times as long.
    """
    seconds = np.fromiter((one.timestamp() for one in moments), np.float64, len(moments))
    return np.rint(seconds * 1e6).astype(np.int64)


def believed(belief: Belief, sensor: int, source: int, step: timedelta) -> Beliefs:
    """A series as rows at the resolution of its sensor, by numbers; missing values are left out.

    What has no belief time is believed from the end of each event on.
    """
    series = belief.series
    if step and series.grid.resolution != step:
        series = series.on(TimeGrid.covering(series.grid.start, series.grid.end, step))
    known = ~np.isnan(series.values)
    n = int(known.sum())
    events = ticks(series.grid)[known]
    since = (
        events + us(step)
        if belief.belief_time is None
        else np.full(n, micros(belief.belief_time), np.int64)
    )
    return Beliefs(
        np.full(n, sensor, np.int32), np.full(n, source, np.int32), events, since,
        np.full(n, 0.5), series.values[known],
    )  # fmt: skip
