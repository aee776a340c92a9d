"""The centre hears that the gateway lives, and how it fares."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import pytest

from flexedge.config.centre import CentreRules
from flexedge.daemon.clock import WallClock
from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import CentreRefused
from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.outbox import Outbox
from flexedge.gateway.sync.unlinking import unlink
from flexedge.gateway.sync.upkeep import Upkeep
from flexedge.gateway.sync.vitals import (
    ABOUT,
    Vital,
    Vitals,
    Waiting,
    vitals_of,
    waiting_in,
)
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.tables.centres import Link
from tests.gateway.sync.linked import Here, There, linked_with

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOBODY = cast("Linked", None)


def test_what_is_told_of_a_gateway() -> None:
    health = Health()
    health.failed("meter", "no answer", NOW - 2 * MINUTE)
    health.answered("inverter", NOW)
    health.alarm("grid", "the meter is silent")
    waiting = Waiting(1200, timedelta(hours=3))
    vitals = vitals_of(health, ("meter", "inverter"), NOW - 90 * MINUTE, lambda *_: waiting)
    assert {one.name: (one.read(NOBODY, NOW), one.unit) for one in vitals} == {
        "gateway heartbeat": (1.0, "dimensionless"),
        "gateway uptime": (1.5, "h"),
        "gateway devices away": (1.0, "dimensionless"),
        "gateway alarms": (1.0, "dimensionless"),
        "gateway sync lag": (180.0, "min"),
        "gateway queue": (1200.0, "dimensionless"),
    }
    blind = vitals_of(health, (), NOW, lambda *_: None)
    assert [one.read(NOBODY, NOW) for one in blind][-2:] == [None, None]


@pytest.mark.parametrize(
    ("vital", "value", "last", "age", "worth"),
    [
        (Vital("beat", "", lambda *_: 1.0, every=None), 1.0, 1.0, 1, True),
        (Vital("uptime", "h", lambda *_: 1.0), 5.0, 4.9, 59, False),
        (Vital("uptime", "h", lambda *_: 1.0), 5.0, 4.0, 60, True),
        (Vital("alarms", "", lambda *_: 1.0, band=1.0), 1.0, 0.0, 5, True),
        (Vital("alarms", "", lambda *_: 1.0, band=1.0), 1.0, 1.0, 5, False),
        (Vital("lag", "min", lambda *_: 1.0, band=15.0), 14.0, 0.0, 5, False),
        (Vital("lag", "min", lambda *_: 1.0, band=15.0), 140.0, 100.0, 5, False),
        (Vital("lag", "min", lambda *_: 1.0, band=15.0), 0.0, 100.0, 5, True),
        (Vital("any", "", lambda *_: 1.0), 1.0, None, 0, True),
    ],
)
def test_what_changed_is_told_at_once_and_all_each_hour(
    vital: Vital,
    value: float,
    last: float | None,
    age: float,
    worth: bool,  # noqa: FBT001
) -> None:
    told = None if last is None else (NOW - age * MINUTE, last)
    assert vital.worth(value, told, NOW) is worth


def test_what_waits_is_that_of_all_sensors(here: Here, there: There) -> None:
    beliefs = Beliefs(LocalArchive(here.folder / "data", NOW), here.state)
    here.link(there.url)
    linked = linked_with(here, there.url)
    waiting = waiting_in(Outbox(here.state, beliefs), here.state)
    assert waiting(linked, NOW) == Waiting(0, timedelta(0))
    for sensor, hours in ((here.power, 3), (here.soc, 1)):
        key, start = here.state.sensors()[sensor].name, NOW - hours * 60 * MINUTE
        values = Series(TimeGrid(start, 15 * MINUTE, 4), np.arange(4.0))
        beliefs.save([Belief(key, "measured", None, values)], Source("measured", "sensor"))
    assert waiting(linked, NOW) == Waiting(0, timedelta(0))  # looked at once for each moment
    assert waiting(linked, NOW + MINUTE) == Waiting(8, timedelta(hours=3) + MINUTE)
    beliefs.close()


def test_plans_wait_for_their_hour_before_they_are_late(here: Here, there: There) -> None:
    beliefs = Beliefs(LocalArchive(here.folder / "data", NOW), here.state)
    here.link(there.url)
    linked = linked_with(here, there.url)
    here.state.links.add(Link(linked.number, "sensor", here.power, 999, "schedule"))
    waiting = waiting_in(Outbox(here.state, beliefs), here.state)
    key = here.state.sensors()[here.power].name
    values = Series(TimeGrid(NOW, 15 * MINUTE, 4), np.arange(4.0))
    beliefs.save([Belief(key, "planner", NOW, values)], Source("planner", "scheduler"))
    assert waiting(linked, NOW + 59 * MINUTE) == Waiting(4, timedelta(0))
    assert waiting(linked, NOW + 70 * MINUTE) == Waiting(4, 10 * MINUTE)
    beliefs.close()


class Ours:
    """A linked gateway that tells how it fares."""

    def __init__(self, here: Here, there: There) -> None:
        here.link(there.url)
        self.there = there
        self.linked = linked_with(here, there.url)
        self.health = Health()
        self.vitals = vitals_of(self.health, (), NOW, lambda *_: Waiting(0, timedelta(0)))
        self.duty = Vitals(here.state, self.vitals, {"version": "1.2"})
        self.site = here.links()["asset", here.site, ""]

    def sensors(self) -> dict[str, dict[str, object]]:
        """Ours there, by name."""
        found = self.there.ask("GET", f"/sensors?asset={self.site}")
        return {one["name"]: one for one in found if one["name"].startswith("gateway ")}

    def values(self, name: str, start: datetime, n: int) -> list[float | None]:
        asked = {"start": start.isoformat(), "duration": f"PT{5 * n}M", "resolution": "PT5M",
                 "unit": self.sensors()[name]["unit"]}  # fmt: skip
        answer = self.there.ask("GET", f"/sensors/{self.sensors()[name]['id']}/data", params=asked)
        return list(answer["values"])


def test_the_centre_sees_that_we_live_and_how(here: Here, there: There) -> None:
    ours = Ours(here, there)
    for minutes in (2, 7, 12):
        now = NOW + minutes * MINUTE
        if minutes == 7:
            ours.health.alarm("grid", "the meter is silent")
        assert ours.duty.step(ours.linked, now) == now + 5 * MINUTE
    assert ours.values("gateway heartbeat", NOW - 10 * MINUTE, 4) == [None, 1.0, 1.0, 1.0]
    assert ours.values("gateway alarms", NOW - 10 * MINUTE, 4) == [None, 0.0, 1.0, None]
    assert ours.values("gateway uptime", NOW - 5 * MINUTE, 2) == [pytest.approx(0.033), None]
    assert ours.duty.counts() == {"signs of life": 3 + 2 + 1 + 1 + 1 + 1}
    attributes = there.ask("GET", f"/assets/{ours.site}")["attributes"]
    assert ABOUT in attributes
    assert '"version": "1.2"' in attributes


def test_another_run_finds_what_the_last_one_made(here: Here, there: There) -> None:
    ours = Ours(here, there)
    ours.duty.step(ours.linked, NOW)
    before = {name: one["id"] for name, one in ours.sensors().items()}
    assert len(before) == 6
    slow = replace(ours.linked, rules=CentreRules(heartbeat=timedelta(minutes=30)))
    again = Vitals(here.state, ours.vitals, {"version": "1.3"})
    assert again.step(slow, NOW + MINUTE) == NOW + 31 * MINUTE
    assert {name: one["id"] for name, one in ours.sensors().items()} == before
    assert "PT90M" in str(ours.sensors()["gateway heartbeat"]["attributes"])
    assert '"version": "1.3"' in there.ask("GET", f"/assets/{ours.site}")["attributes"]


def test_what_was_deleted_there_is_made_anew(here: Here, there: There) -> None:
    ours = Ours(here, there)
    ours.duty.step(ours.linked, NOW)
    there.ask("DELETE", f"/sensors/{ours.sensors()['gateway heartbeat']['id']}")
    with pytest.raises(CentreRefused):
        ours.duty.step(ours.linked, NOW + 5 * MINUTE)
    ours.duty.step(ours.linked, NOW + 6 * MINUTE)
    assert ours.values("gateway heartbeat", NOW, 1) == [1.0]


def test_the_heartbeat_is_among_the_charts_there(here: Here, there: There) -> None:
    ours = Ours(here, there)
    ours.duty.step(ours.linked, NOW)
    upkeep = Upkeep(here.office(), ours.health)
    for _ in range(3):
        upkeep.step(ours.linked, NOW)
    number = ours.sensors()["gateway heartbeat"]["id"]
    shown = json.loads(there.ask("GET", f"/assets/{ours.site}")["sensors_to_show"])
    assert shown[-1] == {"title": "Gateway", "sensors": [number]}
    ours.duty.step(ours.linked, NOW + 5 * MINUTE)
    assert upkeep.step(ours.linked, NOW + 5 * MINUTE) > NOW + 5 * MINUTE
    assert ours.health.alarms == {}


def test_unlinking_deletes_them_with_what_was_made(here: Here, there: There) -> None:
    ours = Ours(here, there)
    ours.duty.step(ours.linked, NOW)
    told = unlink(here.office(), "main", "anna", delete_there=True)
    assert dict(told.kept) == {}
    assert there.named(here.name) == []


def test_nothing_is_told_where_that_is_not_wanted(here: Here, there: There) -> None:
    ours = Ours(here, there)
    silent = replace(ours.linked, rules=CentreRules(scopes=("readings",)))
    assert ours.duty.step(silent, NOW) == NOW + 60 * MINUTE
    assert ours.sensors() == {}


def test_the_centre_calls_a_silent_gateway_stale(here: Here, there: There) -> None:
    ours = Ours(here, there)
    now = WallClock().now()  # as the centre's own clock
    ours.duty.step(ours.linked, now)
    number = ours.sensors()["gateway heartbeat"]["id"]
    (status,) = there.ask("GET", f"/sensors/{number}/status")["sensors_data"]
    assert status["stale"] is False
    there.ask("DELETE", f"/sensors/{number}/data")
    Vitals(here.state, ours.vitals, {}).step(ours.linked, now - 30 * MINUTE)
    (status,) = there.ask("GET", f"/sensors/{number}/status")["sensors_data"]
    assert status["stale"] is True
