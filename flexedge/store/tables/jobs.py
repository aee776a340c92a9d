"""Work that was asked for: queued, running, done."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from flexedge.store.tables.columns import Json
from flexedge.store.tables.database import Database, as_row, as_value
from flexedge.store.tables.models import Jobs

Status = Literal["queued", "started", "finished", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work."""

    id: str
    queue: str
    status: Status
    payload: Json
    result: Json | None
    queued: datetime
    started: datetime | None = None
    ended: datetime | None = None
    error: str | None = None
    """Why it failed."""
    asset_id: int | None = None
    sensor_id: int | None = None
    user_id: int | None = None
    """Who asked for it; None: the gateway itself or its owner."""
    fingerprint: str | None = None
    """The same for requests that ask for the same."""


class JobQueues:
    """Jobs in the order they were asked for. Raises ``StoreError``, also for an id taken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: Job) -> None:
        """Ask for work under an id of the caller's."""
        self._database.execute(sa.insert(Jobs).values(as_row(job)))

    def start(self, queue: str, now: datetime) -> Job | None:
        """Take the oldest job that waits in a queue; None if none does. No job is taken twice."""
        oldest = (
            sa.select(Jobs.id)
            .where(Jobs.queue == queue, Jobs.status == "queued")
            .order_by(Jobs.queued, Jobs.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        statement = (
            sa.update(Jobs)
            .where(Jobs.id == oldest)
            .values(status="started", started=now)
            .returning(Jobs.__table__)
        )
        row = self._database.write(lambda connection: connection.execute(statement).first())
        return None if row is None else as_value(Job, row)

    def end(
        self,
        job: str,
        result: Json | None,
        now: datetime,
        error: str | None = None,
        started: datetime | None = None,
    ) -> None:
        """Note what came of a job; ``error``: why it failed; ``started``: when, if not noted."""
        status = "finished" if error is None else "failed"
        changed = sa.update(Jobs).where(Jobs.id == job)
        row = {"status": status, "result": result, "ended": now, "error": error}
        if started is not None:
            row["started"] = started
        self._database.execute(changed.values(row))

    def waiting(self) -> list[Job]:
        """What waits in any queue, in the order it was asked for."""
        query = sa.select(Jobs.__table__).where(Jobs.status == "queued")
        query = query.order_by(Jobs.queued, Jobs.id)
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return [as_value(Job, row) for row in rows]

    def same(self, fingerprint: str, since: datetime) -> Job | None:
        """The newest job asked for since a moment with that fingerprint that has not failed."""
        query = (
            sa.select(Jobs.__table__)
            .where(Jobs.fingerprint == fingerprint, Jobs.queued >= since, Jobs.status != "failed")
            .order_by(Jobs.queued.desc(), Jobs.id)
            .limit(1)
        )
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else as_value(Job, row)

    def about(self, assets: Collection[int], limit: int = 100) -> list[Job]:
        """The newest jobs about some assets, the newest first."""
        query = (
            sa.select(Jobs.__table__)
            .where(Jobs.asset_id.in_(assets))
            .order_by(Jobs.queued.desc(), Jobs.id)
            .limit(limit)
        )
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return [as_value(Job, row) for row in rows]

    def requeue(self) -> int:
        """Let what was running wait again: after a start, when nothing runs. Returns how many."""
        running = sa.update(Jobs).where(Jobs.status == "started")
        return self._database.execute(running.values(status="queued", started=None))

    def job(self, job: str) -> Job | None:
        """One job."""
        query = sa.select(Jobs.__table__).where(Jobs.id == job)
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else as_value(Job, row)

    def prune(self, before: datetime, kept: str | None = None) -> int:
        """Forget jobs that ended before a moment, but those of a queue that finished well.

        Returns how many.
        """
        old = sa.delete(Jobs).where(Jobs.ended < before)
        if kept is not None:
            old = old.where((Jobs.queue != kept) | (Jobs.status == "failed"))
        return self._database.execute(old)
