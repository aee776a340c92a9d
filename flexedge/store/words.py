"""Sensors and sources in words: JSON that stands beside their numbers where there are no tables."""

import json
from datetime import timedelta
from typing import Any

from flexedge.domain.asset import Knowable, Sensor, Source
from flexedge.errors import StoreError

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
    content = {
        "name": sensor.name,
        "unit": sensor.unit,
        "resolution_us": sensor.resolution // _US,
        "knowable": knowable_json(sensor.knowable),
    }
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
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"these are not the words of a sensor: {words}") from error


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
