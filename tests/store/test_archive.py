"""What every archive must do, on each of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexedge.domain.asset import Sensor
from flexedge.domain.series import TimeGrid
from flexedge.errors import StoreError
from flexedge.store import beliefs, events
from flexedge.store.archive import Archive, Asked, Keep, Since, Stamp, Tally
from flexedge.store.local.archive import LocalArchive
from flexedge.store.postgres.archive import PostgresArchive
from flexedge.store.rows import EPOCH, Beliefs, Readings, moment
from flexedge.store.state import State
from flexedge.store.words import sensor_words
from tests.store import naive
from tests.store.coming import Reader, Told
from tests.store.local.rows_made import NOW, SECOND, STAMP, believed, some
from tests.store.summing import TURNS_AT, by_hand, table

Opened = Callable[[Keep], Archive]
COUNTER = Sensor("meter.energy", "kWh", turns_at=TURNS_AT)
DAY, FOR_EVER = timedelta(days=1), Keep(None, None, None, None)
END = EPOCH + 99_999 * DAY
NONE, SILENCE = Beliefs.empty(), Readings.empty()
UNTRUSTED = Stamp("boot", -3600 * SECOND, trusted=False)


def _local(request: pytest.FixtureRequest) -> Opened:
    folder = request.getfixturevalue("tmp_path") / "data"
    return lambda keep: LocalArchive(folder, NOW, keep=keep)


def _postgres(request: pytest.FixtureRequest) -> Opened:
    return partial(PostgresArchive, request.getfixturevalue("database"))


KINDS = {"local": _local, "postgres": _postgres}


@pytest.fixture(params=["local", pytest.param("postgres", marks=pytest.mark.postgres)])
def opened(request: pytest.FixtureRequest) -> Iterator[Callable[..., Archive]]:
    """Opens what there is of an archive; closed in the end."""
    with ExitStack() as stack:
        opener = KINDS[request.param](request)

        def open_(keep: Keep = FOR_EVER) -> Archive:
            archive = opener(keep)
            stack.callback(archive.close)
            return archive

        yield open_


@pytest.fixture
def archive(opened: Callable[..., Archive]) -> Archive:
    return opened()


def read(archive: Archive, *sensors: int) -> list[naive.Row]:
    return naive.rows(archive.readings(sensors or (0, 1, 2), EPOCH - DAY, END))


def believed_all(archive: Archive, *sensors: int) -> list[naive.Row]:
    return naive.rows(archive.beliefs(Asked(sensors or (1, 2, 3), most_recent=False), {}))


def reading(sensor: int, at: int, value: float, quality: int = 0) -> Readings:
    """One reading, at so many seconds."""
    return Readings.of({"sensor": [sensor], "event_us": [at * SECOND], "value": [value],
                        "quality": [quality]})  # fmt: skip


def belief(source: int, event: int, at: int, value: float, probability: float = 0.5) -> Beliefs:
    """One belief of sensor 1, times in seconds."""
    return Beliefs.of({"sensor": [1], "source": [source], "event_us": [event * SECOND],
                       "belief_us": [at * SECOND], "probability": [probability],
                       "value": [value]})  # fmt: skip


def test_only_the_newest_beliefs_are_asked_for_unless_said() -> None:
    asked = Asked((1,))
    assert asked.most_recent
    assert asked.sources is None


def test_readings_come_back_as_they_were_in_order(archive: Archive) -> None:
    rows = Readings.of({
        "sensor": [2, 1, 1, 1], "event_us": [7, 2**52, -5, 3], "quality": [0, 1, 2, 3],
        "value": [1.25, np.nan, -np.inf, 1e-300],
    })  # fmt: skip
    archive.commit(rows, NONE, STAMP)
    found = archive.readings([1, 2, 9, 1], EPOCH - DAY, END)
    assert naive.rows(found) == [
        (1, -5, -np.inf, 2), (1, 3, 1e-300, 3), (1, 2**52, None, 1), (2, 7, 1.25, 0),
    ]  # fmt: skip
    kinds = [column.dtype for column in found.columns().values()]
    assert kinds == [column.dtype for column in rows.columns().values()]


def test_the_end_does_not_count_and_the_start_does(archive: Archive) -> None:
    archive.commit(some(10, sensors=1), NONE, STAMP)
    found = archive.readings([0], moment(2 * SECOND), moment(5 * SECOND))
    assert found.value.tolist() == [2, 3, 4]
    assert len(archive.readings([0], moment(5 * SECOND), moment(5 * SECOND))) == 0
    assert len(archive.readings([], EPOCH, END)) == 0


def test_of_one_moment_the_reading_kept_last_counts(archive: Archive) -> None:
    archive.commit(Readings.joined([reading(1, 5, 1), reading(1, 5, 2)]), NONE, STAMP)
    assert read(archive) == [(1, 5 * SECOND, 2, 0)]
    archive.commit(Readings.joined([reading(1, 5, 3, 1), reading(1, 6, 4)]), NONE, STAMP)
    assert read(archive) == [(1, 5 * SECOND, 3, 1), (1, 6 * SECOND, 4, 0)]
    archive.maintain(NOW)
    archive.commit(reading(1, 6, 5), NONE, STAMP)
    archive.maintain(NOW + DAY)
    assert read(archive) == [(1, 5 * SECOND, 3, 1), (1, 6 * SECOND, 5, 0)]
    assert naive.rows(archive.latest([1], NOW)) == [(1, 6 * SECOND, 5, 0)]


def test_what_was_committed_stays(opened: Callable[..., Archive]) -> None:
    first = opened()
    first.introduce("sensor", 1, "battery.power in kW")
    first.introduce("sensor", 1, "battery.power in W")
    first.introduce("source", 1, "the meter's")
    first.commit(some(5), believed(4), STAMP)
    before = read(first), believed_all(first)
    first.close()
    with pytest.raises(StoreError):
        first.commit(some(5, 5), NONE, STAMP)
    again = opened()
    assert (read(again), believed_all(again)) == before
    assert (len(before[0]), len(before[1])) == (5, 4)
    assert again.known("sensor") == {1: "battery.power in W"}
    assert again.known("source") == {1: "the meter's"}


@pytest.mark.parametrize("seed", range(4))
def test_beliefs_are_answered_as_by_hand(archive: Archive, seed: int) -> None:
    chance = np.random.default_rng(seed)
    told = []
    for step in range(5):
        told.append(naive.history(chance, int(chance.integers(1, 80))))
        archive.commit(SILENCE, told[-1], STAMP, replacing=True)
        if step % 2:
            archive.maintain(NOW + step * DAY)
        whole = Beliefs.joined(told)
        for _ in range(25):
            asked = naive.question(chance)
            found = naive.rows(archive.beliefs(asked, naive.KNOWABLE))
            assert found == naive.answer(whole, asked, naive.KNOWABLE), asked


def test_the_last_belief_comes_with_all_its_probabilities(archive: Archive) -> None:
    for row in (belief(1, 60, 10, 1.0), belief(1, 60, 20, 2.0, 0.1), belief(1, 60, 20, 3.0, 0.9),
                belief(2, 60, 15, 4.0)):  # fmt: skip
        archive.commit(SILENCE, row, STAMP)
    found = archive.beliefs(Asked((1,)), {})
    assert found.value.tolist() == [2.0, 3.0, 4.0]
    before = archive.beliefs(Asked((1,), believed_until=moment(19 * SECOND)), {})
    assert before.value.tolist() == [1.0, 4.0]


def test_a_horizon_needs_to_know_when_events_are_known(archive: Archive) -> None:
    archive.commit(SILENCE, believed(3), STAMP)
    with pytest.raises(StoreError, match="sensor 1 are known"):
        archive.beliefs(Asked((1,), horizon_from=timedelta(0)), {})


@pytest.mark.parametrize("width_s", [60, 300, 420, 900, 3600, 7200])
def test_buckets_are_what_their_readings_say(archive: Archive, width_s: int) -> None:
    chance = np.random.default_rng(width_s)
    n = 400
    whole = Readings.of({
        "sensor": np.full(n, 2), "event_us": np.arange(n) * 100 * SECOND,
        "value": np.where(chance.random(n) < 0.1, np.nan, chance.integers(0, 400, n) / 4),
        "quality": chance.choice([0, 0, 0, 3, 2], n),
    })  # fmt: skip
    late = chance.random(n) < 0.2
    late[200:250] = True  # hours with nothing at first
    archive.commit(whole.take(~late), NONE, STAMP)
    edges = [width_s * SECOND * step for step in range(1 + 36_000 // width_s)]
    for step, now in enumerate((EPOCH + timedelta(hours=3), EPOCH + DAY, NOW)):
        for rows in (whole.take(~late), whole) if step == 1 else (whole if step else whole.take(~late),):  # fmt: skip  # noqa: E501
            if step == 1 and rows is whole:
                archive.commit(whole.take(late), NONE, STAMP)
            found = archive.buckets([1, 2], EPOCH, timedelta(seconds=width_s), len(edges) - 1)
            expected = by_hand(rows, edges)
            assert [set(row) for row in table(found)] == [set(row) for row in expected]
            for mine, hand in zip(table(found), expected, strict=True):
                assert mine == pytest.approx(hand, rel=1e-12, abs=1e-9)
        archive.maintain(now)


def turning(sensor: int, seed: int, n: int = 400) -> Readings:
    """A counter that turns over some times, and once begins anew far from its top."""
    steps = np.random.default_rng(seed).integers(0, 40, n) / 4
    shown = np.cumsum(steps) % TURNS_AT
    at = np.flatnonzero((shown[:-1] > 30) & (shown[:-1] < 80))[60] + 1
    shown[at:] = np.cumsum(steps[at:]) % TURNS_AT
    return Readings.of({"sensor": np.full(n, sensor), "event_us": np.arange(n) * 100 * SECOND,
                        "value": shown, "quality": np.zeros(n)})  # fmt: skip


@pytest.mark.parametrize("width_s", [60, 300, 420, 3600, 36_000])
def test_counters_that_turn_over_are_summed_as_by_hand(
    opened: Callable[..., Archive], width_s: int
) -> None:
    archive = opened()
    archive.introduce("sensor", 1, sensor_words(COUNTER))
    archive.introduce("sensor", 2, sensor_words(Sensor("other.energy", "kWh")))
    whole = Readings.joined([turning(1, 1), turning(2, 1)])
    late = np.random.default_rng(width_s).random(len(whole)) < 0.2
    edges = [width_s * SECOND * step for step in range(1 + 36_000 // width_s)]

    def right(archive: Archive, rows: Readings) -> None:
        found = archive.buckets([1, 2], EPOCH, timedelta(seconds=width_s), len(edges) - 1)
        expected = by_hand(rows, edges)
        assert [row["rise"] for row in table(found)] == [row["rise"] for row in expected]

    archive.commit(whole.take(~late), NONE, STAMP)
    right(archive, whole.take(~late))
    archive.maintain(EPOCH + DAY)
    right(archive, whole.take(~late))
    archive.close()
    again = opened()
    right(again, whole.take(~late))
    again.commit(whole.take(late), NONE, STAMP)
    right(again, whole)
    again.maintain(NOW)
    right(again, whole)


def test_what_was_summed_up_before_a_turnover_was_named_stays(archive: Archive) -> None:
    shown = ((0, 95.0), (100, 5.0), (290, 96.0), (310, 2.0))  # turns in a bucket, and between two
    archive.commit(Readings.joined([reading(1, *row) for row in shown]), NONE, STAMP)
    ask = partial(archive.buckets, [1], EPOCH)
    archive.maintain(EPOCH + DAY)
    assert ask(timedelta(minutes=10), 1).rise.tolist() == [5 + 91 + 2]
    archive.introduce("sensor", 1, sensor_words(COUNTER))
    archive.maintain(EPOCH + 2 * DAY)
    assert ask(timedelta(minutes=10), 1).rise.tolist() == [5 + 91 + 6]
    assert ask(timedelta(hours=1), 1).rise.tolist() == [5 + 91 + 2]
    assert ask(timedelta(minutes=7), 1).rise.tolist() == [10 + 91 + 6]  # of readings
    archive.commit(reading(1, 200, 50.0), NONE, STAMP)
    for now in (EPOCH + 3 * DAY, EPOCH + 4 * DAY):
        assert ask(timedelta(minutes=10), 1).rise.tolist() == [10 + 91 + 6]
        assert ask(timedelta(hours=1), 1).rise.tolist() == [10 + 91 + 6]
        archive.maintain(now)
    archive.introduce("sensor", 1, sensor_words(Sensor("meter.energy", "kWh")))
    assert ask(timedelta(minutes=7), 1).rise.tolist() == [5 + 91 + 2]


def test_a_turnover_is_lost_nowhere_on_the_way(archive: Archive, tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    facade = beliefs.Beliefs(archive, state)
    # At 7.5 kWh an hour, read every minute at half past; each turns over before another minute:
    # inside of 5 minutes, at their edge, at that of an hour, of a day in UTC and one in India.
    n, step, minutes = 2880, 0.125, {"in": 63, "edge": 65, "hour": 120, "day": 1440, "india": 1110}
    for name, minute in minutes.items():
        number = facade.register(Sensor(f"{name}.energy", "kWh", turns_at=TURNS_AT))
        shown = (TURNS_AT + step * (np.arange(n) - minute) + step / 2) % TURNS_AT
        archive.commit(
            Readings.of({"sensor": np.full(n, number), "value": shown, "quality": np.zeros(n),
                         "event_us": (np.arange(n) * 60 + 30) * SECOND}), NONE, STAMP)  # fmt: skip
    rule = events.Rule("counter", timedelta(minutes=5), timedelta(minutes=1), TURNS_AT)
    names = [f"{name}.energy" for name in minutes]
    for now in (EPOCH + 2 * DAY, EPOCH + 3 * DAY):
        around = TimeGrid(EPOCH, rule.part, n // 5)
        for found in facade.buckets_of(names, around).values():
            told = events.values(rule, found, 300 * SECOND, n // 5 - 2)
            assert told.tolist() == [5 * step] * (n // 5 - 2)
        for width in (rule.part, timedelta(hours=1), timedelta(hours=24)):
            each = width // timedelta(minutes=1)
            found = facade.buckets(names, TimeGrid(EPOCH, width, n // each))
            assert found.rise.tolist() == [(each - 1) * step] * (len(names) * n // each)
        for zone, read in (("UTC", [1440, 1440]), ("Asia/Kolkata", [1110, 1440, 330])):
            days = facade.days(names, date(1970, 1, 1), len(read), ZoneInfo(zone))
            assert days.rise.tolist() == [(one - 1) * step for one in read] * len(names)
        archive.maintain(now)
    state.close()


def test_buckets_start_anywhere(archive: Archive) -> None:
    archive.commit(some(900, sensors=1), NONE, STAMP)
    archive.maintain(EPOCH + DAY)
    found = archive.buckets([0], moment(7 * SECOND), timedelta(seconds=300), 2)
    assert found.start_us.tolist() == [7 * SECOND, 307 * SECOND]
    assert found.first.tolist() == [7, 307]
    assert found.count.tolist() == [300, 300]


def test_roll_ups_stay_when_readings_go(opened: Callable[..., Archive]) -> None:
    archive = opened(Keep(readings=DAY, minutes=None))
    archive.commit(some(600, sensors=1), NONE, STAMP)
    ask = partial(archive.buckets, [0], EPOCH, timedelta(seconds=300), 2)
    before = table(ask())
    archive.maintain(EPOCH + timedelta(hours=2))
    archive.commit(reading(0, 3 * 86_400, 1.0), NONE, STAMP)
    archive.maintain(EPOCH + 3 * DAY)
    assert [row[1] for row in read(archive, 0)] == [3 * 86_400 * SECOND]
    assert len(before) == 2
    assert table(ask()) == before


def test_the_newest_usable_reading_counts(archive: Archive) -> None:
    rows = Readings.joined([reading(1, 10, 1), reading(1, 20, 2, 3), reading(1, 30, np.nan, 1),
                            reading(1, 40, 4, 2), reading(2, 99, 5)])  # fmt: skip
    archive.commit(rows, NONE, STAMP)
    assert naive.rows(archive.latest([2, 1, 7], moment(98 * SECOND))) == [(1, 20 * SECOND, 2, 3)]
    assert archive.latest([2, 1, 2], moment(99 * SECOND)).value.tolist() == [2, 5]
    assert archive.latest([1], moment(19 * SECOND)).value.tolist() == [1]
    assert len(archive.latest([1], EPOCH)) == 0


def test_a_reading_that_was_taken_back_is_not_the_newest(archive: Archive) -> None:
    archive.commit(Readings.joined([reading(1, 10, 1), reading(1, 20, 2)]), NONE, STAMP)
    archive.commit(reading(1, 20, 3, 2), NONE, STAMP)
    assert archive.latest([1], NOW).value.tolist() == [1]


def test_the_belief_about_the_newest_event_is_the_last_one(archive: Archive) -> None:
    for row in (belief(1, 60, 5, 1.0), belief(1, 120, 5, 2.0), belief(1, 120, 7, 3.0),
                belief(2, 120, 6, 4.0), belief(2, 180, 6, 5.0)):  # fmt: skip
        archive.commit(SILENCE, row, STAMP)
    assert archive.newest([1, 9], moment(120 * SECOND)).value.tolist() == [3.0]
    assert archive.newest([1], moment(119 * SECOND)).value.tolist() == [1.0]
    assert len(archive.newest([1], EPOCH)) == 0
    for row in (belief(4, 240, 9, 6.0), belief(3, 240, 9, 7.0, 0.9), belief(3, 240, 9, 8.0, 0.4)):
        archive.commit(SILENCE, row, STAMP)
    assert archive.newest([1], moment(240 * SECOND)).value.tolist() == [8.0]


def test_statistics_are_told_by_source(archive: Archive) -> None:
    archive.commit(
        Readings.joined([reading(1, 60, 4), reading(1, 61, 6), reading(2, 1, 99)]),
        Beliefs.joined(
            [
                belief(2, 120, 7, 1.0),
                belief(2, 180, 7, np.nan),
                belief(2, 60, 9, 2.0),
                belief(3, 60, 8, 5.0),
            ]
        ),
        STAMP,
    )
    told = {one.source: one for one in archive.statistics(Asked((1,)))}
    assert sorted(told, key=str) == [2, 3, None]
    assert (told[None].least, told[None].most, told[None].mean, told[None].total) == (4, 6, 5, 10)
    assert told[None].last_event == moment(61 * SECOND)
    assert (told[2].first_event, told[2].last_event) == (moment(60 * SECOND), moment(180 * SECOND))
    assert (told[2].last_belief, told[2].count, told[2].mean) == (moment(9 * SECOND), 3, 1.5)
    assert archive.statistics(Asked((9,))) == []
    late = Asked((2, 1), moment(120 * SECOND), moment(180 * SECOND), sources=(2, 3))
    assert [(one.sensor, one.source, one.count, one.total) for one in archive.statistics(late)] == [
        (1, 2, 1, 1.0)]  # fmt: skip
    early = Asked((1,), sources=(2,), believed_until=moment(7 * SECOND))
    assert [(one.count, one.last_event) for one in archive.statistics(early)] == [
        (2, moment(180 * SECOND))]  # fmt: skip


def test_beliefs_of_one_source_are_deleted(archive: Archive) -> None:
    archive.commit(some(10), Beliefs.joined([believed(6), believed(4, 0, 2)]), STAMP)
    assert archive.delete(1, 2, moment(60 * SECOND), moment(180 * SECOND)) == 2
    assert [row[:3] for row in believed_all(archive) if row[1] == 2] == [
        (1, 2, 0), (1, 2, 180 * SECOND)]  # fmt: skip
    assert len(believed_all(archive)) == 8
    assert len(read(archive)) == 10
    assert archive.delete(1, 2, None, None) == 2
    assert archive.delete(1, 2, None, None) == 0


def test_a_deleted_stretch_is_gone_from_roll_ups(archive: Archive) -> None:
    archive.commit(some(3000, sensors=1), believed(3), STAMP)
    archive.maintain(EPOCH + DAY)
    assert archive.delete(0, None, moment(450 * SECOND), moment(1050 * SECOND)) == 600
    for _ in range(2):
        found = archive.buckets([0], EPOCH, timedelta(seconds=300), 10)
        assert found.start_us.tolist() == [300 * SECOND * i for i in (0, 1, 3, 4, 5, 6, 7, 8, 9)]
        assert found.count.tolist() == [300, 150, 150, *[300] * 6]
        assert archive.buckets([0], EPOCH, timedelta(hours=1), 1).count.tolist() == [2400]
        archive.maintain(EPOCH + 2 * DAY)
    assert archive.delete(0, None, None, None) == 2400
    assert len(archive.buckets([0], EPOCH, timedelta(hours=1), 1)) == 0
    assert len(believed_all(archive)) == 3
    assert archive.delete(1, None, None, None) == 3


def test_what_an_untrusted_clock_dated_is_seen_once_it_is_dated(archive: Archive) -> None:
    archive.commit(some(2), believed(2), UNTRUSTED)
    archive.commit(some(3), NONE, Stamp("another boot", 0, trusted=False))
    archive.maintain(NOW)
    assert read(archive) == []
    assert believed_all(archive) == []
    assert len(archive.latest([0, 1], NOW)) == 0
    assert archive.restamp(STAMP) == 2
    assert archive.restamp(STAMP) == 0
    assert read(archive) == [(0, 3600 * SECOND, 0, 0), (1, 3601 * SECOND, 1, 0)]
    assert archive.buckets([0, 1], EPOCH, timedelta(hours=1), 2).count.tolist() == [1, 1]
    assert believed_all(archive) == []


def test_old_rows_go(opened: Callable[..., Archive]) -> None:
    archive = opened(Keep(readings=None, beliefs=DAY))
    archive.commit(some(10), believed(10), STAMP)
    archive.maintain(EPOCH + DAY)
    assert len(believed_all(archive)) == 10
    archive.commit(SILENCE, believed(1, 2880), STAMP)
    archive.maintain(EPOCH + 2 * DAY)
    assert [row[2] for row in believed_all(archive)] == [2 * 86_400 * SECOND]
    assert len(read(archive)) == 10


def test_a_clock_that_is_far_ahead_lets_nothing_go(opened: Callable[..., Archive]) -> None:
    archive = opened(Keep(2 * DAY, 2 * DAY, 2 * DAY, 2 * DAY))
    archive.commit(some(10), believed(10), STAMP)
    for _ in range(3):
        archive.maintain(NOW)
    assert (len(read(archive)), len(believed_all(archive))) == (10, 10)
    assert archive.buckets([0, 1], EPOCH, timedelta(hours=1), 1).count.tolist() == [5, 5]


def test_many_threads_at_once_lose_nothing(archive: Archive) -> None:
    def work(number: int) -> None:
        for step in range(10):
            archive.commit(some(20, 200 * number + 20 * step), belief(number, step, 1, 0.0), STAMP)
            assert len(archive.readings([0, 1], EPOCH, END)) >= 20 * (step + 1)
            if step == 5:
                archive.maintain(EPOCH + DAY + timedelta(hours=number))

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, range(5)))
    assert sorted(row[2] for row in read(archive)) == list(range(1000))
    assert len(believed_all(archive)) == 50
    counts = archive.buckets([0, 1], EPOCH, timedelta(hours=1), 1).count
    assert counts.tolist() == [500, 500]


def test_many_rows_come_at_once(archive: Archive) -> None:
    archive.commit(some(600_001, sensors=1), believed(250_000), STAMP)
    archive.commit(reading(0, 7, -1.0), NONE, STAMP)
    found = archive.readings([0], EPOCH, END)
    assert len(found) == 600_001
    assert found.value[[6, 7, 8, 600_000]].tolist() == [6, -1, 8, 600_000]
    assert len(archive.beliefs(Asked((1,)), {})) == 250_000


def came(archive: Archive, since: Since) -> tuple[list[float], int, int]:
    """Values and bounds; the bounds as the ingest numbers' places in 0, 1, 2, ..."""
    found = archive.since(since)
    return found.rows.value.tolist(), found.lo, found.hi


