from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.domain.belief import Reading

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

QUARTER = timedelta(minutes=15)
ZONE = ZoneInfo("Europe/Amsterdam")
THINKING = timedelta(seconds=10)
FEED_IN = "feed-in: {fixed: 0.02 EUR/kWh}"
Mill = Callable[..., "World"]


@pytest.fixture
def mill(hut: "Hut") -> Mill:
    """A machine of 6 kW, at a moment of a Tuesday in Amsterdam."""

    def make(at: str, process: str, cheap: tuple[str, ...] = ()) -> "World":
        process = f"process: {{power: 6 kW, {process}}}"
        world = hut("mill", more={"mill": process}, prices=prices(cheap))
        world.now = local(at)
        world.show({"mill.power": 0.0, "grid.power": 0.0})
        return world

    return make


def local(text: str) -> datetime:
    """A clock time of Tuesday, 14 April, or (with a date) of another day, in summer."""
    full = text if "T" in text else f"2026-04-14T{text}"
    return datetime.fromisoformat(f"{full}:00+02:00").astimezone(UTC)


def prices(cheap: tuple[str, ...]) -> str:
    """An import price of which the hours that begin at ``cheap`` cost less (with any day)."""
    zones = ", ".join(
        f'{{since: "{local(text).astimezone(ZONE):%H:%M}", '
        f'until: "{local(text).astimezone(ZONE) + timedelta(hours=1):%H:%M}", price: 0.10 EUR/kWh}}'
        for text in cheap
    )
    import_price = f"{{zones: [{zones}], otherwise: 0.30 EUR/kWh}}"
    return f"{{import: {import_price if cheap else '{fixed: 0.30 EUR/kWh}'}, {FEED_IN}}}"


def runs(world: "World", hours: int = 24) -> list[tuple[datetime, datetime]]:
    """When it is planned to run, from and to; times are those of whole steps."""
    world.poll()
    world.gateway.beliefs.flush()
    world.gateway.planner.step(world.now, timedelta(hours=hours), THINKING)
    assert world.gateway.planner.trouble == ""
    plan = world.gateway.planner.in_force(world.now)[1]
    assert plan is not None
    schedule = plan.schedules.get("mill")
    if schedule is None:
        return []
    power, grid = schedule.power_kw.values, schedule.power_kw.grid
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
    world = mill("05:00", DAY, cheap=("10:00", "11:00", "20:00", "21:00"))
    assert runs(world) == spans(("10:00", "12:00"))


def test_it_runs_in_one_piece_unless_it_may_pause(mill: Mill) -> None:
    cheap = ("08:00", "14:00")
    assert runs(mill("05:00", DAY, cheap)) == spans(("07:00", "09:00"))
    world = mill("05:00", f"{DAY}, process-type: BREAKABLE", cheap)
    assert runs(world) == spans(("08:00", "09:00"), ("14:00", "15:00"))


def test_what_cannot_be_shifted_starts_with_its_window(mill: Mill) -> None:
    world = mill("05:00", f"{DAY}, process-type: INFLEXIBLE", cheap=("12:00",))
    assert runs(world) == spans(("06:00", "08:00"))


def test_it_runs_on_its_days_only(mill: Mill) -> None:
    world = mill("05:00", f"{DAY}, days: [wed, fri]", cheap=("06:00", "07:00"))
    assert runs(world, hours=72) == spans(
        ("2026-04-15T06:00", "2026-04-15T08:00"),
    )
    assert runs(mill("05:00", f"{DAY}, days: [mon]"), hours=36) == []


def test_it_runs_once_a_day_and_again_tomorrow(mill: Mill) -> None:
    world = mill("12:00", DAY, cheap=("06:00", "07:00"))
    ran(world, "08:00", "10:00")
    tomorrow = spans(("2026-04-15T06:00", "2026-04-15T08:00"))
    assert runs(world, hours=36) == tomorrow


def test_it_may_run_several_times_in_its_window(mill: Mill) -> None:
    process = f"{DAY}, runs: 2"
    world = mill("05:00", process, cheap=("08:00", "09:00", "14:00", "15:00"))
    assert runs(world) == spans(("08:00", "10:00"), ("14:00", "16:00"))
    ran(world, "08:00", "10:00")
    world.now = local("10:00")
    assert runs(world, hours=12) == spans(("14:00", "16:00"))


def test_a_run_that_is_not_over_comes_before_the_next_one(mill: Mill) -> None:
    world = mill("09:00", f"{DAY}, runs: 2", cheap=("14:00", "15:00"))
    ran(world, "08:00", "09:00")
    world.show({"mill.power": 5.8})
    assert runs(world, hours=12) == spans(("09:00", "10:00"), ("14:00", "16:00"))


def test_the_next_run_does_not_begin_before_the_one_that_is_not_over_ends(mill: Mill) -> None:
    world = mill("09:00", f"{DAY}, runs: 2", cheap=("09:00", "10:00"))
    ran(world, "08:00", "09:00")
    world.show({"mill.power": 5.8})
    assert runs(world, hours=12) == spans(("09:00", "12:00"))


