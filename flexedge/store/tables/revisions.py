"""Which revision of the tables a database has, and whether this program can use it."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from flexedge import __version__
from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.tables.accounts import FIRST_TYPES
from flexedge.store.tables.columns import Model
from flexedge.store.tables.database import Database, as_row, sqlite_code
from flexedge.store.tables.models import AssetTypes, Leases, Meta
from flexedge.store.tables.seals import seal_anew

NEWEST = "0006"
"""The revision that this program's models are; ``migrations`` ends with it."""
OLDEST_READER = "0006"
"""The oldest revision whose program can still use tables of the newest one."""
FIRST = "0001"
_FIRST_TABLES = {"facts", "sessions", "held"}
_READER, _WRITER = "readable-from", "written-by"
_NO_SUCH = 1  # SQLite: no such table, no such column
_FORM = re.compile(r"\d{4}")
_VERSION = sa.Table(
    "alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
)
_META = sa.table("meta", sa.column("name"), sa.column("value"))


@dataclass(frozen=True, slots=True)
class Found:
    """What a database says of itself."""

    revision: str | None
    """None: there are no tables yet."""
    stamped: bool = True
    """Whether the database says so, or its tables do."""
    readable_from: str | None = None
    written_by: str | None = None


def look(database: Database) -> Found:
    """The revision of a database, by plain SQL: Alembic takes long to import on small machines."""
    return database.read(_look)


def _look(connection: sa.Connection) -> Found:
    tables = set(sa.inspect(connection).get_table_names())
    revision = None
    if "alembic_version" in tables:
        revision = connection.scalar(sa.select(_VERSION.c.version_num))
    if revision is None:
        return Found(FIRST, stamped=False) if tables >= _FIRST_TABLES else Found(None)
    if not _FORM.fullmatch(revision):
        raise StoreDamaged(f"{revision!r} is no revision of the tables")
    if "meta" not in tables:
        return Found(revision)
    notes = dict(connection.execute(sa.select(_META.c.name, _META.c.value)).all())
    return Found(revision, True, notes.get(_READER), notes.get(_WRITER))


def usable(found: Found) -> bool:
    """Whether this program can use tables of a newer revision as they are."""
    return found.readable_from is not None and found.readable_from <= NEWEST


def demand_usable(name: str, found: Found) -> None:
    """Raise ``StoreError`` with both versions and the remedy if the tables are too new."""
    if found.revision is not None and found.revision > NEWEST and not usable(found):
        newer = found.written_by or "a newer version"
        raise StoreError(
            f"{name} was made by flexedge {newer} (revision {found.revision}); this is flexedge"
            f" {__version__} (revision {NEWEST}), which cannot read it: install flexedge {newer},"
            f" or let that one take it back with 'flexedge db migrate --to {NEWEST}'"
        )


def demand_tables(database: Database) -> None:
    """Raise ``StoreDamaged`` unless every table and column that this program uses is there.

    And unless all can be read that a start cannot do without.
    """

    def work(connection: sa.Connection) -> None:
        for table in Model.metadata.sorted_tables:
            connection.execute(sa.select(table).limit(1)).all()
        connection.execute(sa.select(Leases)).all()

    try:
        database.read(work)
    except StoreError as error:
        if sqlite_code(error.__cause__) == _NO_SUCH:
            raise StoreDamaged(str(error)) from error
        raise


def begin(connection: sa.Connection) -> None:
    """Make the tables of the newest revision where there are none."""
    Model.metadata.create_all(connection)
    _VERSION.create(connection)
    connection.execute(sa.insert(_VERSION).values(version_num=NEWEST))
    connection.execute(sa.insert(AssetTypes), [as_row(one) for one in FIRST_TYPES])
    note(connection)
    seal_anew(connection, Model.metadata.tables)


def note(connection: sa.Connection) -> None:
    """Note, after the newest revision, who can read it and who wrote it."""
    connection.execute(sa.delete(Meta).where(Meta.name.in_([_READER, _WRITER])))
    notes = ((_READER, OLDEST_READER), (_WRITER, __version__))
    connection.execute(sa.insert(Meta), [{"name": name, "value": value} for name, value in notes])
