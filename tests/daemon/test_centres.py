import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import cast

import pytest

from flexedge.cloud.central import Central
from flexedge.cloud.keys import Key, KeyFile
from flexedge.cloud.pace import Pace
from flexedge.config.centre import CentreRules
from flexedge.config.settings import Settings
from flexedge.daemon.centres import Ground, Reach, duties_of, keep_in_step
from flexedge.daemon.clock import SharedClock, WallClock
from flexedge.daemon.loops import Loop, Service
from flexedge.gateway.health import Health
from flexedge.gateway.sync.centres import Centres
from flexedge.gateway.sync.duty import Linked
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre
from flexedge.store.tables.cursors import Cursor
from tests.api.served import Served
from tests.daemon.test_clock import BEGIN, Timekeeper, keeper
from tests.gateway.conftest import Hut, blank, hut
from tests.gateway.sync.duties import ALONE, MAIN
from tests.gateway.sync.pairing import pair
from tests.gateway.sync.test_centres import office

__all__ = ["blank", "hut", "keeper"]


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


class Greeter:
    """A duty that makes one request."""

    name = "greet"

    def step(self, linked: Linked, now: datetime) -> datetime:
        linked.central.greet()
        return now + timedelta(days=1)


class Hanging:
    """A server that takes requests and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.taken = threading.Semaphore(0)
        self._kept: list[socket.socket] = []

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._kept.append(connection)
                if connection.recv(1):
                    self.taken.release()

    def close(self) -> None:
        for one in (self._socket, *self._kept):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


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


def test_nothing_waits_for_a_centre_that_hangs(
    state: State, tmp_path: Path, keeper: Timekeeper
) -> None:
    """The site's clock stops where anybody in it is busy: nobody is, though a request hangs."""
    hanging = Hanging()
    before = set(threading.enumerate())
    KeyFile(tmp_path, "main", None).write(Key(token="birch"))  # noqa: S106 (nobody's)
    state.centres.change(1, replace(MAIN, url=hanging.url))
    ticks: list[float] = []
    keeper.stop_after = 60

    def dispatch(now: datetime) -> datetime:
        ticks.append(now.timestamp() - BEGIN)
        return now + timedelta(seconds=1)

    with ExitStack() as stack:
        stack.enter_context(Service("hanging", hanging.run, hanging.close))
        clock = SharedClock(keeper.address)
        health = Health()
        reach = Reach(Settings(data_dir=tmp_path), clock.now, health)
        centres = Centres(office(state), health, reach.connect, lambda _linked: (Greeter(),))
        keep_in_step(centres, health, clock, stack)
        centres.ask()
        assert hanging.taken.acquire(timeout=10)  # there is the request, and no answer
        with Loop("dispatch", dispatch, clock), Service("clock", clock.run, clock.let_run):
            assert keeper.enough.wait(20)
            clock.let_run()
        assert ticks[:50] == [float(n) for n in range(50)]
        assert centres.syncs[0].standing.contact == "starting"  # it hangs still
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


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
    assert without >= {"upload", "annotations"}


def test_an_archive_that_was_put_back_is_known_before_more_comes_in(hut: Hut) -> None:
    gateway = hut("battery").gateway
    Ground(gateway.state, gateway.beliefs, gateway.health, lambda: MAIN.linked, hut.folder)
    number = next(iter(gateway.state.sensors()))
    gateway.state.cursors.move({("1/", number): Cursor(gateway.beliefs.top() + 1)})
    Ground(gateway.state, gateway.beliefs, gateway.health, lambda: MAIN.linked, hut.folder)
    assert gateway.state.cursors.of("1/") == {}


def test_alarms_and_overrides_are_seen_at_the_centre(
    hut: Hut, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """From what happens on site to what people see there, with nothing between made up."""
    folder = tmp_path_factory.mktemp("centre")
    world = hut("battery")
    with Served(folder).people() as served:
        two = pair(world, served, hut.folder)
        gateway = world.gateway
        ground = Ground(gateway.state, gateway.beliefs, gateway.health, lambda: world.now,
                        hut.folder, gateway=gateway)  # fmt: skip
        duties = duties_of(ground, two.office, two.linked)
        (tell,) = [one for one in duties if one.name == "annotations"]

        def said(asset: str) -> list[tuple[str, str, str]]:
            path = f"/assets/{two.number(asset)}/annotations"
            told = served.ask("GET", path, token).json()["annotations"]
            return [(one["content"], one["type"], one["end"]) for one in told]

        token = served.token()
        until = world.now + timedelta(hours=1)
        gateway.health.alarm("no-room", "there is no room left on the disk")
        gateway.overrides.ask(("battery", "idle", None), until, "anna", "party", world.now)
        two.turn(tell)
        two.turn(tell)  # once is enough
        ((words, kind, _),) = said("")
        assert (words, kind) == ("there is no room left on the disk", "alert")
        ((words, kind, end),) = said("battery")
        assert (words.startswith("battery: "), kind) == (True, "label")
        assert datetime.fromisoformat(end) == until
        world.now += timedelta(minutes=5)
        gateway.health.alarm("no-room", "")
        two.turn(tell)
        ended = [(words, end) for words, _, end in said("") if words.endswith("(over)")]
        assert [datetime.fromisoformat(end) for _, end in ended] == [world.now]
