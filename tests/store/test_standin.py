from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flexedge.domain.asset import Sensor, Source
from flexedge.domain.belief import Belief, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import StoreError
from flexedge.store import standin
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.opening import open_state
from flexedge.store.state import State
from tests.store.local.loop_disk import LoopDisk

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUARTERS = TimeGrid(NOW, timedelta(minutes=15), 4)


class Folder:
    """A data folder in use."""

    def __init__(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        self.state, self.told = open_state(path, NOW)
        self.archive = LocalArchive(path, NOW)
        self.beliefs = Beliefs(self.archive, self.state)

    def read(self, sensor: str, value: float) -> None:
        self.beliefs.register(Sensor(sensor, "kW"))
        self.beliefs.append([Reading(sensor, NOW + HOUR, value)])
        self.beliefs.flush()

    def plan(self, value: float) -> None:
        series = Series(QUARTERS, np.full(4, value))
        source = Source("scheduler", "scheduler")
        self.beliefs.save([Belief("a.power", "scheduler", NOW, series)], source)

    def values(self, sensor: str) -> list[float]:
        number = self.state.sensor_id(self.beliefs.sensor(sensor))
        read: list[float] = self.archive.readings([number], NOW, NOW + 2 * HOUR).value.tolist()
        return read

    def bring_back(self, standing: Path) -> int:
        return standin.bring_back(standing, self.state, self.beliefs, self.archive, NOW)

    def close(self) -> None:
        self.beliefs.close()
        self.state.close()


@pytest.fixture
def real(tmp_path: Path) -> Path:
    folder = Folder(tmp_path / "data")
    folder.state.remember("owner", "me")
    folder.state.hold("battery.power", NOW)
    folder.read("a.power", 1.0)
    folder.close()
    return tmp_path / "data"


def test_a_stand_in_begins_with_the_state_and_brings_back_what_it_gathered(
    real: Path, tmp_path: Path
) -> None:
    standing = tmp_path / "memory" / "mine"
    standin.begin(real, standing)
    assert standing.stat().st_mode & 0o777 == 0o700
    away = Folder(standing)
    assert away.told == ""
    assert away.state.fact("owner") == "me"
    assert list(away.state.held()) == ["battery.power"]
    away.state.hold("car.charger.power", NOW)
    away.read("new.power", 5.0)
    away.read("a.power", 2.0)
    away.plan(3.0)
    away.close()

    state = State(real / "state.db")  # what the number is given to here is another sensor
    state.sensor_id(Sensor("other.power", "kW"))
    state.close()
    home = Folder(real)
    assert home.bring_back(standing) == 6
    assert list(standing.parent.iterdir()) == []
    assert set(home.state.held()) == {"battery.power", "car.charger.power"}
    assert home.values("a.power") == [2.0]  # the same moment, read later
    assert home.values("new.power") == [5.0]
    assert home.beliefs.believed("a.power", "scheduler", QUARTERS).values.tolist() == [3.0] * 4
    assert home.bring_back(standing) == 0
    home.close()


def test_what_could_not_be_brought_back_is_kept_but_stands_in_no_more(
    real: Path, tmp_path: Path
) -> None:
    standing = tmp_path / "memory" / "mine"
    standin.begin(real, standing)
    away = Folder(standing)
    away.state.hold("car.charger.power", NOW)
    away.read("a.power", 2.0)
    away.close()
    journal = (standing / "journal.db").rename(tmp_path / "journal.db")
    (standing / "journal.db").mkdir()
    home = Folder(real)
    with pytest.raises(StoreError):
        home.bring_back(standing)
    assert "car.charger.power" in home.state.held()  # all the same
    home.state.remember("owner", "changed")
    home.close()
    standin.begin(real, standing)
    away = Folder(standing)
    assert away.state.fact("owner") == "changed"
    away.close()
    (left,) = standing.parent.glob("mine.left-*")
    (left / "journal.db").rmdir()
    journal.rename(left / "journal.db")
    home = Folder(real)
    assert home.bring_back(standing) == 1
    assert home.values("a.power") == [2.0]
    assert list(standing.parent.iterdir()) == []
    home.close()


def test_a_stand_in_goes_on_where_it_was(real: Path, tmp_path: Path) -> None:
    standin.begin(real, tmp_path / "mine")
    away = Folder(tmp_path / "mine")
    away.state.remember("owner", "changed")
    away.close()
    standin.begin(real, tmp_path / "mine")
    again = Folder(tmp_path / "mine")
    assert again.state.fact("owner") == "changed"
    again.close()


def test_without_anything_to_read_it_begins_anew(tmp_path: Path) -> None:
    standin.begin(tmp_path / "none", tmp_path / "mine")
    away = Folder(tmp_path / "mine")
    assert away.state.fact("owner") is None
    away.close()


def test_a_folder_of_somebody_else_is_not_used(real: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o755)
    with pytest.raises(StoreError, match="not ours alone; remove it"):
        standin.begin(real, tmp_path / "mine")


def test_a_disk_that_takes_writes_refuses_nothing(real: Path, tmp_path: Path) -> None:
    assert standin.refusal(real) == ""
    assert standin.refusal(tmp_path / "none") == ""


@pytest.mark.disk
def test_a_disk_that_takes_none_says_so(disk: LoopDisk) -> None:
    folder = disk.folder / "data"
    folder.mkdir()
    disk.unmount()
    disk.mount("ro")
    assert "Read-only file system" in standin.refusal(folder)
