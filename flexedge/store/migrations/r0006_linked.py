"""What a gateway needs that belongs to a fleet: centres, what is what there, what they refused."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _seal() -> sa.Column[int]:
    return sa.Column("seal", sa.BigInteger)


def upgrade() -> None:
    """Add tables, and gaps to the cursors."""
    op.add_column("cursors", sa.Column("gaps", sa.JSON, nullable=False, server_default="[]"))
    op.create_table(
        "centres",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("name"),
        _text("url"),
        _number("account_id"),
        _text("account"),
        _text("user"),
        sa.Column("linked", sa.BigInteger, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        _seal(),
        sa.UniqueConstraint("name", name="uq_centres_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "links",
        sa.Column("id", sa.Integer, primary_key=True),
        _number("centre_id"),
        _text("thing"),
        _number("local_id"),
        _text("role"),
        _number("central_id"),
        sa.Column("made", sa.Boolean, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        _seal(),
        sa.ForeignKeyConstraint(["centre_id"], ["centres.id"], ondelete="CASCADE",
                                name="fk_links_centre_id"),
        sa.UniqueConstraint("centre_id", "thing", "local_id", "role", name="uq_links_what"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "set_aside",
        sa.Column("id", sa.Integer, primary_key=True),
        _number("centre_id"),
        _number("link_id"),
        sa.Column("at", sa.BigInteger, nullable=False),
        _number("status"),
        _text("code"),
        _text("message"),
        sa.Column("run", sa.JSON, nullable=False),
        _number("tries"),
        _seal(),
        sa.ForeignKeyConstraint(["centre_id"], ["centres.id"], ondelete="CASCADE",
                                name="fk_set_aside_centre_id"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], ondelete="CASCADE",
                                name="fk_set_aside_link_id"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_set_aside_centre_id_at", "set_aside", ["centre_id", "at"])
    only = sa.text("seal IS NULL")
    op.create_index("ix_set_aside_seal", "set_aside", ["seal"], sqlite_where=only,
                    postgresql_where=only)  # fmt: skip


def downgrade() -> None:
    """Drop them: an older program is linked with nobody, and what it keeps arrived nowhere."""
    op.execute("DELETE FROM cursors")
    for name in ("set_aside", "links", "centres"):
        op.drop_table(name)
    op.drop_column("cursors", "gaps")
