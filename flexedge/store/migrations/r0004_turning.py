"""At which value a counter shows 0 again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; nothing is known of what is there."""
    op.add_column("sensors", sa.Column("turns_at", sa.Double))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("sensors", "turns_at")
