"""Who changed what, and when. There is no way to change or remove an entry."""

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries are looked for."""

    about: Mapping[str, int | None]
    """Which columns equal what (None: are NULL), as ``account_id``, ``asset_id``."""
    words: Sequence[str] = ()
    """Each of them is part of what was done or of who did it, in capitals or not."""
    newest_first: bool = True
    first: int = 0
    most: int = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What was found."""

    entries: list[Entry]
    fitting: int
    """So many have the words."""
    whole: int
    """So many there are about the same."""


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

    def search(self, sought: Sought) -> Found:
        """A part of the entries about something, in their order."""
        table = Audit.__table__
        about = [
            table.c[name].is_(None) if number is None else table.c[name] == number
            for name, number in sought.about.items()
        ]
        fits = [
            sa.or_(*(column.icontains(word, autoescape=True) for column in (Audit.what, Audit.who)))
            for word in sought.words
        ]
        order = Audit.id.desc() if sought.newest_first else Audit.id
        query = sa.select(table).where(*about, *fits).order_by(order)
        counts = [sa.select(sa.func.count()).select_from(table).where(*some)
                  for some in ([*about, *fits], about)]  # fmt: skip

        def work(connection: sa.Connection) -> Found:
            rows = connection.execute(query.offset(sought.first).limit(sought.most)).all()
            fitting, whole = (connection.execute(one).scalar_one() for one in counts)
            return Found([as_value(Entry, row) for row in rows], fitting, whole)

        return self._database.read(work)
