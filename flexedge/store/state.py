"""The relational state beside the time series: SQLite or PostgreSQL, through SQLAlchemy.

Things that must survive a power cut: who owns the gateway, who is logged in, which control points
have been taken and not given back, what sensors and sources there are, what is to be done.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from flexedge.domain.asset import Sensor, Source
from flexedge.errors import StoreError
from flexedge.store.archive import Kind
from flexedge.store.sqlite import BESIDE
from flexedge.store.tables import revisions
from flexedge.store.tables.accounts import Account, AssetType, Plan
from flexedge.store.tables.annotations import Remarks
from flexedge.store.tables.assets import AssetTree
from flexedge.store.tables.audit import AuditTrail
from flexedge.store.tables.centres import Centre, Link, Unwanted
from flexedge.store.tables.cursors import Positions
from flexedge.store.tables.database import Database
from flexedge.store.tables.fleet import Centres, Links, SetAside
from flexedge.store.tables.jobs import JobQueues
from flexedge.store.tables.models import (
    Accounts,
    AssetTypes,
    Facts,
    Leases,
    Plans,
    Secrets,
    Sessions,
)
from flexedge.store.tables.placed import PlacedSensors
from flexedge.store.tables.registry import Registry
from flexedge.store.tables.schedules import Headers
from flexedge.store.tables.seals import demand_sealed
from flexedge.store.tables.secrets import Secret
from flexedge.store.tables.table import Table
from flexedge.store.tables.tasks import LatestRuns
from flexedge.store.tables.users import People


class State:
    """The state of one gateway. Every write is on disk when the call returns.

    ``where`` is a SQLite file or the URL of a PostgreSQL database; tables of an older revision are
    brought up first. Safe to use from any thread. Raises ``StoreError`` when it cannot be
    used, ``StoreDamaged`` when something in it is broken.
    """

    def __init__(self, where: Path | str) -> None:
        if isinstance(where, Path):
            _make_private(where)
        self._database = database = Database(where)
        try:
            if isinstance(where, Path):
                demand_sealed(where)
            _bring_up(database, where)
            revisions.demand_tables(database)
            self._registry = Registry(database)
        except BaseException:
            database.close()
            raise
        self.accounts: Table[Account] = Table(database, Accounts, Account)
        self.plans: Table[Plan] = Table(database, Plans, Plan)
        self.asset_types: Table[AssetType] = Table(database, AssetTypes, AssetType)
        self.assets = AssetTree(database, self._registry)
        self.placed = PlacedSensors(database, self._registry)
        self.annotations = Remarks(database)
        self.secrets: Table[Secret] = Table(database, Secrets, Secret)
        self.tasks = LatestRuns(database)
        self.users = People(database)
        self.jobs = JobQueues(database)
        self.schedules = Headers(database)
        self.cursors = Positions(database)
        self.audit = AuditTrail(database)
        self.centres: Table[Centre] = Table(database, Centres, Centre)
        self.links: Table[Link] = Table(database, Links, Link)
        self.unwanted: Table[Unwanted] = Table(database, SetAside, Unwanted)

    @property
    def changes(self) -> int:
        """How often something was written since this object was made."""
        return self._database.changes

    @property
    def lacking(self) -> int:
        """How many of the last changes are not there, though they were written; until the next."""
        return self._database.lacking

    def fact(self, name: str) -> str | None:
        """A single remembered value."""
        query = sa.select(Facts.value).where(Facts.name == name)
        return self._database.read(lambda connection: connection.scalar(query))

    def remember(self, name: str, value: str) -> None:
        """Remember a single value, in place of what was there."""
        row = {"name": name, "value": value}
        self._database.execute(self._database.put(Facts, row, replace=("value",)))

    def forget(self, name: str) -> None:
        """Forget a single value."""
        self._database.execute(sa.delete(Facts).where(Facts.name == name))

    def forget_all(self, start: str) -> None:
        """Forget all single values whose names begin so."""
        named = Facts.name.startswith(start, autoescape=True)
        self._database.execute(sa.delete(Facts).where(named))

    def open_session(
        self,
        token_hash: str,
        now: datetime,
        user_id: int | None = None,
        since: datetime | None = None,
    ) -> None:
        """Keep a new session by the hash of its token: a user's, or (None) the owner's.

        Those that were not used ``since`` then are forgotten with it.
        """
        row = {"token_hash": token_hash, "created": now, "seen": now, "user_id": user_id}

        def work(connection: sa.Connection) -> None:
            if since is not None:
                connection.execute(sa.delete(Sessions).where(Sessions.seen < since))
            connection.execute(sa.insert(Sessions).values(row))

        self._database.write(work)

    def session(self, token_hash: str) -> tuple[datetime, datetime, int | None] | None:
        """When a session was opened and last seen, and whose it is; None if there is none."""
        query = sa.select(Sessions.created, Sessions.seen, Sessions.user_id).where(
            Sessions.token_hash == token_hash
        )
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else (row.created, row.seen, row.user_id)

    def touch_session(self, token_hash: str, now: datetime) -> None:
        """Note that a session was used."""
        session = sa.update(Sessions).where(Sessions.token_hash == token_hash)
        self._database.execute(session.values(seen=now))

    def close_session(self, token_hash: str) -> None:
        """End one session."""
        self._database.execute(sa.delete(Sessions).where(Sessions.token_hash == token_hash))

    def close_sessions(self, user_id: int | None = None) -> None:
        """End every session of a user, or (None) of the owner: after a change of password."""
        whose = Sessions.user_id.is_(None) if user_id is None else Sessions.user_id == user_id
        self._database.execute(sa.delete(Sessions).where(whose))

    def hold(self, control: str, now: datetime) -> None:
        """Note, before the first write, that a control point is taken ("battery.battery.power")."""
        self._database.execute(self._database.put(Leases, {"control": control, "since": now}))

    def let_go(self, control: str) -> None:
        """Note, after the release, that a control point is given back."""
        self._database.execute(sa.delete(Leases).where(Leases.control == control))

    def held(self) -> dict[str, datetime]:
        """Every control point that was taken and not given back, and since when."""
        query = sa.select(Leases.control, Leases.since)
        return dict(self._database.read(lambda connection: connection.execute(query).all()))

    def sensor_id(self, sensor: Sensor) -> int:
        """The number of a sensor, new or known; its unit and the like are brought up to date."""
        return self._registry.sensor_id(sensor)

    def source_id(self, source: Source) -> int:
        """The number of a source, new or known."""
        return self._registry.source_id(source)

    def sensors(self) -> Mapping[int, Sensor]:
        """Every sensor by its number."""
        return self._registry.sensors()

    def sources(self) -> Mapping[int, Source]:
        """Every source by its number."""
        return self._registry.sources()

    def reinstate(self, kind: Kind, number: int, words: str) -> None:
        """Put back a number that an archive knows; ``store.words`` has the words.

        To be called before new numbers are given: after a start, for all that the archive knows.
        Raises ``StoreError`` when the number means something else here.
        """
        self._registry.reinstate(kind, number, words)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()


def _make_private(path: Path) -> None:
    """Let only our user read a file, and what SQLite puts beside it with the same rights."""
    try:
        path.touch(mode=0o600)
        for end in ("", *BESIDE):
            part = path.with_name(path.name + end)
            if part.exists():
                part.chmod(0o600)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


def _bring_up(database: Database, where: Path | str) -> None:
    """Make or migrate the tables. Alembic is imported only where it is needed."""
    found = revisions.look(database)
    revisions.demand_usable(database.name, found)
    if found.revision is None:
        database.write(revisions.begin)
    elif found.revision < revisions.NEWEST:
        from flexedge.store.tables.migrate import migrate  # noqa: PLC0415 (0.1 s, seconds on a Pi)

        migrate(where)
