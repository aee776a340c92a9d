"""What runs now and then, in a small pool. The only importer of APScheduler.

APScheduler lives on the wall clock: intervals are divided by the clock's speed, and simulated
time stands still while a job works.
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
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )

    def every(self, interval: timedelta, name: str, work: Callable[[datetime], None]) -> None:
        """Do ``work(now)`` at once and then every ``interval`` of the clock."""

        def run() -> None:
            with self._clock.hold():
                work(self._clock.now())

        seconds = max(interval.total_seconds() / self._clock.speed, _SHORTEST_S)
        self._scheduler.add_job(
            run, "interval", seconds=seconds, id=name, next_run_time=_wall_now()
        )

    def soon(self, name: str) -> None:
        """Do a job now rather than when it is due. From any thread."""
        self._scheduler.modify_job(name, next_run_time=_wall_now())

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
