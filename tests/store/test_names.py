from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.domain.asset import Sensor, Source
from flexedge.domain.belief import Belief, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.names import Names
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.words import sensor_of

NOW = datetime(2026, 11, 26, tzinfo=UTC)
STEP = timedelta(minutes=15)
KW, W = Sensor("7/power", "kW", STEP), Sensor("7/power", "W", STEP)
GRID = TimeGrid(NOW, STEP, 2)
MODEL = Source("model", "forecaster")


class Store:
    """A state and an archive in a folder, opened and closed together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open()

    def open(self) -> None:
        self.state = State(self.folder / "state.db")
        self.archive = LocalArchive(self.folder, NOW)
        self.beliefs = Beliefs(self.archive, self.state)

    def close(self) -> None:
        self.beliefs.close()
        self.state.close()

    def save(self, name: str, value: float) -> None:
        self.beliefs.save([Belief(name, MODEL.name, NOW, Series.constant(GRID, value))], MODEL)

    def values(self, name: str) -> list[float]:
        found = self.beliefs.ask([name], Asked((), NOW, NOW + timedelta(hours=1)))
        return list(found.value)

    def told(self) -> dict[int, tuple[str, str]]:
        """What the archive knows of numbers."""
        words = self.archive.known("sensor").items()
        sensors = {number: sensor_of(one) for number, one in words}
        return {number: (one.name, one.unit) for number, one in sensors.items()}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def test_values_in_another_unit_keep_theirs_and_get_a_name_of_their_own(store: Store) -> None:
    number = store.beliefs.register(KW)
    asset = store.state.assets.add(Asset("pump", "process"))
    store.state.placed.place(number, asset, "power", "UTC", {})
    store.save("7/power", 2.0)
    new = store.beliefs.register(W)
    assert new != number
    store.state.placed.place(new, asset, "power", "UTC", {})
    assert store.values("7/power") == []
    store.save("7/power", 2000.0)
    for _ in range(2):
        old = f"7/power in kW ({number})"
        assert store.values("7/power") == [2000.0, 2000.0]
        assert store.values(old) == [2.0, 2.0]
        assert store.beliefs.sensor(old).unit == "kW"
        assert list(store.state.placed.of(asset)) == [new]
        assert store.told() == {number: (old, "kW"), new: ("7/power", "W")}
        assert store.beliefs.register(W) == new
        store.close()
        store.open()


def test_what_waits_is_of_the_old_unit(store: Store) -> None:
    number = store.beliefs.register(KW)
    store.beliefs.append([Reading("7/power", NOW, 3.0)])
    new = store.beliefs.register(W)
    assert store.beliefs.latest(["7/power"], NOW) == {}
    assert store.beliefs.latest([f"7/power in kW ({number})"], NOW).popitem()[1].value == 3.0
    assert new != number


def test_a_unit_may_change_and_change_back(store: Store) -> None:
    numbers = []
    for sensor in (KW, W, KW, W):
        numbers.append(store.beliefs.register(sensor))
        store.save("7/power", float(len(numbers)))
    assert len(set(numbers)) == 4
    assert store.values("7/power") == [4.0, 4.0]


def test_without_values_a_unit_just_changes(store: Store) -> None:
    number = store.beliefs.register(KW)
    assert store.beliefs.register(W) == number
    assert store.told() == {number: ("7/power", "W")}


def test_a_power_cut_between_the_two_is_made_good(store: Store) -> None:
    number = store.beliefs.register(KW)
    store.save("7/power", 2.0)
    words = store.archive.known("sensor")[number].replace("7/power", "7/power in kW (1)")
    store.archive.introduce("sensor", number, words)
    store.close()
    store.open()
    new = store.beliefs.register(W)
    assert new != number
    assert store.values("7/power") == []
    assert store.values("7/power in kW (1)") == [2.0, 2.0]


@pytest.mark.parametrize("after_a_start", [False, True])
def test_the_name_of_a_deleted_sensor_is_given_again(store: Store, *, after_a_start: bool) -> None:
    number = store.beliefs.register(KW)
    store.save("7/power", 2.0)
    asset = store.state.assets.add(Asset("pump", "process"))
    store.state.placed.place(number, asset, "power", "UTC", {})
    store.state.placed.remove(number, NOW)
    if after_a_start:
        store.close()
        store.open()
    new = store.beliefs.register(KW)
    assert new != number
    assert store.values("7/power") == []
    gone = f"7/power (deleted {number})"
    for _ in range(2):
        assert store.told() == {number: (gone, "kW"), new: ("7/power", "kW")}
        assert store.state.sensors()[new] == KW
        assert store.beliefs.register(KW) == new
        store.close()
        store.open()
    store.close()
    (store.folder / "state.db").unlink()  # the archive is all that is left
    store.open()
    assert store.beliefs.register(KW) == new
    assert store.state.sensors()[number].name == gone


def test_words_that_cannot_be_read_are_in_nobodys_way(store: Store) -> None:
    number = store.beliefs.register(KW)
    store.archive.introduce("sensor", 9, "no words")
    names = Names(store.archive, store.state)
    assert names.register(KW) == number