def test_beliefs_are_told_in_the_order_in_which_they_came(archive: Archive) -> None:
    assert archive.top() == 0
    assert archive.since(Since(1, 0, 0)).rows.value.tolist() == []
    archive.commit(SILENCE, Beliefs.joined([belief(2, 120, 9, 1.0), belief(1, 60, 5, 2.0)]), STAMP)
    first = archive.top()
    archive.commit(SILENCE, belief(1, 0, 5, 3.0), STAMP)
    archive.commit(some(3), NONE, STAMP)
    second = archive.top()
    archive.commit(SILENCE, belief(1, 7, 5, 4.0), STAMP)
    assert 0 < first < second <= archive.top()
    assert came(archive, Since(1, 0, second)) == ([1.0, 2.0, 3.0], 0, second)
    assert came(archive, Since(1, first, second)) == ([3.0], first, second)
    assert came(archive, Since(1, 0, second, newest_first=True)) == ([3.0, 2.0, 1.0], 0, second)
    assert came(archive, Since(1, 0, second, (1,))) == ([2.0, 3.0], 0, second)
    assert came(archive, Since(1, 0, second, ())) == ([], 0, second)
    assert came(archive, Since(2, 0, second)) == ([], 0, second)
    whole = archive.since(Since(1, 0, archive.top()))
    assert naive.rows(whole.rows)[2][:-1] == (1, 1, 0, 5 * SECOND, 0.5, 3.0)
    assert archive.epoch() > 0


