import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import cast

import pytest

from flexedge.cloud.central import Central
from flexedge.cloud.pace import Pace
from flexedge.config.centre import CentreRules
from flexedge.daemon.centres import Ground, duties_of, keep_in_step
from flexedge.daemon.clock import WallClock
from flexedge.gateway.health import Health
from flexedge.gateway.sync.centres import Centres
from flexedge.gateway.sync.duty import Linked
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre
from tests.gateway.conftest import Hut, blank, hut
from tests.gateway.sync.duties import ALONE, MAIN
from tests.gateway.sync.test_centres import office

__all__ = ["blank", "hut"]


class Gate:
    """A duty that hangs in a request until it is let go, and a connection that can be closed."""

    name = "upload"

    def __init__(self) -> None:
        self.begun, self.let_go, self.closed = (threading.Event() for _ in range(3))
        self.threads: list[str] = []

    def step(self, _linked: Linked, now: datetime) -> datetime:
        self.threads.append(threading.current_thread().name)
        self.begun.set()
        assert self.let_go.wait(20)
        return now + timedelta(days=1)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    state.centres.add(MAIN)
    yield state
    state.close()


@pytest.fixture
def gate() -> Gate:
    return Gate()


Begin = Callable[[], Centres]


@pytest.fixture
def begin(state: State, gate: Gate) -> Begin:
    def connect(_number: int, _centre: Centre, _rules: CentreRules) -> tuple[Central, Pace]:
        pace = Pace(120, Random(1))  # noqa: S311 (chance, no secret)
        return cast("Central", gate), pace  # only ever closed

    return lambda: Centres(office(state), Health(), connect, lambda _linked: (gate,))


def test_what_is_linked_is_begun_and_ends_in_order(begin: Begin, gate: Gate) -> None:
    gate.let_go.set()
    centres = begin()
    with ExitStack() as stack:
        keep_in_step(centres, Health(), WallClock(), stack)
        assert centres.ask() == ("main",)
        assert gate.begun.wait(10)
        assert not gate.closed.is_set()
    assert gate.closed.is_set()
    assert gate.threads == ["centre main"]
    assert centres.syncs == ()


def test_a_request_under_way_is_not_waited_for(begin: Begin, gate: Gate) -> None:
    centres = begin()
    with ExitStack() as stack:
        keep_in_step(centres, Health(), WallClock(), stack)
        centres.ask()
        assert gate.begun.wait(10)
    assert not gate.let_go.is_set()  # it ended nevertheless
    assert not gate.closed.is_set()
    gate.let_go.set()
    assert gate.closed.wait(10)  # by its own thread, when that came back


def test_what_is_linked_later_begins_when_that_is_said(
    begin: Begin, gate: Gate, state: State
) -> None:
    gate.let_go.set()
    state.centres.remove(1)
    centres = begin()
    with ExitStack() as stack:
        keep_in_step(centres, Health(), WallClock(), stack)
        assert centres.syncs == ()
        number = state.centres.add(MAIN)
        centres.refresh()
        centres.ask("main")
        assert gate.begun.wait(10)
        state.centres.remove(number)
        centres.refresh()
        assert gate.closed.is_set()


def test_a_site_has_edits_and_commands_brought(hut: Hut) -> None:
    gateway, asked = hut("battery").gateway, list[str]()
    ground = Ground(gateway.state, gateway.beliefs, gateway.health, lambda: MAIN.linked,
                    hut.folder, restart=asked.append)  # fmt: skip
    without = {one.name for one in duties_of(ground, office(gateway.state), ALONE)}
    ground.gateway = gateway
    names = {one.name for one in duties_of(ground, office(gateway.state), ALONE)}
    assert names - without >= {"edits", "commands"}
