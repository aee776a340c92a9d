import threading
from datetime import UTC, datetime, timedelta

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


def test_intervals_follow_the_speed_of_the_clock() -> None:
    class Fast(WallClock):
        speed = 36_000.0

    ran = threading.Semaphore(0)
    jobs = Jobs(Fast())
    jobs.every(LONG, "plan", lambda _now: ran.release())
    with jobs:
        for _ in range(3):
            assert ran.acquire(timeout=10)