def test_a_portion_says_how_far_it_goes(archive: Archive) -> None:
    archive.commit(SILENCE, believed(10), STAMP)
    top = archive.top()
    found = archive.since(Since(1, 0, top, limit=4))
    assert (found.rows.value.tolist(), found.lo) == ([0, 1, 2, 3], 0)
    rest = archive.since(Since(1, found.hi, top, limit=6))
    assert (rest.rows.value.tolist(), rest.lo) == ([4, 5, 6, 7, 8, 9], found.hi)
    assert came(archive, Since(1, rest.hi, top)) == ([], rest.hi, top)
    last = archive.since(Since(1, 0, top, limit=3, newest_first=True))
    assert (last.rows.value.tolist(), last.hi) == ([9, 8, 7], top)
    assert came(archive, Since(1, 0, last.lo))[0] == [0, 1, 2, 3, 4, 5, 6]


def test_numbers_stay_wherever_rows_go(opened: Callable[..., Archive]) -> None:
    archive = opened()
    for step in range(3):
        archive.commit(SILENCE, believed(4, 4 * step), STAMP)
    top, epoch = archive.top(), archive.epoch()
    before = naive.rows(archive.since(Since(1, 0, top)).rows)
    archive.maintain(NOW)
    assert naive.rows(archive.since(Since(1, 0, top)).rows) == before
    assert archive.delete(1, 1, moment(0), moment(120 * SECOND)) == 2
    archive.close()
    again = opened()
    assert again.epoch() == epoch
    assert again.top() >= top
    assert naive.rows(again.since(Since(1, 0, again.top())).rows) == before[2:]
    again.commit(SILENCE, believed(1, 99), STAMP)
    assert came(again, Since(1, top, again.top()))[0] == [99]


