from datetime import timedelta

import pytest

from flexedge.domain.asset import Knowable, Sensor, Source
from flexedge.errors import StoreError
from flexedge.store.words import (
    knowable_json,
    knowable_of,
    sensor_of,
    sensor_words,
    source_of,
    source_words,
    turnovers,
)

SENSORS = [
    Sensor("battery.power", "kW", timedelta(minutes=15)),
    Sensor("Zähler", "°C", timedelta(microseconds=1), Knowable(timedelta(days=-1))),
    Sensor("price", "EUR/MWh", timedelta(hours=1), Knowable(timedelta(0), 1, 13.5, "CET")),
    Sensor("meter.energy", "kWh", timedelta(minutes=5), turns_at=99_999.9),
]
SOURCES = [Source("meter", "sensor"), Source("flexedge", "scheduler", "storage", "3", "home")]


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_sensor_in_words_and_back(sensor: Sensor) -> None:
    assert sensor_of(sensor_words(sensor)) == sensor
    assert knowable_of(knowable_json(sensor.knowable)) == sensor.knowable


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_in_words_and_back(source: Source) -> None:
    assert source_of(source_words(source)) == source


def test_the_words_are_these() -> None:
    assert sensor_words(SENSORS[2]) == (
        '{"knowable": {"after_us": 0, "days_before": 1, "hour": 13.5, "zone": "CET"},'
        ' "name": "price", "resolution_us": 3600000000, "unit": "EUR/MWh"}'
    )
    assert sensor_words(SENSORS[3]) == (
        '{"knowable": null, "name": "meter.energy", "resolution_us": 300000000,'
        ' "turns_at": 99999.9, "unit": "kWh"}'
    )
    assert source_words(SOURCES[0]) == (
        '{"account": null, "kind": "sensor", "model": null, "name": "meter", "version": null}'
    )


@pytest.mark.parametrize("words", ["", "{}", "[]", "null", '{"name": 1, "unit": 2'])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(StoreError, match="words of a sensor"):
        sensor_of(words)
    with pytest.raises(StoreError, match="words of a source"):
        source_of(words)


@pytest.mark.parametrize("said", ["0", "-1.5", "Infinity", "NaN", '"100"', "[]"])
def test_a_turnover_that_is_none_is_refused(said: str) -> None:
    words = sensor_words(SENSORS[3]).replace("99999.9", said)
    with pytest.raises(StoreError, match="words of a sensor"):
        sensor_of(words)
    assert turnovers({1: words}) == {}


def test_only_what_turns_over_has_a_turnover() -> None:
    known = {number: sensor_words(sensor) for number, sensor in enumerate(SENSORS)}
    named = {7: sensor_words(Sensor("turns_at", "kWh")), 8: "turns_at, in words of old"}
    assert turnovers(known | named) == {3: 99_999.9}


def test_a_moment_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="events can be known"):
        knowable_of({"after_us": "soon"})
