from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flexedge.domain.belief import Reading
from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.gateway.processes import Processes

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

QUARTER = timedelta(minutes=15)
Mill = Callable[..., "World"]


@pytest.fixture
def mill(hut: "Hut") -> Mill:
    """A machine of 6 kW, at a moment of a Tuesday in Amsterdam."""

    def make(at: str, process: str) -> "World":
        world = hut("mill", more={"mill": f"process: {{power: 6 kW, {process}}}"})
        world.now = local(at)
        return world

    return make


def local(text: str) -> datetime:
    """A clock time of Tuesday, 14 April, or (with a date) of another day, in summer."""
    full = text if "T" in text else f"2026-04-14T{text}"
    return datetime.fromisoformat(f"{full}:00+02:00").astimezone(UTC)


def runs(
    world: "World", cheap: tuple[str, ...] = (), hours: int = 24
) -> list[tuple[datetime, datetime]]:
    """When it runs, from and to; the hours that begin at ``cheap`` cost less."""
    start = world.now - (world.now - local("00:00")) % QUARTER
    grid = TimeGrid(start, QUARTER, hours * 4)
    price: FloatArray = np.full(grid.n, 0.30)
    for text in cheap:
        slot = grid.slot(local(text))
        assert slot is not None
        price[slot : slot + 4] = 0.10
    gateway = world.gateway
    gateway.beliefs.flush()
    ours = Processes(gateway.plant, gateway.latest, gateway.beliefs)
    power = ours.schedules(grid, price, world.now)["mill"].power_kw.values
    assert set(power.tolist()) <= {0.0, 6.0}
    edges = np.flatnonzero(np.diff(np.concatenate(([0.0], power, [0.0])))).reshape(-1, 2)
    return [(grid.start + first * QUARTER, grid.start + end * QUARTER) for first, end in edges]


def ran(world: "World", since: str, until: str, power_kw: float = 6.0) -> None:
    """It drew power between two moments, by its meter."""
    moment = local(since)
    while moment < local(until):
        world.gateway.beliefs.append([Reading("mill.power", moment, power_kw)])
        moment += timedelta(seconds=30)


def spans(*pairs: tuple[str, str]) -> list[tuple[datetime, datetime]]:
    return [(local(since), local(until)) for since, until in pairs]


DAY = 'duration: PT2H, since: "06:00", until: "18:00"'


def test_it_runs_where_its_hours_cost_least_inside_its_window(mill: Mill) -> None:
    world = mill("05:00", DAY)
    assert runs(world, cheap=("10:00", "11:00", "20:00", "21:00")) == spans(("10:00", "12:00"))


def test_it_runs_in_one_piece_unless_it_may_pause(mill: Mill) -> None:
    cheap = ("08:00", "14:00")
    assert runs(mill("05:00", DAY), cheap) == spans(("07:00", "09:00"))
    world = mill("05:00", f"{DAY}, process-type: BREAKABLE")
    assert runs(world, cheap) == spans(("08:00", "09:00"), ("14:00", "15:00"))


def test_what_cannot_be_shifted_starts_with_its_window(mill: Mill) -> None:
    world = mill("05:00", f"{DAY}, process-type: INFLEXIBLE")
    assert runs(world, cheap=("12:00",)) == spans(("06:00", "08:00"))


def test_it_runs_on_its_days_only(mill: Mill) -> None:
    world = mill("05:00", f"{DAY}, days: [wed, fri]")
    assert runs(world, hours=72) == spans(
        ("2026-04-15T06:00", "2026-04-15T08:00"),
    )
    assert runs(mill("05:00", f"{DAY}, days: [mon]"), hours=36) == []


def test_it_runs_once_a_day_and_again_tomorrow(mill: Mill) -> None:
    world = mill("12:00", DAY)
    ran(world, "08:00", "10:00")
    tomorrow = spans(("2026-04-15T06:00", "2026-04-15T08:00"))
    assert runs(world, hours=36) == tomorrow


def test_what_has_begun_goes_on_whatever_the_price(mill: Mill) -> None:
    world = mill("09:00", DAY)
    ran(world, "08:00", "09:00")
    world.show({"mill.power": 5.8})
    world.poll()
    assert runs(world, cheap=("14:00",), hours=12) == spans(("09:00", "10:00"))


def test_what_may_pause_does_so_although_it_has_begun(mill: Mill) -> None:
    world = mill("09:00", f"{DAY}, process-type: BREAKABLE")
    ran(world, "08:00", "09:00")
    world.show({"mill.power": 5.8})
    world.poll()
    assert runs(world, cheap=("14:00",), hours=12) == spans(("14:00", "15:00"))


def test_what_was_interrupted_runs_for_the_rest_of_its_time(mill: Mill) -> None:
    world = mill("12:00", DAY)
    ran(world, "08:00", "08:50")
    world.show({"mill.power": 0.0})
    world.poll()
    assert runs(world, cheap=("14:00",), hours=12) == spans(("13:45", "15:00"))


def test_standby_is_not_running(mill: Mill) -> None:
    world = mill("12:00", DAY)
    ran(world, "06:00", "12:00", power_kw=0.4)
    world.show({"mill.power": 0.4})
    world.poll()
    assert runs(world, cheap=("15:00",), hours=12) == spans(("14:00", "16:00"))


def test_a_window_may_reach_over_midnight(mill: Mill) -> None:
    world = mill("2026-04-15T01:00", 'duration: PT2H, since: "22:00", until: "04:00", days: [tue]')
    assert runs(world) == spans(("2026-04-15T01:00", "2026-04-15T03:00"))
    ran(world, "22:00", "23:00")
    assert runs(world) == spans(("2026-04-15T01:00", "2026-04-15T02:00"))
    whole = mill("12:00", 'duration: PT2H, since: "00:00", until: "00:00", days: [tue]')
    assert runs(whole, cheap=("23:00",)) == spans(("22:00", "2026-04-15T00:00"))


def test_a_window_beyond_the_horizon_waits(mill: Mill) -> None:
    world = mill("19:00", DAY)
    assert runs(world, hours=12) == []  # only one hour of tomorrow's window can be seen
    assert runs(world, hours=14) == spans(("2026-04-15T06:00", "2026-04-15T08:00"))


def test_windows_are_local_also_when_clocks_change(mill: Mill) -> None:
    world = mill("2026-03-28T12:00", 'duration: PT1H, since: "06:00", until: "07:00"')
    assert runs(world) == spans(("2026-03-29T06:00", "2026-03-29T07:00"))


def test_only_what_is_controlled_is_placed(hut: "Hut") -> None:
    world = hut("oven", "battery", more={"oven": "control: false"})
    gateway = world.gateway
    grid = TimeGrid(world.now, QUARTER, 96)
    ours = Processes(gateway.plant, gateway.latest, gateway.beliefs)
    assert ours.schedules(grid, np.ones(96), world.now) == {}
