import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief, Quality, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import StoreError, StoreLocked
from flexedge.store.beliefs import Beliefs, _stamps, open_or_set_aside

START = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
_HOLDER = """
import sys
from pathlib import Path
from flexedge.store.beliefs import Beliefs
held = Beliefs(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""
SCHEDULER = Source("flexedge", "scheduler")


def seconds(n: int) -> datetime:
    return START + timedelta(seconds=n)


@pytest.fixture
def beliefs(tmp_path: Path) -> Beliefs:
    store = Beliefs(tmp_path / "beliefs.duckdb")
    store.register("battery.power", "kW")
    store.register("battery.soc", "%")
    return store


def test_readings_survive_a_restart_and_keep_their_sensor(tmp_path: Path) -> None:
    path = tmp_path / "beliefs.duckdb"
    first = Beliefs(path)
    first.register("a.power", "kW")
    first.register("b.power", "kW")
    first.append([Reading("b.power", START, 2.5)])
    first.close()
    again = Beliefs(path)
    again.register("c.power", "kW")
    again.register("b.power", "kW")
    again.append([Reading("b.power", seconds(1), 3.5)])
    again.flush()
    assert [row.value for row in again.between("b.power", START, seconds(9))] == [2.5, 3.5]
    assert again.between("a.power", START, seconds(9)) == []
    assert again.sensors == ("a.power", "b.power", "c.power")


@given(
    moments=st.lists(
        st.datetimes(
            min_value=datetime(1970, 1, 1),  # noqa: DTZ001 (the strategy adds the zone)
            max_value=datetime(2099, 12, 31),  # noqa: DTZ001 (as above)
            timezones=st.timezones(),
        )
    )
)
def test_stamps_keep_every_microsecond_of_any_zone(moments: list[datetime]) -> None:
    expected = [moment.astimezone(UTC).replace(tzinfo=None) for moment in moments]
    assert _stamps(moments).tolist() == expected


def test_a_time_comes_back_as_it_was(beliefs: Beliefs) -> None:
    moment = datetime(2026, 3, 29, 3, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    beliefs.append([Reading("battery.power", moment, 1.0)])
    beliefs.flush()
    (row,) = beliefs.between("battery.power", START, seconds(7200))
    assert row.event_start == row.belief_time == moment


def test_nothing_is_visible_before_the_flush_and_everything_after(beliefs: Beliefs) -> None:
    beliefs.append([Reading("battery.power", seconds(i), float(i)) for i in range(500)])
    assert beliefs.between("battery.power", START, seconds(1000)) == []
    assert beliefs.flush() == 500
    assert beliefs.flush() == 0
    assert len(beliefs.between("battery.power", START, seconds(1000))) == 500


def test_the_mean_ignores_missing_and_implausible_readings(beliefs: Beliefs) -> None:
    beliefs.append(
        [
            Reading("battery.power", seconds(0), 1.0),
            Reading("battery.power", seconds(10), 3.0),
            Reading("battery.power", seconds(20), None, Quality.MISSING),
            Reading("battery.power", seconds(30), 900.0, Quality.IMPLAUSIBLE),
            Reading("battery.power", seconds(1800), 5.0, Quality.DERIVED),
        ]
    )
    beliefs.flush()
    mean = beliefs.mean("battery.power", TimeGrid(START, QUARTER, 3))
    assert mean.values[0] == pytest.approx(2.0)
    assert np.isnan(mean.values[1])
    assert mean.values[2] == pytest.approx(5.0)


def test_missing_comes_back_as_none(beliefs: Beliefs) -> None:
    beliefs.append([Reading("battery.power", START, None, Quality.MISSING)])
    beliefs.flush()
    assert beliefs.between("battery.power", START, seconds(1))[0].value is None


def test_energy_holds_a_reading_until_the_next_but_no_longer_than_a_minute(
    beliefs: Beliefs,
) -> None:
    beliefs.append(
        [
            Reading("battery.power", seconds(0), 6.0),  # stands for 30 s
            Reading("battery.power", seconds(30), 12.0),  # stands for 60 s of the 600 s gap
            Reading("battery.power", seconds(630), -6.0),  # the last one stands for nothing yet
            Reading("battery.soc", seconds(0), 50.0),
        ]
    )
    beliefs.flush()
    energies = beliefs.energies_kwh(START, seconds(3600))
    assert energies == {"battery.power": pytest.approx(6 * 30 / 3600 + 12 * 60 / 3600)}


def test_the_newest_belief_of_a_source_wins(beliefs: Beliefs) -> None:
    grid = TimeGrid(START, QUARTER, 3)
    early = Belief("battery.power", "x", START, Series(grid, np.array([1.0, 2.0, 3.0])))
    late = Belief("battery.power", "x", seconds(60), Series(grid, np.array([np.nan, 5.0, 6.0])))
    beliefs.save([early, late], SCHEDULER)
    newest = beliefs.believed("battery.power", "flexedge", grid)
    assert newest.values.tolist() == [1.0, 5.0, 6.0]
    rows = beliefs.between("battery.power", START, grid.end)
    assert [(row.value, row.belief_time) for row in rows][:2] == [(1.0, START), (2.0, START)]
    assert {row.source for row in rows} == {"flexedge"}
    assert np.isnan(beliefs.believed("battery.power", "nobody", grid).values).all()


def test_old_events_are_pruned(beliefs: Beliefs) -> None:
    beliefs.append([Reading("battery.power", seconds(i), 1.0) for i in range(10)])
    beliefs.flush()
    beliefs.prune(before=seconds(6))
    assert len(beliefs.between("battery.power", START, seconds(100))) == 4


def test_a_refused_write_loses_nothing(beliefs: Beliefs) -> None:
    beliefs.append([Reading("battery.power", START, 1.0)])
    with beliefs._cursor() as cursor:
        cursor.execute("alter table readings rename to elsewhere")
    with pytest.raises(StoreError):
        beliefs.flush()
    with beliefs._cursor() as cursor:
        cursor.execute("alter table elsewhere rename to readings")
    beliefs.append([Reading("battery.power", seconds(1), 2.0)])
    assert beliefs.flush() == 2
    assert [r.value for r in beliefs.between("battery.power", START, seconds(9))] == [1.0, 2.0]


def test_a_file_that_does_not_open_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "beliefs.duckdb"
    path.write_bytes(b"not a database at all" * 1000)
    store, alarm = open_or_set_aside(path, START)
    assert "beliefs.duckdb.damaged-20260329T000000" in alarm
    assert (tmp_path / "beliefs.duckdb.damaged-20260329T000000").exists()
    store.register("a.power", "kW")
    store.close()
    assert open_or_set_aside(path, START)[1] == ""


def test_a_second_process_is_told_who_is_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "beliefs.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match="in use"):
            open_or_set_aside(path, START)
    finally:
        holder.communicate("", timeout=20)
