import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from flexedge.daemon.clock import ClockUnavailable, SharedClock, WallClock
from flexedge.daemon.loops import Loop, Service

BEGIN = 1_800_000_000.0


class Timekeeper:
    """The other end: answers every "idle until T" with T, and remembers them."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked: list[float] = []
        self.enough = threading.Event()
        self.stop_after: int | None = None

    def run(self) -> None:
        peer, _ = self._listening.accept()
        with peer:
            peer.sendall(struct.pack("<dd", BEGIN, 10.0))
            while len(request := peer.recv(8)) == 8:
                (until,) = struct.unpack("<d", request)
                self.asked.append(until)
                if self.stop_after is not None and len(self.asked) >= self.stop_after:
                    self.enough.set()
                    continue
                peer.sendall(struct.pack("<d", until))

    def stop(self) -> None:
        self._listening.close()


@pytest.fixture
def keeper() -> Iterator[Timekeeper]:
    keeper = Timekeeper()
    with Service("keeper", keeper.run, keeper.stop):
        yield keeper


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(BEGIN + seconds, UTC)


def test_time_moves_to_the_next_moment_somebody_waits_for(keeper: Timekeeper) -> None:
    keeper.stop_after = 12
    clock = SharedClock(keeper.address)
    seen: dict[str, list[datetime]] = {"a": [], "b": []}

    def every(name: str, seconds: float, now: datetime) -> datetime:
        seen[name].append(now)
        return now + timedelta(seconds=seconds)

    with ExitStack() as loops:
        with clock.hold():
            loops.enter_context(Loop("a", lambda now: every("a", 1.0, now), clock))
            loops.enter_context(Loop("b", lambda now: every("b", 2.5, now), clock))
        loops.enter_context(Service("clock", clock.run, clock.let_run))
        assert keeper.enough.wait(10)
        clock.let_run()
    assert clock.speed == 10.0
    assert seen["a"][:6] == [at(i) for i in range(6)]
    assert seen["b"][:3] == [at(0), at(2.5), at(5)]
    assert keeper.asked == sorted(keeper.asked)


def test_time_stands_still_while_somebody_works(keeper: Timekeeper) -> None:
    keeper.stop_after = 3
    clock = SharedClock(keeper.address)
    working, go_on = threading.Event(), threading.Event()

    def work(now: datetime) -> datetime:
        if now == at(1):
            working.set()
            go_on.wait(10)
        return now + timedelta(seconds=1)

    with Loop("worker", work, clock), Service("clock", clock.run, clock.let_run):
        assert working.wait(10)
        assert keeper.asked == [BEGIN + 1]
        assert clock.now() == at(1)
        go_on.set()
        assert keeper.enough.wait(10)
        clock.let_run()


def test_a_job_holds_the_time(keeper: Timekeeper) -> None:
    keeper.stop_after = 1
    clock = SharedClock(keeper.address)
    slept = threading.Event()

    def step(now: datetime) -> datetime:
        slept.set()
        return now + timedelta(seconds=1)

    with ExitStack() as loops:
        with clock.hold():
            loops.enter_context(Service("clock", clock.run, clock.let_run))
            loops.enter_context(Loop("a", step, clock))
            assert slept.wait(10)
            assert keeper.asked == []
        assert keeper.enough.wait(10)
        clock.let_run()
    assert keeper.asked == [BEGIN + 1]


def test_a_sleeper_is_woken_at_the_time_of_whoever_wakes_it(keeper: Timekeeper) -> None:
    keeper.stop_after = 5
    clock = SharedClock(keeper.address)
    steps: list[datetime] = []

    def sleep_for_good(now: datetime) -> None:
        steps.append(now)

    loops = ExitStack()
    with clock.hold():
        sleeper = Loop("sleeper", sleep_for_good, clock)

        def wake_at_two(now: datetime) -> datetime:
            if now == at(2):
                sleeper.wake()
            return now + timedelta(seconds=1)

        other = Loop("other", wake_at_two, clock)
        loops.enter_context(sleeper)
        loops.enter_context(other)
    loops.enter_context(Service("clock", clock.run, clock.let_run))
    with loops:
        assert keeper.enough.wait(10)
        clock.let_run()
    assert steps[:2] == [at(0), at(2)]


def test_a_timekeeper_that_goes_leaves_wall_time(keeper: Timekeeper) -> None:
    clock = SharedClock(keeper.address)
    before = clock.now()
    clock.let_run()
    sleeper = clock.sleeper()
    sleeper.sleep(clock.now() + timedelta(seconds=0.1))  # 10 ms at ten times the speed
    assert clock.now() - before >= timedelta(seconds=0.1)


def test_without_a_timekeeper_there_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ClockUnavailable, match=f"127.0.0.1:{port}"):
        SharedClock(f"127.0.0.1:{port}")


def test_the_wall_clock_wakes_and_expires() -> None:
    clock = WallClock()
    sleeper = clock.sleeper()
    sleeper.wake()
    sleeper.sleep(None)  # returns at once: it was woken
    sleeper.sleep(clock.now() - timedelta(seconds=1))
    sleeper.sleep(clock.now() + timedelta(milliseconds=1))
    assert clock.now().tzinfo is UTC
    with clock.hold():
        clock.let_run()
