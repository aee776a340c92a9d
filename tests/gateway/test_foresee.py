"""What the sun may give and what the house will use is written down for who else plans."""

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.foresee import AHEAD, FORECASTER
from flexedge.gateway.service.schedules import Schedules
from flexedge.gateway.service.work import Work
from flexedge.store.archive import Asked
from flexedge.store.sources import Which

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
SHOWN = {"grid.power": 1.0, "battery.power": 0.0, "battery.soc": 50.0, "solar.power": -3.0}


def expected(world: "World", sensor: str, grid: TimeGrid) -> Series:
    return world.gateway.beliefs.believed(sensor, FORECASTER.name, grid)


@pytest.fixture
def world(hut: "Hut") -> "World":
    ours = hut("battery", "solar", "house")
    ours.show(SHOWN)
    ours.ticks(2)
    ours.gateway.foreseer.step(ours.now)
    return ours


def test_powers_that_nobody_plans_and_of_the_sun_are_foreseen(world: "World") -> None:
    grid = TimeGrid.covering(
        world.now.replace(minute=0, second=0) + HOUR, world.now + AHEAD, QUARTER
    )
    sun, can = (expected(world, f"solar.{one}", grid).values for one in ("power", "available"))
    assert sun.min() < -3.0
    assert can.tolist() == pytest.approx((-sun).tolist())
    house = expected(
        world, "house.power", TimeGrid(world.now.replace(minute=15, second=0), QUARTER, 2)
    )
    assert house.values == pytest.approx(4.0)
    battery = expected(world, "battery.power", grid)
    assert np.isnan(battery.values).all()


def test_without_a_trusted_clock_nothing_is_foreseen(hut: "Hut") -> None:
    world = hut("solar")
    world.gateway.health.time_known = False
    world.gateway.foreseer.step(world.now)
    assert np.isnan(expected(world, "solar.power", TimeGrid(world.now, QUARTER, 8)).values).all()


def test_a_store_that_refuses_is_told_and_harms_nobody(hut: "Hut") -> None:
    world = hut("solar")
    world.refuse_writes()
    world.gateway.foreseer.step(world.now)
    assert "forecasts could not be saved" in world.alarms["forecasts"]
    world.take_writes()
    world.gateway.foreseer.step(world.now)
    assert "forecasts" not in world.alarms


def test_who_asks_over_the_api_plans_with_the_sun_and_the_house(world: "World") -> None:
    gateway, now = world.gateway, world.now
    gateway.tariffs.step(now)
    schedules = Schedules(gateway.state, gateway.beliefs, Work(gateway.state.jobs, {}, lambda: now))
    assets = gateway.state.assets.all()
    site = next(number for number, one in assets.items() if one.defined_as == "")
    solar = next(number for number, one in assets.items() if one.defined_as == "solar")
    job = schedules.ask(site, None, {"start": now.replace(minute=15, second=0).isoformat(),
                                     "duration": "PT48H"})  # fmt: skip
    problem = schedules._ready[job.id].asked.problem  # type: ignore[union-attr]
    power = next(one for one in problem.devices if one.name == str(solar)).min_kw
    grid = TimeGrid(now.replace(minute=15, second=0), QUARTER, 192)
    assert power.tolist() == pytest.approx(expected(world, "solar.power", grid).values.tolist())
    assert power.min() < -3.0
    assert problem.site.inflexible_kw[0] == pytest.approx(4.0)


def test_a_plan_of_the_same_moment_takes_no_belief_away(world: "World") -> None:
    """It expects something else of the same sensor; a belief that is replaced is never sent."""
    sensor, end = "house.power", world.now + HOUR

    def held() -> set[tuple[int, int, float]]:
        asked = Asked((), world.now, end, most_recent=False)
        rows = world.gateway.beliefs.ask((sensor,), asked, Which(kinds=frozenset({"forecaster"})))
        return set(zip(rows.event_us, rows.belief_us, rows.value, strict=True))

    before = held()
    world.show({"grid.power": 3.0})  # 2 kW more, before the plan looks at it
    world.poll()
    world.gateway.planner.step(world.now, timedelta(hours=2), timedelta(seconds=10))
    assert before
    assert held() > before
