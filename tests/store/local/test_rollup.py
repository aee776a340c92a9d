from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexedge.store.archive import Keep
from flexedge.store.buckets import summed
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.engine import Engine
from flexedge.store.local.rollup import _DELETING, WIDTHS
from flexedge.store.local.shelf import Window
from flexedge.store.rows import EPOCH, Beliefs, Buckets, Readings, micros
from tests.store.local.damaging import files, spoil
from tests.store.local.rows_made import SECOND, STAMP

NONE = Beliefs.empty()
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def readings(moments_s: list[int], sensor: int = 1) -> Readings:
    at = np.array(moments_s, dtype=np.int64)
    return Readings.of({"sensor": np.full(len(at), sensor), "event_us": at * SECOND,
                        "value": np.sin(at) * 10, "quality": np.zeros(len(at))})  # fmt: skip


def directly(engine: Engine, rows: Readings, start_s: int, width_s: int, n: int) -> Buckets:
    """What one sum over all readings says."""
    end_s = start_s + n * width_s
    keep = (rows.event_us >= start_s * SECOND) & (rows.event_us < end_s * SECOND)
    engine.make("all_of_them", rows.columns())
    engine.load("all_of_them", rows.take(keep).columns())
    found = Buckets.of(engine.arrays(summed("all_of_them", width_s * SECOND, start_s * SECOND)))
    engine.forget("all_of_them")
    return found


def equal(one: Buckets, other: Buckets) -> None:
    for name, column in one.columns().items():
        np.testing.assert_allclose(column, other.columns()[name], rtol=1e-9, err_msg=name)


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.data())
def test_buckets_say_what_the_readings_say_whatever_came_when(
    tmp_path_factory: pytest.TempPathFactory, engine: Engine, data: st.DataObject
) -> None:
    archive = LocalArchive(tmp_path_factory.mktemp("data"), EPOCH)
    moments = data.draw(st.lists(st.integers(0, 4 * 3600), unique=True, max_size=300))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(moments)), max_size=4)))
    for number, (lo, hi) in enumerate(zip([0, *cuts], [*cuts, len(moments)], strict=True)):
        archive.commit(readings(moments[lo:hi]), NONE, STAMP)
        if data.draw(st.booleans()):
            archive.maintain(EPOCH + number * HOUR)
    width_s, n = data.draw(st.sampled_from([(60, 30), (300, 24), (900, 12), (3600, 3), (7200, 1),
                                            (4000, 1), (50, 7), (777, 1)]))  # fmt: skip
    start_s = data.draw(st.sampled_from([0, 300, 3600, 1, 1234]))
    found = archive.buckets([1], EPOCH + timedelta(seconds=start_s), timedelta(seconds=width_s), n)
    equal(found, directly(engine, readings(sorted(moments)), start_s, width_s, n))
    archive.close()


def test_years_are_answered_from_roll_ups_when_the_readings_are_gone(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path, EPOCH, keep=Keep(readings=timedelta(hours=2)))
    archive.commit(readings(list(range(0, 3600, 10))), NONE, STAMP)
    archive.maintain(EPOCH)
    before = archive.buckets([1], EPOCH, 5 * MINUTE, 12)
    archive.maintain(EPOCH + 4 * HOUR)
    assert len(archive.readings([1], EPOCH, EPOCH + HOUR)) == 0
    equal(archive.buckets([1], EPOCH, 5 * MINUTE, 12), before)
    assert len(before) == 12


def test_a_reading_later_than_all_that_was_kept_spoils_no_sum(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path, EPOCH, keep=Keep(readings=timedelta(hours=2)))
    archive.commit(readings(list(range(0, 600, 10))), NONE, STAMP)
    archive.maintain(EPOCH)
    archive.maintain(EPOCH + 4 * HOUR)
    archive.commit(readings([5, 605]), NONE, STAMP)
    archive.maintain(EPOCH + 5 * HOUR)
    assert archive.buckets([1], EPOCH, 5 * MINUTE, 4).count.tolist() == [30, 30, 1]


@pytest.mark.parametrize("how_far", ["readings", "minutes", "hours"])
def test_a_deletion_that_was_broken_off_is_completed(
    tmp_path: Path, engine: Engine, how_far: str
) -> None:
    archive = LocalArchive(tmp_path, EPOCH)
    archive.commit(readings([*range(0, 4 * 3600, 50)]), NONE, STAMP)
    archive.maintain(EPOCH)
    window = Window((1,), 4000 * SECOND, 9000 * SECOND)
    noted = dict(zip(_DELETING, (1, 4000 * SECOND, 9000 * SECOND), strict=True))
    archive._compactor.delete(("readings",), window, facts=noted)
    for kind, width_us in list(WIDTHS.items())[: ("readings", "minutes", "hours").index(how_far)]:
        archive._compactor.delete((kind,), window.widened(width_us))
    archive.close()
    again = LocalArchive(tmp_path, EPOCH)
    again.maintain(EPOCH)
    left = readings([at for at in range(0, 4 * 3600, 50) if not 4000 <= at < 9000])
    for width in (300, 3600):
        n = 4 * 3600 // width
        found = again.buckets([1], EPOCH, timedelta(seconds=width), n)
        equal(found, directly(engine, left, 0, width, n))
    assert again._compactor.fact("deleting") == -1


