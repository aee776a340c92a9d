"""Alarms and overrides at the centre: each once when it begins and once when it is over."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flexedge.errors import CentreAway
from flexedge.gateway.health import Health
from flexedge.gateway.sync.remarks import GRACE, LONGEST, MOST, Occasion, Tell, occasions
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.centres import Link
from tests.api.moment import at
from tests.api.served import Served
from tests.gateway.sync.both import MINUTE, NOW, Both, both
from tests.gateway.sync.road import GOOD, LOST, Road, road

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with at(NOW, tmp_path_factory.mktemp("centre")) as running:
        yield running


class Site:
    """A site with a battery, both linked, and what happens there."""

    def __init__(self, here: Both) -> None:
        self.here = here
        self.going_on: list[Occasion] = []
        state = here.state
        account = state.accounts.add(Account("Home"))
        root = state.assets.add(Asset("Home", "building", None, account, ""))
        battery = state.assets.add(Asset("Battery", "battery", root, account, "battery"))
        self.numbers = {}
        for name, ours in (("", root), ("battery", battery)):
            self.numbers[name] = here.asset(uuid4().hex)
            state.links.add(Link(here.number, "asset", ours, self.numbers[name]))
        self.tell = self.begun()

    def begun(self) -> Tell:
        return Tell(self.here.state, lambda _: list(self.going_on))

    def steps(self, n: int = 4) -> None:
        for _ in range(n):
            try:
                self.tell.step(self.here.linked, self.here.now)
            except CentreAway:
                continue

    def said(self, asset: str = "") -> list[tuple[str, Any, Any]]:
        told = self.here.ask("GET", f"/assets/{self.numbers[asset]}/annotations")
        return [(one["content"], one["start"], one["end"]) for one in told["annotations"]]


@pytest.fixture
def way(served: Served) -> Iterator[Road]:
    with road(served.url) as made:
        yield made


@pytest.fixture
def site(served: Served, way: Road, tmp_path: Path) -> Iterator[Site]:
    with both(tmp_path / "ours", served, way.url) as here:
        yield Site(here)


def alarm(key: str = "device meter", asset: str = "") -> Occasion:
    return Occasion(key, f"{key} is silent", NOW - HOUR, "alert", asset)


def stamp(hours: float) -> str:
    return (NOW + hours * HOUR).isoformat().replace("+00:00", "Z")


def test_an_alarm_is_told_when_it_comes_and_when_it_is_over(site: Site) -> None:
    site.going_on = [alarm()]
    site.steps()
    assert site.said() == [("device meter is silent", stamp(-1), stamp(-1 + 1 / 60))]
    site.here.now += HOUR
    site.going_on = []
    site.steps()
    assert site.said()[1:] == [("device meter is silent (over)", stamp(-1), stamp(1))]
    assert site.tell.counts()["annotations"] == 2


def test_what_is_about_an_asset_is_told_of_that(site: Site) -> None:
    site.going_on = [alarm(asset="battery"), alarm("no-room", asset="car")]
    site.steps()
    assert [words for words, *_ in site.said("battery")] == ["device meter is silent"]
    assert [words for words, *_ in site.said()] == ["no-room is silent"]


def test_an_override_that_ends_as_planned_is_told_once(site: Site) -> None:
    asked = Occasion("asked 7", "charge", NOW, "label", "battery", NOW + HOUR)
    site.going_on = [asked]
    site.steps()
    site.here.now, site.going_on = NOW + HOUR, []
    site.steps()
    assert site.said("battery") == [("charge", stamp(0), stamp(1))]


def test_one_that_is_taken_back_is_told_with_its_end(site: Site) -> None:
    site.going_on = [Occasion("asked 7", "charge", NOW, "label", "battery", NOW + HOUR)]
    site.steps()
    site.here.now, site.going_on = NOW + HOUR / 2, []
    site.steps()
    assert site.said("battery")[1:] == [("charge (over)", stamp(0), stamp(0.5))]


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_lost_answer_tells_nothing_twice(site: Site, way: Road, lost: int) -> None:
    fates = [(GOOD, 0)] * (lost - 1) + [(LOST, 0)] * 2
    way.fate = lambda one: fates.pop(0) if fates and one[0] == "POST" else (GOOD, 0)
    site.going_on = [alarm(), alarm("no-room")]
    site.steps(1)
    site.tell = site.begun()  # the program ends and begins again
    site.here.now += MINUTE
    site.going_on = [alarm("no-room")]
    site.steps(6)
    site.here.now += GRACE
    site.steps(6)
    assert sorted(words for words, *_ in site.said()) == [
        "device meter is silent", "device meter is silent (over)", "no-room is silent"]  # fmt: skip


def test_what_was_wrong_before_a_start_has_time_to_be_wrong_again(site: Site) -> None:
    site.going_on = [alarm()]
    site.steps()
    site.tell, site.going_on = site.begun(), []
    site.steps()
    site.here.now += MINUTE
    site.going_on = [alarm()]
    site.steps()
    assert len(site.said()) == 1


def test_a_flood_while_the_centre_is_away_is_bounded(site: Site, way: Road) -> None:
    way.fate = lambda _: ("broken", 0)
    for n in range(MOST + 50):
        site.going_on = [alarm(f"number {n}")]
        site.steps(1)
    kept = site.here.state.fact(f"sync.{site.here.number}.annotations") or ""
    assert kept.count('"over"') == MOST


def test_long_words_are_cut(site: Site) -> None:
    site.going_on = [Occasion("long", "x" * 5000, NOW, "alert")]
    site.steps()
    assert len(site.said()[0][0]) <= LONGEST


def test_what_a_centre_does_not_take_is_given_up(site: Site, way: Road) -> None:
    way.answer = lambda one: (422, b'{"message": "no"}') if b"meter" in one[2] else None
    site.going_on = [alarm(), alarm("no-room")]
    site.steps()
    assert [words for words, *_ in site.said()] == ["no-room is silent"]
    assert site.tell.counts()["refused"] == 1


def test_alarms_are_occasions_but_not_those_about_centres() -> None:
    health = Health()
    for about in ("device meter", "centre main: upload", "loop centre main", "no-room"):
        health.alarm(about, "words")
    found = list(occasions(health, None)(NOW))
    assert [(one.key, one.kind, one.start) for one in found] == [
        ("device meter", "alert", NOW), ("no-room", "alert", NOW)]  # fmt: skip
