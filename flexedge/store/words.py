"""Sensors and sources in words: JSON that stands beside their numbers where there are no tables."""

import contextlib
import json
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flexedge.domain.asset import Knowable, Sensor, Source
from flexedge.errors import StoreError

TURNS_AT = "turns_at"
"""What only the words of a counter have that is known to turn over."""
_US = timedelta(microseconds=1)


def knowable_json(knowable: Knowable | None) -> dict[str, Any] | None:
    """When events can be known, as JSON has it; spans in microseconds."""
    if knowable is None:
        return None
    return {
        "after_us": knowable.after // _US,
        "days_before": knowable.days_before,
        "hour": knowable.hour,
        "zone": knowable.zone,
    }


def knowable_of(content: dict[str, Any] | None) -> Knowable | None:
    """The opposite of ``knowable_json``. Raises ``ValueError`` for what is none."""
    if content is None:
        return None
    try:
        return Knowable(
            after=content["after_us"] * _US,
            days_before=content["days_before"],
            hour=content["hour"],
            zone=content["zone"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this does not say when events can be known: {content}") from error


def sensor_words(sensor: Sensor) -> str:
    """A sensor as JSON; the same text for the same sensor."""
    content: dict[str, Any] = {
        "name": sensor.name,
        "unit": sensor.unit,
        "resolution_us": sensor.resolution // _US,
        "knowable": knowable_json(sensor.knowable),
    }
    if sensor.turns_at is not None:
        content[TURNS_AT] = sensor.turns_at
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def sensor_of(words: str) -> Sensor:
    """The opposite of ``sensor_words``. Raises ``StoreError``."""
    try:
        content = json.loads(words)
        return Sensor(
            name=content["name"],
            unit=content["unit"],
            resolution=content["resolution_us"] * _US,
            knowable=knowable_of(content["knowable"]),
            turns_at=_turns_at(content.get(TURNS_AT)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"these are not the words of a sensor: {words}") from error


def _turns_at(said: float | None) -> float | None:
    if said is not None and not 0 < said < math.inf:
        raise ValueError(f"no counter turns over at {said}")
    return said


def turnovers(known: Mapping[int, str]) -> dict[int, float]:
    """By number at which value a counter shows 0 again, of the words of sensors.

    Only of those that say so; words that cannot be read say nothing.
    """
    found = {}
    for number, words in known.items():
        if TURNS_AT in words:
            with contextlib.suppress(StoreError):
                found[number] = sensor_of(words).turns_at
    return {number: value for number, value in found.items() if value is not None}


def source_words(source: Source) -> str:
    """A source as JSON; the same text for the same source."""
    content = {
        "name": source.name,
        "kind": source.kind,
        "model": source.model,
        "version": source.version,
        "account": source.account,
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def source_of(words: str) -> Source:
    """The opposite of ``source_words``. Raises ``StoreError``."""
    try:
        content = json.loads(words)
        return Source(
            name=content["name"],
            kind=content["kind"],
            model=content["model"],
            version=content["version"],
            account=content["account"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"these are not the words of a source: {words}") from error