def test_what_has_begun_goes_on_whatever_the_price(mill: Mill) -> None:
    world = mill("09:00", DAY, cheap=("14:00",))
    ran(world, "08:00", "09:00")
    world.show({"mill.power": 5.8})
    assert runs(world, hours=12) == spans(("09:00", "10:00"))


def test_what_has_only_just_begun_goes_on_too(mill: Mill) -> None:
    world = mill("09:00", DAY, cheap=("14:00",))
    world.show({"mill.power": 5.8})
    assert runs(world, hours=12) == spans(("09:00", "11:00"))


def test_what_has_begun_goes_on_after_its_window_is_over(mill: Mill) -> None:
    world = mill("17:30", DAY)
    ran(world, "16:00", "17:30")
    world.show({"mill.power": 5.8})
    assert runs(world, hours=6) == spans(("17:30", "18:00"))
    world.now = local("17:45")
    assert runs(world, hours=6) == spans(("17:45", "18:15"))  # it stood still for a quarter


def test_what_may_pause_does_so_although_it_has_begun(mill: Mill) -> None:
    world = mill("09:00", f"{DAY}, process-type: BREAKABLE", cheap=("14:00",))
    ran(world, "08:00", "09:00")
    world.show({"mill.power": 5.8})
    assert runs(world, hours=12) == spans(("14:00", "15:00"))


def test_what_was_interrupted_runs_for_the_rest_of_its_time_at_once(mill: Mill) -> None:
    world = mill("12:00", DAY, cheap=("14:00",))
    ran(world, "08:00", "08:50")
    assert runs(world, hours=12) == spans(("12:00", "13:15"))


def test_standby_is_not_running(mill: Mill) -> None:
    world = mill("12:00", DAY, cheap=("15:00",))
    ran(world, "06:00", "12:00", power_kw=0.4)
    world.show({"mill.power": 0.4})
    assert runs(world, hours=12) == spans(("14:00", "16:00"))


def test_a_window_may_reach_over_midnight(mill: Mill) -> None:
    world = mill("2026-04-15T01:00", 'duration: PT2H, since: "22:00", until: "04:00", days: [tue]')
    assert runs(world) == spans(("2026-04-15T01:00", "2026-04-15T03:00"))
    ran(world, "22:00", "23:00")
    assert runs(world) == spans(("2026-04-15T01:00", "2026-04-15T02:00"))
    whole = 'duration: PT2H, since: "00:00", until: "00:00", days: [tue]'
    late = mill("12:00", whole, cheap=("23:00",))
    assert runs(late) == spans(("22:00", "2026-04-15T00:00"))


def test_a_window_beyond_the_horizon_waits(mill: Mill) -> None:
    world = mill("19:00", DAY)
    assert runs(world, hours=12) == []  # only one hour of tomorrow's window can be seen
    assert world.alarms == {}
    assert runs(world, hours=14) == spans(("2026-04-15T06:00", "2026-04-15T08:00"))


def test_what_does_not_fit_any_more_is_said(mill: Mill) -> None:
    world = mill("16:45", DAY)
    assert runs(world, hours=12) == []
    assert world.alarms["plan"] == (
        "mill is not planned: 2 h of its run are left, which do not fit before 18:00 any more"
    )


def test_windows_are_local_also_when_clocks_change(mill: Mill) -> None:
    world = mill("2026-03-28T12:00", 'duration: PT1H, since: "06:00", until: "07:00"')
    assert runs(world) == spans(("2026-03-29T06:00", "2026-03-29T07:00"))


def test_processes_share_the_limit_of_the_site_with_everything_else(hut: "Hut") -> None:
    world = hut(
        "mill",
        "oven",
        more={"mill": f"process: {{power: 6 kW, {DAY}}}"},
        context="site-power-capacity: 8 kW",
        prices=prices(("10:00", "11:00")),
    )
    world.now = local("05:00")
    world.show({"mill.power": 0.0, "oven.power": 0.0, "grid.power": 0.0})
    plan = world.plan()
    both = [plan.schedules[name].power_kw.values for name in ("mill", "oven")]
    assert (both[0] + both[1]).max() == 6.0
    alone = plan.schedules["mill"].power_kw
    assert alone.at(local("10:00")) == 6.0  # the longer one has the cheap hours
    assert plan.breaches == ()


def test_processes_run_on_the_sun(hut: "Hut") -> None:
    world = hut(
        "mill", "solar", more={"mill": f"process: {{power: 6 kW, {DAY}}}"}, prices=prices(())
    )
    world.now = local("05:00")
    world.show({"mill.power": 0.0, "grid.power": 0.0, "solar.power": 0.0})
    plan = world.plan()
    runs_at = np.flatnonzero(plan.schedules["mill"].power_kw.values[:56])
    sun = plan.can_produce_kw["solar"].values
    assert sun[runs_at].min() > 0.9 * sun.max()
    assert set(plan.why) == {"mill", "solar"}


def test_only_what_is_controlled_is_planned(hut: "Hut") -> None:
    world = hut("oven", "battery", more={"oven": "control: false"})
    world.show({"battery.power": 0.0, "battery.soc": 50.0, "grid.power": 0.0})
    assert set(world.plan().schedules) == {"battery"}
