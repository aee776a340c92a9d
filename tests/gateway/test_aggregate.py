from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.domain.asset import Source
from flexedge.domain.belief import CODES, Belief, Reading
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import StoreError
from flexedge.gateway.aggregate import GRACE, LOOK_BACK, MEASURED, Aggregator
from flexedge.store.archive import Stamp
from flexedge.store.events import Rule, values
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import Beliefs, Buckets, Readings, micros
from tests.store.summing import by_duckdb

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

START = datetime(2026, 4, 14, 10, 0, tzinfo=UTC)
SECOND, MINUTE, FIVE = timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=5)
EVERY = 10 * SECOND
RULES = {
    "grid.power": Rule("mean", FIVE, EVERY),
    "grid.energy-import": Rule("counter", FIVE, EVERY),
    "battery.soc": Rule("state", FIVE, EVERY),
}
NUMBERS = {name: number for number, name in enumerate(RULES, 1)}
NOW = datetime(2026, 4, 14, 10, 5, tzinfo=UTC)  # of every world at its start
Told = Mapping[datetime, tuple[float, datetime]]


@dataclass
class Kept:
    """Readings in a real archive; beliefs in a list, in the order they came."""

    archive: LocalArchive
    queue: list[Reading] = field(default_factory=list)
    rows: list[tuple[str, datetime, float, datetime]] = field(default_factory=list)
    """Sensor, event, value, belief time."""
    full: bool = False
    """Whether the disk is."""
    refuses: bool = False
    """Whether it takes no beliefs."""

    def append(self, readings: Iterable[Reading]) -> None:
        self.queue.extend(readings)

    def flush(self) -> int:
        if self.full:
            raise StoreError("no space left")
        rows = Readings.of(
            {
                "sensor": [NUMBERS[one.sensor] for one in self.queue],
                "event_us": [micros(one.event_start) for one in self.queue],
                "value": [np.nan if one.value is None else one.value for one in self.queue],
                "quality": [CODES[one.quality] for one in self.queue],
            }
        )
        self.archive.commit(rows, Beliefs.empty(), Stamp("boot", 0, trusted=True))
        self.queue.clear()
        return len(rows)

    def buckets_of(self, sensors: Sequence[str], grid: TimeGrid) -> Mapping[str, Buckets]:
        numbers = [NUMBERS[name] for name in sensors]
        found = self.archive.buckets(numbers, grid.start, grid.resolution, grid.n)
        each = {name: found.take(found.sensor == NUMBERS[name]) for name in sensors}
        return {name: buckets for name, buckets in each.items() if len(buckets)}

    def believed(self, sensor: str, source: str, grid: TimeGrid) -> Series:
        assert source == MEASURED.name
        told = self.told(sensor)
        return Series(grid, np.array([told.get(at, (np.nan, at))[0] for at in grid.times()]))

    def save(self, beliefs: Sequence[Belief], source: Source) -> None:
        assert source == MEASURED
        if self.full or self.refuses:
            raise StoreError("no space left")
        for belief in beliefs:
            step = RULES[belief.sensor].resolution
            for at, value in zip(
                belief.series.grid.times(), belief.series.values.tolist(), strict=True
            ):
                if value == value:  # noqa: PLR0124 (not NaN)
                    since = belief.belief_time or at + step
                    self.rows.append((belief.sensor, at, value, since))

    def told(self, sensor: str) -> Told:
        """What is believed in the end, and since when."""
        return {at: (value, since) for name, at, value, since in self.rows if name == sensor}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with closing(LocalArchive(tmp_path / "data", START)) as archive:
        yield Kept(archive)


def at(minutes: float) -> datetime:
    return START + minutes * MINUTE


def readings(since: float, until: float, energy_kwh: float = 1000.0) -> list[Reading]:
    """A house that draws as many kW as the hour says, in tenths of minutes since the start."""
    made = []
    for i in range(round(since * 6), round(until * 6)):
        moment, power = START + i * EVERY, 2.0 + i // 360
        made.append(Reading("grid.power", moment, power))
        made.append(Reading("grid.energy-import", moment, energy_kwh + i / 60))
        made.append(Reading("battery.soc", moment, (i / 6) % 100))
    return made


