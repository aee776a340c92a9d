"""How fresh the data of a sensor are, by type of source, after FlexMeasures' rules.

Data of people, scripts, gateways and markets are as old as the moment from which on their newest
event could be known; schedules and forecasts have to reach into the future. The attribute
``status_specs`` of a sensor says otherwise what is too old.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from flexedge.domain.asset import INSTANT
from flexedge.domain.units import duration as duration_of
from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.horizon import known_us
from flexedge.store.rows import micros, moment
from flexedge.store.sources import Which
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

_AHEAD: Final = ("scheduler", "forecaster")
_FUTURE: Final = timedelta(hours=-12)
_QUARTER: Final = timedelta(minutes=15)
_SPECS: Final = "status_specs"
_UNITS: Final = (("year", 365 * 86400), ("month", 2_635_200), ("day", 86400), ("hour", 3600),
                 ("minute", 60))  # fmt: skip
INFLEXIBLE: Final = ("inflexible-device-sensors", "inflexible-consumption", "inflexible-production")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too old; negative ages lie in the future."""

    age: timedelta
    future: timedelta = _FUTURE
    of_all: bool = False
    """Whether all sources have to reach so far into the future; else those that look ahead."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """How fresh what sources of one type say is."""

    source_type: str | None
    staleness: timedelta | None
    stale: bool
    since: datetime | None
    reason: str


def limits(sensor: PlacedSensor) -> Limits:
    """What is too old for a sensor: by its attribute, else twice its resolution or a day.

    A day where events are known days before, as day-ahead prices; of instants half an hour.
    """
    specs = sensor.attributes.get(_SPECS)
    daily = sensor.knowable is not None and sensor.knowable.days_before is not None
    usual = Limits(timedelta(days=1) if daily else 2 * (sensor.resolution or _QUARTER))
    if not isinstance(specs, Mapping):
        return usual
    age, future = (_duration(specs.get(f"max_{one}staleness")) for one in ("", "future_"))
    return Limits(
        usual.age if age is None else age,
        usual.future if future is None else future,
        of_all=future is not None,
    )


def _duration(text: Any) -> timedelta | None:
    if not isinstance(text, str):
        return None
    try:
        return -duration_of(text[1:]) if text.startswith("-") else duration_of(text)
    except ValueError:
        return None


def fresh(
    state: State, beliefs: Beliefs, sensors: Mapping[int, PlacedSensor], now: datetime
) -> dict[int, list[Fresh]]:
    """How fresh sensors' data are, by number and type of source.

    What is believed later than ``now`` does not count. One entry without a type where there are no
    data. Raises ``StoreError``.
    """
    keys = [one.key for one in sensors.values()]
    found = beliefs.statistics(keys, Asked((), believed_until=now), Which())
    sources = state.sources()
    newest: dict[int, dict[str, datetime]] = {number: {} for number in sensors}
    for one in found:
        if one.source is not None:
            mine, kind = newest[one.sensor], sources[one.source].kind
            mine[kind] = max(mine.get(kind, one.last_event), one.last_event)
    nothing = Fresh(None, None, stale=True, since=None, reason="no data recorded")
    return {
        number: [_judged(sensors[number], kind, event, now) for kind, event in sorted(mine.items())]
        or [nothing]
        for number, mine in newest.items()
    }


def _judged(sensor: PlacedSensor, kind: str, event: datetime, now: datetime) -> Fresh:
    if kind in _AHEAD:
        since = event
        if event <= now:
            why = "Found no future data which this source should have"
            return Fresh(kind, None, stale=True, since=since, reason=why)
    else:
        rule = sensor.sensor.known
        since = moment(int(known_us(rule, np.array([micros(event)], np.int64))[0]))
    age, most = now - since, limits(sensor)
    if age < INSTANT and kind not in _AHEAD and not most.of_all:
        why = f"most recent data is {spoken(-age)} in the future"
        return Fresh(kind, -age, stale=False, since=since, reason=why)
    old = age >= INSTANT
    limit = most.age if old else most.future
    stale = age > limit
    line = "old" if old else "in the future"
    part = ("but should not be more" if stale else "which is not more") if old else (
        "but should be more" if stale else "which is not less")  # fmt: skip
    why = f"most recent data is {spoken(abs(age))} {line}, {part} than {spoken(abs(limit))} {line}"
    return Fresh(kind, abs(age), stale, since, why)


def spoken(duration: timedelta) -> str:
    """A duration in words: "1 day, 2 hours and 3.50 seconds"."""
    left, parts = duration.total_seconds(), list[str]()
    for unit, seconds in _UNITS:
        n = int(left // seconds)
        if n:
            parts.append(_counted(str(n), unit))
            left -= n * seconds
    if left or not parts:
        parts.append(_counted(f"{left:.2f}" if left % 1 else f"{left:.0f}", "second"))
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _counted(n: str, unit: str) -> str:
    return f"{n} {unit}" if n == "1" else f"{n} {unit}s"


def relations(state: State, number: int, asset: Asset) -> dict[int, list[str]]:
    """What sensors are to an asset, by their numbers: its own, and those of its flex-context."""
    found: dict[int, list[str]] = {
        one: ["sensor belongs to this asset"] for one in state.placed.of(number)
    }
    for one in dict.fromkeys(_inflexible(state, asset)):
        found.setdefault(one, []).append("flex context (inflexible device)")
    for field, value in asset.flex_context.items():
        if isinstance(value, Mapping) and field not in INFLEXIBLE and _is_number(value):
            found.setdefault(value["sensor"], []).append(f"flex context ({field})")
    return found


def _inflexible(state: State, asset: Asset) -> list[int]:
    """The sensors of inflexible devices: of the asset, else of the nearest one above that has."""
    at: Asset | None = asset
    for _ in range(100):  # a tree is not as deep
        if at is None:
            break
        context = at.flex_context
        contexts = [context, *_dicts(context.get("commodities"))]
        found = [one for each in contexts for one in _named(each)]
        if found:
            return found
        at = None if at.parent_id is None else state.assets.get(at.parent_id)
    return []


def _named(context: Mapping[str, Any]) -> Iterator[int]:
    for key in INFLEXIBLE:
        entries = context.get(key)
        for entry in entries if isinstance(entries, Sequence) else ():
            if isinstance(entry, int):
                yield entry
            elif isinstance(entry, Mapping) and _is_number(entry):
                yield entry["sensor"]


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _is_number(reference: Mapping[str, Any]) -> bool:
    return isinstance(reference.get("sensor"), int)
