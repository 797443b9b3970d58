"""Tables of the channels through which existing Rasa integrations talk to the desk."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from handoff.database import Base

ORIGIN_REST = "rest"
ORIGIN_SOCKETIO = "socketio"


class ChannelCursor(Base):
    """How far a conversation was delivered to its integration; what lies behind it is the outbox.

    `call_until`: until then a webhook call (the latest is `call_id`) waits for the answer and the callback keeps quiet.
    `sending_until`: until then `sending_by` has a callback under way, so nobody else may deliver.
    """

    __tablename__ = "channel_cursors"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    delivered_seq: Mapped[int] = mapped_column(default=0)
    call_id: Mapped[str | None] = mapped_column(String(100))
    call_until: Mapped[datetime | None]
    sending_by: Mapped[str | None] = mapped_column(String(40))
    sending_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]


class ChannelCall(Base):
    """What a webhook call with a `message_id` was answered with, so that its retry gets the same answer."""

    __tablename__ = "channel_calls"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    after_seq: Mapped[int]
    last_seq: Mapped[int]
