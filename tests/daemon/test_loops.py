import threading
from datetime import datetime

from flexedge.daemon.clock import WallClock
from flexedge.daemon.loops import Loop, Service


def test_a_loop_steps_until_its_context_ends() -> None:
    stepped = threading.Event()

    def step(_now: datetime) -> None:
        stepped.set()

    loop = Loop("stepper", step, WallClock())
    with loop:
        assert stepped.wait(10)
        assert loop.alive
    assert not loop.alive


def test_waking_steps_again() -> None:
    steps = []
    again = threading.Event()

    def step(now: datetime) -> None:
        steps.append(now)
        if len(steps) > 1:
            again.set()

    with Loop("stepper", step, WallClock()) as loop:
        loop.wake()
        assert again.wait(10)


def test_a_service_runs_until_it_is_stopped() -> None:
    stop, running = threading.Event(), threading.Event()

    def run() -> None:
        running.set()
        stop.wait(10)

    service = Service("service", run, stop.set)
    with service:
        assert running.wait(10)
        assert service.alive
    assert not service.alive
