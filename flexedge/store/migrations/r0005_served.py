"""What an API needs: accounts, plans, types of assets, annotations, secrets, runs of tasks.

Columns are added to the tables that are there, so that nothing that refers to them is touched.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
_TYPES = (
    ("solar", "solar panel(s)"),
    ("wind", "wind turbine"),
    ("one-way_evse", "uni-directional Electric Vehicle Supply Equipment"),
    ("two-way_evse", "bi-directional Electric Vehicle Supply Equipment"),
    ("battery", "stationary battery"),
    ("building", "building"),
    ("process", "process"),
    ("heat-storage", "thermal storage / buffer"),
)
_ROOTS = "parent_id IS NULL"
_ROOT_INDEXES = (
    ("ix_assets_root_name", ["account_id", "name"], f"{_ROOTS} AND account_id IS NOT NULL"),
    ("ix_assets_public_root_name", ["name"], f"{_ROOTS} AND account_id IS NULL"),
)
_NO_SEAL = sa.text("seal IS NULL")
_NEW_TABLES = ("annotated", "annotations", "secrets", "task_runs", "asset_types", "accounts",
               "plans")  # fmt: skip
_JOB_NUMBERS = ("asset_id", "sensor_id", "user_id")
_AUDIT_NUMBERS = ("account_id", "asset_id", "affected_user_id")


def _text(name: str, *rest: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, *rest, **({"nullable": False} | more))


def _number(name: str = "id", **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, **({"primary_key": True} | more))


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _reference(name: str) -> sa.Column[Any]:
    """Without a foreign key: SQLite could not drop the column again."""
    return sa.Column(name, sa.Integer, nullable=True)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=False)


def _list(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=False, server_default="[]")


def _seal() -> sa.Column[Any]:
    return sa.Column("seal", sa.BigInteger)


def _accounts() -> None:
    op.create_table(
        "plans",
        _number(),
        _text("name"),
        *(_text(name, nullable=True)
          for name in ("default_rate_limit", "trigger_rate_limit", "rate_limit_key")),
        *(sa.Column(name, sa.Integer) for name in ("max_users", "max_assets", "max_clients")),
        sa.Column("legacy", sa.Boolean, nullable=False),
        _seal(),
        sa.UniqueConstraint("name", name="uq_plans_name"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "accounts",
        _number(),
        _text("name"),
        _json("roles"),
        sa.Column("consultancy_account_id", sa.Integer, nullable=True),
        sa.Column("plan_id", sa.Integer, nullable=True),
        *(_text(name, nullable=True) for name in ("primary_color", "secondary_color", "logo_url")),
        _json("attributes"),
        _seal(),
        sa.ForeignKeyConstraint(["consultancy_account_id"], ["accounts.id"],
                                name="fk_accounts_consultancy_account_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_accounts_plan_id"),
        sa.UniqueConstraint("name", name="uq_accounts_name"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    types = op.create_table(
        "asset_types",
        _number(),
        _text("name"),
        _text("description"),
        _seal(),
        sa.UniqueConstraint("name", name="uq_asset_types_name"),
        sqlite_autoincrement=True,
    )
    op.bulk_insert(types, [{"name": name, "description": words} for name, words in _TYPES])


def _remarks() -> None:
    op.create_table(
        "annotations",
        _number(),
        _text("content"),
        _moment("start", nullable=False),
        _moment("end", nullable=False),
        _moment("belief_time"),
        _text("kind"),
        sa.Column("source_id", sa.Integer, nullable=False),
        _seal(),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_annotations_source_id"),
        sa.UniqueConstraint("content", "start", "belief_time", "source_id", "kind",
                            name="uq_annotations_what"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "annotated",
        _number("annotation_id"),
        _text("thing", primary_key=True),
        _number("thing_id"),
        _seal(),
        sa.ForeignKeyConstraint(["annotation_id"], ["annotations.id"], ondelete="CASCADE",
                                name="fk_annotated_annotation_id"),
    )  # fmt: skip
    op.create_index("ix_annotated_thing_thing_id", "annotated", ["thing", "thing_id"])


def _more() -> None:
    op.create_table(
        "secrets",
        _number(),
        _text("thing"),
        sa.Column("thing_id", sa.Integer, nullable=False),
        *(_text(name) for name in ("path", "sealed_value", "key_id")),
        _moment("expires"),
        _seal(),
        sa.UniqueConstraint("thing", "thing_id", "path", name="uq_secrets_thing_thing_id_path"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "task_runs",
        _text("name", primary_key=True),
        _moment("at", nullable=False),
        sa.Column("good", sa.Boolean, nullable=False),
        _seal(),
    )


def _assets() -> None:
    op.drop_index("ix_assets_root_name", "assets")
    op.add_column("assets", _reference("account_id"))
    op.create_index("ix_assets_account_id", "assets", ["account_id"])
    for name in ("defined_as", "description"):
        op.add_column("assets", _text(name, nullable=True))
    for name in ("sensors_to_show", "sensors_to_show_as_kpis"):
        op.add_column("assets", _list(name))
    op.create_index("ix_assets_defined_as", "assets", ["defined_as"], unique=True)
    for name, columns, where in _ROOT_INDEXES:
        only = sa.text(where)
        op.create_index(name, "assets", columns, unique=True, sqlite_where=only,
                        postgresql_where=only)  # fmt: skip
    op.add_column("sensors", _moment("deleted"))


def _people() -> None:
    op.add_column("users", _reference("account_id"))
    op.create_index("ix_users_account_id", "users", ["account_id"])
    op.add_column("users", _list("roles"))
    op.add_column("users", _text("timezone", server_default="UTC"))
    op.add_column("users", _moment("logged_in"))
    op.add_column("users", sa.Column("logins", sa.Integer, nullable=False, server_default="0"))
    op.add_column("tokens", _text("kind", server_default="key"))
    op.add_column("tokens", _list("scopes"))
    op.add_column("tokens", _moment("used"))
    op.add_column("sessions", _reference("user_id"))
    _as_list("users", "role", "roles")
    _as_list("tokens", "scope", "scopes")
    op.drop_column("users", "role")
    op.drop_column("tokens", "scope")


def _first_account() -> None:
    """For users and assets that are there: what has no account everybody could read."""
    connection = op.get_bind()
    queries = (sa.text(f"SELECT count(*) FROM {table}") for table in ("users", "assets"))
    if any(connection.scalar(query) for query in queries):
        row = "VALUES ('site', '[]', '{}')"
        op.execute(sa.text(f"INSERT INTO accounts (name, roles, attributes) {row}"))
        for table in ("users", "assets"):
            first = "(SELECT max(id) FROM accounts)"
            op.execute(sa.text(f"UPDATE {table} SET account_id = {first}"))


def _as_list(table: str, single: str, several: str) -> None:
    """A word becomes a list of one."""
    one = sa.table(table, sa.column(single, sa.Text), sa.column(several, sa.JSON))
    connection = op.get_bind()
    query = sa.select(one.c[single]).where(one.c[single] != "").distinct()
    words = connection.execute(query).scalars().all()
    for word in words:
        connection.execute(sa.update(one).where(one.c[single] == word).values({several: [word]}))


def _work() -> None:
    for name in ("error", "fingerprint"):
        op.add_column("jobs", _text(name, nullable=True))
    for name in _JOB_NUMBERS:
        op.add_column("jobs", _reference(name))
    for name in ("asset_id", "fingerprint"):
        op.create_index(f"ix_jobs_{name}_queued", "jobs", [name, "queued"])
    for name in ("user_id", *_AUDIT_NUMBERS):
        op.add_column("audit", _reference(name))
    for name in _AUDIT_NUMBERS:
        op.create_index(f"ix_audit_{name}", "audit", [name])


def upgrade() -> None:
    """Add what is missing; users and assets of before get an account."""
    _accounts()
    _remarks()
    _more()
    _assets()
    _people()
    _work()
    _first_account()


def downgrade() -> None:
    """Keep what the older tables have a place for; of several roles or scopes the first."""
    for name in _AUDIT_NUMBERS:
        op.drop_index(f"ix_audit_{name}", "audit")
    _drop("audit", "user_id", *_AUDIT_NUMBERS)
    for name in ("asset_id", "fingerprint"):
        op.drop_index(f"ix_jobs_{name}_queued", "jobs")
    _drop("jobs", "error", "fingerprint", *_JOB_NUMBERS)
    _one_word("users", "roles", "role")
    _one_word("tokens", "scopes", "scope")
    op.execute(sa.text("DELETE FROM sessions WHERE user_id IS NOT NULL"))
    _drop("sessions", "user_id")
    _drop("tokens", "kind", "used")
    op.drop_index("ix_users_account_id", "users")
    _drop("users", "account_id", "timezone", "logged_in", "logins")
    _drop("sensors", "deleted")
    for name, _, _ in _ROOT_INDEXES:
        op.drop_index(name, "assets")
    _unlike_names()
    only = sa.text(_ROOTS)
    op.create_index("ix_assets_root_name", "assets", ["name"], unique=True, sqlite_where=only,
                    postgresql_where=only)  # fmt: skip
    op.drop_index("ix_assets_account_id", "assets")
    op.drop_index("ix_assets_defined_as", "assets")
    _drop("assets", "account_id", "defined_as", "description", "sensors_to_show",
          "sensors_to_show_as_kpis")  # fmt: skip
    for name in _NEW_TABLES:
        op.drop_table(name)


def _drop(table: str, *columns: str) -> None:
    for name in columns:
        op.drop_column(table, name)


def _unlike_names() -> None:
    """Roots of several accounts may have one name; of before, each needed its own."""
    op.execute(sa.text(
        f"UPDATE assets SET name = name || ' (' || id || ')' WHERE {_ROOTS} AND EXISTS (SELECT 1"
        f" FROM assets AS other WHERE other.{_ROOTS} AND other.name = assets.name"
        " AND other.id < assets.id)"
    ))  # fmt: skip


def _one_word(table: str, several: str, single: str) -> None:
    """A list becomes its first word."""
    op.add_column(table, _text(single, server_default=""))
    one = sa.table(table, sa.column("id", sa.Integer), sa.column(several, sa.JSON),
                   sa.column(single, sa.Text))  # fmt: skip
    connection = op.get_bind()
    for number, words in connection.execute(sa.select(one.c.id, one.c[several])).all():
        word = words[0] if words else ""
        connection.execute(sa.update(one).where(one.c.id == number).values({single: word}))
    op.drop_column(table, several)
