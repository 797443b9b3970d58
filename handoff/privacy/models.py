"""Tables of erasures under way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from handoff.database import Base


class Erasure(Base):
    """An erased conversation of which others must still hear: sockets that end, the last owner, the bots.

    `announced`: sockets and owner were told. `bots_told`: how often all bots have forgotten it; the second time is for
    a turn that was under way the first time.
    """

    __tablename__ = "erasures"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    last_owner: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    announced: Mapped[bool] = mapped_column(default=False)
    bots_told: Mapped[int] = mapped_column(default=0)
    requested_at: Mapped[datetime]
