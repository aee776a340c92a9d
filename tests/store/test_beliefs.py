from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.domain.asset import Sensor, Source
from flexedge.domain.belief import Belief, Quality, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import StoreError
from flexedge.store.archive import Asked, Stamp
from flexedge.store.beliefs import BATCH, Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.sources import Which
from flexedge.store.state import State

START = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
SCHEDULER = Source("flexedge", "scheduler")


def seconds(n: int) -> datetime:
    return START + timedelta(seconds=n)


def opened(folder: Path) -> Beliefs:
    return Beliefs(LocalArchive(folder / "data", START), State(folder / "state.db"))


@pytest.fixture
def beliefs(tmp_path: Path) -> Beliefs:
    store = opened(tmp_path)
    store.register(Sensor("battery.power", "kW"))
    store.register(Sensor("battery.soc", "%"))
    return store


def test_readings_survive_a_restart_and_keep_their_sensor(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.register(Sensor("a.power", "kW"))
    first.register(Sensor("b.power", "kW"))
    first.append([Reading("b.power", START, 2.5)])
    first.close()
    again = opened(tmp_path)
    again.register(Sensor("c.power", "kW"))
    again.register(Sensor("b.power", "kW"))
    again.append([Reading("b.power", seconds(1), 3.5)])
    again.flush()
    assert [row.value for row in again.between("b.power", START, seconds(9))] == [2.5, 3.5]
    assert again.between("a.power", START, seconds(9)) == []
    assert again.sensors == ("a.power", "b.power", "c.power")


def test_sensors_keep_their_numbers_when_the_state_is_lost(tmp_path: Path) -> None:
    first = opened(tmp_path)
    for name in ("a.power", "b.power"):
        first.register(Sensor(name, "kW", QUARTER))
    first.append([Reading("b.power", START, 2.5)])
    first.save([Belief("b.power", "", START, constant(7.0))], SCHEDULER)
    first.close()
    (tmp_path / "state.db").unlink()
    again = opened(tmp_path)
    again.register(Sensor("new.power", "kW"))
    again.register(Sensor("a.power", "kW", QUARTER))
    assert again.sensor("b.power") == Sensor("b.power", "kW", QUARTER)
    values = [(row.source, row.value) for row in again.between("b.power", START, seconds(9))]
    assert values == [("reading", 2.5), ("flexedge", 7.0)]


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


def constant(value: float, n: int = 1) -> Series:
    return Series.constant(TimeGrid(START, QUARTER, n), value)


def test_a_schedule_has_the_resolution_of_its_sensor(beliefs: Beliefs) -> None:
    beliefs.register(Sensor("car.power", "kW", timedelta(minutes=5)))
    beliefs.register(Sensor("site.power", "kW", timedelta(hours=1)))
    four = Series(TimeGrid(START, QUARTER, 4), np.array([1.0, 2.0, 3.0, np.nan]))
    beliefs.save([Belief(name, "", START, four) for name in ("car.power", "site.power")], SCHEDULER)
    assert len(beliefs.between("car.power", START, seconds(3600))) == 9
    assert [row.value for row in beliefs.between("site.power", START, seconds(3600))] == [2.0]
    fine = beliefs.believed("car.power", "flexedge", TimeGrid(START, QUARTER, 4))
    np.testing.assert_array_equal(fine.values, four.values)
    held = beliefs.believed("site.power", "flexedge", TimeGrid(START, QUARTER, 5))
    np.testing.assert_array_equal(held.values, [2.0, 2.0, 2.0, 2.0, np.nan])


def test_what_says_nothing_new_is_not_kept_again(beliefs: Beliefs) -> None:
    def told(at: datetime, *values: float) -> int:
        series = Series(TimeGrid(START, QUARTER, len(values)), np.array(values))
        beliefs.save([Belief("battery.power", "", at, series)], SCHEDULER)
        return len(beliefs.between("battery.power", START, seconds(9999)))

    early = START - timedelta(days=1)
    assert told(early, 1.0, 2.0, 3.0) == 3
    assert told(early + QUARTER, 1.0, 5.0, 3.0) == 4
    assert told(early + 2 * QUARTER, 1.0, 5.0, 3.0) == 4
    assert told(early + 3 * QUARTER, 1.0, 2.0, 3.0) == 5  # back to what was said first: news
    assert told(early + QUARTER, 1.0, 7.0, 3.0) == 5  # in place of what was said then
    rows = beliefs.between("battery.power", seconds(900), seconds(1800))
    assert [row.value for row in rows] == [2.0, 7.0, 2.0]
    assert told(START + timedelta(days=1), 1.0, 2.0, 3.0) == 8  # afterwards: it came true


def test_instants_are_placed_in_the_step_they_are_in(beliefs: Beliefs) -> None:
    beliefs.save([Belief("battery.soc", "", START, constant(50.0, 2))], SCHEDULER)
    found = beliefs.believed("battery.soc", "flexedge", TimeGrid(START, timedelta(minutes=5), 5))
    np.testing.assert_array_equal(found.values, [50.0, np.nan, np.nan, 50.0, np.nan])


def test_the_newest_reading_of_each_sensor(beliefs: Beliefs) -> None:
    beliefs.append(
        [Reading("battery.power", seconds(1), 1.0), Reading("battery.power", START, 2.0)]
    )
    beliefs.flush()
    found = beliefs.latest(("battery.power", "battery.soc", "nobody"), seconds(60))
    assert found == {"battery.power": Reading("battery.power", seconds(1), 1.0)}


def test_a_day_on_site_may_have_23_hours(beliefs: Beliefs) -> None:
    for hour in range(48):
        at = datetime(2026, 3, 28, 23, tzinfo=UTC) + timedelta(hours=hour)  # midnight in Amsterdam
        beliefs.append([Reading("battery.power", at, 1.0)])
    beliefs.flush()
    found = beliefs.days(("battery.power",), date(2026, 3, 29), 2, ZoneInfo("Europe/Amsterdam"))
    assert found.count.tolist() == [23, 24]


def test_many_readings_do_not_wait(beliefs: Beliefs) -> None:
    called: list[int] = []
    beliefs.on_many = lambda: called.append(len(beliefs._waiting))
    for i in range(BATCH):
        beliefs.append([Reading("battery.power", seconds(i), 1.0)])
    assert called == [BATCH]


def test_readings_of_an_untrusted_clock_are_dated_later(beliefs: Beliefs) -> None:
    hour_us = 3_600_000_000
    beliefs.append([Reading("battery.power", START, 1.0)])
    beliefs.flush(Stamp("boot", 0, trusted=False))
    assert beliefs.between("battery.power", START, seconds(9)) == []
    assert beliefs.restamp(Stamp("boot", hour_us, trusted=True)) == 1
    (row,) = beliefs.between("battery.power", START, seconds(7200))
    assert row.event_start == seconds(3600)


def test_a_refused_write_loses_nothing(tmp_path: Path) -> None:
    beliefs = opened(tmp_path)
    beliefs.register(Sensor("battery.power", "kW"))
    beliefs.save([Belief("battery.power", "", START, constant(4.0))], SCHEDULER)
    archive = beliefs._archive
    assert isinstance(archive, LocalArchive)
    archive._journal._connection.execute("pragma query_only = on")
    beliefs.append([Reading("battery.power", START, 1.0)])
    with pytest.raises(StoreError, match="readonly"):
        beliefs.flush()
    for _ in range(2):  # a planner may try again
        with pytest.raises(StoreError, match="readonly"):
            beliefs.save([Belief("battery.power", "", seconds(2), constant(5.0))], SCHEDULER)
    with pytest.raises(StoreError, match="readonly"):  # replaces what is only owed yet
        beliefs.save([Belief("battery.power", "", seconds(2), constant(6.0))], SCHEDULER)
    beliefs.maintain(START)  # finds that the disk takes writes again
    beliefs.append([Reading("battery.power", seconds(1), 2.0)])
    assert beliefs.flush() == 2
    values = [row.value for row in beliefs.between("battery.power", START, seconds(9))]
    assert values == [1.0, 4.0, 6.0, 2.0]


def test_a_sensor_that_is_not_there_is_named(beliefs: Beliefs) -> None:
    with pytest.raises(StoreError, match="there is no sensor 'x'"):
        beliefs.sensor("x")


def test_what_is_measured_at_once_is_believed_since_the_end_of_each_event(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.register(Sensor("a.power", "kW", QUARTER))
    store.register(Sensor("a.soc", "%"))
    series = Series(TimeGrid(START, QUARTER, 3), np.array([1.0, np.nan, 3.0]))
    store.save([Belief(name, "", None, series) for name in ("a.power", "a.soc")], SCHEDULER)
    power = store.between("a.power", START, START + 4 * QUARTER)
    assert [(row.event_start, row.belief_time) for row in power] == [
        (START, START + QUARTER),
        (START + 2 * QUARTER, START + 3 * QUARTER),
    ]
    soc = store.between("a.soc", START, START + 4 * QUARTER)
    assert [row.belief_time for row in soc] == [START, START + 2 * QUARTER]


def test_buckets_come_by_sensor(beliefs: Beliefs) -> None:
    beliefs.append([Reading("battery.soc", seconds(5), 50.0), Reading("battery.power", START, 1.0),
                    Reading("battery.soc", seconds(950), 70.0)])  # fmt: skip
    beliefs.flush()
    found = beliefs.buckets_of(("battery.power", "battery.soc"), TimeGrid(START, QUARTER, 2))
    assert {name: buckets.mean.tolist() for name, buckets in found.items()} == {
        "battery.power": [1.0], "battery.soc": [50.0, 70.0]}  # fmt: skip
    assert beliefs.buckets_of(("battery.power",), TimeGrid(seconds(950), QUARTER, 2)) == {}


def test_a_past_moment_can_be_asked_for_again(beliefs: Beliefs) -> None:
    early = START - timedelta(days=1)
    meter, other = Source("meter", "sensor"), Source("flexedge", "scheduler", version="2")
    for source, at, value in ((SCHEDULER, early, 1.0), (other, early + QUARTER, 2.0),
                              (meter, START + QUARTER, 3.0)):  # fmt: skip
        beliefs.save([Belief("battery.power", "", at, constant(value))], source)
    power = ("battery.power", "nobody")
    now = beliefs.ask(power, Asked(()))
    assert now.value.tolist() == [1.0, 2.0, 3.0]
    assert beliefs.ask(power, Asked((), believed_until=early)).value.tolist() == [1.0]
    ahead = Asked((), horizon_from=timedelta(hours=1))
    assert beliefs.ask(power, ahead).value.tolist() == [1.0, 2.0]
    newest = Which(kinds=frozenset({"scheduler"}), latest_version=True)
    assert beliefs.ask(power, Asked(()), newest).value.tolist() == [2.0]
    numbers = [beliefs.source(source) for source in (SCHEDULER, other, meter)]
    told = beliefs.statistics(power, Asked((), start=early), newest)
    assert [(one.source, one.total) for one in told] == [(numbers[1], 2.0)]
    assert [one.source for one in beliefs.statistics(power, Asked(()))] == numbers
    assert beliefs.statistics(("nobody",), Asked(())) == []
    assert beliefs.delete("battery.power", other, None, None) == 1
    assert beliefs.delete("nobody", None, None, None) == 0
    assert beliefs.ask(power, Asked(())).value.tolist() == [1.0, 3.0]


def test_what_came_in_is_told_by_name_and_kind_of_source(beliefs: Beliefs) -> None:
    price = Sensor("price", "EUR/kWh", QUARTER)
    beliefs.register(price)
    ann, forecaster = Source("ann", "user"), Source("trees", "forecaster")
    beliefs.save([Belief("price", "", START, constant(7.0))], ann)
    first = beliefs.top()
    beliefs.save([Belief("price", "", START, constant(8.0))], forecaster)
    beliefs.append([Reading("battery.power", START, 2.5)])
    beliefs.flush()
    top = beliefs.top()
    n = len(constant(7.0).values)
    assert beliefs.since("price", (0, top)).rows.value.tolist() == [7.0] * n + [8.0] * n
    assert beliefs.since("price", (first, top)).rows.value.tolist() == [8.0] * n
    measured = Which(not_kinds=frozenset({"forecaster"}))
    assert beliefs.since("price", (0, top), measured).rows.value.tolist() == [7.0] * n
    assert len(beliefs.since("battery.power", (0, top)).rows) == 0, "readings are none"
    nothing = beliefs.since("nothing", (3, top))
    assert (len(nothing.rows), nothing.lo, nothing.hi) == (0, 3, top)
    newest = beliefs.since("price", (0, top), limit=1, newest_first=True)
    assert newest.rows.value.tolist() == [8.0]
    assert [one.count for one in beliefs.tally(["price", "nothing"], (0, top))] == [n, n]
    assert beliefs.tally(["nothing"], (0, top)) == []
    assert beliefs.epoch() > 0