@dataclass
class Life:
    """A gateway that polls every ten seconds, steps every minute and tidies up now and then."""

    kept: Kept
    ours: Aggregator

    def run(self, since: float, until: float, *, quiet: tuple[float, float] = (0, 0)) -> None:
        """From one minute to another; ``quiet``: when no device answered."""
        for minute in range(round(since), round(until)):
            if not quiet[0] <= minute < quiet[1]:
                self.give(readings(minute, minute + 1))
            self.ours.step(at(minute + 1))
            if not minute % 20:
                self.kept.archive.maintain(at(minute + 1))

    def give(self, some: Sequence[Reading]) -> None:
        self.kept.append(some)
        self.ours.noted(some)


@pytest.fixture
def life(kept: Kept) -> Life:
    return Life(kept, Aggregator(RULES, kept))


def test_every_event_gets_its_value_once_and_is_believed_from_its_end_on(life: Life) -> None:
    life.run(0, 130)
    power = life.kept.told("grid.power")
    assert list(power) == [at(5 * i) for i in range(25)]
    assert {value for value, _ in power.values()} == {2.0, 3.0, 4.0}
    assert power[at(60)] == (3.0, at(65))
    energy = life.kept.told("grid.energy-import")
    assert list(energy) == [at(5 * i) for i in range(25)]
    assert energy[at(60)][0] == pytest.approx(0.5)
    assert energy[at(60)][1] == at(65)
    soc = life.kept.told("battery.soc")
    assert list(soc) == [at(5 * i) for i in range(26)]
    assert soc[at(60)] == (60.0, at(60))
    assert len(life.kept.rows) == 25 + 25 + 26


def test_nothing_is_told_before_readings_had_time_to_come_in(life: Life) -> None:
    life.give(readings(0, 6))
    life.ours.step(at(5) + GRACE - SECOND)
    assert "grid.power" not in {name for name, *_ in life.kept.rows}
    life.ours.step(at(5) + GRACE)
    assert list(life.kept.told("grid.power")) == [at(0)]
    assert list(life.kept.told("battery.soc")) == [at(0), at(5)]
    assert life.kept.told("grid.energy-import") == {}  # the reading after the end may yet come
    life.ours.step(at(6) + GRACE)
    assert list(life.kept.told("grid.energy-import")) == [at(0)]


def test_nothing_is_written_while_there_is_nothing_to_tell(life: Life) -> None:
    life.run(0, 12)
    life.give(readings(12, 13))
    life.ours.step(at(13))
    assert len(life.kept.queue) == 3 * 6
    life.give([Reading("grid.power", at(3), 1.0)])
    life.ours.step(at(13))
    assert life.kept.queue == []


def test_gaps_stay_gaps_until_late_readings_come(life: Life) -> None:
    life.run(0, 60, quiet=(12, 27))
    power, energy = life.kept.told("grid.power"), life.kept.told("grid.energy-import")
    assert at(10) not in power and at(15) not in power and at(20) not in power  # noqa: PT018
    assert power[at(25)] == (2.0, at(30))  # three of five minutes are there
    # The counter went on, but nobody knows when: 7.5 minutes of it are in no event.
    assert [moment for moment in (at(5 * i) for i in range(11)) if moment not in energy] == [
        at(10), at(15), at(20), at(25),
    ]  # fmt: skip
    before = list(life.kept.rows)
    life.give(readings(12, 27))
    life.ours.step(at(61))
    new = [row for row in life.kept.rows if row not in before]
    late = {moment: since for name, moment, _, since in new if name == "grid.power"}
    assert late.items() >= {at(10): at(61), at(15): at(61), at(20): at(61)}.items()
    energy = life.kept.told("grid.energy-import")
    assert all(energy[at(5 * i)][0] == pytest.approx(0.5) for i in range(10))
    assert energy[at(15)][1] == at(61)
    life.ours.step(at(62))
    assert len(life.kept.rows) == len(before) + len(new)


