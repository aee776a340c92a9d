import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.store.buckets import HOURS_US, MINUTES_US, summed, summed_again, touched
from flexedge.store.rows import Buckets, Readings
from tests.store.summing import ENGINE, MINUTE, TURNOVERS, by_duckdb, by_hand, histories, table

SECOND = 1_000_000


def readings(*rows: tuple[int, int, float, int]) -> Readings:
    """Sensor, second, value, quality."""
    sensor, second, value, quality = zip(*rows, strict=True)
    times = np.array(second) * SECOND
    return Readings.of({"sensor": sensor, "event_us": times, "value": value, "quality": quality})


def one(history: Readings, turnovers: dict[int, float] | None = None) -> dict[str, float]:
    (row,) = table(by_duckdb(history, MINUTES_US, turnovers or {}))
    return row


@given(histories(), st.sampled_from((MINUTE, MINUTES_US, HOURS_US)), st.sampled_from((0, 7, -9)))
def test_duckdb_sums_up_what_one_sums_up_by_hand(
    history: Readings, width_us: int, origin_s: int
) -> None:
    origin_us = origin_s * SECOND
    edges = list(range(origin_us - 2 * HOURS_US, 40 * HOURS_US, width_us))
    found = table(by_duckdb(history, width_us, origin_us=origin_us))
    expected = by_hand(history, edges)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-9)


def test_what_is_not_usable_counts_for_nothing() -> None:
    row = one(
        readings((1, 0, 4.0, 0), (1, 1, 99.0, 2), (1, 2, np.nan, 0), (1, 3, np.inf, 0),
                 (1, 4, 6.0, 3), (1, 5, 7.0, 1))
    )  # fmt: skip
    assert (row["count"], row["mean"], row["least"], row["most"]) == (2, 5.0, 4.0, 6.0)
    assert (row["first_us"], row["last_us"]) == (0, 4 * SECOND)
    assert row["integral"] == 16.0
    assert len(by_duckdb(readings((1, 0, 4.0, 1)), MINUTES_US)) == 0


def test_a_reading_stands_for_at_most_a_minute() -> None:
    row = one(readings((1, 0, 2.0, 0), (1, 10, 3.0, 0), (1, 250, 5.0, 0)))
    assert row["integral"] == 2.0 * 10 + 3.0 * 60


@pytest.mark.parametrize(
    ("shown", "turns_at", "gained"),
    [
        ((10.0, 12.5, 12.5, 14.0), None, 4.0),
        ((10.0, 12.0, 0.5, 1.0), None, 3.0),  # begun anew: 2 + 0.5 + 0.5
        ((98.0, 99.0, 0.5), 100.0, 2.5),  # turned over
        ((98.0, 99.0, 0.5), None, 1.5),  # the same, but who knows that it turns over
        ((50.0, 51.0, 0.5), 100.0, 1.5),  # too far from the top to have turned over
        ((98.0, 99.0, 40.0), 100.0, 41.0),  # too far from the bottom
        ((140.0, 2.0), 100.0, 2.0),  # beyond what was said to be the top
        ((500.0, 499.9, 500.2), None, 0.3),  # a rounded step back is no new beginning
        ((5.0,), None, 0.0),
    ],
)
def test_what_a_counter_gains(
    shown: tuple[float, ...], turns_at: float | None, gained: float
) -> None:
    history = readings(*((1, i, value, 0) for i, value in enumerate(shown)))
    row = one(history, {} if turns_at is None else {1: turns_at, 7: 3.0})
    assert row["rise"] == pytest.approx(gained)


def test_the_buckets_touched_are_those_that_readings_fall_in() -> None:
    late = readings((2, 299, 1.0, 0), (1, 0, 1.0, 0), (2, 0, 1.0, 0), (1, 300, 1.0, 1),
                    (1, -1, 1.0, 0))  # fmt: skip
    buckets = touched(late, MINUTES_US)
    assert buckets.sensor.tolist() == [1, 1, 2, 1]
    assert buckets.start_us.tolist() == [-MINUTES_US, 0, 0, MINUTES_US]
    assert len(touched(Readings.empty(), MINUTES_US).sensor) == 0


