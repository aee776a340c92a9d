"""The duty against another flexedge, whose own planner makes the schedules: real HTTP."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

import pytest

from flexedge.cloud.central import Central
from flexedge.cloud.keys import Key, KeyFile, Keys
from flexedge.cloud.pace import Pace
from flexedge.config.centre import CentreRules
from flexedge.config.settings import Plan
from flexedge.domain.runs import Run
from flexedge.errors import CentreAway
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.linking import Asked, Office, link
from flexedge.gateway.sync.plans import MOST, Plans
from flexedge.gateway.sync.veto import say
from tests.api.served import PASSWORD, USER, Served
from tests.gateway.sync.cutting import Cutter, cutter

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SHOWN = {"grid.power": 0.0, "battery.power": 0.0, "battery.soc": 50.0}
JOB = "GET /api/v3_0/sensors/"
TRIGGER = "POST /api/v3_0/assets/"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("centre")).people()
    with server:
        yield server


@pytest.fixture
def road(served: Served) -> Iterator[Cutter]:
    with cutter(served.url) as server:
        yield server


class Site:
    """A world that is linked with a centre which knows its prices, and the duty."""

    def __init__(self, world: "World", url: str, folder: Path, stack: ExitStack) -> None:
        self.world = world
        self.duty = Plans(world.gateway, Plan())
        world.gateway.health.time_known = True
        keys = KeyFile(folder / "keys", "main", None)
        state = world.gateway.state

        def reach(name: str, address: str, key: Keys, _rules: CentreRules) -> Central:
            return Central(name, address, key, lambda: world.now, Pace(10_000, SystemRandom()))

        office = Office(
            state, lambda _name: keys, lambda _name: CentreRules(), lambda: world.now, reach
        )
        asked = Asked(url, Key(USER, PASSWORD), same_name="beside")
        while link(office, asked, "anna").left:
            pass
        (number, centre), *_ = state.centres.all().items()
        central = reach("main", url, keys, CentreRules())
        stack.callback(central.close)
        (root,) = (n for n, one in state.assets.all().items() if one.defined_as == "")
        (site,) = state.links.find(thing="asset", local_id=root).values()
        stack.callback(central.delete_asset, site.central_id)
        self.linked = Linked(number, centre, CentreRules(), central)
        self._prices()

    def number(self, sensor: str) -> int:
        """What the centre calls a sensor."""
        gateway = self.world.gateway
        ours = next(n for n, one in gateway.state.sensors().items() if one.name == sensor)
        found = gateway.state.links.find(thing="sensor", local_id=ours, role="")
        return next(iter(found.values())).central_id

    def _prices(self) -> None:
        """Cheap for two hours, then dear, then something else; feeding in earns nearly as much."""
        values = (0.1, 0.1, 0.9, 0.9, *[0.3] * 60)
        start = self.world.now.replace(minute=0)
        before = self.world.now - HOUR
        for sensor, known in (("import", values), ("feed-in", [0.9 * one for one in values])):
            run = Run(start, HOUR, tuple(known), "EUR/kWh", before)
            self.linked.central.post(self.number(sensor), run)

    def step(self) -> datetime:
        return self.duty.step(self.linked, self.world.now)

    def until_planned(self) -> None:
        """Step as the runner does, by the centre's leave, until nothing is waited for."""
        pause = threading.Event()
        for _ in range(200):
            self.step()
            if self.duty._courses[1].waiting is None:
                return
            pause.wait(0.05)
        raise AssertionError("the centre does not plan")

    def power(self, asset: str = "battery") -> float | None:
        """What a centre wants of an asset now."""
        wanted = self.world.gateway.elsewhere.wanted(self.world.unit(asset), self.world.now)
        return None if wanted is None else wanted[0]

    @property
    def trouble(self) -> str:
        return self.world.alarms.get("centre main: schedules", "")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def site(hut: "Hut", road: Cutter, stack: ExitStack, *assets: str, planner: str) -> Site:
    more = dict.fromkeys(assets, f"planner: {planner}")
    (hut.folder / "data").mkdir()  # without the assets of another site
    world = hut(*assets, more=more)
    world.show(SHOWN)
    world.poll()
    return Site(world, road.url, hut.folder, stack)