def test_what_is_deleted_is_out_of_the_roll_ups_too(tmp_path: Path, engine: Engine) -> None:
    archive = LocalArchive(tmp_path, EPOCH)
    moments = list(range(0, 7200, 10))
    archive.commit(readings(moments), NONE, STAMP)
    archive.maintain(EPOCH)
    lo, hi = 700, 4000
    assert archive.delete(1, None, EPOCH + timedelta(seconds=lo), EPOCH + timedelta(seconds=hi))
    left = readings([at for at in moments if not lo <= at < hi])
    for width_s, n in ((300, 24), (3600, 2)):
        found = archive.buckets([1], EPOCH, timedelta(seconds=width_s), n)
        equal(found, directly(engine, left, 0, width_s, n))


def test_each_reading_is_summed_up_once(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path, EPOCH)
    archive.commit(readings(list(range(600))), NONE, STAMP)
    archive.maintain(EPOCH)
    assert not archive._roller.roll()
    view = archive._shelf.newest
    assert [one.rows for one in view.partitions if one.kind == "minutes"] == [2]
    assert micros(EPOCH) == min(one.first_us for one in view.partitions if one.kind == "hours")


@pytest.mark.parametrize("how", ["damaged", "gone", "empty"])
@pytest.mark.parametrize("kind", ["minutes", "hours"])
def test_sums_that_are_lost_are_made_again_from_readings(
    tmp_path: Path, kind: str, how: str
) -> None:
    moments = list(range(0, 7200, 10))
    archive = LocalArchive(tmp_path, EPOCH)
    for part in (moments[:400], moments[400:]):
        archive.commit(readings(part), NONE, STAMP)
        archive.maintain(EPOCH + HOUR * part[0])
    width, n = (5 * MINUTE, 24) if kind == "minutes" else (HOUR, 2)
    before = archive.buckets([1], EPOCH, width, n)
    archive.close()
    lost = files(tmp_path, kind)[0]
    if how == "damaged":
        spoil(lost)
    elif how == "gone":
        lost.unlink()
    else:
        lost.write_bytes(b"")
    again = LocalArchive(tmp_path, EPOCH)
    equal(again.buckets([1], EPOCH, width, n), before)  # from readings, meanwhile
    assert again._shelf.newest.rolled < max(
        one.hi for one in again._shelf.newest.partitions if one.kind == "readings"
    )
    assert lost.name in again.alarms[0]
    again.maintain(EPOCH + 9000 * HOUR)
    rolled = again._shelf.newest.rolled
    assert not [one for one in again._shelf.newest.partitions
                if one.kind == "readings" and one.hi > rolled]  # fmt: skip
    equal(again.buckets([1], EPOCH, width, n), before)
    view = again._shelf.newest
    assert {one.kind for one in view.partitions} >= {"minutes", "hours"}
    again.close()


def test_what_waited_in_the_journal_while_more_went_past_it_is_summed_up(tmp_path: Path) -> None:
    archive = LocalArchive(tmp_path, EPOCH)
    archive.maintain(EPOCH)  # the next compaction is due in an hour
    archive.commit(readings([0, 10, 20]), NONE, STAMP)
    archive._compactor.absorb([readings([300, 310])])
    archive.maintain(EPOCH + MINUTE)
    archive.maintain(EPOCH + HOUR)
    archive.maintain(EPOCH + HOUR)
    rolled = archive._shelf.newest.rolled
    assert all(one.hi <= rolled for one in archive._shelf.newest.partitions
               if one.kind == "readings")  # fmt: skip
    assert archive.buckets([1], EPOCH, 5 * MINUTE, 2).count.tolist() == [3, 2]


def test_many_readings_are_summed_up_bit_by_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flexedge.store.local.rollup._MOST", 10)
    archive = LocalArchive(tmp_path, EPOCH)
    for start in range(0, 3000, 300):
        archive.commit(readings([start, start + 1, start + 2, start + 3]), NONE, STAMP)
        archive._compactor.compact()
    goes = 0
    while archive._roller.roll():
        goes += 1
    assert goes == 5
    assert archive.buckets([1], EPOCH, 5 * MINUTE, 10).count.tolist() == [4] * 10