def test_what_takes_the_place_of_another_comes_with_a_new_number(archive: Archive) -> None:
    archive.commit(SILENCE, believed(3), STAMP)
    top = archive.top()
    archive.commit(SILENCE, belief(1, 60, 60, -1.0), STAMP, replacing=True)
    for _ in range(2):
        assert came(archive, Since(1, 0, top))[0] == [0, 2]
        assert came(archive, Since(1, top, archive.top()))[0] == [-1]
        assert came(archive, Since(1, 0, archive.top()))[0] == [0, 2, -1]
        archive.maintain(NOW)


def test_what_came_is_counted_by_sensor_and_source(archive: Archive) -> None:
    archive.commit(SILENCE, Beliefs.joined([believed(3), believed(2, 5, 2)]), STAMP)
    top = archive.top()
    archive.commit(SILENCE, believed(4, 10), STAMP)
    last = int(archive.since(Since(1, 0, top, (1,))).rows.number[-1])
    minute = timedelta(minutes=1)
    assert archive.tally(0, top)[0] == Tally(1, 1, 3, last, EPOCH, EPOCH + 2 * minute)
    assert archive.tally(0, top, [1]) == archive.tally(0, top)
    assert archive.tally(0, top, [2]) == []
    later = [(one.source, one.count) for one in archive.tally(top, archive.top())]
    assert later == [(1, 4)]
    assert archive.tally(archive.top(), archive.top()) == []


