"""The relational tables as SQLAlchemy models, the same on SQLite and PostgreSQL.

The newest revision in ``migrations`` makes exactly these tables.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from flexedge.store.tables import fleet
from flexedge.store.tables.columns import KEPT_FOR_GOOD, Json, List, Model, unsealed

FLEET = fleet.TABLES
"""Those that are in a module of their own; who knows these tables knows them all."""
_ROOT_OF_SOMEBODY = sa.text("parent_id IS NULL AND account_id IS NOT NULL")
_PUBLIC_ROOT = sa.text("parent_id IS NULL AND account_id IS NULL")


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
    user_id: Mapped[int | None]
    """None: the owner, who has the gateway's own password."""


class Leases(Model):
    """Control points that were taken and not given back."""

    __tablename__ = "leases"
    control: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class Plans(Model):
    """What an account may use: FlexMeasures' plans. Rates are texts such as "500 per minute"."""

    __tablename__ = "plans"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    default_rate_limit: Mapped[str | None]
    trigger_rate_limit: Mapped[str | None]
    rate_limit_key: Mapped[str | None]
    max_users: Mapped[int | None]
    max_assets: Mapped[int | None]
    max_clients: Mapped[int | None]
    legacy: Mapped[bool]
    __table_args__ = (KEPT_FOR_GOOD,)


class Accounts(Model):
    """Who assets and users belong to. ``roles`` are names, as "Consultancy"."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    roles: Mapped[List]
    consultancy_account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plans.id"))
    primary_color: Mapped[str | None]
    secondary_color: Mapped[str | None]
    logo_url: Mapped[str | None]
    attributes: Mapped[Json]
    __table_args__ = (KEPT_FOR_GOOD,)


class AssetTypes(Model):
    """The kinds of assets."""

    __tablename__ = "asset_types"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str]
    __table_args__ = (KEPT_FOR_GOOD,)


def _roots(name: str, *columns: str, only: sa.TextClause) -> sa.Index:
    """For names that are unique among the roots of the tree that are meant."""
    return sa.Index(name, *columns, unique=True, sqlite_where=only, postgresql_where=only)


class Assets(Model):
    """The things on site, as a tree. Names are unique among siblings, of roots in an account."""

    __tablename__ = "assets"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("assets.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(index=True)
    """None: public. No foreign key, for SQLite could not drop the column again; so below."""
    name: Mapped[str]
    kind: Mapped[str]
    """The name of its type."""
    defined_as: Mapped[str | None]
    """What the site file calls it, where that is what defines it; "" is the site itself."""
    external_id: Mapped[str | None] = mapped_column(unique=True)
    description: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    attributes: Mapped[Json]
    flex_model: Mapped[Json]
    flex_context: Mapped[Json]
    sensors_to_show: Mapped[List] = mapped_column(server_default="[]")
    sensors_to_show_as_kpis: Mapped[List] = mapped_column(server_default="[]")
    __table_args__ = (
        sa.UniqueConstraint("parent_id", "name"),
        sa.Index(None, "defined_as", unique=True),
        _roots("ix_assets_root_name", "account_id", "name", only=_ROOT_OF_SOMEBODY),
        _roots("ix_assets_public_root_name", "name", only=_PUBLIC_ROOT),
        KEPT_FOR_GOOD,
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
    deleted: Mapped[datetime | None]
    """When it was deleted; its number is not given again."""
    __table_args__ = (sa.UniqueConstraint("asset_id", "name"), KEPT_FOR_GOOD)


class Users(Model):
    """Who may log in."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int | None] = mapped_column(index=True)
    """Every user has one."""
    email: Mapped[str | None] = mapped_column(unique=True)
    """In lower case. None: a service account, which has tokens only."""
    password_hash: Mapped[str | None]
    roles: Mapped[List] = mapped_column(server_default="[]")
    """Names, as "account-admin"."""
    active: Mapped[bool]
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    created: Mapped[datetime]
    seen: Mapped[datetime | None]
    logged_in: Mapped[datetime | None]
    logins: Mapped[int] = mapped_column(server_default="0")
    __table_args__ = (KEPT_FOR_GOOD,)


