"""What runs now and then, in a small pool. The only importer of APScheduler.

APScheduler lives on the wall clock. Simulated time runs at most as fast as its speed says, so
jobs are triggered at that pace and work when they are due by the clock; it stands still meanwhile.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from flexedge.daemon.clock import Clock

_SHORTEST_S = 0.05


class Jobs:
    """A pool of two; a job never runs beside itself, and missed runs become one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, datetime] = {}
        self._asked: set[str] = set()
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )

    def every(self, interval: timedelta, name: str, work: Callable[[datetime], None]) -> None:
        """Do ``work(now)`` at once and then every ``interval`` of the clock."""

        def run() -> None:
            with self._clock.hold():
                now = self._clock.now()
                if name in self._asked or now >= self._due.get(name, now):
                    self._asked.discard(name)
                    self._due[name] = now + interval
                    work(now)

        seconds = max(interval.total_seconds() / self._clock.speed, _SHORTEST_S)
        self._scheduler.add_job(
            run, "interval", seconds=seconds, id=name, next_run_time=_wall_now()
        )

    def soon(self, name: str) -> None:
        """Do a job now rather than when it is due. From any thread."""
        self._asked.add(name)
        self._scheduler.modify_job(name, next_run_time=_wall_now())

    def rearm(self) -> None:
        """Keep jobs going after the machine's clock was put back: none waits beyond its interval.

        To be called now and then.
        """
        now = _wall_now()
        for job in self._scheduler.get_jobs():
            if job.next_run_time - now > job.trigger.interval:
                self._scheduler.modify_job(job.id, next_run_time=now)

    def __enter__(self) -> Self:
        self._scheduler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._scheduler.shutdown(wait=False)


def _wall_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 (APScheduler lives on the wall clock)
