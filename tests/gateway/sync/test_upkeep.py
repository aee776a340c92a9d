from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from flexedge.gateway.health import Health
from flexedge.gateway.sync import sent
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.linking import Office
from flexedge.gateway.sync.upkeep import Upkeep
from tests.gateway.sync.cutting import cutter
from tests.gateway.sync.linked import MANY, Here, There

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Kept:
    """A linked gateway whose duty is done now and then."""

    def __init__(self, here: Here, url: str) -> None:
        self.here, self.office, self.health = here, here.office(), Health()
        centre = here.state.centres.get(1)
        assert centre is not None
        central = self.office.reach("main", url, self.office.keys("main"), MANY)
        self.linked = Linked(1, centre, MANY, central)
        self.duty = Upkeep(self.office, self.health)

    def until_idle(self, now: datetime) -> datetime:
        """Step until it wants to wait; when it wants to be called again."""
        for _ in range(30):
            due = self.duty.step(self.linked, now)
            if due > now:
                return due
        raise AssertionError(now)

    def gone(self) -> set[tuple[str, int]]:
        links = self.here.state.links.all().values()
        return {(one.thing, one.local_id) for one in links if sent.is_gone(one)}


@pytest.fixture
def kept(here: Here, there: There) -> Kept:
    here.link(there.url)
    return Kept(here, there.url)


def test_what_is_new_here_is_made_there(kept: Kept, there: There) -> None:
    here = kept.here
    assert kept.until_idle(here.now) == here.now + MINUTE
    shed = here.asset("shed", "solar", here.site)
    here.sensor(shed, "power")
    here.kinds = {here.power: frozenset({"forecaster"})}
    kept.until_idle(here.now + MINUTE)
    assert there.tree(here.name) == {
        "": ["import"], "/battery": ["power", "power forecast", "soc"], "/shed": ["power"]
    }  # fmt: skip
    assert kept.duty.counts() == {"sent": 4 - 1}
    assert kept.health.alarms == {}


def test_a_name_that_is_taken_there_is_left_alone(kept: Kept, there: There) -> None:
    here = kept.here
    there.add_asset("shed", here.links()["asset", here.site, ""])
    here.asset("shed", "solar", here.site)
    kept.until_idle(here.now)
    assert "/shed (2)" in there.tree(here.name)


def test_what_changes_here_is_sent(kept: Kept, there: There) -> None:
    here = kept.here
    here.change(here.battery, name="cell", description="in the cellar")
    kept.until_idle(here.now)
    asset = there.ask("GET", f"/assets/{here.links()['asset', here.battery, '']}")
    assert (asset["name"], asset["description"]) == ("cell", "in the cellar")


@pytest.fixture
def _crowd(here: Here, there: There) -> Iterator[None]:
    """More assets of others in the same account than are told at once."""
    others = there.add_asset(f"beside {here.name}")
    for number in range(100):
        there.add_asset(f"{number}", others)
    yield
    there.ask("DELETE", f"/assets/{others}")


@pytest.mark.usefixtures("_crowd")
def test_idle_minutes_ask_the_centre_nothing(here: Here, there: There) -> None:
    with cutter(there.url) as between:
        here.link(between.url)
        kept = Kept(here, between.url)
        kept.until_idle(here.now)
        before = len(between.passed)
        for minute in range(1, 59):
            assert kept.duty.step(kept.linked, here.now + minute * MINUTE) > here.now
        assert len(between.passed) == before
        kept.until_idle(here.now + HOUR)
        assert len(between.passed) - before == 3  # its assets, and the sensors of each


def test_what_is_deleted_there_is_told_and_not_made_anew(kept: Kept, there: There) -> None:
    here, numbers = kept.here, kept.here.links()
    kept.until_idle(here.now)
    there.ask("DELETE", f"/assets/{numbers['asset', here.battery, '']}")
    there.ask("DELETE", f"/sensors/{numbers['sensor', here.price, '']}")
    kept.until_idle(here.now + MINUTE)
    assert kept.gone() == set()
    kept.until_idle(here.now + HOUR)
    assert kept.gone() == {
        ("asset", here.battery), ("sensor", here.power), ("sensor", here.soc),
        ("sensor", here.price),
    }  # fmt: skip
    told = kept.health.alarms["centre main: deleted"]
    assert told.startswith("deleted at main: ")
    assert " and 1 more; nothing of it is sent any more" in told
    assert "flexedge link" in told
    kept.until_idle(here.now + 2 * HOUR)
    assert there.tree(here.name) == {"": []}
    here.link(there.url)
    assert there.tree(here.name) == {"": ["import"], "/battery": ["power", "soc"]}
    kept.until_idle(here.now + 3 * HOUR)
    assert kept.health.alarms == {}


def test_the_site_itself_may_be_deleted_there(kept: Kept, there: There) -> None:
    here, numbers = kept.here, kept.here.links()
    there.ask("DELETE", f"/assets/{numbers['asset', here.site, '']}")
    kept.until_idle(here.now)
    assert len(kept.gone()) == len(numbers)


def test_of_several_trees_all_are_looked_at(kept: Kept) -> None:
    here = kept.here
    here.change(here.battery, parent_id=None)
    kept.until_idle(here.now)
    assert kept.gone() == set()


def test_what_was_moved_there_is_not_gone(kept: Kept, there: There) -> None:
    here, numbers = kept.here, kept.here.links()
    elsewhere = there.add_asset(f"{here.name}, elsewhere")
    battery = numbers["asset", here.battery, ""]
    there.ask("PATCH", f"/assets/{battery}", json={"parent_asset_id": elsewhere})
    kept.until_idle(here.now)
    assert kept.gone() == set()


def test_units_that_are_others_there_are_known(kept: Kept, there: There) -> None:
    here = kept.here
    number = here.links()["sensor", here.power, ""]
    there.ask("PATCH", f"/sensors/{number}", json={"unit": "W"})
    kept.until_idle(here.now)
    (link,) = here.state.links.find(thing="sensor", local_id=here.power).values()
    assert (link.details["unit"], link.details["posted"]) == ("W", "kW")


def test_what_is_refused_is_an_alarm_until_it_is_mended(kept: Kept) -> None:
    here = kept.here
    here.change(here.battery, flex_model={f"x{n}": n for n in range(5)})
    kept.until_idle(here.now)
    told = kept.health.alarms["centre main: refused"]
    assert told.startswith("main does not take flex_model.x0 of ")
    assert told.endswith(" and 2 more")
    here.change(here.battery, flex_model={})
    kept.until_idle(here.now + MINUTE)
    assert kept.health.alarms == {}


def test_it_waits_for_who_links(kept: Kept) -> None:
    here = kept.here
    here.asset("shed", "solar", here.site)
    office: Office = kept.office
    with office.lock:
        assert kept.duty.step(kept.linked, here.now) == here.now + MINUTE
    centre = here.state.centres.get(1)
    assert centre is not None
    here.state.centres.change(1, replace(centre, details={}))
    assert kept.duty.step(kept.linked, here.now) == here.now + MINUTE
    assert len(here.links()) == 5
    here.state.centres.remove(1)
    assert kept.duty.step(kept.linked, here.now) == here.now + MINUTE
