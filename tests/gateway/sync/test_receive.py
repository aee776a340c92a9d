"""What comes from a centre is asked for as said, and believed only where it can be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.config.centre import CentreRules
from flexedge.config.coming import ANYTHING, Coming
from flexedge.domain.asset import Sensor
from flexedge.domain.runs import Run
from flexedge.domain.series import TimeGrid
from flexedge.errors import CentreAway
from flexedge.gateway.health import Health
from flexedge.gateway.received import Received
from flexedge.gateway.sync.ours import RECEIVED
from flexedge.gateway.sync.receive import Receive, asked, believable
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from tests.gateway.sync.cutting import cutter
from tests.gateway.sync.linked import Here, There, linked_with

NOW = datetime(2026, 4, 14, 12, 7, tzinfo=UTC)
NOON = NOW.replace(minute=0)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
LIMIT = Coming("main", 7, "kW", QUARTER, QUARTER, QUARTER, 2 * HOUR, (-5.0, 20.0))
GRID = asked(LIMIT, NOW)
"""From 11:00 to 15:00."""


def run(*values: float | None, start: datetime = GRID.start, step: timedelta = QUARTER,
        unit: str = "kW") -> Run:  # fmt: skip
    return Run(start, step, values, unit)


def test_asked_for_are_whole_hours() -> None:
    assert (GRID.start, GRID.end, GRID.n) == (NOON - HOUR, NOON + 3 * HOUR, 16)
    daily = asked(replace(LIMIT, resolution=24 * HOUR, back=30 * HOUR, ahead=40 * HOUR), NOW)
    assert daily.start <= NOW - 30 * HOUR
    assert daily.end >= NOW + 40 * HOUR


def test_an_hour_that_begins_at_half_past_is_asked_for_whole() -> None:
    price = replace(LIMIT, back=HOUR)
    for minutes in range(0, 120, 5):
        now = NOON + timedelta(minutes=minutes)
        begun = NOON + HOUR / 2 + (now - NOON - HOUR / 2) // HOUR * HOUR
        assert asked(price, now).start <= begun


def test_gaps_stay_gaps() -> None:
    values, wrong, trouble = believable(run(1.0, None, 3.0), LIMIT, GRID)
    assert values[[0, 2]].tolist() == [1.0, 3.0]
    assert np.isnan(np.delete(values, [0, 2])).all()
    assert (wrong, trouble) == (0, "")


def test_only_what_was_asked_for_is_taken() -> None:
    early = believable(run(*map(float, range(20)), start=GRID.start - 2 * QUARTER), LIMIT, GRID)
    assert early[0].tolist() == [float(i) for i in range(2, 18)]
    late = believable(run(1.0, 2.0, 3.0, start=GRID.end - QUARTER), LIMIT, GRID)
    assert late[0][-1] == 1.0
    assert np.isnan(late[0][:-1]).all()
    many = believable(run(*[1.0] * 1_000_000), LIMIT, GRID)
    assert many[0].tolist() == [1.0] * GRID.n
    for far in (GRID.start - 10_000 * HOUR, GRID.start + 10_000 * HOUR):
        assert np.isnan(believable(run(1.0, 2.0, start=far), LIMIT, GRID)[0]).all()


@pytest.mark.parametrize("value", [-5.5, 20.5, np.inf, -np.inf, 1e300])
def test_what_cannot_be_is_left_out_and_told(value: float) -> None:
    values, wrong, trouble = believable(run(-5.0, value, 20.0), LIMIT, GRID)
    assert values[[0, 2]].tolist() == [-5.0, 20.0]
    assert np.isnan(values[1])
    assert wrong == 1
    assert trouble.startswith("1 of 3 values are not believed, as ")
    assert trouble.endswith("kW: it should be from -5 to 20")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (run(1.0, unit="MW"), "it is in 'MW', not in 'kW'"),
        (run(1.0, step=HOUR), "its values are 1:00:00 apart, not 0:15:00"),
        (run(1.0, start=NOW), "it begins at 2026-04-14T12:07:00+00:00, between two steps"),
    ],
)
def test_an_answer_to_another_question_is_not_believed(answer: Run, why: str) -> None:
    values, wrong, trouble = believable(answer, LIMIT, GRID)
    assert np.isnan(values).all()
    assert (wrong, trouble) == (1, f"the answer is not believed: {why}")


def test_no_values_are_no_trouble() -> None:
    values, wrong, trouble = believable(run(unit=""), LIMIT, GRID)
    assert np.isnan(values).all()
    assert (wrong, trouble) == (0, "")


@pytest.fixture
def beliefs(here: Here) -> Iterator[Beliefs]:
    made = Beliefs(LocalArchive(here.folder / "data", NOW), here.state)
    yield made
    made.close()


class Ours:
    """A gateway with a duty, and a sensor at the centre that somebody else fills."""

    def __init__(self, here: Here, there: There, beliefs: Beliefs, **more: object) -> None:
        self.there = there
        self.here = here
        here.link(there.url)
        self.number = there.add_sensor(there.add_asset(f"Market of {here.name}"), "limit", "MW")
        self.coming = replace(LIMIT, number=self.number, **more)  # type: ignore[arg-type]
        beliefs.register(Sensor("grid-limit", "kW", QUARTER))
        self.health = Health()
        self.received = Received({"grid-limit": self.coming}, beliefs)
        self.duty = Receive(self.received, here.state, self.health)
        self.linked = linked_with(here, there.url)

    def tell(self, *values: float | None, start: datetime = NOON) -> None:
        """Somebody posts values of the sensor there."""
        self.there.ask("POST", f"/sensors/{self.number}/data", json={
            "values": values, "start": start.isoformat(), "unit": "MW",
            "duration": f"PT{15 * len(values)}M", "prior": NOW.isoformat(),
        })  # fmt: skip

    def known(self, n: int = 4) -> list[float]:
        return list(self.received.known("grid-limit", TimeGrid(NOON, QUARTER, n)).values)


def test_values_come_in_the_unit_that_is_wanted_again_and_again(
    here: Here, there: There, beliefs: Beliefs
) -> None:
    ours = Ours(here, there, beliefs)
    ours.tell(0.005, 0.006, None, 0.008)
    assert ours.duty.step(ours.linked, NOW) == NOW + QUARTER
    assert ours.known() == pytest.approx([5.0, 6.0, np.nan, 8.0], nan_ok=True)
    assert ours.received.version("grid-limit") == 1
    ours.tell(0.007, start=NOON + 2 * QUARTER)
    assert ours.duty.step(ours.linked, NOW + QUARTER / 2) == NOW + QUARTER
    assert np.isnan(ours.known()[2])  # it was not due
    ours.duty.hurry()
    ours.duty.step(ours.linked, NOW + QUARTER / 2)
    assert ours.known()[2] == 7.0  # but somebody wanted it at once
    ours.duty.step(ours.linked, NOW + QUARTER)
    assert ours.known() == pytest.approx([5.0, 6.0, 7.0, 8.0])
    assert ours.duty.counts() == {"values received": 4, "values not believed": 0}
    (link,) = here.state.links.find(role=RECEIVED).values()
    assert (link.central_id, here.state.sensors()[link.local_id].name) == (
        ours.number, "grid-limit",
    )  # fmt: skip


def test_implausible_values_are_told_until_they_are_gone(
    here: Here, there: There, beliefs: Beliefs
) -> None:
    ours = Ours(here, there, beliefs)
    ours.tell(0.005, 0.5)
    ours.duty.step(ours.linked, NOW)
    assert ours.known() == pytest.approx([5.0, np.nan, np.nan, np.nan], nan_ok=True)
    (alarm,) = ours.health.alarms.items()
    assert alarm == (
        "centre main: grid-limit",
        "grid-limit: 1 of 16 values are not believed, as 500 kW: it should be from -5 to 20",
    )
    ours.there.ask("DELETE", f"/sensors/{ours.number}/data")
    ours.duty.step(ours.linked, NOW + QUARTER)
    assert ours.health.alarms == {}
    assert ours.known()[0] == 5.0  # what came before counts


def test_what_the_centre_refuses_is_told_and_the_rest_goes_on(
    here: Here, there: There, beliefs: Beliefs
) -> None:
    ours = Ours(here, there, beliefs, every=timedelta(minutes=1))
    ours.tell(0.005)
    coming = {"nothing": replace(LIMIT, number=999_999), "grid-limit": ours.coming}
    beliefs.register(Sensor("nothing", "kW", QUARTER))
    received = Received(coming, beliefs)
    duty = Receive(received, here.state, ours.health)
    assert duty.step(ours.linked, NOW) == NOW + timedelta(minutes=1)
    assert ours.known()[0] == pytest.approx(5.0)
    (about,) = ours.health.alarms
    assert about == "centre main: nothing"
    assert ours.health.alarms[about].startswith("nothing is not received: main: 404")


@pytest.mark.parametrize("value", ["true", '"5"', "[5]"])
def test_one_answer_that_is_none_keeps_nobody_else_waiting(
    here: Here, there: There, beliefs: Beliefs, value: str
) -> None:
    ours = Ours(here, there, beliefs)
    ours.tell(0.005)
    beliefs.register(Sensor("a-bad-one", "kW", QUARTER))
    coming = {"a-bad-one": replace(LIMIT, number=999_999), "grid-limit": ours.coming}
    duty = Receive(Received(coming, beliefs), here.state, ours.health)
    with cutter(there.url) as road:
        odd = f'{{"values": [{value}], "start": "{NOON.isoformat()}", "duration": "PT15M"}}'
        road.refusing["GET /api/v3_0/sensors/999999/"] = 200, odd
        linked = linked_with(here, road.url)
        with pytest.raises(CentreAway):
            duty.step(linked, NOW)
        with pytest.raises(CentreAway):
            duty.step(linked, NOW)  # after the other one
    assert ours.known()[0] == pytest.approx(5.0)
    assert duty.counts() == {"values received": 1, "values not believed": 0}


def test_no_number_and_a_number_beyond_all_measure_are_not_believed(
    here: Here, there: There, beliefs: Beliefs
) -> None:
    ours = Ours(here, there, beliefs, valid=ANYTHING)
    numbers = "NaN, Infinity, -Infinity, 1e400, 1e13, 1" + "0" * 400 + ", null, 6"
    with cutter(there.url) as road:
        odd = f'{{"values": [{numbers}], "start": "{NOON.isoformat()}", "duration": "PT2H", "unit": "kW"}}'  # fmt: skip  # noqa: E501
        road.refusing["GET "] = 200, odd
        ours.duty.step(linked_with(here, road.url), NOW)
    known = ours.received.known("grid-limit", TimeGrid(NOON, QUARTER, 8)).values
    assert known == pytest.approx([np.nan] * 7 + [6.0], nan_ok=True)
    assert (
        "1e+13 kW: it should be from -1e+12 to 1e+12"
        in ours.health.alarms["centre main: grid-limit"]
    )


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])  # fmt: skip  # noqa: E501
def test_on_the_days_on_which_clocks_change_every_hour_has_its_value(
    here: Here, there: There, beliefs: Beliefs, day: datetime
) -> None:
    amsterdam = ZoneInfo("Europe/Amsterdam")
    midnight = day.astimezone(amsterdam).replace(hour=0).astimezone(UTC)
    after = (day.astimezone(amsterdam).replace(hour=0) + timedelta(days=1)).astimezone(UTC)
    hours = (after - midnight) // HOUR
    assert hours in (23, 25)
    ours = Ours(here, there, beliefs, ahead=timedelta(hours=36), valid=ANYTHING)
    told = [n / 1000 for n in range(hours) for _ in range(4)]
    ours.tell(*told, start=midnight.astimezone(amsterdam))
    ours.duty.step(ours.linked, midnight - HOUR)
    grid = TimeGrid(midnight, QUARTER, 4 * hours)
    known = ours.received.known("grid-limit", grid).values
    assert known == pytest.approx(np.repeat(np.arange(hours), 4))


def test_while_the_centre_is_away_all_stays_due(here: Here, there: There, beliefs: Beliefs) -> None:
    ours = Ours(here, there, beliefs)
    ours.tell(0.005)
    nobody = linked_with(here, "http://127.0.0.1:1")
    with pytest.raises(CentreAway):
        ours.duty.step(nobody, NOW)
    assert ours.duty.step(ours.linked, NOW) == NOW + QUARTER
    assert ours.known()[0] == pytest.approx(5.0)


def test_nothing_is_asked_for_where_that_is_not_wanted(
    here: Here, there: There, beliefs: Beliefs
) -> None:
    ours = Ours(here, there, beliefs)
    ours.duty.step(ours.linked, NOW)
    none = linked_with(here, "http://127.0.0.1:1", CentreRules(scopes=("readings",)))
    fresh = Receive(ours.received, here.state, ours.health)
    assert fresh.step(none, NOW) == NOW + HOUR
    assert here.state.links.find(role=RECEIVED) == {}
    assert fresh.counts() == {"values received": 0, "values not believed": 0}
