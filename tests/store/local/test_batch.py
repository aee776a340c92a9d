from dataclasses import replace

import pytest

from flexedge.errors import StoreDamaged
from flexedge.store.archive import Stamp
from flexedge.store.local.batch import Batch, Row, read
from flexedge.store.rows import Readings
from tests.store.local.rows_made import SECOND, STAMP, believed, some


def test_a_batch_comes_back() -> None:
    for rows in (some(3), believed(2)):
        back = read(Batch(7, rows, STAMP).row())
        assert (back.seq, back.kind, back.stamp) == (7, Batch(7, rows, STAMP).kind, STAMP)
        assert back.rows.value.tolist() == rows.value.tolist()


@pytest.mark.parametrize(
    ("place", "other"),
    [(0, 8), (2, 4), (3, "boat"), (4, 1), (5, 0), (6, b"0123456789")],
)
def test_what_is_noted_of_a_batch_is_under_its_checksum(place: int, other: object) -> None:
    row: list[object] = list(Batch(7, some(3), STAMP).row())
    row[place] = other
    with pytest.raises(StoreDamaged, match="checksum"):
        read(tuple(row))  # type: ignore[arg-type]


def test_readings_are_dated_anew() -> None:
    late = replace(STAMP, offset_us=5 * SECOND)
    again = Batch(7, some(2), Stamp("boot", 0, trusted=False)).redated(9, late)
    assert isinstance(again.rows, Readings)
    assert again.rows.event_us.tolist() == [5 * SECOND, 6 * SECOND]
    assert (again.seq, again.stamp) == (9, late)
    row: Row = again.row()
    assert read(row).stamp.trusted
