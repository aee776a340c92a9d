from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from flexedge.domain.asset import Knowable
from flexedge.store.archive import Asked
from flexedge.store.asked import _known
from flexedge.store.horizon import clocks, known, known_us
from flexedge.store.rows import Beliefs, micros, moment

AMSTERDAM = "Europe/Amsterdam"
NOON = Knowable(days_before=1, hour=12.0, zone=AMSTERDAM)
ZONES = (AMSTERDAM, "America/Havana", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Kolkata",
         "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia", "UTC")  # fmt: skip


def at(*numbers: int, zone: str = "UTC") -> int:
    return micros(datetime(*numbers, tzinfo=ZoneInfo(zone)))  # type: ignore[arg-type, misc]


def when(knowable: Knowable, event: int) -> datetime:
    return moment(int(known_us(knowable, np.array([event]))[0]))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (at(2026, 3, 29, 0, zone=AMSTERDAM), at(2026, 3, 28, 11)),  # of a day of 23 hours
        (at(2026, 3, 30, 0, zone=AMSTERDAM), at(2026, 3, 29, 10)),  # known on that day
        (at(2026, 10, 25, 23, zone=AMSTERDAM), at(2026, 10, 24, 10)),
        (at(2026, 10, 26, 0, zone=AMSTERDAM), at(2026, 10, 25, 11)),
    ],
)
def test_noon_of_the_day_before_keeps_to_the_clocks_of_the_zone(event: int, expected: int) -> None:
    assert when(NOON, event) == moment(expected)


def test_an_hour_that_is_skipped_or_comes_twice() -> None:
    early = Knowable(days_before=1, hour=2.5, zone=AMSTERDAM)
    assert when(early, at(2026, 3, 30, 12)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert when(early, at(2026, 10, 26, 12)) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_each_row_goes_by_the_rule_of_its_sensor() -> None:
    rows = Beliefs.of({
        "sensor": [2, 1, 3], "source": [1] * 3, "event_us": [at(2026, 1, 2)] * 3,
        "belief_us": [0] * 3, "probability": [0.5] * 3, "value": [1.0] * 3,
    })  # fmt: skip
    rules = {1: Knowable(timedelta(hours=1)), 2: NOON, 3: Knowable(timedelta(hours=-24))}
    found = [moment(us).isoformat() for us in known(rows, rules)]
    assert found == [
        "2026-01-01T11:00:00+00:00", "2026-01-02T01:00:00+00:00", "2026-01-01T00:00:00+00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(("begin", "end"), [(1990, 2099), (2015, 2016)])
@pytest.mark.parametrize("zone", ZONES)
def test_the_database_and_numpy_tell_the_same_time(zone: str, begin: int, end: int) -> None:
    random = np.random.default_rng(7)
    bounds = (moment(at(begin, 1, 1)), moment(at(end, 1, 1))) if end < 2099 else (None, None)
    asked = Asked((1,), *bounds)
    events = np.unique(random.integers(at(begin, 1, 1), at(end, 1, 1), 4000))
    for hour in (0.0, 0.5, 2.25, 12.0, 23.75):
        rule = Knowable(days_before=2, hour=hour, zone=zone)
        text, parameters = _known(rule, asked)
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.register("events", {"event_us": events})
            found = connection.execute(
                f"select {text} as known from events order by event_us",
                parameters,
            ).fetchnumpy()
        assert np.array_equal(found["known"], known_us(rule, events))


@pytest.mark.parametrize("zone", ZONES)
def test_clocks_are_those_of_the_zone(zone: str) -> None:
    changes, offsets = clocks(zone)
    for event in np.random.default_rng(7).integers(at(1990, 1, 1), at(2099, 1, 1), 3000):
        offset = moment(int(event)).astimezone(ZoneInfo(zone)).utcoffset()
        found = offsets[np.searchsorted(changes, event, side="right")]
        assert timedelta(microseconds=int(found)) == offset
