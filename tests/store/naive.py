"""An archive as plain as can be: lists and loops that say what every archive must answer."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.domain.asset import Knowable
from flexedge.store.archive import Asked
from flexedge.store.rows import Beliefs, Ingested, Readings, micros, moment

MINUTE = 60_000_000
SENSORS = (1, 2, 3, 4)
SOURCES = (1, 2)
BEGIN = 1_774_738_800_000_000 - 90 * MINUTE  # before the clocks went forward in Berlin, 2026
KNOWABLE = {
    1: Knowable(),
    9: Knowable(),
    2: Knowable(timedelta(minutes=15)),
    3: Knowable(days_before=1, hour=12.5, zone="Europe/Berlin"),
    4: Knowable(days_before=0, hour=2.5, zone="Europe/Berlin"),  # a time that is skipped that day
}
Row = tuple[Any, ...]


def rows(some: Beliefs | Readings | Ingested) -> list[Row]:
    """As tuples, with None for NaN, so that equal is equal."""
    columns = [column.tolist() for column in some.columns().values()]
    return [
        tuple(None if value != value else value for value in row)  # noqa: PLR0124 (NaN)
        for row in zip(*columns, strict=True)
    ]


def history(chance: np.random.Generator, n: int) -> Beliefs:
    """Few sensors, events, moments and shares, so that much is told twice; nothing is missing."""
    event = BEGIN + chance.integers(0, 12, n) * 15 * MINUTE
    return Beliefs.of(
        {
            "sensor": chance.choice(SENSORS, n),
            "source": chance.choice(SOURCES, n),
            "event_us": event,
            "belief_us": event + chance.integers(-30, 6, n) * 60 * MINUTE,
            "probability": chance.choice([0.1, 0.5, 0.9], n),
            "value": chance.integers(0, 100, n),
        }
    )


def question(chance: np.random.Generator) -> Asked:
    """Some of the bounds that can be, each at random."""

    def maybe(value: Any) -> Any:
        return value if chance.random() < 0.4 else None

    def some(of: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(of[i] for i in chance.permutation(len(of))[: chance.integers(0, len(of) + 1)])

    def at(low: int, high: int) -> datetime:
        return moment(BEGIN + int(chance.integers(low, high)) * 15 * MINUTE)

    def horizon() -> timedelta:
        return timedelta(minutes=15 * int(chance.integers(-100, 100)))

    return Asked(
        sensors=some((*SENSORS, 9)),
        start=maybe(at(0, 12)),
        end=maybe(at(0, 13)),
        sources=maybe(some(SOURCES)),
        believed_from=maybe(at(-120, 24)),
        believed_until=maybe(at(-120, 24)),
        horizon_from=maybe(horizon()),
        horizon_until=maybe(horizon()),
        most_recent=bool(chance.random() < 0.6),
    )


def known_us(event_us: int, knowable: Knowable) -> int:
    """When an event can be known."""
    event = moment(event_us)
    if knowable.days_before is None:
        return micros(event + knowable.after)
    zone = ZoneInfo(knowable.zone)
    day = event.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    at = day - timedelta(days=knowable.days_before) + timedelta(hours=knowable.hour)
    return micros(at.replace(tzinfo=zone))


def held(history: Beliefs) -> Beliefs:
    """Of beliefs with the same sensor, source, event, moment and share the last one, in order."""
    last = {row[:5]: row for row in rows(history)}
    ordered = sorted(last.values(), key=lambda row: (row[0], row[2], row[1], *row[3:5]))
    columns = zip(*ordered, strict=True) if ordered else [()] * len(fields(Beliefs))
    names = [field.name for field in fields(Beliefs)]
    return Beliefs.of(
        {name: np.array(column, np.float64) if name in ("probability", "value") else column
         for name, column in zip(names, columns, strict=True)}
    )  # fmt: skip


def answer(history: Beliefs, asked: Asked, knowable: Mapping[int, Knowable]) -> list[Row]:
    """What is asked for, of what is held."""
    fitting = [row for row in rows(held(history)) if all(_fits(row, asked, knowable))]
    if not asked.most_recent:
        return fitting
    last: dict[Row, float] = {}
    for row in fitting:
        last[row[:3]] = max(row[3], last.get(row[:3], row[3]))
    return [row for row in fitting if row[3] == last[row[:3]]]


def _fits(row: Row, asked: Asked, knowable: Mapping[int, Knowable]) -> Iterator[bool]:
    sensor, source, event_us, belief_us = (int(part) for part in row[:4])
    event, belief = moment(event_us), moment(belief_us)
    yield sensor in asked.sensors
    yield asked.sources is None or source in asked.sources
    yield asked.start is None or event >= asked.start
    yield asked.end is None or event < asked.end
    yield asked.believed_from is None or belief >= asked.believed_from
    yield asked.believed_until is None or belief <= asked.believed_until
    horizon = moment(known_us(event_us, knowable[sensor])) - belief
    yield asked.horizon_from is None or horizon >= asked.horizon_from
    yield asked.horizon_until is None or horizon <= asked.horizon_until
