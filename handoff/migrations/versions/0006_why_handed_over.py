"""Why a conversation was handed over, signal by signal"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("handoffs") as table:
        table.add_column(sa.Column("explanation", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("handoffs") as table:
        table.drop_column("explanation")
