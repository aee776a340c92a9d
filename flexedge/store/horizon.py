"""When events can be known: what splits beliefs into forecasts (before) and what was measured."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.domain.asset import Knowable
from flexedge.store.rows import Beliefs, Micros, micros, moment

DAY_US = 86_400_000_000
_US = timedelta(microseconds=1)
_SPAN = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_WEEK_US = 7 * DAY_US  # no zone changes its clocks twice in a week


def wall_us(knowable: Knowable) -> int:
    """Of "days before at an hour": microseconds from the midnight before the event, on the wall."""
    days = knowable.days_before or 0
    return round(knowable.hour * 3_600_000_000) - days * DAY_US


@lru_cache(maxsize=64)
def clocks(zone: str) -> tuple[Micros, Micros]:
    """When the clocks of a zone are changed (UTC), and what they add to UTC, once before the first.

    From 1990 to 2100; before and after clocks are taken to stay.
    """
    rule = ZoneInfo(zone)
    weeks = range(micros(_SPAN[0]), micros(_SPAN[1]), _WEEK_US)
    offsets = [_offset(rule, us) for us in weeks]
    changes = [
        _change(rule, weeks[i], weeks[i + 1])
        for i in range(len(offsets) - 1)
        if offsets[i] != offsets[i + 1]
    ]
    return (
        np.array(changes, np.int64),
        np.array([offsets[0], *(_offset(rule, us) for us in changes)], np.int64),
    )


def known_us(knowable: Knowable, event_us: Micros) -> Micros:
    """When events (since 1970) can be known, in microseconds of UTC.

    "Days before" are counted on the calendar of the zone, and the hour is that of its clocks there:
    one that is skipped counts as before the change, of one that comes twice the second counts.
    """
    if knowable.days_before is None:
        return event_us + knowable.after // _US
    wall, offset = _walls(knowable, event_us)
    return wall - offset


@lru_cache(maxsize=64)
def steps(knowable: Knowable) -> tuple[Micros, Micros]:
    """What clocks add to UTC when events can be known, as steps over the events' starts.

    From each start on, and once before the first; for "days before" only.
    """
    changes, offsets = clocks(knowable.zone)
    midnights = -((wall_us(knowable) - changes - offsets[1:]) // DAY_US) * DAY_US
    edges = np.unique(np.concatenate([changes, *(midnights - one for one in np.unique(offsets))]))
    _, found = _walls(knowable, edges)
    differs = np.diff(found, prepend=offsets[0]) != 0
    return edges[differs], np.append(offsets[0], found[differs])


def _walls(knowable: Knowable, event_us: Micros) -> tuple[Micros, Micros]:
    """When events can be known by the clocks there, and what those add to UTC."""
    changes, offsets = clocks(knowable.zone)
    local = event_us + offsets[np.searchsorted(changes, event_us, side="right")]
    wall = local // DAY_US * DAY_US + wall_us(knowable)
    return wall, offsets[np.searchsorted(changes + offsets[1:], wall, side="right")]


def known(rows: Beliefs, knowable: Mapping[int, Knowable]) -> Micros:
    """When the event of each row can be known. ``knowable`` has every sensor of the rows."""
    sensors, which = np.unique(rows.sensor, return_inverse=True)
    rules = [knowable[int(sensor)] for sensor in sensors]
    after = np.array([rule.after // _US for rule in rules], np.int64)
    found: Micros = rows.event_us + after[which]
    for i, rule in enumerate(rules):
        if rule.days_before is not None:
            mine = which == i
            found[mine] = known_us(rule, rows.event_us[mine])
    return found


def _offset(zone: ZoneInfo, us: int) -> int:
    return (moment(us).astimezone(zone).utcoffset() or timedelta(0)) // _US


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first microsecond with the offset that holds at ``after``."""
    new = _offset(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == new:
            after = middle
        else:
            before = middle
    return after
