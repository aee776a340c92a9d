from pathlib import Path

from flexedge.store.archive import Stamp
from flexedge.store.rows import Beliefs
from flexedge.store.stats import look
from tests.store.keeping import fill, opened
from tests.store.local.rows_made import some


def test_what_there_is_by_kind_and_sensor(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path) as (archive, state, _):
        archive.commit(some(3, sensors=1), Beliefs.empty(), Stamp("b", 0, trusted=False))
        found = look(archive, {1: state.sensors()[1]})
    readings = found.kinds[0]
    assert (readings.kind, readings.files, readings.rows) == ("readings", 2, 720)
    assert (readings.first, readings.last) == ("1970-01-01T00:00:00Z", "1970-01-01T01:59:50Z")
    assert readings.daily == readings.size  # less than a day of it
    assert [(one.sensor, one.readings, one.beliefs) for one in found.sensors] == [
        ("battery.power", 1080, 0), ("number 2", 0, 6)]  # fmt: skip
    assert (found.waiting, found.undated) == (362, 3)
