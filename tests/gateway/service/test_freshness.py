from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.domain.asset import Knowable, Source
from flexedge.gateway.service.freshness import Fresh, Limits, fresh, limits, relations, spoken
from flexedge.store.tables.placed import PlacedSensor
from tests.web.api.asking import NOW, QUARTER, SCHEDULER, Platform, platform

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MEASURED = Source("measured", "sensor")
PRICES = Knowable(days_before=1, hour=12, zone="Europe/Amsterdam")


def sensor(**attributes: Any) -> PlacedSensor:
    return PlacedSensor("a", 1, "power", "kW", QUARTER, "UTC", attributes=attributes)


def judged(here: Platform, number: int, now: datetime = NOW) -> list[Fresh]:
    one = here.parts.state.placed.get(number)
    assert one is not None
    return fresh(here.parts.state, here.parts.beliefs, {number: one}, now)[number]


@pytest.mark.parametrize(("duration", "text"), [
    (timedelta(0), "0 seconds"), (timedelta(minutes=30), "30 minutes"),
    (timedelta(hours=9, minutes=31, seconds=2.269), "9 hours, 31 minutes and 2.27 seconds"),
    (timedelta(days=1, seconds=1), "1 day and 1 second"),
    (timedelta(days=396, hours=1), "1 year, 1 month and 13 hours"),
])  # fmt: skip
def test_durations_are_spoken(duration: timedelta, text: str) -> None:
    assert spoken(duration) == text


def test_how_old_data_may_be_is_said_by_the_sensor_or_its_resolution() -> None:
    assert limits(sensor()) == Limits(timedelta(minutes=30), -12 * HOUR)
    instants = PlacedSensor("a", 1, "level", "%", timedelta(0), "UTC")
    assert limits(instants).age == timedelta(minutes=30)
    daily = PlacedSensor("a", 1, "price", "EUR/MWh", HOUR, "UTC", PRICES)
    assert limits(daily).age == DAY
    specs = {"staleness_search": {}, "max_staleness": "PT1H", "max_future_staleness": "-PT2H"}
    assert limits(sensor(status_specs=specs)) == Limits(HOUR, -2 * HOUR, of_all=True)
    assert limits(sensor(status_specs={"max_staleness": "PT0S"})).age == timedelta(0)
    assert limits(sensor(status_specs={"max_staleness": "soon"})).age == timedelta(minutes=30)


def test_measurements_age_from_the_end_of_their_newest_event(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        power = here.sensor(here.asset("battery"), "power")
        nothing = Fresh(None, None, stale=True, since=None, reason="no data recorded")
        assert judged(here, power) == [nothing]
        here.believe(power, NOW - HOUR, [1, 2], source=MEASURED)
        (one,) = judged(here, power)
        assert (one.source_type, one.staleness, one.stale) == ("sensor", 2 * QUARTER, False)
        assert one.reason == (
            "most recent data is 30 minutes old, which is not more than 30 minutes old"
        )
        (later,) = judged(here, power, NOW + timedelta(seconds=90))
        assert (later.stale, later.since) == (True, NOW - 2 * QUARTER)
        assert later.reason == (
            "most recent data is 31 minutes and 30 seconds old, but should not be more than"
            " 30 minutes old"
        )
        (before,) = judged(here, power, NOW - 3 * QUARTER)
        assert (before.staleness, before.stale) == (timedelta(0), False)


def test_events_that_are_not_over_yet_are_fresh(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        power = here.sensor(here.asset("battery"), "power")
        here.believe(power, NOW, [1], NOW)
        (one,) = judged(here, power)
        assert (one.stale, one.staleness, one.reason) == (
            False, QUARTER, "most recent data is 15 minutes in the future")  # fmt: skip


def test_schedules_reach_half_a_day_ahead(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        power = here.sensor(here.asset("battery"), "power")
        here.believe(power, NOW, [1] * 49, NOW - DAY, SCHEDULER)
        (one,) = judged(here, power)
        assert (one.stale, one.staleness, one.since) == (False, 12 * HOUR, NOW + 12 * HOUR)
        assert one.reason.endswith("in the future, which is not less than 12 hours in the future")
        (later,) = judged(here, power, NOW + QUARTER)
        assert later.stale
        assert later.reason == (
            "most recent data is 11 hours and 45 minutes in the future, but should be more than"
            " 12 hours in the future"
        )
        (past,) = judged(here, power, NOW + DAY)
        assert (past.stale, past.staleness, past.since, past.reason) == (
            True, None, NOW + 12 * HOUR,
            "Found no future data which this source should have")  # fmt: skip
        assert judged(here, power, NOW - 2 * DAY)[0].source_type is None


def test_prices_age_from_when_they_could_be_known(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        asset = here.asset("battery")
        price = here.sensor(asset, "price", "EUR/MWh", HOUR, knowable=PRICES)
        here.believe(price, datetime(2026, 4, 13, 22, tzinfo=UTC), [1] * 24, NOW - DAY)
        (one,) = judged(here, price)
    assert (one.since, one.stale) == (datetime(2026, 4, 13, 10, tzinfo=UTC), True)
    assert one.reason.endswith("but should not be more than 1 day old")


def test_a_sensor_is_related_by_the_tree_and_the_context(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        state = here.parts.state
        site = here.asset("site", flex_context={
            "consumption-price": {"sensor": 3}, "inflexible-device-sensors": [1],
            "commodities": [{"inflexible-consumption": [{"sensor": 4}]}],
        })  # fmt: skip
        below = here.asset("battery", parent_id=site)
        here.sensor(site, "power")
        for number, told in ((site, {
            1: ["sensor belongs to this asset", "flex context (inflexible device)"],
            4: ["flex context (inflexible device)"], 3: ["flex context (consumption-price)"],
        }), (below, {one: ["flex context (inflexible device)"] for one in (1, 4)})):  # fmt: skip
            asset = state.assets.get(number)
            assert asset is not None
            assert relations(state, number, asset) == told
