"""The relational tables as SQLAlchemy models, the same on SQLite and PostgreSQL.

A moment is kept as an integer of microseconds since 1970 in UTC, a span as one of microseconds;
both are aware ``datetime`` and ``timedelta`` outside. The newest revision in ``migrations`` makes
exactly these tables.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flexedge.store.rows import micros, moment

Json = dict[str, Any]
_US = timedelta(microseconds=1)
_NO_SEAL = sa.text("seal IS NULL")
_NOT_OF_THE_TREE = sa.text("parent_id IS NULL")


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware time, kept as microseconds since 1970."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002, D102
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002, D102
        return None if value is None else moment(value)


class Span(sa.types.TypeDecorator[timedelta]):
    """A length of time, kept as microseconds."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002, D102
        return None if value is None else value // _US

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> timedelta | None:  # noqa: ARG002, D102
        return None if value is None else value * _US


class Model(DeclarativeBase):
    """What all tables have in common: how types and constraints are written."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {
        str: sa.Text(),
        float: sa.Double(),
        datetime: Moment(),
        timedelta: Span(),
        Json: sa.JSON(none_as_null=True),
    }
    seal: Mapped[int | None] = mapped_column(sa.BigInteger, onupdate=sa.null(), sort_order=1)
    """Checksum of the row; a change of it makes it NULL, see ``seals``."""


def _unsealed() -> sa.Index:
    """For tables that may grow: finds the rows without a seal."""
    return sa.Index(None, "seal", sqlite_where=_NO_SEAL, postgresql_where=_NO_SEAL)


_KEPT_FOR_GOOD = {"sqlite_autoincrement": True}  # a number is not given twice


class Meta(Model):
    """What a program must know before it uses the other tables."""

    __tablename__ = "meta"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Facts(Model):
    """Single remembered values."""

    __tablename__ = "facts"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Sessions(Model):
    """Who is logged in to the page."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[datetime]
    seen: Mapped[datetime]


class Leases(Model):
    """Control points that were taken and not given back."""

    __tablename__ = "leases"
    control: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class Assets(Model):
    """The things on site, as a tree. Names are unique among siblings."""

    __tablename__ = "assets"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("assets.id", ondelete="CASCADE"))
    name: Mapped[str]
    kind: Mapped[str]
    external_id: Mapped[str | None] = mapped_column(unique=True)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    attributes: Mapped[Json]
    flex_model: Mapped[Json]
    flex_context: Mapped[Json]
    __table_args__ = (
        sa.UniqueConstraint("parent_id", "name"),
        sa.Index(
            "ix_assets_root_name",
            "name",
            unique=True,
            sqlite_where=_NOT_OF_THE_TREE,
            postgresql_where=_NOT_OF_THE_TREE,
        ),
        _KEPT_FOR_GOOD,
    )


class Sensors(Model):
    """Time series: their numbers are what the archive knows them by."""

    __tablename__ = "sensors"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """What the gateway calls it."""
    asset_id: Mapped[int | None] = mapped_column(sa.ForeignKey("assets.id", ondelete="SET NULL"))
    name: Mapped[str]
    """What it is called beside the other sensors of its asset."""
    unit: Mapped[str]
    resolution: Mapped[timedelta]
    knowable: Mapped[Json | None]
    timezone: Mapped[str]
    attributes: Mapped[Json]
    turns_at: Mapped[float | None]
    """The value at which a counter shows 0 again, where that is known."""
    __table_args__ = (sa.UniqueConstraint("asset_id", "name"), _KEPT_FOR_GOOD)


class Users(Model):
    """Who may log in."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    role: Mapped[str]
    active: Mapped[bool]
    created: Mapped[datetime]
    seen: Mapped[datetime | None]
    __table_args__ = (_KEPT_FOR_GOOD,)


class Tokens(Model):
    """What programs show instead of a password; only hashes are kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), index=True
    )  # fmt: skip
    name: Mapped[str]
    scope: Mapped[str]
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    __table_args__ = (_KEPT_FOR_GOOD,)


class Sources(Model):
    """Who says so. What a source lacks is an empty text, so that it is the same one again."""

    __tablename__ = "sources"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    model: Mapped[str]
    version: Mapped[str]
    account: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    attributes: Mapped[Json]
    __table_args__ = (
        sa.UniqueConstraint("name", "kind", "model", "version", "account", name="uq_sources_who"),
        _KEPT_FOR_GOOD,
    )


class Jobs(Model):
    """Work that was asked for, and what came of it."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str]
    status: Mapped[str]
    payload: Mapped[Json]
    result: Mapped[Json | None]
    queued: Mapped[datetime]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    __table_args__ = (sa.Index(None, "queue", "status", "queued"), _unsealed())


class Schedules(Model):
    """What was planned when, by whom and until when it holds; the powers are beliefs."""

    __tablename__ = "schedules"
    id: Mapped[str] = mapped_column(primary_key=True)
    made: Mapped[datetime] = mapped_column(index=True)
    valid_until: Mapped[datetime]
    source_id: Mapped[int] = mapped_column(sa.ForeignKey("sources.id"))
    status: Mapped[str]
    cost: Mapped[float | None]
    details: Mapped[Json]
    __table_args__ = (_unsealed(),)


class Cursors(Model):
    """How far a destination knows each sensor."""

    __tablename__ = "cursors"
    destination: Mapped[str] = mapped_column(primary_key=True)
    sensor_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sensors.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(sa.BigInteger)


class Audit(Model):
    """Who changed what, and when. Rows are only ever added."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str]
    what: Mapped[str]
    before: Mapped[Json | None]
    after: Mapped[Json | None]
    __table_args__ = (_unsealed(), _KEPT_FOR_GOOD)
