from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from flexedge.domain.asset import Knowable
from flexedge.store.archive import Asked
from flexedge.store.asked import select, statistics
from flexedge.store.rows import Beliefs, micros
from tests.store.inmemory import InMemory

HOUR = timedelta(hours=1)
H = 3_600_000_000
T = datetime(2026, 3, 1, tzinfo=UTC)
T_US = micros(T)


def rows(*cells: tuple[int, int, int, float, float, float]) -> Beliefs:
    """Sensor, source, event and belief time in hours, probability, value."""
    sensor, source, event, believed, probability, value = zip(*cells, strict=True)
    return Beliefs.of({
        "sensor": sensor, "source": source, "event_us": T_US + np.array(event) * H,
        "belief_us": T_US + (np.array(believed) * H).astype(np.int64),
        "probability": probability, "value": value,
    })  # fmt: skip


KEPT = rows(
    (1, 1, 5, 0, 0.5, 10.0),
    (1, 1, 5, 2, 0.1, 8.0), (1, 1, 5, 2, 0.9, 12.0),
    (1, 2, 5, 1, 0.5, 11.0),
    (1, 1, 6, 3, 0.5, 20.0), (1, 1, 6, 7, 0.5, 21.0),
    (2, 1, 5, 0, 0.5, -1.0), (2, 1, 5, 6, 0.5, -2.0),
)  # fmt: skip


def answered(asked: Asked, after: float = 1.0, second: Knowable | None = None) -> list[float]:
    archive = InMemory()
    archive.keep(KEPT.take(np.array([7, 3, 1, 5, 0, 6, 2, 4])))
    first = Knowable(after * HOUR)
    found = archive.beliefs(asked, {1: first, 2: second or first})
    return [float(value) for value in found.value]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked((1,)), [8.0, 12.0, 11.0, 21.0]),  # all probabilities of the last, no earlier ones
        (Asked((1,), most_recent=False), [10.0, 8.0, 12.0, 11.0, 20.0, 21.0]),
        (Asked((2, 1)), [8.0, 12.0, 11.0, 21.0, -2.0]),
        (Asked(()), []),
        (Asked((1,), sources=()), []),
        (Asked((1,), sources=(2, 3)), [11.0]),
        (Asked((1,), start=T + 6 * HOUR), [21.0]),
        (Asked((1,), end=T + 6 * HOUR), [8.0, 12.0, 11.0]),
        (Asked((1,), believed_until=T + 2 * HOUR), [8.0, 12.0, 11.0]),
        (Asked((1,), believed_until=T + 1.9 * HOUR), [10.0, 11.0]),
        (Asked((1,), believed_from=T + 3 * HOUR), [21.0]),
        (Asked((1,), believed_from=T + 3 * HOUR, most_recent=False), [20.0, 21.0]),
        (Asked((1,), horizon_from=5 * HOUR), [10.0, 11.0]),  # known at 6: believed by 1
        (Asked((1,), horizon_from=4 * HOUR), [8.0, 12.0, 11.0, 20.0]),
        (Asked((1,), horizon_until=timedelta(0)), [21.0]),
        (Asked((2,), horizon_until=timedelta(0)), [-2.0]),
        (Asked((1, 2), horizon_from=5 * HOUR, horizon_until=6 * HOUR), [10.0, 11.0, -1.0]),
    ],
)
def test_what_is_asked_is_answered(asked: Asked, expected: list[float]) -> None:
    assert answered(asked) == expected


def test_sensors_that_are_known_at_other_times_are_asked_at_once() -> None:
    day_ahead = Knowable(days_before=1, hour=23.0)  # an hour before the day
    asked = Asked((1, 2), horizon_until=-HOUR)
    assert answered(asked, second=day_ahead) == [-2.0]
    assert answered(asked, after=0.0, second=day_ahead) == [21.0, -2.0]
    assert answered(Asked((2,), horizon_until=-2 * HOUR), second=day_ahead) == [-2.0]
    assert answered(Asked((2,), horizon_from=-2 * HOUR), second=day_ahead) == [-1.0]


def test_a_horizon_needs_to_know_when_events_are_known() -> None:
    with pytest.raises(KeyError):
        select(Asked((1,), horizon_from=HOUR), "beliefs", {})
    assert "belief_us <=" not in select(Asked((1,)), "beliefs", {})[0]
    assert select(Asked((), horizon_from=HOUR), "beliefs", {})[1] == []


def test_row_groups_of_other_sensors_and_times_are_passed_over(tmp_path: Path) -> None:
    n, path = 2048, tmp_path / "beliefs.parquet"
    many = rows(*((sensor, 1, i, 0, 0.5, i) for sensor in (1, 2, 3) for i in range(2 * n)))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("many", many.columns())
        connection.execute(f"copy many to '{path}' (row_group_size {n})")
        groups = connection.execute(
            "select row_group_id, coalesce(dictionary_page_offset, data_page_offset),"
            " total_compressed_size from parquet_metadata(?)",
            [str(path)],
        ).fetchall()
        content = bytearray(path.read_bytes())
        for group, offset, size in groups:
            if group not in (0, 4):  # the first halves of sensors 1 and 3
                content[offset : offset + size] = b"\xff" * size
        path.write_bytes(content)
        relation = f"read_parquet('{path}')"
        for recent in (True, False):
            for sensors, found in (((1,), n), ((3,), n), ((1, 3), 2 * n)):
                asked = Asked(sensors, T, T + n * HOUR, horizon_from=-n * HOUR, most_recent=recent)
                query = select(asked, relation, dict.fromkeys(sensors, Knowable(HOUR)))
                assert len(connection.execute(*query).fetchall()) == found
        for asked in (Asked((2,), T, T + HOUR), Asked((1,), T + n * HOUR)):
            with pytest.raises(duckdb.Error):
                connection.execute(*select(asked, relation, {})).fetchall()


def test_statistics_are_of_every_belief_by_source() -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("beliefs", KEPT.columns())
        found = connection.execute(*statistics(Asked((1,)), "beliefs"))
        names = [column[0] for column in found.description]
        one, two = found.fetchall()
    assert names == [
        "sensor", "source", "first_event", "last_event", "last_belief", "least", "most", "mean",
        "total", "count",
    ]  # fmt: skip
    assert one == (1, 1, T_US + 5 * H, T_US + 6 * H, T_US + 7 * H, 8.0, 21.0, 14.2, 71.0, 5)
    assert two[:2] == (1, 2)


def test_a_missing_value_is_counted_but_not_added_up() -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        kept = rows((1, 1, 5, 0, 0.5, np.nan), (1, 1, 6, 0, 0.5, 4.0))
        connection.register("beliefs", kept.columns())
        found = connection.execute(*statistics(Asked((1,)), "beliefs")).fetchall()
    assert found[0][5:] == (4, 4, 4, 4, 2)


def test_beliefs_of_one_value_are_asked_for_with_less_work() -> None:
    archive = InMemory()
    archive.keep(rows((1, 1, 0, 5, 0.5, 1.0), (1, 1, 0, 7, 0.5, 2.0), (1, 2, 0, 6, 0.5, 3.0)))
    for asked in (Asked((1,)), Asked((1,), believed_until=T + 6 * HOUR), Asked((1,), sources=(2,))):
        found = [
            archive.connection.execute(*select(asked, "beliefs", {}, certain=certain)).fetchall()
            for certain in (False, True)
        ]
        assert found[0] == found[1] != []
