from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from flexedge.domain.asset import Sensor
from flexedge.drivers.driver import ControlPoint, Poll, Sample
from flexedge.drivers.station import Station
from flexedge.errors import DeviceUnreachable

START = datetime(2026, 11, 22, tzinfo=UTC)
FAST, SLOW = Poll(("a.x",), timedelta(seconds=1)), Poll(("a.y",), timedelta(seconds=10))
ERROR = DeviceUnreachable("a", "gone")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass
class Still:
    """A driver that is never asked anything here."""

    polls: Sequence[Poll] = (SLOW, FAST)
    sensors: Mapping[str, Sensor] = None  # type: ignore[assignment] # never looked at
    controls: Mapping[str, ControlPoint] = None  # type: ignore[assignment] # as above

    def read(self, poll: Poll, now: datetime) -> Sequence[Sample]:
        raise NotImplementedError

    def write(self, control: str, power_kw: float) -> None: ...

    def shown_kw(self, control: str) -> float | None: ...

    def release(self, control: str) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def station() -> Station:
    return Station(Still())


def polls_until(station: Station, end: float, step: float = 0.1) -> list[tuple[float, Poll]]:
    done = []
    for i in range(round(end / step)):
        now = at(i * step)
        while station.deadline(now) is not None:
            done.append((i * step, station.begin(now)))
            station.succeed()
    return done


def test_everything_is_due_at_once_and_then_at_its_own_pace(station: Station) -> None:
    done = polls_until(station, 10.1)
    assert [t for t, poll in done if poll is FAST] == pytest.approx(list(range(11)))
    assert [t for t, poll in done if poll is SLOW] == pytest.approx([0, 10])


def test_after_a_pause_nothing_is_caught_up_and_the_pace_is_kept(station: Station) -> None:
    station.begin(at(0))
    station.begin(at(0))
    assert station.begin(at(25.3)) is FAST
    assert station.begin(at(25.3)) is SLOW
    assert station.deadline(at(25.3)) is None
    assert min(station.moments(requested=False)) == at(26)
    assert max(station.moments(requested=False)) == at(30)


def test_a_slow_poll_is_not_starved_by_a_fast_one_that_is_always_due(station: Station) -> None:
    served = [station.begin(at(3 * i)) for i in range(10)]
    assert SLOW in served[1:5]
    assert served.count(FAST) >= 7


def test_it_dies_after_three_failures_in_a_row(station: Station) -> None:
    for _ in range(2):
        station.fail(ERROR, at(0))
    station.succeed()
    died = []
    for _ in range(3):
        station.fail(ERROR, at(1))
        died.append(station.dead)
    assert died == [False, False, True]
    assert station.error is ERROR


def test_the_dead_are_probed_with_the_fastest_poll_ever_more_rarely(station: Station) -> None:
    for _ in range(3):
        station.fail(ERROR, at(0))
    now, pauses = at(0), []
    for _ in range(35):
        (probe,) = station.moments(requested=True)
        pauses.append((probe - now).total_seconds())
        assert station.deadline(probe - timedelta(seconds=0.1)) is None
        assert not station.takes_requests(probe - timedelta(seconds=0.1))
        assert station.takes_requests(probe)
        assert station.deadline(probe) is not None
        assert station.begin(probe) is FAST
        station.fail(ERROR, probe)
        now = probe
    assert pauses == [min(2.0 * n, 30.0) for n in range(1, 36)]


def test_coming_back_it_is_read_completely_at_once(station: Station) -> None:
    station.begin(at(0))
    station.begin(at(0))
    for _ in range(3):
        station.fail(ERROR, at(0))
    assert station.begin(at(2)) is FAST
    station.succeed()
    assert not station.dead
    assert station.error is None
    assert station.begin(at(2)) is SLOW
    assert station.deadline(at(2)) is None
    assert min(station.moments(requested=False)) == at(3)


def test_a_clock_put_back_stops_nothing(station: Station) -> None:
    station.begin(at(0))
    station.begin(at(0))
    earlier = at(-86400)
    assert {station.begin(earlier).every, station.begin(earlier).every} == {
        FAST.every,
        SLOW.every,
    }
    for _ in range(3):
        station.fail(ERROR, at(0))
    assert station.deadline(earlier) is not None


def test_a_rest_holds_requests_back_but_not_polls(station: Station) -> None:
    station.fail(ERROR, at(0))
    station.rest(at(0))
    assert not station.takes_requests(at(1.9))
    assert station.takes_requests(at(2))
    assert station.deadline(at(1)) is not None
    assert at(2) in set(station.moments(requested=True))
    assert at(2) not in set(station.moments(requested=False))