def test_late_readings_that_change_a_value_correct_it_from_then_on(life: Life) -> None:
    life.run(0, 20)
    assert life.kept.told("grid.power")[at(5)] == (2.0, at(10))
    life.give([Reading("grid.power", at(7) + i * SECOND, 8.0) for i in range(1, 10)])
    life.run(20, 22)
    events = [row for row in life.kept.rows if row[:2] == ("grid.power", at(5))]
    corrected = (4 * 2.0 + (6 * 2.0 + 9 * 8.0) / 15) / 5
    assert [row[3] for row in events] == [at(10), at(21)]
    assert [row[2] for row in events] == pytest.approx([2.0, corrected])


def test_a_late_reading_tells_of_the_events_on_both_sides_of_it(life: Life) -> None:
    life.ours.step(at(-600))  # what it finds below is all its own
    early = readings(100, 120)
    life.give([*early[:-3], *readings(120.7, 130)])  # nothing from 119:50 to 120:40
    life.ours.step(at(121.6))
    energy = life.kept.told("grid.energy-import")
    assert list(energy) == [at(100), at(105), at(110), at(115)]
    told = list(life.kept.rows)
    life.give([Reading("grid.energy-import", at(120), 1011.98)])  # not on the straight line
    life.ours.step(at(122))
    ((sensor, event, value, since),) = life.kept.rows[len(told) :]
    assert (sensor, event, since) == ("grid.energy-import", at(115), at(122))
    assert value == pytest.approx(0.48)
    life.give([Reading("battery.soc", at(119.9), 77.0)])
    life.ours.step(at(123))
    assert life.kept.rows[-1] == ("battery.soc", at(120), 77.0, at(123))


def test_what_could_not_be_looked_at_again_is_looked_at_later(life: Life) -> None:
    life.run(0, 20)
    life.give([Reading("grid.power", at(7) + i * SECOND, 8.0) for i in range(1, 10)])
    life.kept.refuses = True
    with pytest.raises(StoreError):
        life.ours.step(at(20.5))
    life.kept.refuses = False
    life.ours.step(at(20.8))
    assert life.kept.told("grid.power")[at(5)][1] == at(20.8)


def test_a_reading_in_time_is_not_looked_at_twice(life: Life) -> None:
    life.run(0, 20)
    assert life.ours._again == {}
    life.give(readings(20, 21))
    assert life.ours._again == {}
    life.give([Reading("unknown.power", at(0), 1.0), Reading("grid.power", at(3), 1.0)])
    assert list(life.ours._again.values()) == [{"grid.power"}]


def test_a_restart_loses_and_doubles_nothing(life: Life) -> None:
    life.run(0, 31)
    told = list(life.kept.rows)
    life.kept.append(readings(31, 47))  # read and kept, but not looked at
    second = Life(life.kept, Aggregator(RULES, life.kept))
    second.ours.step(at(47))
    assert life.kept.rows[: len(told)] == told
    second.run(47, 60)
    assert len(set(life.kept.rows)) == len(life.kept.rows)
    power = life.kept.told("grid.power")
    assert power == {at(5 * i): (2.0, at(5 * i + 5)) for i in range(11)}
    assert life.kept.told("grid.energy-import").keys() == power.keys()


def test_a_restart_corrects_what_came_late_while_nobody_looked(life: Life) -> None:
    life.run(0, 20)
    life.kept.append([Reading("grid.power", at(7) + i * SECOND, 8.0) for i in range(1, 10)])
    Aggregator(RULES, life.kept).step(at(21))
    value, since = life.kept.told("grid.power")[at(5)]
    assert value > 2.0
    assert since == at(21)


def test_what_is_older_than_two_days_is_left_alone_unless_asked_for(kept: Kept) -> None:
    kept.append(readings(0, 10))
    now = at(5) + LOOK_BACK
    ours = Aggregator(RULES, kept)
    ours.step(now)
    assert list(kept.told("grid.power")) == [at(5)]
    ours.again(at(0), at(1))
    ours.step(now + MINUTE)
    assert kept.told("grid.power")[at(0)] == (2.0, now + MINUTE)