def test_a_schedule_that_the_centre_makes_is_dispatched(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central-then-local")
    here.until_planned()
    assert here.trouble == ""
    given = here.world.gateway.elsewhere.of(here.world.unit("battery"), here.world.now)
    assert given is not None
    assert given.made_at == here.world.now
    assert given.valid_until == here.world.now + timedelta(hours=6)
    here.world.tick()
    assert here.world.rung() == "central-plan"
    assert (here.world.setpoint("battery") or 0.0) > 1.0  # it is cheap now, and dear at two
    dear = given.schedule.power_kw.at(here.world.now + timedelta(hours=2))
    assert dear is not None
    assert dear <= 0.0
    assert here.world.window().status().assets[0].why == "As main planned at 12:05."


def test_the_question_says_what_only_the_gateway_knows(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central")
    here.world.show({"battery.soc": 20.0})
    here.world.poll()
    here.until_planned()
    given = here.world.gateway.elsewhere.of(here.world.unit("battery"), here.world.now)
    assert given is not None
    drawn = given.schedule.power_kw.values[:23].sum() / 12
    assert drawn == pytest.approx(8.0 / 0.9, abs=0.01)  # full while it is cheap


def test_it_asks_again_at_the_usual_time_and_soon_where_something_changed(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central-then-local")
    here.until_planned()
    asked = [len([one for one in road.passed if one.startswith(TRIGGER)])]

    def goes_by(span: timedelta) -> None:
        here.world.now += span
        here.world.poll()
        here.until_planned()
        asked.append(len([one for one in road.passed if one.startswith(TRIGGER)]))

    goes_by(timedelta(minutes=2))
    goes_by(timedelta(minutes=3))
    until = here.world.now + HOUR
    here.world.gateway.overrides.tighten("battery", (None, 2.0), until, "anna", "", here.world.now)
    goes_by(10 * SECOND)
    goes_by(20 * SECOND)
    goes_by(20 * SECOND)
    assert [one - asked[0] for one in asked] == [0, 0, 1, 1, 2, 2]
    assert here.power() == pytest.approx(2.0)


def test_it_never_asks_more_often_than_a_centre_takes(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central-then-local")
    before = len([one for one in road.passed if one.startswith(TRIGGER)])
    here.world.gateway.health.time_known = True
    for i in range(20):
        until = here.world.now + HOUR
        here.world.gateway.overrides.tighten(
            "battery", (None, 4.5 - i / 10), until, "anna", "", here.world.now
        )
        here.until_planned()
        here.world.now += timedelta(seconds=12)
        here.world.poll()
    asked = len([one for one in road.passed if one.startswith(TRIGGER)]) - before
    assert asked == MOST


def test_a_centre_that_takes_no_more_is_asked_less_often(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central-then-local")
    road.refusing[TRIGGER] = (429, '{"message": "too many", "status": "TOO_MANY_REQUESTS"}')
    here.step()
    first = here.duty._courses[1].due
    assert first is not None
    assert first - here.world.now == timedelta(minutes=10)
    here.world.now = first
    here.step()
    second = here.duty._courses[1].due
    assert second is not None
    assert second - first == timedelta(minutes=20)
    road.refusing.clear()
    here.world.now = second
    here.world.poll()
    here.until_planned()
    assert here.power() is not None


def test_a_centre_that_goes_away_is_waited_for_where_it_was(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central-then-local")
    road.passing, road.how = len(road.passed), "before"
    with pytest.raises(CentreAway):
        here.step()
    road.passing = None
    here.step()  # asked
    road.passing = len(road.passed)
    here.world.now += timedelta(seconds=2)
    with pytest.raises(CentreAway):
        here.step()
    assert here.power() is None
    road.passing = None
    here.until_planned()
    assert here.power() is not None
    assert len([one for one in road.passed if "trigger" in one]) == 1


def test_while_it_is_away_the_last_schedule_holds_and_then_the_own_plan(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central-then-local")
    here.until_planned()
    world = here.world
    world.plan()
    for minutes, rung in ((5, "central-plan"), (354, "central-plan"), (2, "last-plan")):
        world.now += timedelta(minutes=minutes)
        if rung == "last-plan":
            world.plan()
            rung = "fresh-plan"  # noqa: PLW2901
        world.tick()
        assert world.rung() == rung
        assert world.setpoint("battery") is not None
    assert not world.releases("battery")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"values": [null, 1], "start": "%s", "duration": "PT2H", "unit": "kW"}', "has no value"),
        ('{"values": [900, 1], "start": "%s", "duration": "PT2H", "unit": "kW"}', "wants 900 kW"),
        ('{"values": [5,5,5,5,5,5], "start": "%s", "duration": "PT6H", "unit": "kW"}', "leads to"),
        ('{"values": [1], "start": "%s", "duration": "PT1H", "unit": "MW"}', "not in kW"),
        ('{"values": [1], "start": "2027-01-01T00:00Z", "duration": "PT1H", "unit": "kW"}', "beg"),
        ('{"values": [1], "start": "2020-01-01T00:00Z", "duration": "PT1H", "unit": "kW"}', "over"),
        ('{"values": [1], "start": "%s", "duration": "P9D", "unit": "kW"}', "each value holds"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_and_the_last_one_stays(
    hut: "Hut", road: Cutter, stack: ExitStack, answer: str, words: str
) -> None:
    here = site(hut, road, stack, "battery", planner="central")
    here.until_planned()
    before = here.power()
    here.world.now += timedelta(minutes=5)
    here.world.poll()
    start = here.world.now.isoformat()
    road.refusing[JOB] = (200, answer.replace("%s", start))
    here.until_planned()
    assert words in here.trouble
    assert "no schedule of main for battery: it is not carried out" in here.trouble
    assert here.power() == before
    road.refusing.clear()
    here.world.now += timedelta(minutes=5)
    here.world.poll()
    here.until_planned()
    assert here.trouble == ""


@pytest.mark.parametrize("value", ["true", '"1"', "[1]", "{}"])
def test_an_answer_that_is_none_is_given_up_in_time(
    hut: "Hut", road: Cutter, stack: ExitStack, value: str
) -> None:
    here = site(hut, road, stack, "battery", planner="central-then-local")
    start = here.world.now.isoformat()
    odd = f'{{"values": [{value}], "start": "{start}", "duration": "PT1H", "unit": "kW"}}'
    road.refusing[JOB] = (200, odd)
    here.step()
    for minutes, waits in ((1, True), (13, True), (2, False)):
        here.world.now += timedelta(minutes=minutes)
        with pytest.raises(CentreAway):
            here.step()
        assert (here.duty._courses[1].waiting is not None) == waits
    assert here.power() is None
    assert "not planned within 15 minutes" in here.trouble
    road.refusing.clear()
    here.world.poll()
    here.until_planned()
    assert here.power() is not None


@pytest.mark.parametrize(
    "numbers", ["NaN, 1", "1e400, 1", "Infinity, 1", "1e12, 1", "-900, 1", "-5, -5, -5, -5"]
)
def test_no_odd_number_is_ever_carried_out(
    hut: "Hut", road: Cutter, stack: ExitStack, numbers: str
) -> None:
    here = site(hut, road, stack, "battery", planner="central")
    start, n = here.world.now.isoformat(), numbers.count(",") + 1
    odd = f'{{"values": [{numbers}], "start": "{start}", "duration": "PT{n}H", "unit": "kW"}}'
    road.refusing[JOB] = (200, odd)
    here.until_planned()
    assert "it is not carried out" in here.trouble
    here.world.tick()
    assert here.world.setpoint("battery") is None
    assert here.world.writes("battery") == []


def test_a_veto_ends_what_a_centre_planned_until_it_is_lifted(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central")
    here.until_planned()
    world = here.world
    assert here.power() is not None
    say(world.gateway, "Ann", world.now, on=True)
    assert here.power() is None  # at once, whether or not the centre answers
    for _ in range(3):
        world.now += timedelta(minutes=6)
        world.poll()
        here.step()
        assert here.power() is None
    assert len([one for one in road.passed if "trigger" in one]) == 1
    say(world.gateway, "Ann", world.now, on=False)
    here.until_planned()
    assert here.power() is not None


def test_a_schedule_that_is_on_its_way_when_a_veto_comes_is_not_carried_out(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central")
    here.step()
    assert here.duty._courses[1].waiting is not None
    say(here.world.gateway, "Ann", here.world.now, on=True)
    here.step()
    assert here.duty._courses == {}
    assert here.power() is None


def test_a_late_answer_is_given_up_and_the_reason_told(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central")
    road.refusing[JOB] = (202, '{"status": "QUEUED", "message": "wait"}')
    here.step()
    here.world.now += timedelta(minutes=14)
    here.world.poll()
    assert here.step() == here.world.now + 2 * SECOND
    here.world.now += timedelta(minutes=1)
    here.world.poll()
    here.step()
    assert here.trouble == ("no schedule of main for battery: it is not planned within 15 minutes")
    here.world.tick()
    assert here.world.setpoint("battery") is None
    why = here.world.window().status().assets[0].why
    assert why == (
        "Left to itself: its centre has not planned it (it is not planned within 15 minutes)."
    )


def test_what_the_centre_cannot_plan_is_told_in_its_words(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central-then-local")
    road.refusing[TRIGGER] = (422, '{"message": "no price", "status": "UNPROCESSABLE_ENTITY"}')
    here.step()
    assert "no schedule of main for battery: it does not plan" in here.trouble
    assert "no price" in here.trouble
    due = here.duty._courses[1].due
    assert due is not None
    assert due - here.world.now == timedelta(minutes=10)


def test_a_car_is_planned_while_it_is_there(hut: "Hut", road: Cutter, stack: ExitStack) -> None:
    here = site(hut, road, stack, "battery", "car", planner="central-then-local")
    shown = {"car.power": 0.0, "car.plugged": 0.0, "car.session-energy": 0.0}
    here.world.show(shown)
    here.world.poll()
    here.until_planned()
    assert here.power() is not None
    assert here.power("car") is None
    assert here.trouble == ""
    here.world.now += timedelta(minutes=1)
    here.world.show({"car.plugged": 1.0})
    here.world.poll()
    here.until_planned()
    assert here.power("car") is not None


def test_nothing_is_asked_where_nothing_is_wanted(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="local")
    here.step()
    assert not [one for one in road.passed if "trigger" in one]


def test_nothing_is_planned_there_that_was_not_agreed_on(
    hut: "Hut", road: Cutter, stack: ExitStack
) -> None:
    here = site(hut, road, stack, "battery", planner="central")
    here.until_planned()
    assert here.power() is not None
    agreed = replace(here.linked, rules=CentreRules(scopes=("readings",)))
    here.duty.step(agreed, here.world.now)
    assert here.power() is None
    assert len([one for one in road.passed if "trigger" in one]) == 1