def test_touched_buckets_come_in_spans_of_a_size() -> None:
    sensors = [(sensor, 300 * i, 0.0, 0) for i in (0, 1, 2, 9) for sensor in (1, 2, 3)]
    buckets = touched(readings(*sensors), MINUTES_US)
    widths = [0, 1, 2, 3, 9, 10]
    bounds = dict(zip(widths, (w * MINUTES_US for w in widths), strict=True))
    assert buckets.spans(6, MINUTES_US) == [(0, bounds[2]), (bounds[2], bounds[10])]
    assert buckets.spans(2, MINUTES_US) == [
        (0, bounds[1]), (bounds[1], bounds[2]), (bounds[2], bounds[3]), (bounds[9], bounds[10]),
    ]  # fmt: skip
    assert touched(Readings.empty(), MINUTES_US).spans(6, MINUTES_US) == []


@given(histories(), st.data())
def test_after_late_readings_the_touched_buckets_alone_are_summed_up_again(
    history: Readings, data: st.DataObject
) -> None:
    picks = data.draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history)))
    late = np.array(picks, dtype=np.bool_)
    before, after = by_duckdb(history.take(~late), MINUTES_US), by_duckdb(history, MINUTES_US)
    buckets = touched(history.take(late), MINUTES_US)
    again = []
    ENGINE.register("readings", history.columns())
    ENGINE.register("buckets", {"sensor": buckets.sensor, "start_us": buckets.start_us})
    for span in buckets.spans(3, MINUTES_US):
        query = summed_again("readings", "buckets", MINUTES_US, span, TURNOVERS)
        again += table(Buckets.of(ENGINE.execute(query).fetchnumpy()))
    rows = {(row["sensor"], row["start_us"]): row for row in table(before)}
    rows |= {(row["sensor"], row["start_us"]): row for row in again}
    assert [rows[key] for key in sorted(rows)] == table(after)
    pairs = set(zip(buckets.sensor.tolist(), buckets.start_us.tolist(), strict=True))
    assert {(row["sensor"], row["start_us"]) for row in again} <= pairs


def test_the_relation_may_be_a_query_in_brackets() -> None:
    with duckdb.connect() as connection:
        query = "(select 1 as sensor, 5::bigint as event_us, 2.0::double as value, 0 as quality)"
        found = connection.execute(summed(query, MINUTES_US)).fetchall()
    assert found == [(1, 0, 1, 2.0, 2.0, 2.0, 2.0, 5, 2.0, 5, 0.0, 0.0)]


def test_a_day_of_200_sensors_is_summed_up_again_in_bounded_memory() -> None:
    """A quarter of a day, in a quarter of the memory that a gateway gives."""
    with duckdb.connect(config={"memory_limit": "24MB", "threads": 1}) as connection:
        connection.execute("set temp_directory = ''")
        connection.execute(
            """create view readings as
               select (i % 200)::integer as sensor, (i // 200) * 5000000 as event_us,
                   (i % 977)::double as value, 0::utinyint as quality from range(864000) t(i)"""
        )
        starts = np.repeat(np.arange(72, dtype=np.int64) * MINUTES_US, 200)
        sensors = np.tile(np.arange(200, dtype=np.int32), 72)
        connection.register("buckets", {"sensor": sensors, "start_us": starts})
        parts = []
        history = Readings(sensors, starts, np.zeros(14400), np.zeros(14400, np.uint8))
        for span in touched(history, MINUTES_US).spans(1200, MINUTES_US):
            query = summed_again("readings", "buckets", MINUTES_US, span)
            parts.append(Buckets.of(connection.execute(query).fetchnumpy()))
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.execute(summed("readings", MINUTES_US)).fetchnumpy()
    found = Buckets.joined(parts)
    assert len(found) == 14400
    assert found.count.sum() == 864_000
