"""Work that was asked for: queued, running, done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from flexedge.store.tables.database import Database, as_value
from flexedge.store.tables.models import Jobs, Json

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
    started: datetime | None
    ended: datetime | None


class JobQueues:
    """Jobs in the order they were asked for. Raises ``StoreError``, also for an id taken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: str, queue: str, payload: Json, now: datetime) -> None:
        """Ask for work under an id of the caller's."""
        row = {"id": job, "queue": queue, "status": "queued", "payload": payload, "queued": now}
        self._database.execute(sa.insert(Jobs).values(row))

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

    def end(self, job: str, result: Json, now: datetime, *, failed: bool = False) -> None:
        """Note what came of a job."""
        status = "failed" if failed else "finished"
        changed = sa.update(Jobs).where(Jobs.id == job)
        self._database.execute(changed.values(status=status, result=result, ended=now))

    def requeue(self) -> int:
        """Let what was running wait again: after a start, when nothing runs. Returns how many."""
        running = sa.update(Jobs).where(Jobs.status == "started")
        return self._database.execute(running.values(status="queued", started=None))

    def job(self, job: str) -> Job | None:
        """One job."""
        query = sa.select(Jobs.__table__).where(Jobs.id == job)
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else as_value(Job, row)

    def prune(self, before: datetime) -> int:
        """Forget jobs that ended before a moment; returns how many."""
        return self._database.execute(sa.delete(Jobs).where(Jobs.ended < before))
