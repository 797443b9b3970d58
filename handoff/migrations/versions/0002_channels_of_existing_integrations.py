"""Channels of existing integrations"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import handoff.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "channel_calls",
        sa.Column("conversation_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("after_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_channel_calls_conversation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "client_id", name=op.f("pk_channel_calls")),
    )
    op.create_table(
        "channel_cursors",
        sa.Column("conversation_id", sa.String(length=40), nullable=False),
        sa.Column("delivered_seq", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=100), nullable=True),
        sa.Column("call_until", handoff.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("sending_by", sa.String(length=40), nullable=True),
        sa.Column("sending_until", handoff.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", handoff.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_channel_cursors_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_channel_cursors")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("channel_cursors")
    op.drop_table("channel_calls")
