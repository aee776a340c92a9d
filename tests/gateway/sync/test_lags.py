from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flexedge.domain.asset import Sensor, Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import StoreError
from flexedge.gateway.sync.lags import KEPT, Lag, Lags
from flexedge.gateway.sync.outbox import Outbox
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State
from flexedge.store.tables.centres import Link
from tests.gateway.sync.duties import MAIN, NOW, after

STEP = timedelta(minutes=5)


class Store:
    """A store with one sensor that goes to a centre."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder / "state.db")
        self.beliefs = Beliefs(LocalArchive(folder, NOW), self.state)
        self.sensor = self.beliefs.register(Sensor("solar.power", "kW", STEP))
        self.outbox = Outbox(self.state, self.beliefs)
        self.lags = Lags(self.state, self.outbox)
        self.centre = self.state.centres.add(MAIN)

    def link(self, local: int, role: str = "") -> int:
        return self.state.links.add(Link(self.centre, "sensor", local, 7, role))

    def measure(self, start: datetime, *values: float) -> None:
        grid = TimeGrid(start, STEP, len(values))
        belief = Belief("solar.power", "meter", None, Series(grid, np.array(values)))
        self.beliefs.save([belief], Source("meter", "sensor"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.beliefs.close()
    store.state.close()


def test_a_centre_is_behind_by_what_it_does_not_know_yet() -> None:
    assert Lag(1, after(20), after(5), waiting=3).behind == timedelta(minutes=15)


def test_it_is_not_behind_where_nothing_waits_or_nothing_can_be_told() -> None:
    nothing = timedelta(0)
    assert Lag(1, after(20), after(5)).behind == nothing
    assert Lag(1, None, NOW, waiting=1).behind == nothing
    assert Lag(1, NOW, None, waiting=1).behind == nothing
    assert Lag(1, NOW, after(5), waiting=1).behind == nothing


def test_what_waits_and_what_arrived_is_told(store: Store) -> None:
    number = store.link(store.sensor)
    store.link(store.sensor, "received")
    store.link(999)  # a sensor that was deleted here
    store.measure(NOW, 1.0, 2.0)
    (lag,) = store.lags.of(store.centre, NOW)
    assert lag == Lag(number, after(5), None, 2)
    portion = store.outbox.next(store.state.links.all()[number], "oldest-first", 100)
    assert portion is not None
    store.outbox.arrived([portion])
    store.measure(after(10), 3.0)
    (lag,) = store.lags.of(store.centre, NOW + KEPT)
    assert lag == Lag(number, after(10), after(5), 1)
    assert lag.behind == STEP


def test_the_store_is_not_asked_each_second(store: Store) -> None:
    store.link(store.sensor)
    store.measure(NOW, 1.0)
    first = store.lags.of(store.centre, NOW)
    store.measure(after(5), 2.0)
    assert store.lags.of(store.centre, NOW + KEPT / 2) is first
    assert store.lags.of(store.centre, NOW + KEPT)[0].waiting == 2


def test_while_the_store_does_not_answer_it_tells_what_it_told_last(store: Store) -> None:
    store.link(store.sensor)
    store.measure(NOW, 1.0, 2.0)
    (told,) = store.lags.of(store.centre, NOW)
    assert told.waiting == 2
    store.beliefs.close()
    with pytest.raises(StoreError):
        store.outbox.waiting(next(iter(store.state.links.all().values())))
    assert store.lags.of(store.centre, NOW + KEPT) == (told,)
    assert Lags(store.state, store.outbox).of(store.centre, NOW) == ()
