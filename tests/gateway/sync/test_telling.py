"""From a portion to runs, with what is held of its events."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.config.centre import CentreRules, Report
from flexedge.domain.asset import Sensor, Source
from flexedge.gateway.sync.outbox import Outbox
from flexedge.gateway.sync.report import LATE
from flexedge.gateway.sync.telling import Memory, Telling, scope_of
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import micros
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre, Link
from tests.gateway.sync.both import FIVE, FORECASTER, MEASURED, NOW

POWER = Sensor("battery.power", "kW", FIVE)


class Site:
    """A store with a link, of which events are three of ours."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder / "state.db")
        self.beliefs = Beliefs(LocalArchive(folder, NOW), self.state)
        centre = self.state.centres.add(Centre("main", "http://x", 1, "a", "u", NOW, []))
        number = self.beliefs.register(POWER)
        self.link = Link(centre, "sensor", number, 14, details={"resolution": 900.0})
        self.state.links.add(self.link)
        self.outbox = Outbox(self.state, self.beliefs)
        self.telling = Telling(self.beliefs, self.outbox, CentreRules())

    def keep(self, *events: int, source: Source = MEASURED, probability: float = 0.5) -> None:
        start = [micros(NOW + FIVE * event) for event in events]
        n = len(events)
        self.beliefs.post(Rows.of({
            "sensor": [self.link.local_id] * n, "source": [self.beliefs.source(source)] * n,
            "event_us": start, "belief_us": [one + 300_000_000 for one in start],
            "probability": [probability] * n, "value": [float(event) for event in events],
        }))  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.beliefs.close()
    made.state.close()


@pytest.mark.parametrize(
    ("name", "role", "scope"),
    [("a.power", "", "readings"), ("a.power", "forecast", "forecasts"),
     ("a.power", "received", None), ("a.power", "schedule", "schedules"),
     ("a.dispatched", "", "outcomes")],
)  # fmt: skip
def test_what_must_be_agreed_on(name: str, role: str, scope: str | None) -> None:
    assert scope_of(Sensor(name, "kW", FIVE), role) == scope


def test_a_portion_is_told_with_what_was_there_before_it(site: Site) -> None:
    site.keep(0, 1)
    first = site.outbox.live(site.link)
    assert first is not None
    assert site.telling.runs(first, POWER, Memory(), NOW) == ([], 0)
    site.keep(2)
    second = site.outbox.live(site.link)
    assert second is not None
    ((run,), left_out) = site.telling.runs(second, POWER, Memory(), NOW)
    assert (run.start, run.step, run.values, left_out) == (NOW, 3 * FIVE, (1.0,), 0)


def test_quantiles_are_counted_and_other_sources_do_not_mix_in(site: Site) -> None:
    site.keep(0, probability=0.1)
    site.keep(1, 2)
    site.keep(0, 1, 2, source=FORECASTER)
    portion = site.outbox.live(site.link)
    assert portion is not None
    assert site.telling.runs(portion, POWER, Memory(), NOW) == ([], 1)


def test_what_lacks_parts_is_told_late_and_once(site: Site) -> None:
    site.keep(0, 1)
    memory = Memory()
    over = NOW + 3 * FIVE + LATE
    assert list(site.telling.late(site.link, POWER, memory, over - FIVE)) == []
    (run,) = site.telling.late(site.link, POWER, memory, over + FIVE)
    assert (run.start, run.values) == (NOW, (0.5,))
    assert list(site.telling.late(site.link, POWER, memory, over + timedelta(hours=1))) == []


def test_a_start_looks_back_a_week_for_what_is_late(site: Site) -> None:
    site.keep(0, 1)
    week = NOW + LATE + timedelta(days=6)
    assert len(list(site.telling.late(site.link, POWER, Memory(), week))) == 1


def test_reports_are_those_of_the_site_file(site: Site) -> None:
    own = Report(strategy="on-change", dead_band=0.5)
    telling = Telling(site.beliefs, site.outbox, CentreRules(sensors={"battery.power": own}))
    assert telling.report(POWER) == own
    assert telling.way(site.link, POWER).thin is not None