def test_a_clock_that_is_put_right_stops_nothing(life: Life) -> None:
    life.run(0, 12)
    life.ours.step(at(3 * 365 * 1440))  # three years ahead, and back
    life.run(12, 22)
    power = life.kept.told("grid.power")
    assert power == {at(5 * i): (2.0, at(5 * i + 5)) for i in range(4)}
    assert len(set(life.kept.rows)) == len(life.kept.rows)


def test_a_clock_that_leaps_ahead_is_followed_without_asking_for_the_years_between(
    kept: Kept,
) -> None:
    asked: list[datetime] = []

    class Watched(Kept):
        def buckets_of(self, sensors: Sequence[str], grid: TimeGrid) -> Mapping[str, Buckets]:
            asked.append(grid.start)
            return super().buckets_of(sensors, grid)

    ours = Aggregator(RULES, Watched(kept.archive))
    ours.step(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    asked.clear()
    ours.step(START)
    assert min(asked) >= START - LOOK_BACK - timedelta(hours=1)
    assert len(asked) < 40


def test_a_disk_that_is_full_costs_time_and_no_values(life: Life) -> None:
    life.run(0, 10)
    life.kept.full = True
    life.give(readings(10, 40))
    for minute in range(10, 40):
        with pytest.raises(StoreError):
            life.ours.step(at(minute + 1))
    life.ours.again(at(0), at(30))
    with pytest.raises(StoreError):
        life.ours.step(at(40))
    life.kept.full = False
    life.run(40, 60)
    assert life.kept.told("grid.power") == {at(5 * i): (2.0, at(5 * i + 5)) for i in range(11)}
    assert len(set(life.kept.rows)) == len(life.kept.rows)


def test_a_counter_that_begins_anew_is_followed(life: Life) -> None:
    life.give(readings(0, 12))
    life.give(readings(12, 30, energy_kwh=-1.0))  # 1.2 h after the start: at 0.2 kWh again
    life.ours.step(at(30))
    energy = life.kept.told("grid.energy-import")
    values = [value for value, _ in energy.values()]
    assert list(energy) == [at(5 * i) for i in range(5)]
    expected = 0.5 + 0.2 - 1 / 60  # what it showed at first, but not what it gained in one poll
    assert values == pytest.approx([0.5, 0.5, expected, 0.5, 0.5])


class Quick(Kept):
    """The same without a disk."""

    def __init__(self) -> None:
        self.given = Readings.empty()
        self.rows = []

    def append(self, readings: Iterable[Reading]) -> None:
        some = list(readings)
        columns = {
            "sensor": [NUMBERS[one.sensor] for one in some],
            "event_us": [micros(one.event_start) for one in some],
            "value": [one.value for one in some],
            "quality": np.zeros(len(some)),
        }
        self.given = Readings.joined([self.given, Readings.of(columns)])

    def flush(self) -> int:
        return 0

    def buckets_of(self, sensors: Sequence[str], grid: TimeGrid) -> Mapping[str, Buckets]:
        low, step = micros(grid.start), grid.resolution // timedelta(microseconds=1)
        rows = self.given
        rows = rows.take((rows.event_us >= low) & (rows.event_us < low + grid.n * step))
        if not len(rows):
            return {}
        found = by_duckdb(rows, step, {}, low)
        return {name: found.take(found.sensor == NUMBERS[name]) for name in sensors}


@settings(max_examples=12, deadline=None)
@given(
    delays=st.lists(st.sampled_from((0, 0, 0, 0, 0, 0, 2, 9, 70, 999)), min_size=50, max_size=50),
    restarts=st.sets(st.integers(1, 170), max_size=3),
)
def test_in_the_end_values_are_those_of_all_readings_whenever_these_came(
    delays: list[int], restarts: set[int]
) -> None:
    """Half minutes of readings that come so many minutes late, or never."""
    kept = Quick()
    ours = Aggregator(RULES, kept)
    parcels = [
        (i / 2 + 0.5 + delay, readings(i / 2, i / 2 + 0.5)) for i, delay in enumerate(delays)
    ]
    for minute in range(180):
        for arrives, parcel in parcels:
            if minute - 1 < arrives <= minute:
                kept.append(parcel)
                ours.noted(parcel)
        if minute in restarts:
            ours = Aggregator(RULES, kept)
        if not minute % 9:
            ours.step(at(minute))
    whole = [parcel for arrives, parcel in parcels if arrives < 180]
    if not whole:
        return
    for sensor, rule in RULES.items():
        step = rule.part // timedelta(microseconds=1)
        rows = kept.given
        buckets = by_duckdb(rows.take(rows.sensor == NUMBERS[sensor]), step, {})
        expected = values(rule, buckets, micros(START), 30)
        told = kept.told(sensor)
        found = [told.get(START + i * FIVE, (np.nan, START))[0] for i in range(30)]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert all(since >= moment for _, moment, _, since in kept.rows)


def told_by(world: "World", sensor: str) -> dict[datetime, tuple[float | None, datetime]]:
    rows = world.gateway.beliefs.between(sensor, NOW - LOOK_BACK, world.now + FIVE)
    return {
        row.event_start: (row.value, row.belief_time) for row in rows if row.source == MEASURED.name
    }


def test_a_gateway_tells_what_it_measured_across_a_restart(hut: "Hut") -> None:
    """On the real store; the clock shows five past ten at the start."""
    world = hut("battery", "heating", "house")
    world.show({"battery.power": 1.0, "battery.soc": 40.0, "heating.power": 0.5, "grid.power": 3.0,
                "grid.energy-import": 500.0})  # fmt: skip
    now = world.now
    for i in range(130):
        if i == 70:
            world = hut.again()
            world.now = now
            world.show({"battery.power": 1.0, "battery.soc": 45.0, "heating.power": 0.5,
                        "grid.power": 4.0, "grid.energy-import": 501.0})  # fmt: skip
        world.tick(10)
        now = world.now
        if not i % 6:
            world.gateway.aggregator.step(now)
    grid = told_by(world, "grid.power")
    first = NOW.replace(minute=5)
    assert grid[first] == (3.0, first + FIVE)
    assert list(grid) == [first + i * FIVE for i in range(4)]
    assert grid[first + 3 * FIVE] == (4.0, first + 4 * FIVE)
    assert told_by(world, "house.power")[first] == (1.5, first + FIVE)
    assert told_by(world, "battery.soc")[first + 4 * FIVE] == (45.0, first + 4 * FIVE)
    energy = told_by(world, "grid.energy-import")
    assert sum(value or 0.0 for value, _ in energy.values()) == pytest.approx(1.0)
    world.gateway.aggregator.step(now)
    assert told_by(world, "grid.power") == grid
    world.now = first + MINUTE / 2  # a poll of then that is told only now, in the place of another
    world.show({"grid.power": 10.0})
    world.poll()
    world.now = now
    world.gateway.aggregator.step(now)
    value, since = told_by(world, "grid.power")[first]
    assert value == pytest.approx(((4 * 3.0 + 10.0) / 5 + 4 * 3.0) / 5)
    assert since == now


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_a_day_on_which_clocks_change_has_as_many_values_as_minutes(
    kept: Kept, day: tuple[int, int, int], hours: int
) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    midnight = datetime(*day, tzinfo=zone)
    end = midnight + timedelta(days=1)  # by the clock on the wall
    n = round((end.timestamp() - midnight.timestamp()) / 60)
    kept.append(
        Reading("grid.power", midnight.astimezone(UTC) + i * MINUTE, float(i // 60))
        for i in range(n)
    )
    ours = Aggregator({"grid.power": Rule("mean", FIVE, MINUTE)}, kept)
    ours.step(end.astimezone(UTC) + GRACE)
    power = kept.told("grid.power")
    local = [moment.astimezone(zone) for moment in power]
    assert len(power) == 12 * hours
    assert {moment.date() for moment in local} == {midnight.date()}
    assert [value for value, _ in power.values()] == [float(i // 12) for i in range(12 * hours)]
