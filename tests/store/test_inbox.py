from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flexedge.domain.asset import Sensor, Source
from flexedge.errors import StoreFull
from flexedge.store.archive import Asked
from flexedge.store.inbox import Inbox
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import Beliefs, micros
from flexedge.store.state import State

START = datetime(2026, 4, 14, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ANN, BEN = Source("ann", "user"), Source("ben", "user")


class Desk:
    """An inbox over an archive, and what it told of."""

    def __init__(self, folder: Path) -> None:
        self.archive = LocalArchive(folder / "data", START)
        self.state = State(folder / "state.db")
        self.sensors = [self.state.sensor_id(Sensor(n, "kW", QUARTER)) for n in ("a", "b")]
        self.sources = [self.state.source_id(one) for one in (ANN, BEN)]
        self.inbox = Inbox(self.archive, self.state)
        self.told: list[float] = []
        self.inbox.on_news = lambda rows: self.told.extend(rows.value.tolist())

    def rows(self, *values: float, sensor: int = 0, source: int = 0, late: int = 0) -> Beliefs:
        n = len(values)
        return Beliefs(
            np.full(n, self.sensors[sensor], np.int32),
            np.full(n, self.sources[source], np.int32),
            micros(START) + np.arange(n, dtype=np.int64) * 900_000_000,
            np.full(n, micros(START) - 60_000_000 + late, np.int64),
            np.full(n, 0.5),
            np.array(values),
        )

    def kept(self) -> list[float]:
        asked = Asked(tuple(self.sensors), most_recent=False)
        return list(self.archive.beliefs(asked, {}).value)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.archive.close()
    desk.state.close()


def test_what_is_posted_is_kept_and_told_of(desk: Desk) -> None:
    verdict = desk.inbox.post(desk.rows(1, 2, 3), overwriting=False)
    assert len(verdict.store) == 3
    assert desk.kept() == desk.told == [1, 2, 3]


def test_only_what_is_new_is_kept_and_told_of(desk: Desk) -> None:
    desk.inbox.post(desk.rows(1, 2), overwriting=False)
    again = desk.inbox.post(desk.rows(1, 2, 3), overwriting=False)
    assert (again.received, len(again.store)) == (2, 1)
    later = desk.inbox.post(desk.rows(1, 2, 3, late=1), overwriting=False)
    assert (later.unchanged, len(later.store)) == (3, 0)
    assert desk.kept() == desk.told == [1, 2, 3]


def test_a_replacement_is_refused_with_all_beside_it(desk: Desk) -> None:
    desk.inbox.post(desk.rows(1, 2), overwriting=False)
    both = Beliefs.joined([desk.rows(1, 9), desk.rows(5, 6, sensor=1)])
    verdict = desk.inbox.post(both, overwriting=False)
    assert verdict.replaced.value.tolist() == [2]
    assert desk.kept() == desk.told == [1, 2]
    desk.inbox.post(both, overwriting=True)
    assert desk.kept() == [1, 9, 5, 6]
    assert desk.told == [1, 2, 9, 5, 6]


def test_sources_and_sensors_are_judged_each_for_itself(desk: Desk) -> None:
    desk.inbox.post(desk.rows(1), overwriting=False)
    both = Beliefs.joined([desk.rows(1, source=1), desk.rows(1, sensor=1)])
    assert len(desk.inbox.post(both, overwriting=False).store) == 2


def test_nothing_posted_is_nothing_new(desk: Desk) -> None:
    assert len(desk.inbox.post(desk.rows(), overwriting=False).store) == 0


def full(*_: object, **__: object) -> None:
    raise StoreFull("no room")


def test_what_is_saved_on_a_full_disk_is_owed_and_what_is_posted_is_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(desk.archive, "commit", full)
        with pytest.raises(StoreFull):
            desk.inbox.post(desk.rows(7), overwriting=False)
        with pytest.raises(StoreFull):
            desk.inbox.save(desk.rows(1, 2, source=1))
        with pytest.raises(StoreFull):
            desk.inbox.post(desk.rows(8, source=1), overwriting=False)
    assert desk.told == []
    verdict = desk.inbox.post(desk.rows(8, 2, source=1), overwriting=False)
    assert verdict.replaced.value.tolist() == [1]
    assert desk.kept() == desk.told == [1, 2]
