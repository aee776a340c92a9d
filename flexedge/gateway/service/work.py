"""Work that was asked for, done one after the other in a thread of its own."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flexedge.store.tables.jobs import Job, JobQueues

Json = dict[str, Any]
Handler = Callable[[Job, datetime], Json]
"""Does a job; gives its result. What it raises (``FlexedgeError``) is why it failed."""
SAME = timedelta(hours=1)
"""For so long the same request gives the same job."""


class Work:
    """The queue of jobs. ``ask`` from any thread; ``step`` from one.

    ``handlers``: who does the jobs of a queue ("scheduling", "forecasting", "ingestion").
    """

    def __init__(
        self, jobs: JobQueues, handlers: Mapping[str, Handler], now: Callable[[], datetime]
    ) -> None:
        self.jobs = jobs
        self._handlers = dict(handlers)
        self._now = now
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to do."""

    def ask(
        self,
        queue: str,
        payload: Json,
        *,
        asset_id: int | None = None,
        sensor_id: int | None = None,
        user_id: int | None = None,
        anew: bool = False,
    ) -> Job:
        """Ask for work; the job of the same request within the hour unless ``anew``."""
        raise NotImplementedError

    def step(self, now: datetime) -> datetime | None:
        """Do what waits; when to be called again at the latest."""
        raise NotImplementedError
