"""When tasks that should run now and then ran last, and how."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from flexedge.store.tables.database import Database, as_row, as_value
from flexedge.store.tables.models import TaskRuns


@dataclass(frozen=True, slots=True)
class TaskRun:
    """The latest run of a task."""

    name: str
    at: datetime
    good: bool


class LatestRuns:
    """The latest run of each task. Raises ``StoreError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, run: TaskRun) -> None:
        """Note a run in the place of the one before."""
        self._database.execute(self._database.put(TaskRuns, as_row(run), replace=("at", "good")))

    def get(self, name: str) -> TaskRun | None:
        """The latest run of a task; None if it never ran."""
        query = sa.select(TaskRuns.__table__).where(TaskRuns.name == name)
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else as_value(TaskRun, row)
