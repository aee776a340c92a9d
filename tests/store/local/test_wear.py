"""What the disk is given: cards wear out by it."""

from datetime import timedelta

import numpy as np
import pytest

from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import EPOCH, Beliefs, Readings
from tests.store.local.loop_disk import LoopDisk
from tests.store.local.rows_made import NOW, SECOND, STAMP

HOURS = 4
_US = timedelta(microseconds=1)


@pytest.mark.disk
def test_40_readings_a_second_are_less_than_half_a_gigabyte_a_day(disk: LoopDisk) -> None:
    """200 sensors, each read every 5 s: the file system's own writes are in it."""
    archive = LocalArchive(disk.folder / "data", NOW)
    archive.maintain(NOW)
    chance = np.random.default_rng(1)
    walk = chance.random(200) * 5000

    def hour(number: int) -> None:
        nonlocal walk
        for at in range(720):
            start = (NOW - EPOCH) // _US + (number * 720 + at) * 5 * SECOND
            walk = walk + np.where(chance.random(200) < 0.7, chance.normal(size=200) * 20, 0)
            moments = start + np.sort(chance.integers(0, 5000, 200)) * 1000
            rows = Readings.of({"sensor": chance.permutation(200), "event_us": moments,
                                "value": np.round(walk, 1), "quality": np.zeros(200)})  # fmt: skip
            archive.commit(rows, Beliefs.empty(), STAMP)
        archive.maintain(NOW + (number + 1) * timedelta(hours=1))

    hour(0)  # files have grown to their size
    before = disk.written()
    for number in range(1, 1 + HOURS):
        hour(number)
    a_day = (disk.written() - before) * 24 / HOURS
    archive.close()
    assert 50e6 < a_day < 400e6
