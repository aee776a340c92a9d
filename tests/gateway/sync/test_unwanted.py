"""What a centre did not take: kept, shown, tried again, given up; never without bound."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.domain.asset import Sensor
from flexedge.domain.runs import Run
from flexedge.errors import CentreRefused
from flexedge.gateway.sync import unwanted
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre, Link

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIVE = timedelta(minutes=5)
BAD = CentreRefused("main", 422, "UNPROCESSABLE", "no such value")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    for name in ("main", "other"):
        state.centres.add(Centre(name, "http://x", 1, "a", "u", NOW, []))
        state.links.add(Link(len(state.centres.all()), "sensor", 1, 14))
    state.sensor_id(Sensor("battery.power", "kW", FIVE))
    yield state
    state.close()


def link(state: State, number: int = 1) -> tuple[int, Link]:
    return number, state.links.all()[number]


def run(n: int = 1, minute: int = 0) -> Run:
    start = NOW + timedelta(minutes=minute)
    return Run(start, FIVE, (1.0, *[None] * (n - 2), 2.0)[:n], "kW", prior=NOW)


def test_what_was_refused_is_shown_with_what_was_said(state: State) -> None:
    unwanted.set_aside(state, link(state), run(3), BAD, NOW)
    (told,) = unwanted.rejected(state)
    assert (told.centre, told.sensor, told.at, told.tries) == ("main", "battery.power", NOW, 1)
    assert told.why == "422 UNPROCESSABLE: no such value"
    assert told.run == run(3)


@pytest.mark.parametrize("horizon", [timedelta(0), FIVE])
def test_horizons_are_kept(state: State, horizon: timedelta) -> None:
    measured = Run(NOW, timedelta(0), (1.0,), "%", horizon=horizon)
    unwanted.set_aside(state, link(state), measured, BAD, NOW)
    assert unwanted.rejected(state)[0].run == measured


def test_the_same_values_once_more_are_another_try(state: State) -> None:
    for _ in range(2):
        unwanted.set_aside(state, link(state), run(), BAD, NOW)
    assert [one.tries for one in unwanted.rejected(state)] == [2]


def test_centres_are_told_apart(state: State) -> None:
    unwanted.set_aside(state, link(state), run(), BAD, NOW)
    unwanted.set_aside(state, link(state, 2), run(), BAD, NOW)
    assert [one.number for one in unwanted.rejected(state, "other")] == [2]
    assert [one.number for one in unwanted.retry(state, centre="other")] == [2]
    assert unwanted.retry(state, {2}, "main") == ()
    assert [one.again for one in unwanted.rejected(state)] == [False, True]
    assert list(unwanted.to_try(state, 1)) == []
    assert list(unwanted.to_try(state, 2)) == [2]


def test_one_is_tried_again_or_given_up(state: State) -> None:
    for minute in (0, 5, 10):
        unwanted.set_aside(state, link(state), run(minute=minute), BAD, NOW)
    assert [one.number for one in unwanted.retry(state, {2})] == [2]
    assert [one.number for one in unwanted.drop(state, [3])] == [3]
    assert [(one.number, one.again) for one in unwanted.rejected(state)] == [(1, False), (2, True)]
    assert unwanted.retry(state, {3}) == ()
    assert [one.number for one in unwanted.drop(state)] == [1, 2]
    assert unwanted.rejected(state) == ()


def test_asking_twice_is_asking_once(state: State) -> None:
    unwanted.set_aside(state, link(state), run(), BAD, NOW)
    unwanted.retry(state)
    unwanted.retry(state)
    assert unwanted.rejected(state)[0].again


def test_too_many_let_the_oldest_go(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwanted, "MOST_ENTRIES", 3)
    for minute in range(0, 25, 5):
        unwanted.set_aside(state, link(state), run(2, minute), BAD, NOW)
    assert [one.number for one in unwanted.rejected(state)] == [3, 4, 5]
    assert unwanted.dropped(state, 1) == 4
    assert unwanted.dropped(state, 2) == 0


def test_too_many_values_let_the_oldest_go_but_not_the_last(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwanted, "MOST_VALUES", 10)
    unwanted.set_aside(state, link(state), run(6), BAD, NOW)
    unwanted.set_aside(state, link(state), run(6, 5), BAD, NOW)
    assert [one.number for one in unwanted.rejected(state)] == [2]
    unwanted.set_aside(state, link(state), run(60, 10), BAD, NOW)
    assert [len(one.run.values) for one in unwanted.rejected(state)] == [60]
