"""Headers of schedules: what was planned when, by whom, and until when it holds."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from flexedge.store.tables.columns import Json
from flexedge.store.tables.database import Database, as_row, as_value
from flexedge.store.tables.models import Schedules


@dataclass(frozen=True, slots=True)
class Header:
    """What is kept of a schedule beside its powers, which are beliefs of its source."""

    id: str
    made: datetime
    valid_until: datetime
    source_id: int
    status: str
    cost: float | None = None
    """In the site's currency; None: not known."""
    details: Json = field(default_factory=dict)


class Headers:
    """Keeps and finds headers. Raises ``StoreError``, also for an id taken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, header: Header) -> None:
        """Keep a header."""
        self._database.execute(sa.insert(Schedules).values(as_row(header)))

    def header(self, schedule: str) -> Header | None:
        """The header of one schedule."""
        return self._first(sa.select(Schedules.__table__).where(Schedules.id == schedule))

    def newest(self, now: datetime) -> Header | None:
        """The schedule made last of those that still hold."""
        held = sa.select(Schedules.__table__).where(Schedules.valid_until > now)
        return self._first(held.order_by(Schedules.made.desc(), Schedules.id.desc()).limit(1))

    def prune(self, before: datetime) -> int:
        """Forget what was made before a moment; returns how many."""
        return self._database.execute(sa.delete(Schedules).where(Schedules.made < before))

    def _first(self, query: sa.Select[tuple[object, ...]]) -> Header | None:
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else as_value(Header, row)