class Tokens(Model):
    """What programs show instead of a password; only hashes are kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), index=True
    )  # fmt: skip
    kind: Mapped[str] = mapped_column(server_default="key")
    """ "access" and "refresh" come of a log-in, a "key" is made by hand."""
    name: Mapped[str]
    scopes: Mapped[List] = mapped_column(server_default="[]")
    """What it is limited to; see ``domain.rights``."""
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    used: Mapped[datetime | None]
    __table_args__ = (KEPT_FOR_GOOD,)


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
        KEPT_FOR_GOOD,
    )


class Jobs(Model):
    """Work that was asked for, and what came of it."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str]
    status: Mapped[str]
    payload: Mapped[Json]
    result: Mapped[Json | None]
    error: Mapped[str | None]
    """Why it failed, in a sentence or more."""
    asset_id: Mapped[int | None]
    """What it is about; not a foreign key, for it is told of after that is gone."""
    sensor_id: Mapped[int | None]
    user_id: Mapped[int | None]
    """Who asked for it; None: the gateway itself or its owner."""
    fingerprint: Mapped[str | None]
    """The same for requests that ask for the same."""
    queued: Mapped[datetime]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    __table_args__ = (
        sa.Index(None, "queue", "status", "queued"),
        sa.Index(None, "asset_id", "queued"),
        sa.Index(None, "fingerprint", "queued"),
        unsealed(),
    )


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
    __table_args__ = (unsealed(),)


class Cursors(Model):
    """How far a destination knows each sensor."""

    __tablename__ = "cursors"
    destination: Mapped[str] = mapped_column(primary_key=True)
    sensor_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sensors.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(sa.BigInteger)
    """All up to here has arrived, or lies in a gap."""
    gaps: Mapped[List] = mapped_column(server_default="[]")
    """Pairs [from, to]: what came after the first up to the second is still to be sent."""


class Audit(Model):
    """Who changed what, and when. Rows are only ever added."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str]
    what: Mapped[str]
    before: Mapped[Json | None]
    after: Mapped[Json | None]
    user_id: Mapped[int | None]
    """Who, where it is a user; no foreign keys here: entries stay when what they name goes."""
    account_id: Mapped[int | None] = mapped_column(index=True)
    """What was changed, or what that belongs to."""
    asset_id: Mapped[int | None] = mapped_column(index=True)
    affected_user_id: Mapped[int | None] = mapped_column(index=True)
    __table_args__ = (unsealed(), KEPT_FOR_GOOD)


class Annotations(Model):
    """What somebody said about a time span."""

    __tablename__ = "annotations"
    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]
    start: Mapped[datetime]
    end: Mapped[datetime]
    belief_time: Mapped[datetime | None]
    kind: Mapped[str]
    source_id: Mapped[int] = mapped_column(sa.ForeignKey("sources.id"))
    __table_args__ = (
        sa.UniqueConstraint(
            "content", "start", "belief_time", "source_id", "kind", name="uq_annotations_what"
        ),
        KEPT_FOR_GOOD,
    )


class Annotated(Model):
    """What an annotation is about: an account, asset or sensor."""

    __tablename__ = "annotated"
    annotation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("annotations.id", ondelete="CASCADE"), primary_key=True
    )
    thing: Mapped[str] = mapped_column(primary_key=True)
    """ "account", "asset" or "sensor"."""
    thing_id: Mapped[int] = mapped_column(primary_key=True)
    __table_args__ = (sa.Index(None, "thing", "thing_id"),)


class Secrets(Model):
    """What other services want to be shown; encrypted with a key that is not in this database."""

    __tablename__ = "secrets"
    id: Mapped[int] = mapped_column(primary_key=True)
    thing: Mapped[str]
    """ "account" or "asset"."""
    thing_id: Mapped[int]
    path: Mapped[str]
    """One or two names, with a point between."""
    sealed_value: Mapped[str]
    key_id: Mapped[str]
    expires: Mapped[datetime | None]
    __table_args__ = (sa.UniqueConstraint("thing", "thing_id", "path"), KEPT_FOR_GOOD)


class TaskRuns(Model):
    """When tasks that should run now and then ran last, and how."""

    __tablename__ = "task_runs"
    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    good: Mapped[bool]
