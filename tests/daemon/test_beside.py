import threading
from datetime import UTC, datetime, timedelta

from flexedge.daemon.beside import Beside
from flexedge.daemon.clock import SharedClock, WallClock
from flexedge.daemon.loops import Loop, Service
from tests.daemon.test_clock import BEGIN, Timekeeper, at


def test_it_shows_the_time_of_the_clock_and_can_be_woken() -> None:
    clock = WallClock()
    steps: list[datetime] = []
    twice = threading.Event()

    def step(now: datetime) -> datetime:
        steps.append(now)
        if len(steps) > 1:
            twice.set()
        return now + timedelta(days=1)

    with Loop("centre", step, Beside(clock)) as loop:
        loop.wake()
        assert twice.wait(10)
    assert all(now.tzinfo is UTC for now in steps)
    assert not loop.alive


def test_simulated_time_goes_on_while_it_works() -> None:
    keeper = Timekeeper()
    keeper.stop_after = 5
    working, done = threading.Event(), threading.Event()

    def hang(_now: datetime) -> None:
        working.set()
        done.wait(10)

    with Service("keeper", keeper.run, keeper.stop):
        clock = SharedClock(keeper.address)
        with (
            Loop("centre", hang, Beside(clock)),
            Loop("dispatch", lambda now: now + timedelta(seconds=1), clock),
            Service("clock", clock.run, clock.let_run),
        ):
            assert working.wait(10)
            assert keeper.enough.wait(10)  # though "centre" still hangs
            assert Beside(clock).now() == at(keeper.asked[-2] - BEGIN)
            done.set()
            clock.let_run()
