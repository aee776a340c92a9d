"""What only all parts together can promise."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flexedge.domain.belief import Quality
from flexedge.drivers.driver import Sample
from flexedge.drivers.line import Write
from flexedge.errors import RequestError
from flexedge.gateway.asked import Action
from tests.gateway.test_elsewhere import given as schedule_for

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

ASSETS = ("battery", "car", "heating", "solar", "oven")
LIMITS = "site-consumption-capacity: 10 kW, site-production-capacity: 6 kW"
_NUMBERS = st.floats(-80.0, 80.0)
_VALUES = st.one_of(_NUMBERS, st.none(), st.sampled_from((math.nan, math.inf, -math.inf)))
SENSORS = {
    "grid.power": _VALUES,
    "battery.power": _VALUES,
    "battery.soc": st.one_of(_VALUES, st.sampled_from((0.0, 10.0, 50.0, 100.0))),
    "solar.power": _VALUES,
    "car.power": _VALUES,
    "car.plugged": st.sampled_from((0.0, 1.0, 1.0, None, math.nan)),
    "car.session-energy": _VALUES,
    "heating.power": _VALUES,
    "heating.buffer-temperature": st.one_of(_VALUES, st.sampled_from((36.0, 45.0, 60.0))),
    "oven.power": _VALUES,
}
GOOD = {
    "grid.power": 1.0, "battery.power": 0.0, "battery.soc": 50.0, "solar.power": -2.0,
    "car.power": 0.0, "car.plugged": 1.0, "car.session-energy": 0.0, "heating.power": 0.0,
    "heating.buffer-temperature": 45.0, "oven.power": 0.0,
}  # fmt: skip

GOOD_OF_THREE = {
    name: value for name, value in GOOD.items() if name.partition(".")[0] not in ("heating", "oven")
}


@dataclass(frozen=True)
class Event:
    """What changes before a tick: what sensors show, who is away, how much time passes."""

    shown: Mapping[str, float | None]
    implausible: frozenset[str]
    away: frozenset[str]
    seconds: float
    plans: bool = field(default=False)


DEVICES = ("meter", "hybrid", "inverter", "charger", "heat-pump", "switch")
EVENTS = st.builds(
    Event,
    shown=st.one_of(st.just(GOOD), st.fixed_dictionaries({}, optional=SENSORS)),
    implausible=st.frozensets(st.sampled_from(sorted(SENSORS)), max_size=2),
    away=st.frozensets(st.sampled_from(DEVICES), max_size=3),
    seconds=st.sampled_from((1.0, 1.0, 7.0, 60.0, 700.0, 8000.0)),
    plans=st.booleans(),
)
NUMBERS = count()


def usable(world: "World", sensor: str, most_s: float) -> float | None:
    """The value of a sensor if it may drive anything."""
    reading = world.gateway.latest.get(sensor)
    if reading is None or not reading.usable or reading.value is None:
        return None
    old = (world.now - reading.event_start) > timedelta(seconds=most_s)
    return None if old or not math.isfinite(reading.value) else reading.value


def examine(world: "World", write: Write) -> None:
    """Nothing missing, stale or implausible stands behind it, and it is inside every limit."""
    unit = next(one for one in world.gateway.plant.controlled if one.asset.device == write.device)
    low, high = unit.range_kw
    assert math.isfinite(write.power_kw)
    assert low <= write.power_kw <= high
    if unit.name == "battery":
        soc = usable(world, "battery.soc", 600)
        assert soc is not None
        assert write.power_kw >= 0.0 or soc > 10.0
        assert write.power_kw <= 0.0 or soc < 100.0
    elif unit.name == "car":
        assert usable(world, "car.plugged", 600)
        assert write.power_kw == 0.0 or write.power_kw >= 4.14
    elif unit.name == "heating":
        assert usable(world, "heating.buffer-temperature", 600) is not None
    elif unit.name == "oven":
        assert write.power_kw in (0.0, 6.0)
    if world.gateway.overrides.of(unit.name, world.now) is None:
        if world.rung() == "local-rule":
            assert usable(world, "grid.power", 5) is not None
        assert world.rung() != "released"
    for limit in world.gateway.overrides.limits_of(unit.name, world.now):
        assert limit.low_kw is None or write.power_kw >= limit.low_kw


def happen(world: "World", event: Event) -> None:
    """As the daemon lives: time passes, devices answer, a plan may be made, a tick decides."""
    world.now += timedelta(seconds=event.seconds)
    world.values = dict(event.shown)
    world.away = set(event.away)
    world.poll()
    for sensor in event.implausible:
        device, point = next(
            place for place, name in world.gateway.plant.sensor_of.items() if name == sensor
        )
        if device not in event.away:
            sample = Sample(point, 3.0, Quality.IMPLAUSIBLE)
            world.gateway.collector.read(device, [sample], {}, world.now)
    world.values = {}
    if event.plans:
        world.try_plan()
    for request in world.tick(0.0):
        if isinstance(request, Write):
            examine(world, request)


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=st.lists(EVENTS, min_size=5, max_size=20))
def test_nothing_missing_stale_or_implausible_ever_drives_hardware(
    hut: "Hut", events: list[Event]
) -> None:
    path = hut.folder / "site.yaml"
    if not path.exists():
        hut(*ASSETS, context=LIMITS)
    world = hut.world(path, f"data-{next(NUMBERS)}")
    happen(world, Event(GOOD, frozenset(), frozenset(), 1.0, plans=True))
    for event in events:
        happen(world, event)
    assert world.gateway.health.counts.errors == 0
    world.dispatcher.end(world.now)
    for request in world.asked("battery") + world.asked("car"):
        world.answer(request)


ASKS = st.tuples(
    st.sampled_from(ASSETS),
    st.sampled_from(("charge", "discharge", "produce", "idle", "release", "no-plan")),
    st.sampled_from((None, 0.5, 3.0, 5.0, 6.0)),
    st.sampled_from((5.0, 60.0, 3600.0)),
)


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=st.lists(st.tuples(EVENTS, st.one_of(st.none(), ASKS)), min_size=5, max_size=20))
def test_nor_does_it_where_people_ask_for_something(
    hut: "Hut", events: list[tuple[Event, tuple[str, Action, float | None, float] | None]]
) -> None:
    path = hut.folder / "site.yaml"
    if not path.exists():
        hut(*ASSETS, context=LIMITS)
    world = hut.world(path, f"data-{next(NUMBERS)}")
    happen(world, Event(GOOD, frozenset(), frozenset(), 1.0, plans=True))
    for event, asked in events:
        if asked is not None:
            asset, action, power, last = asked
            until = world.now + timedelta(seconds=event.seconds + last)
            overrides = world.gateway.overrides
            with contextlib.suppress(RequestError):
                overrides.ask((asset, action, power), until, "anna", "", world.now)
            if power is not None and -power >= world.unit(asset).range_kw[0]:
                overrides.tighten(asset, (-power, None), until, "grid", "", world.now)
        happen(world, event)
    assert world.gateway.health.counts.errors == 0


PLANS = st.tuples(
    st.sampled_from(("battery", "car", "heating")),
    st.lists(st.floats(-20.0, 20.0), min_size=1, max_size=3),
    st.sampled_from((60.0, 600.0, 7200.0)),
)


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=st.lists(st.tuples(EVENTS, st.one_of(st.none(), PLANS)), min_size=5, max_size=20))
def test_nor_does_it_where_a_centre_plans(
    hut: "Hut", events: list[tuple[Event, tuple[str, list[float], float] | None]]
) -> None:
    path = hut.folder / "site.yaml"
    if not path.exists():
        planner = ("central", "central-then-local", "central")
        more = dict(zip(("battery", "car", "heating"), planner, strict=True))
        hut(*ASSETS, more={name: f"planner: {one}" for name, one in more.items()}, context=LIMITS)
    world = hut.world(path, f"data-{next(NUMBERS)}")
    happen(world, Event(GOOD, frozenset(), frozenset(), 1.0, plans=True))
    for event, planned in events:
        if planned is not None:
            asset, powers, seconds = planned
            made = schedule_for(world, asset, *powers, hours=timedelta(seconds=seconds))
            world.gateway.elsewhere.put(made)
        happen(world, event)
    assert world.gateway.health.counts.errors == 0


def test_the_first_event_alone_makes_devices_work(hut: "Hut") -> None:
    world = hut(*ASSETS, context=LIMITS)
    happen(world, Event(GOOD, frozenset(), frozenset(), 1.0, plans=True))
    assert {one.device for one in world.requests if isinstance(one, Write)} >= {"hybrid", "charger"}


def test_a_day_of_plans_asks_of_a_charger_only_what_it_can_do(hut: "Hut") -> None:
    ready = 'ready-by: [{time: "07:30", soc: 45 kWh}]'
    world = hut("battery", "car", "solar", more={"car": ready}, context=LIMITS)
    charged, planned = 0.0, []
    for hour in range(0, 24, 2):
        sun = -max(0.0, 6.0 * math.sin((hour + 12) / 24 * math.tau - math.pi / 2))
        world.show(GOOD_OF_THREE | {"solar.power": sun, "car.session-energy": charged})
        plan = world.plan()
        power = plan.schedules["car"].power_kw.values
        assert not plan.breaches
        assert ((power == 0.0) | ((power >= 4.14) & (power <= 11.0))).all()
        planned += list(power)
        charged += float(power[:8].sum() / 4)
        world.now += timedelta(minutes=121)
    assert max(planned) > 4.14
    assert min(planned) == 0.0


def house_kw(second: int) -> float:
    """A restless house: a slow swell, a kettle every minute, an oven now and then."""
    swell = 3.0 + 3.0 * math.sin(second / 40)
    kettle = 2.0 if second % 60 < 20 else 0.0
    oven = 3.0 if second % 200 > 150 else 0.0
    return swell + kettle + oven


def longest(excess: list[bool]) -> int:
    """The most seconds in a row with an excess."""
    return max(len(run) for run in "".join("x" if e else " " for e in excess).split(" "))


def test_the_site_stays_within_its_limit_whatever_the_house_does(hut: "Hut") -> None:
    world = hut("battery", "car", context=LIMITS)
    world.show({"battery.soc": 50.0, "car.plugged": 1.0, "car.session-energy": 0.0})
    seen = [world.live(house_kw(second)) for second in range(600)]
    assert max(house_kw(second) for second in range(600)) > 10.0
    assert longest([power > 10.0 for power in seen]) <= 1
    assert sum(power > 10.0 for power in seen) < 20
    assert max(world.writes("car")) > 9.0  # and what is left is used
    assert world.gateway.health.counts.refused == 0


def test_the_site_feeds_in_no_more_than_it_may_whatever_the_sky_does(hut: "Hut") -> None:
    world = hut("battery", "solar", context="site-production-capacity: 3 kW")
    world.show({"battery.soc": 100.0})
    seen = [
        world.live(1.0 + second % 3 / 10, -4.0 - 3.0 * math.sin(second / 30))
        for second in range(600)
    ]
    assert longest([power < -3.0 for power in seen]) <= 1
    assert sum(power < -3.0 for power in seen) < 20
    assert min(seen) < -2.5
