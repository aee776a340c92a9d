"""The whole relational state: assets, sensors, sources, users, jobs, plans, cursors, audit.

Moments become integers of microseconds; what is held is called leases.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
_US = 1_000_000
_ROOTS = sa.text("parent_id IS NULL")


def _text(name: str, *rest: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, *rest, **({"nullable": False} | more))


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=nullable)


def _number(name: str = "id") -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, primary_key=True)


def _reference(name: str, to: str, ondelete: str | None, **more: Any) -> sa.Column[Any]:
    key = sa.ForeignKey(to, ondelete=ondelete)
    return sa.Column(name, sa.Integer, key, **({"nullable": True} | more))


def _tree() -> None:
    op.create_table(
        "assets",
        _number(),
        _reference("parent_id", "assets.id", "CASCADE"),
        _text("name"),
        _text("kind"),
        _text("external_id", nullable=True),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        _json("attributes"),
        _json("flex_model"),
        _json("flex_context"),
        sa.UniqueConstraint("external_id", name="uq_assets_external_id"),
        sa.UniqueConstraint("parent_id", "name", name="uq_assets_parent_id_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_assets_root_name", "assets", ["name"], unique=True,
                    sqlite_where=_ROOTS, postgresql_where=_ROOTS)  # fmt: skip
    op.create_table(
        "sensors",
        _number(),
        _text("key"),
        _reference("asset_id", "assets.id", "SET NULL"),
        _text("name"),
        _text("unit"),
        _moment("resolution"),
        _json("knowable", nullable=True),
        _text("timezone"),
        _json("attributes"),
        sa.UniqueConstraint("key", name="uq_sensors_key"),
        sa.UniqueConstraint("asset_id", "name", name="uq_sensors_asset_id_name"),
        sqlite_autoincrement=True,
    )


def _people() -> None:
    op.create_table(
        "users",
        _number(),
        _text("name"),
        _text("email", nullable=True),
        _text("password_hash", nullable=True),
        _text("role"),
        sa.Column("active", sa.Boolean, nullable=False),
        _moment("created"),
        _moment("seen", nullable=True),
        sa.UniqueConstraint("name", name="uq_users_name"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tokens",
        _number(),
        _text("token_hash"),
        _reference("user_id", "users.id", "CASCADE", nullable=False),
        _text("name"),
        _text("scope"),
        _moment("created"),
        _moment("expires", nullable=True),
        sa.UniqueConstraint("token_hash", name="uq_tokens_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])
    op.create_table(
        "sources",
        _number(),
        *(_text(name) for name in ("name", "kind", "model", "version", "account")),
        _reference("user_id", "users.id", "SET NULL"),
        _json("attributes"),
        sa.UniqueConstraint("name", "kind", "model", "version", "account", name="uq_sources_who"),
        sqlite_autoincrement=True,
    )


def _work() -> None:
    op.create_table(
        "jobs",
        _text("id", primary_key=True),
        _text("queue"),
        _text("status"),
        _json("payload"),
        _json("result", nullable=True),
        _moment("queued"),
        _moment("started", nullable=True),
        _moment("ended", nullable=True),
    )
    op.create_index("ix_jobs_queue_status_queued", "jobs", ["queue", "status", "queued"])
    op.create_table(
        "schedules",
        _text("id", primary_key=True),
        _moment("made"),
        _moment("valid_until"),
        _reference("source_id", "sources.id", None, nullable=False),
        _text("status"),
        sa.Column("cost", sa.Double),
        _json("details"),
    )
    op.create_index("ix_schedules_made", "schedules", ["made"])
    op.create_table(
        "cursors",
        _text("destination", primary_key=True),
        _reference("sensor_id", "sensors.id", "CASCADE", primary_key=True, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        _number(),
        _moment("at"),
        _text("who"),
        _text("what"),
        _json("before", nullable=True),
        _json("after", nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def _move(old: str, new: str, kind: type[sa.types.TypeEngine[Any]], factor: float) -> None:
    """Rewrite sessions and what is held with times of another type."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT token_hash, created, seen FROM sessions")).all()
    held = connection.execute(sa.text(f"SELECT control, since FROM {old}")).all()
    op.drop_table("sessions")
    op.drop_table(old)
    sessions = op.create_table(
        "sessions",
        _text("token_hash", primary_key=True),
        sa.Column("created", kind, nullable=False),
        sa.Column("seen", kind, nullable=False),
    )
    leases = op.create_table(
        new, _text("control", primary_key=True), sa.Column("since", kind, nullable=False)
    )

    def turned(time: float) -> float:
        return round(time * factor) if factor > 1 else time * factor

    op.bulk_insert(
        sessions,
        [{"token_hash": row[0], "created": turned(row[1]), "seen": turned(row[2])} for row in rows],
    )
    op.bulk_insert(leases, [{"control": row[0], "since": turned(row[1])} for row in held])


def upgrade() -> None:
    """Add what is missing and turn times into integers."""
    op.create_table("meta", _text("name", primary_key=True), _text("value"))
    _tree()
    _people()
    _work()
    _move("held", "leases", sa.BigInteger, _US)


def downgrade() -> None:
    """Keep facts, sessions and what is held; all else goes."""
    for name in ("audit", "cursors", "schedules", "jobs", "sources", "tokens", "users", "sensors",
                 "assets", "meta"):  # fmt: skip
        op.drop_table(name)
    _move("leases", "held", sa.Float, 1 / _US)
