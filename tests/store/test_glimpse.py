import os
from pathlib import Path

import pytest

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.glimpse import glimpse
from flexedge.store.rows import EPOCH
from tests.store.keeping import HOUR, fill, opened
from tests.store.local.damaging import files


def test_what_goes_meanwhile_is_still_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data)
    with opened(data) as (archive, _, _), glimpse(data) as place:
        archive.delete(1, None, None, None)
        assert len(archive.readings([1], EPOCH, EPOCH + 9 * HOUR)) == 0
        with opened(place) as (then, state, _):
            assert len(then.readings([1], EPOCH, EPOCH + 9 * HOUR)) == 1080
            assert state.sensors()[1].name == "battery.power"
    assert not place.exists()


def test_what_one_left_that_was_killed_is_removed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data)
    left = data / "temp" / "glimpse-999999999"
    mine = data / "temp" / f"glimpse-{os.getppid()}"
    for path in (left, mine):
        path.mkdir(parents=True)
    with glimpse(data):
        assert not left.exists()
        assert mine.exists()


def test_a_partition_that_is_gone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data)
    files(data, "readings")[0].unlink()
    with pytest.raises(StoreDamaged, match="is gone; 'flexedge db repair'"), glimpse(data):
        pass
    with pytest.raises(StoreError, match="holds no readings yet"), glimpse(tmp_path):
        pass
