"""Erasures"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import handoff.database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("erased_at", handoff.database.UtcDateTime(timezone=True), nullable=True))
    op.create_table(
        "erasures",
        sa.Column("conversation_id", sa.String(length=40), nullable=False),
        sa.Column("last_owner", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.Column("bots_told", sa.Integer(), nullable=False),
        sa.Column("requested_at", handoff.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_erasures_conversation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_erasures")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("erasures")
    with op.batch_alter_table("conversations") as table:
        table.drop_column("erased_at")