def test_nothing_that_no_clock_dated_comes(archive: Archive) -> None:
    archive.commit(SILENCE, believed(3), UNTRUSTED)
    archive.restamp(STAMP)
    archive.commit(SILENCE, believed(1, 7), STAMP)
    assert came(archive, Since(1, 0, archive.top()))[0] == [7]


@pytest.mark.parametrize("seed", range(5))
def test_readers_see_all_that_comes_and_what_stays_once(archive: Archive, seed: int) -> None:
    chance = np.random.default_rng(seed)
    told = Told()
    readers = [
        Reader(archive, sensor, sources, newest_first)
        for sensor in (1, 2) for sources in (None, (2,)) for newest_first in (True, False)
    ]  # fmt: skip
    for step in range(60):
        match chance.choice(["commit", "commit", "maintain", "delete", "read", "read"]):
            case "commit":
                rows = naive.history(chance, int(chance.integers(1, 40)))
                archive.commit(SILENCE, rows, STAMP, replacing=True)
                told.commit(rows)
            case "maintain":
                archive.maintain(NOW + step * DAY)
            case "delete":
                start = naive.BEGIN + int(chance.integers(0, 12)) * 15 * naive.MINUTE
                end = start + int(chance.integers(1, 4)) * 15 * naive.MINUTE
                archive.delete(1, 1, moment(start), moment(end))
                told.delete(1, 1, start, end)
            case _:
                for reader in readers:
                    reader.take(int(chance.integers(1, 30)))
    for reader in readers:
        reader.settle(told)


def test_readers_see_all_of_many_writers(archive: Archive) -> None:
    told, reader = Told(), Reader(archive, 1, None, newest_first=False)

    def write(source: int) -> None:
        for step in range(15):
            archive.commit(SILENCE, believed(5, 5 * step, source), STAMP)

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, source) for source in range(1, 5)]
        while not all(one.done() for one in writing):
            reader.take(9)
        for one in writing:
            one.result()
    for source in range(1, 5):
        told.commit(believed(75, 0, source))
    reader.settle(told)
