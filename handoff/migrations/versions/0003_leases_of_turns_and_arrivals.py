"""Leases of turns, and arrivals in line that no clock can disturb"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import handoff.database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER_BY_TIME = """
    UPDATE handoffs SET arrival = (
        SELECT count(*) FROM handoffs AS earlier
        WHERE earlier.created_at < handoffs.created_at
           OR (earlier.created_at = handoffs.created_at AND earlier.id <= handoffs.id)
    )
"""


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("turn_by", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("turn_until", handoff.database.UtcDateTime(timezone=True), nullable=True))
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("arrival", sa.Integer(), nullable=False, server_default="0"))
    op.execute(NUMBER_BY_TIME)
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.alter_column("arrival", server_default=None)
        batch_op.drop_index("ix_handoffs_line")
        batch_op.create_index("ix_handoffs_line", ["state", "group_name", "priority", "arrival"], unique=False)
        batch_op.create_index(batch_op.f("ix_handoffs_arrival"), ["arrival"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_handoffs_arrival"))
        batch_op.drop_index("ix_handoffs_line")
        batch_op.create_index("ix_handoffs_line", ["state", "group_name", "priority", "created_at"], unique=False)
        batch_op.drop_column("arrival")
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_column("turn_until")
        batch_op.drop_column("turn_by")
