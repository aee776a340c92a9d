from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.belief import Reading
from flexedge.gateway.past import Past, threshold_kw

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

MINUTE = timedelta(minutes=1)


def past(world: "World") -> Past:
    world.gateway.beliefs.flush()
    return Past(world.gateway.plant, world.gateway.latest, world.gateway.beliefs)


def measured(world: "World", sensor: str, since: str, minutes: int, power_kw: float) -> None:
    start = datetime.fromisoformat(f"{since}+02:00").astimezone(UTC)
    moments = (start + i * timedelta(seconds=30) for i in range(2 * minutes))
    world.gateway.beliefs.append([Reading(sensor, moment, power_kw) for moment in moments])


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+02:00").astimezone(UTC)


def test_the_peak_of_a_month_is_its_highest_whole_quarter_hour(hut: "Hut") -> None:
    world = hut("battery")
    measured(world, "grid.power", "2026-03-31T23:45", 15, 30.0)  # last month
    measured(world, "grid.power", "2026-04-01T00:00", 15, 8.0)
    measured(world, "grid.power", "2026-04-10T12:00", 5, 18.0)  # a third of its quarter hour
    measured(world, "grid.power", "2026-04-10T12:05", 10, 3.0)
    measured(world, "grid.power", "2026-04-10T13:00", 15, -6.0)
    measured(world, "grid.power", "2026-04-14T12:00", 5, 20.0)  # has only begun
    ours = past(world)
    assert ours.peaks_kw(at("2026-04-14T12:05")) == pytest.approx((8.0, 6.0))
    measured(world, "grid.power", "2026-04-14T12:05", 10, 5.0)
    world.gateway.beliefs.flush()
    assert ours.peaks_kw(at("2026-04-14T12:16")) == pytest.approx((10.0, 6.0))
    assert ours.peaks_kw(at("2026-05-01T00:10")) == (0.0, 0.0)


def test_what_was_used_since_a_moment_is_a_mean(hut: "Hut") -> None:
    world = hut("battery")
    measured(world, "grid.power", "2026-04-14T11:55", 5, 9.0)
    measured(world, "grid.power", "2026-04-14T12:00", 4, 2.0)
    measured(world, "grid.power", "2026-04-14T12:04", 4, 4.0)
    assert past(world).used_kw(at("2026-04-14T12:00"), at("2026-04-14T12:08")) == pytest.approx(3.0)
    assert past(world).used_kw(at("2026-04-14T12:00"), at("2026-04-14T12:00")) == 0.0
    assert past(world).used_kw(at("2026-04-14T13:00"), at("2026-04-14T13:08")) == 0.0


def test_how_long_something_ran_and_how_often_it_started(hut: "Hut") -> None:
    world = hut("oven")
    oven = world.unit("oven")
    measured(world, "oven.power", "2026-04-13T23:00", 30, 6.0)  # yesterday
    measured(world, "oven.power", "2026-04-14T06:00", 20, 6.0)
    measured(world, "oven.power", "2026-04-14T06:20", 10, 0.5)  # standby
    measured(world, "oven.power", "2026-04-14T06:30", 15, 6.0)
    ours, now = past(world), at("2026-04-14T07:00")
    assert ours.ran(oven, at("2026-04-14T00:00"), now) == 35 * MINUTE
    assert ours.starts(oven, now) == 2
    assert ours.unchanged(oven, now, 60 * MINUTE) == 15 * MINUTE
    assert ours.unchanged(oven, at("2026-04-14T06:40"), 60 * MINUTE) == 10 * MINUTE
    assert ours.unchanged(oven, now, 5 * MINUTE) == 5 * MINUTE
    assert ours.ran(oven, now, now) == 0 * MINUTE


def test_what_counts_as_on(hut: "Hut") -> None:
    world = hut("oven", "battery", "car")
    assert threshold_kw(world.unit("oven")) == 3.0
    assert threshold_kw(world.unit("battery")) == 0.05
    assert threshold_kw(world.unit("car")) == pytest.approx(2.07)


def test_the_power_now_is_that_of_a_fresh_reading(hut: "Hut") -> None:
    world = hut("oven")
    assert past(world).power_kw(world.unit("oven"), world.now) is None
    world.show({"oven.power": 6.0})
    world.poll()
    assert past(world).power_kw(world.unit("oven"), world.now) == 6.0
    assert past(world).power_kw(world.unit("oven"), world.now + 60 * MINUTE) is None
