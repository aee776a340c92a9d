"""Who changed what, and when. There is no way to change or remove an entry."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from flexedge.store.tables.columns import Json
from flexedge.store.tables.database import Database, as_row, as_value
from flexedge.store.tables.models import Audit


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: ``before`` and ``after`` hold what is worth telling, never a secret."""

    at: datetime
    who: str
    what: str
    before: Json | None = None
    after: Json | None = None
    user_id: int | None = None
    """Who, where it is a user."""
    account_id: int | None = None
    """What was changed, or what that belongs to."""
    asset_id: int | None = None
    affected_user_id: int | None = None


class AuditTrail:
    """Adds entries and reads them. Raises ``StoreError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *entries: Entry) -> None:
        """Add entries, as one; they are on disk when this returns."""
        rows = [as_row(entry) for entry in entries]
        self._database.write(lambda connection: connection.execute(sa.insert(Audit), rows))

    def newest(self, limit: int = 100, **about: int) -> list[Entry]:
        """The entries added last, the newest first; ``about``: whose columns equal what is given.

        As ``account_id``, ``asset_id`` or ``affected_user_id``.
        """
        columns = Audit.__table__.c
        wanted = [columns[name] == number for name, number in about.items()]
        query = sa.select(Audit.__table__).where(*wanted).order_by(Audit.id.desc()).limit(limit)
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return [as_value(Entry, row) for row in rows]
