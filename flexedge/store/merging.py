"""Buckets joined to larger ones: exactly what one large bucket of the same readings says."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.store.buckets import HOLD_US, HOURS_US, MINUTES_US, RESTARTS_BELOW, TURNS_WITHIN
from flexedge.store.rows import Buckets, Floats, Ids, Micros, micros


def gained(before: Floats, after: Floats, turns_at: Floats | float = np.nan) -> Floats:
    """What a counter gained from one reading to the next; NaN where one of them is.

    A rise is what it is. A fall from the top to the bottom of a range that is known (``turns_at``,
    NaN: unknown) is a turnover. A fall by less than a tenth is none of either: registers that are
    restored after a restart, or rounded, step back a little; nothing was gained. Any other fall is
    a new beginning: the new value counts from zero.
    """
    top = (before > (1 - TURNS_WITHIN) * turns_at) & (before <= turns_at)
    turned = top & (after < TURNS_WITHIN * turns_at)
    restarted = after < RESTARTS_BELOW * before
    fresh = np.maximum(after, 0.0)
    gain = np.where(restarted, fresh, after * 0.0)
    gain = np.where(turned, turns_at - before + fresh, gain)
    return np.where(after >= before, after - before, gain + before * 0.0)


def merged(
    fine: Buckets, edges: Micros, width_us: int, turnovers: Mapping[int, float] | None = None
) -> Buckets:
    """Buckets of one width joined between ``edges`` (ascending): one per stretch and sensor.

    ``fine`` is in order of sensor and start. What is outside of the edges is left out. Raises
    ``ValueError`` where an edge cuts a bucket.
    """
    place = np.searchsorted(edges, fine.start_us, side="right") - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    fine, place = fine.take(inside), place[inside]
    if (fine.start_us + width_us > edges[place + 1]).any():
        raise ValueError(f"buckets of {width_us / 1e6:g} s do not fill what lies between the edges")
    if not len(fine):
        return fine
    begins = _begins(fine.sensor, place)
    ends = np.append(begins[1:], len(fine)) - 1
    rise, integral = _between(fine, begins, turnovers or {})
    count = np.add.reduceat(fine.count, begins)
    return Buckets(
        sensor=fine.sensor[begins],
        start_us=edges[place[begins]],
        count=count,
        mean=np.add.reduceat(fine.mean * fine.count, begins) / count,
        least=np.minimum.reduceat(fine.least, begins),
        most=np.maximum.reduceat(fine.most, begins),
        first=fine.first[begins],
        first_us=fine.first_us[begins],
        last=fine.last[ends],
        last_us=fine.last_us[ends],
        rise=np.add.reduceat(fine.rise + rise, begins),
        integral=np.add.reduceat(fine.integral + integral, begins),
    )


def _begins(sensor: Ids, place: Micros) -> Micros:
    """Where the sensor or the stretch is another than that of the row before."""
    new = np.ones(len(sensor), dtype=np.bool_)
    new[1:] = (np.diff(sensor) != 0) | (np.diff(place) != 0)
    return np.flatnonzero(new).astype(np.int64)


def _between(
    fine: Buckets, begins: Micros, turnovers: Mapping[int, float]
) -> tuple[Floats, Floats]:
    """What lies between each bucket and the one before it in the same stretch; 0 for the first."""
    rise, integral = np.zeros(len(fine)), np.zeros(len(fine))
    turns = np.array([turnovers.get(int(sensor), np.nan) for sensor in fine.sensor[1:]], np.float64)
    rise[1:] = gained(fine.last[:-1], fine.first[1:], turns)
    held = np.minimum(fine.first_us[1:] - fine.last_us[:-1], HOLD_US)
    integral[1:] = fine.last[:-1] * held / 1e6
    rise[begins], integral[begins] = 0.0, 0.0
    return rise, integral


def held(fine: Buckets, edges: Micros) -> Floats:
    """Value x seconds of one sensor in each stretch between edges, of all that stood in it.

    What was read stands until the next reading, at most a minute, also across an edge: so
    stretches add up. ``fine`` has at most one row per stretch, and what came in the minute before
    the first. For the kWh of a power divide by 3600.
    """
    inside = np.zeros(len(edges) - 1)
    place = np.searchsorted(edges, fine.start_us, side="right") - 1
    mine = (place >= 0) & (place < len(inside))
    inside[place[mine]] = fine.integral[mine]
    follows = np.append(fine.first_us[1:], np.iinfo(np.int64).max)
    until = np.minimum(follows, fine.last_us + HOLD_US)
    stood = np.cumsum(fine.last * (until - fine.last_us) / 1e6)
    moments = np.column_stack((fine.last_us, until)).ravel()
    totals = np.column_stack((np.append(0.0, stood)[:-1], stood)).ravel()
    if len(moments):
        inside += np.diff(np.interp(edges.astype(np.float64), moments, totals))
    return inside


def day_edges(first: date, n: int, zone: ZoneInfo) -> Micros:
    """The midnights that bound ``n`` days on site, in microseconds: 23, 24, 25 hours apart.

    n + 1 of them; fewer where a zone left a day out when it crossed the date line.
    """
    days = (first + timedelta(days=i) for i in range(n + 1))
    midnights = [micros(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in days]
    return np.unique(np.array(midnights, dtype=np.int64))


def grain_us(edges: Micros) -> int:
    """The width of the largest roll-ups that no edge cuts: hours, or minutes in a zone of 5:30.

    Raises ``ValueError`` where even those are cut.
    """
    for width in (HOURS_US, MINUTES_US):
        if not (edges % width).any():
            return width
    raise ValueError("no roll-up ends at these times: ask for whole 5 minutes")
