from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from flexedge.store.archive import Asked
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import EPOCH, Beliefs, Readings
from tests.store.local.rows_made import NOW, SECOND, STAMP, believed, some

NONE = Beliefs.empty()
DAY = timedelta(days=1)


@pytest.fixture
def archive(tmp_path: Path) -> LocalArchive:
    return LocalArchive(tmp_path / "data", NOW)


def test_many_versions_of_one_event_are_told_as_a_few_are(archive: LocalArchive) -> None:
    n = 5000
    many = Beliefs.of({"sensor": np.ones(n), "source": np.ones(n), "event_us": np.zeros(n),
                       "belief_us": np.arange(n), "probability": np.full(n, 0.5),
                       "value": np.arange(n)})  # fmt: skip
    for first in (0, 10):  # a few, then more than are sorted here
        archive.commit(Readings.empty(), many.take(np.arange(first, first + 10)), STAMP)
    asked = Asked((1,), EPOCH, EPOCH + DAY)
    assert archive.beliefs(asked, {}).value.tolist() == [19.0]
    archive.commit(Readings.empty(), many.take(np.arange(20, n)), STAMP)
    assert archive.beliefs(asked, {}).value.tolist() == [n - 1.0]
    assert archive.beliefs(replace(asked, believed_until=EPOCH), {}).value.tolist() == [0.0]


def test_the_newest_usable_reading_is_found_however_old(archive: LocalArchive) -> None:
    archive.commit(some(2), NONE, STAMP)
    archive.maintain(EPOCH)
    later = Readings.of({"sensor": [1, 1, 1, 1], "event_us": np.arange(1, 5) * 86_400 * SECOND,
                         "value": [7, 8, np.nan, 9], "quality": [0, 3, 1, 2]})  # fmt: skip
    archive.commit(later, NONE, STAMP)
    found = archive.latest([1, 0, 5], EPOCH + 40 * DAY)
    assert (found.sensor.tolist(), found.value.tolist()) == ([0, 1], [0.0, 8.0])
    assert archive.latest([1], EPOCH + 1.5 * DAY).value.tolist() == [7.0]
    assert len(archive.latest([1], EPOCH - DAY)) == 0


def test_the_newest_belief_is_found_however_old(archive: LocalArchive) -> None:
    archive.commit(Readings.empty(), Beliefs.joined([believed(4), believed(3, 0, 2)]), STAMP)
    for back in (timedelta(minutes=3), DAY, 40 * DAY):
        found = archive.newest([1, 9], EPOCH + back)
        assert (found.sensor.tolist(), found.value.tolist()) == ([1], [3.0])


def test_nothing_is_told_of_what_is_not_there(archive: LocalArchive) -> None:
    archive.commit(some(3), NONE, STAMP)
    assert [one.count for one in archive.statistics(Asked((0,)))] == [2]
    assert archive.statistics(Asked((7,))) == []
