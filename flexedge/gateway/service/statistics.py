"""What there is about a sensor, in FlexMeasures' words."""

import math
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flexedge.domain.asset import Source
from flexedge.store.archive import Asked, Statistics
from flexedge.store.beliefs import Beliefs
from flexedge.store.sources import Which
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]


def told(
    beliefs: Beliefs, sensor: PlacedSensor, start: datetime | None, end: datetime | None
) -> dict[int, Json]:
    """By the number of each source: names and values, of events that start in [start, end).

    Every belief counts, also those that were revised. Raises ``StoreError``.
    """
    found = beliefs.statistics((sensor.key,), Asked((), start, end), Which())
    return {one.source: _words(one, sensor) for one in found if one.source is not None}


def named(number: int, source: Source) -> str:
    """A source, as statistics name it."""
    return f"{source.description} (ID: {number})"


def _words(one: Statistics, sensor: PlacedSensor) -> Json:
    zone = ZoneInfo(sensor.timezone)
    first, last, recorded = (
        moment.astimezone(zone).isoformat()
        for moment in (one.first_event, one.last_event + sensor.resolution, one.last_belief)
    )
    return {
        "First event start": first,
        "Last event end": last,
        "Last recorded": recorded,
        "Min value": _number(one.least),
        "Max value": _number(one.most),
        "Mean value": _number(one.mean),
        "Sum over values": _number(one.total),
        "Number of values": one.count,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
