from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from flexedge.cloud.central import Central
from flexedge.cloud.pace import Pace
from flexedge.config.centre import CentreRules
from flexedge.errors import RequestError
from flexedge.gateway.health import Health
from flexedge.gateway.sync.centres import Centres
from flexedge.gateway.sync.linking import Office
from flexedge.gateway.sync.sync import Sync
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre
from tests.gateway.sync.duties import MAIN

OTHER = replace(MAIN, name="other", url="https://other.example.com")


class Thread:
    """What became of the thread of one centre."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync
        self.woken = 0
        self.ended = False

    def wake(self) -> None:
        self.woken += 1

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def office(state: State) -> Office:
    """What links: only its state and rules are looked at."""
    rules = {"main": CentreRules(requests_per_min=7)}
    nobody = cast("Any", None)
    return Office(state, nobody, lambda name: rules.get(name, CentreRules()), nobody, nobody)


@pytest.fixture
def threads() -> list[Thread]:
    return []


@pytest.fixture
def centres(state: State, threads: list[Thread]) -> Centres:
    def spawn(sync: Sync) -> Thread:
        threads.append(Thread(sync))
        return threads[-1]

    def connect(_number: int, _centre: Centre, _rules: CentreRules) -> tuple[Central, Pace]:
        return cast("Central", None), cast("Pace", None)  # nobody is asked

    centres = Centres(office(state), Health(), connect, lambda _linked: ())
    centres.spawn = spawn
    return centres


def test_what_is_linked_runs_and_what_is_unlinked_ends(
    centres: Centres, state: State, threads: list[Thread]
) -> None:
    number = state.centres.add(MAIN)
    centres.refresh()
    state.centres.add(OTHER)
    centres.refresh()
    centres.refresh()
    assert [one.sync.linked.centre for one in threads] == [MAIN, OTHER]
    assert [one.linked.rules.requests_per_min for one in centres.syncs] == [7, 120]
    state.centres.remove(number)
    centres.refresh()
    assert [one.ended for one in threads] == [True, False]
    assert [one.linked.centre for one in centres.syncs] == [OTHER]


def test_who_is_linked_anew_begins_anew(
    centres: Centres, state: State, threads: list[Thread]
) -> None:
    number = state.centres.add(MAIN)
    centres.refresh()
    state.centres.change(number, replace(MAIN, url="https://moved.example.com"))
    centres.refresh()
    assert [one.ended for one in threads] == [True, False]
    assert centres.syncs[0].linked.centre.url == "https://moved.example.com"


def test_asking_wakes_the_one_that_is_meant(
    centres: Centres, state: State, threads: list[Thread]
) -> None:
    state.centres.add(MAIN)
    state.centres.add(OTHER)
    centres.refresh()
    assert centres.ask("other") == ("other",)
    assert [one.woken for one in threads] == [0, 1]
    assert centres.ask() == ("main", "other")
    assert centres.ask("nobody") == ()


def test_only_the_one_that_is_meant_rests(centres: Centres, state: State) -> None:
    state.centres.add(MAIN)
    state.centres.add(OTHER)
    centres.refresh()
    main, other = centres.syncs
    with (
        centres.resting("main"), centres.resting("nobody"), other.resting(0.0),
        pytest.raises(RequestError, match="main is being asked"), main.resting(0.0),
    ):  # fmt: skip
        pytest.fail("it does not rest")


def test_after_the_end_nothing_begins(
    centres: Centres, state: State, threads: list[Thread]
) -> None:
    state.centres.add(MAIN)
    centres.refresh()
    centres.end()
    centres.refresh()
    assert [one.ended for one in threads] == [True]
    assert centres.syncs == ()


def test_nothing_runs_before_the_daemon_says_how(centres: Centres, state: State) -> None:
    state.centres.add(MAIN)
    assert centres.linkable is not None
    centres.spawn = None
    centres.refresh()
    assert centres.syncs == ()
    assert centres.linkable is None
