"""A site in a fleet, chapter by chapter: each test goes on where the one before it ended."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from hil.gateway import Gateway
from hil.interop.sides import Row, Window, compare
from hil.interop.story import HOUR, House, assets_of, utc_now
from hil.waiting import eventually

pytestmark = pytest.mark.interop
DAYS = 2
_MORE = 3
"""Days that go by while what is known of the two arrives: whatever stands still sends nothing."""
_SELDOM_S = 2.0
"""Between two questions: each takes time from the life of a site that lives as fast as it can."""
_ARRIVING_S = 1200.0
"""How long the server may take for what waits then; a plan it compares value by value."""
_LIVING_S = 1800.0
"""How long two days at speed may take on a machine that does other things, too."""


@pytest.fixture(scope="module")
def begin() -> datetime:
    """When the two days begin, so that they end some hours before now."""
    return (utc_now() - timedelta(days=DAYS, hours=6)).replace(minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def two_days(house: House, begin: datetime) -> Iterator[Gateway]:
    """The gateway of a site that lives two days, as fast as it can."""
    house.market.tell(begin - 24 * HOUR, 24 * (DAYS + _MORE + 2))
    start = str(begin.timestamp())
    speed = ("--speed", "600", "--start", start, "--days", str(DAYS + _MORE))
    # Four hours are half a minute here. Forecasts and schedules go once, as they stand at the end:
    # the server takes 30 to 44 ms for each value that revises another (docs/centre/up.md). What it
    # plans is in ``test_control.py``.
    rules = {"send_every": "4 h", "plans_every": "10000 h", "planner": "local"}
    with house.lives(*speed, **rules) as gateway:
        yield gateway


def test_a_dry_run_shows_what_would_be_made_and_makes_nothing(
    house: House, two_days: Gateway
) -> None:
    told = house.link("--dry-run")
    print(told)
    assert "FlexMeasures 1.0.1" in told
    assert "+ asset  Test bench / battery" in told
    assert set(assets_of(house.market.user)) == {"Market"}
    assert two_days.api.get("/api/v3_0/gateway/sync")["linked"] is False


def test_linking_makes_the_tree_with_its_sensors(house: House, two_days: Gateway) -> None:
    told = house.link("--yes")
    print(told[-1000:])
    there = assets_of(house.market.user)
    wanted = {"Test bench", "battery", "solar", "car", "heating", "house"}
    assert wanted <= set(there)
    assert there["battery"]["external_id"].endswith("/battery")
    eventually(two_days.api.up, 120.0)


def test_linking_again_makes_nothing_twice(house: House) -> None:
    before = assets_of(house.market.user)
    house.link("--yes")
    assert assets_of(house.market.user).keys() == before.keys()


def test_two_days_go_by_and_all_of_them_arrives(
    house: House, two_days: Gateway, begin: datetime
) -> None:
    end = begin + timedelta(days=DAYS)

    def over() -> None:
        assert two_days.api.now() >= end - timedelta(minutes=2)

    eventually(over, _LIVING_S, _SELDOM_S)
    house.command("sync", "now")

    def arrived() -> None:
        wrong = [(day, row) for day, row in _rows(house, begin) if not row.complete]
        assert not wrong, "\n".join(f"{day:%d %b} {row}" for day, row in wrong)

    eventually(arrived, _ARRIVING_S, 10 * _SELDOM_S)
    print(house.command("sync", "status"))


def test_the_centre_has_the_same_values_sensor_by_sensor_and_day_by_day(
    house: House, begin: datetime
) -> None:
    rows = _rows(house, begin)
    for day, row in rows:
        print(f"{day:%d %b} {row}")
    measured = [row for _, row in rows if not row.role]
    assert len(measured) > 40 * DAYS
    assert sum(row.known for row in measured) > 288 * DAYS * 30
    assert {row.role for _, row in rows} == {"", "forecast", "schedule"}
    assert all(row.complete for _, row in rows)


def _rows(house: House, begin: datetime) -> list[tuple[datetime, Row]]:
    """Of each day and sensor."""
    ours, theirs = house.sides()
    starts = [begin + timedelta(days=n) for n in range(DAYS)]
    days = [Window(start, start + timedelta(days=1)) for start in starts]
    return [(day.start, row) for day in days for row in compare(ours, theirs, day)]
