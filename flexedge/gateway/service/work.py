"""Work that was asked for, done one after the other in a thread of its own."""

import hashlib
import json
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from flexedge.errors import FlexedgeError, StoreError
from flexedge.store.tables.jobs import Job, JobQueues

Json = dict[str, Any]
Handler = Callable[[Job, datetime], Json]
"""Does a job; gives its result. What it raises (``FlexedgeError``) is why it failed."""
SCHEDULING, FORECASTING, INGESTION = "scheduling", "forecasting", "ingestion"
NAME = "flexedge-asked"
"""Who says what was planned or forecast on request: never taken for the gateway's own plan."""
SAME = timedelta(hours=1)
"""For so long the same request gives the same job."""
KEPT, SCHEDULES_KEPT = timedelta(days=1), timedelta(days=7)
"""How long after their end jobs can be asked about, and those that made schedules."""
PATIENCE_S = 0.3
"""For so long an answer about a job waits for its end."""
_SEATS = 8  # so many answers may wait
_REMEMBERED = 5000  # jobs that are in memory only
_HOUSE = timedelta(hours=1)
_log = structlog.get_logger()


class Work:
    """The queue of jobs. ``ask`` from any thread; ``step`` from one.

    What is asked for is on disk when ``ask`` returns; that it was begun is not: what a power cut
    interrupts is begun anew. ``handlers``: who does the jobs of a queue.
    """

    def __init__(
        self, jobs: JobQueues, handlers: Mapping[str, Handler], now: Callable[[], datetime]
    ) -> None:
        self.jobs = jobs
        self._handlers = dict(handlers)
        self.now = now
        self._lock = threading.Lock()
        self._over = threading.Condition(self._lock)
        """Tells of each job that ends."""
        self._seats = threading.Semaphore(_SEATS)
        self._asking = threading.Lock()
        self._waiting: OrderedDict[str, Job] = OrderedDict()
        self._running: Job | None = None
        self._ended: OrderedDict[str, Job] = OrderedDict()
        self._begun = False
        self._house: datetime | None = None
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to do."""

    def serve(self, queue: str, handler: Handler) -> None:
        """Say who does the jobs of a queue. Before the first ``step``."""
        self._handlers[queue] = handler

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
        """Ask for work; the job of the same request within the hour unless ``anew``.

        As with FlexMeasures that is so where the data it was made of have changed since; only a job
        that failed is not given again. Raises ``StoreError``.
        """
        now, same = self.now(), fingerprint(queue, payload)
        with self._asking:
            known = None if anew else self.jobs.same(same, now - SAME)
            if known is not None:
                return known
            job = Job(
                str(uuid.uuid4()), queue, "queued", payload, None, now, asset_id=asset_id,
                sensor_id=sensor_id, user_id=user_id, fingerprint=same,
            )  # fmt: skip
            self.jobs.add(job)
        with self._lock:
            self._waiting[job.id] = job
        self.wake()
        return job

    def done(
        self,
        queue: str,
        result: Json,
        *,
        asset_id: int | None = None,
        sensor_id: int | None = None,
        user_id: int | None = None,
    ) -> Job:
        """A job for what was done at once. It is kept in memory, the newest 5000 of them."""
        now = self.now()
        job = Job(
            str(uuid.uuid4()), queue, "finished", {}, result, now, now, now, asset_id=asset_id,
            sensor_id=sensor_id, user_id=user_id,
        )  # fmt: skip
        self._remember(job)
        return job

    def job(self, number: str) -> Job | None:
        """One job, as it stands. Raises ``StoreError``."""
        with self._lock:
            if self._running is not None and self._running.id == number:
                return self._running
            if number in self._waiting:
                return self._waiting[number]
            if number in self._ended:
                return self._ended[number]
        return self.jobs.job(number)

    def soon(self, number: str, patience_s: float = PATIENCE_S) -> Job | None:
        """One job, as it stands now, or in a moment where it ends by then.

        Who asks for something small need not ask twice. Some may wait at a time; the others hear
        at once. Raises ``StoreError``.
        """
        if self._seats.acquire(blocking=False):
            try:
                with self._over:
                    self._over.wait_for(lambda: not self._open(number), patience_s)
            finally:
                self._seats.release()
        return self.job(number)

    def _open(self, number: str) -> bool:
        running = self._running
        return number in self._waiting or (running is not None and running.id == number)

    def step(self, now: datetime) -> datetime | None:
        """Do the job that waits longest; when to be called again at the latest.

        Raises ``StoreError`` only where nothing was begun.
        """
        if not self._begun:
            self._begin()
        job = self._next()
        if job is not None:
            self._do(job)
        elif self._house is None or now >= self._house:
            self._house = now + _HOUSE
            self.jobs.prune(now - KEPT, SCHEDULING)
            self.jobs.prune(now - SCHEDULES_KEPT)
        return now if self._waiting else self._house

    def _begin(self) -> None:
        """Take up what was left over when the program ended."""
        self.jobs.requeue()
        left = self.jobs.waiting()
        with self._lock:
            fresh = self._waiting
            before = ((job.id, job) for job in left if job.id not in fresh)
            self._waiting = OrderedDict(before) | fresh
        self._begun = True

    def _next(self) -> Job | None:
        """The next job, now running: schedules go first, as somebody waits for them."""
        with self._lock:
            if not self._waiting:
                return None
            first = next(iter(self._waiting.values()))
            job = next((one for one in self._waiting.values() if one.queue == SCHEDULING), first)
            del self._waiting[job.id]
            self._running = replace(job, status="started", started=self.now())
            return self._running

    def _do(self, job: Job) -> None:
        result, error = self._result(job)
        ended = replace(
            job, status="finished" if error is None else "failed", result=result, error=error,
            ended=self.now(),
        )  # fmt: skip
        try:
            self.jobs.end(job.id, result, ended.ended or job.queued, error, job.started)
        except StoreError as failure:
            _log.warning("the result of a job is kept in memory only", job=job.id, why=str(failure))
            self._remember(ended)
        with self._over:
            self._running = None
            self._over.notify_all()

    def _result(self, job: Job) -> tuple[Json | None, str | None]:
        """What comes of a job, or why it failed."""
        handler = self._handlers.get(job.queue)
        if handler is None:
            return None, f"nobody here does jobs of the queue {job.queue!r}"
        try:
            return handler(job, job.started or job.queued), None
        except FlexedgeError as error:
            return None, f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001 (the one place of this loop)
            _log.error("a job failed", job=job.id, queue=job.queue, exc_info=error)
            return None, f"{type(error).__name__}: {error} (the log of the gateway says where)"

    def _remember(self, job: Job) -> None:
        with self._lock:
            self._ended[job.id] = job
            while len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)


def fingerprint(queue: str, payload: Json) -> str:
    """The same for requests that ask for the same, in whatever order of keys."""
    text = json.dumps([queue, payload], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
