"""A seal in each row: a checksum that shows whether its values are what was written.

The seals themselves are made after the last revision, as the tables are then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
_TABLES = ("meta", "facts", "sessions", "leases", "assets", "sensors", "users", "tokens", "sources",
           "jobs", "schedules", "cursors", "audit")  # fmt: skip
_GROWING = ("jobs", "schedules", "audit")
_NO_SEAL = sa.text("seal IS NULL")


def upgrade() -> None:
    """Add the column, and for tables that may grow what finds rows without a seal."""
    for name in _TABLES:
        op.add_column(name, sa.Column("seal", sa.BigInteger))
    for name in _GROWING:
        op.create_index(
            f"ix_{name}_seal", name, ["seal"], sqlite_where=_NO_SEAL, postgresql_where=_NO_SEAL
        )


def downgrade() -> None:
    """Drop them."""
    op.execute(sa.text("DELETE FROM meta WHERE name = 'schema'"))
    for name in _GROWING:
        op.drop_index(f"ix_{name}_seal", name)
    for name in _TABLES:
        op.drop_column(name, "seal")
