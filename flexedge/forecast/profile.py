"""Persistence: it will be as it was on the last day that is known, starting from what is now."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.domain.series import FloatArray, Series, TimeGrid

_DAYS_BACK = 7
_FADE = timedelta(hours=2)


def persistence(
    history: Series, grid: TimeGrid, now: datetime, latest: float | None, zone: ZoneInfo
) -> Series:
    """Expect of each step what happened at the same clock time of the most recent known day.

    At most seven days back; only what ended by ``now`` counts. The deviation of ``latest`` (the
    value measured now) from that profile fades over two hours, within the range of what was seen.
    Steps before ``now`` and steps of which nothing is known are NaN; without a profile ``latest``
    alone holds for these two hours.
    """
    seen = _aligned(_ended(history, now), grid)
    profile = np.array(
        [_same_time(seen, moment, zone) for moment in grid.times()], dtype=np.float64
    )
    ahead = [moment - now for moment in grid.times()]
    if latest is not None:
        weight = np.clip([1.0 - time / _FADE for time in ahead], 0.0, 1.0)
        profile = _blended(profile, seen, grid.slot(now), latest, weight)
    over = [time + grid.resolution <= timedelta(0) for time in ahead]
    return Series(grid, np.where(over, np.nan, profile))


def _ended(history: Series, now: datetime) -> Series:
    """What of the history was over by ``now``."""
    known = (now - history.grid.start) // history.grid.resolution
    values = history.values.copy()
    values[max(known, 0) :] = np.nan
    return Series(history.grid, values)


def _aligned(history: Series, grid: TimeGrid) -> Series:
    """The history on the ticks of ``grid``, continued backwards."""
    before = -((history.grid.start - grid.start) // grid.resolution)
    n = max(-((grid.start - history.grid.end) // grid.resolution) + before, 0)
    return history.on(TimeGrid(grid.start - before * grid.resolution, grid.resolution, n))


def _same_time(seen: Series, moment: datetime, zone: ZoneInfo) -> float:
    """What was seen at the clock time of ``moment``, as few days back as possible, or NaN."""
    local = moment.astimezone(zone)
    for days in range(1, _DAYS_BACK + 1):
        value = seen.at((local - timedelta(days=days)).astimezone(UTC))  # wall time, then UTC
        if value is not None:
            return value
    return np.nan


def _blended(
    profile: FloatArray, seen: Series, slot: int | None, latest: float, weight: FloatArray
) -> FloatArray:
    """The profile, moved towards ``latest`` by ``weight``."""
    known = np.append(seen.values[~np.isnan(seen.values)], latest)
    expected = np.nan if slot is None else profile[slot]
    if np.isnan(expected):
        alone = np.where(weight > 0, latest, np.nan)
        return np.where(np.isnan(profile), alone, profile)
    moved = profile + weight * (latest - expected)
    return np.clip(moved, known.min(), known.max())
