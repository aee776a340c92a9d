import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from flexedge.daemon.clock import WallClock
from flexedge.daemon.jobs import Jobs

LONG = timedelta(hours=1)


def test_a_job_runs_at_once_and_when_asked() -> None:
    runs: list[datetime] = []
    ran = threading.Semaphore(0)

    def work(now: datetime) -> None:
        runs.append(now)
        ran.release()

    jobs = Jobs(WallClock())
    jobs.every(LONG, "plan", work)
    with jobs:
        assert ran.acquire(timeout=10)
        jobs.soon("plan")
        assert ran.acquire(timeout=10)
    assert len(runs) == 2
    assert all(run.tzinfo is UTC for run in runs)


class Fast(WallClock):
    speed = 36_000.0

    def __init__(self) -> None:
        super().__init__()
        self._began = super().now()

    def now(self) -> datetime:
        return self._began + (super().now() - self._began) * self.speed


def test_intervals_follow_the_clock() -> None:
    runs: list[datetime] = []
    ran = threading.Semaphore(0)

    def work(now: datetime) -> None:
        runs.append(now)
        ran.release()

    jobs = Jobs(Fast())
    jobs.every(LONG, "plan", work)
    with jobs:
        for _ in range(3):
            assert ran.acquire(timeout=10)
    assert all(after - before >= LONG for before, after in pairwise(runs))


def test_a_job_that_is_triggered_too_early_waits_for_its_time() -> None:
    class Slow(Fast):
        def now(self) -> datetime:  # the clock does not reach its speed: it stands still
            return self._began

    first, runs = threading.Event(), []

    def work(now: datetime) -> None:
        runs.append(now)
        first.set()

    triggered = threading.Semaphore(0)
    jobs = Jobs(Slow())
    jobs.every(LONG, "plan", work)
    jobs.every(timedelta(0), "other", lambda _now: triggered.release())
    with jobs:
        assert first.wait(10)
        for _ in range(4):
            assert triggered.acquire(timeout=10)
    assert len(runs) == 1


def test_a_clock_that_was_put_back_keeps_no_job_waiting() -> None:
    ran = threading.Semaphore(0)
    jobs = Jobs(WallClock())
    jobs.every(LONG, "plan", lambda _now: ran.release())
    with jobs:
        assert ran.acquire(timeout=10)
        jobs._due.clear()  # by the clock that it was, the job is due again
        far = jobs._scheduler.get_job("plan").next_run_time + timedelta(days=365)
        jobs._scheduler.modify_job("plan", next_run_time=far)
        jobs.rearm()
        assert ran.acquire(timeout=10)
