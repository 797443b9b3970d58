"""Tables of conversations and what is said in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from handoff.database import Base

BOT = "bot"
QUEUE = "queue"
CLOSED = "closed"
AGENT_PREFIX = "agent:"


@dataclass(frozen=True)
class Standing:
    """Who speaks, whose group it is, how badly it goes: what the rights to a conversation depend on."""

    owner: str
    group_name: str | None
    concern: int
    last_agent_id: str | None

    @property
    def details(self) -> dict[str, Any]:
        """What the desk's events carry of it."""
        return dict(vars(self))


def standing_of(event: dict[str, Any]) -> Standing:
    """Return the standing that the desk's events on messages and owners carry."""
    return Standing(event["owner"], event["group_name"], event["concern"], event["last_agent_id"])


def agent_of(owner: str) -> str | None:
    """Return the id of the person who is this owner; None for the bot, the line and closed ones."""
    return owner.removeprefix(AGENT_PREFIX) if owner.startswith(AGENT_PREFIX) else None


class Sender(StrEnum):
    """Who said a message."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class Conversation(Base):
    """One customer's thread. `owner` says who speaks; `version` goes up with every change of owner.

    `last_customer_seq` and `answered_seq` tell which customer messages still wait for the bot.
    `turn_by` is the desk that asks the bot about them just now, until `turn_until` by the database's clock.
    `stretch` counts how often the conversation was closed and opened again, from 1.
    `concern` (0 to 100) says how badly the bot's conversation is going (待干预 from `CONCERN_THRESHOLD`).
    `erased_at`: its contents were removed; only the shell and the audit stand.
    """

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token_expires_at: Mapped[datetime]
    token_revoked: Mapped[bool] = mapped_column(default=False)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    origin: Mapped[str] = mapped_column(String(20), default="widget")
    external_sender: Mapped[str | None] = mapped_column(String(200), unique=True)
    language: Mapped[str | None] = mapped_column(String(2))
    spoken_language: Mapped[str | None] = mapped_column(String(2))
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    owner: Mapped[str] = mapped_column(String(60), default=BOT)
    version: Mapped[int] = mapped_column(default=1)
    group_name: Mapped[str | None] = mapped_column(String(60))
    concern: Mapped[int] = mapped_column(default=0)
    reset_pending: Mapped[bool] = mapped_column(default=False)
    last_seq: Mapped[int] = mapped_column(default=0)
    last_customer_seq: Mapped[int] = mapped_column(default=0)
    answered_seq: Mapped[int] = mapped_column(default=0)
    turn_by: Mapped[str | None] = mapped_column(String(40))
    turn_until: Mapped[datetime | None]
    customer_read_seq: Mapped[int] = mapped_column(default=0)
    agent_read_seq: Mapped[int] = mapped_column(default=0)
    stretch: Mapped[int] = mapped_column(default=1)
    outcome: Mapped[str | None] = mapped_column(String(20))
    last_agent_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_conversations_owner_updated", "owner", "updated_at"),)

    @property
    def agent_id(self) -> str | None:
        """Id of the person who owns the conversation, if one does."""
        return agent_of(self.owner)

    @property
    def standing(self) -> Standing:
        """What the rights to this conversation depend on, as it is now."""
        return Standing(self.owner, self.group_name, self.concern, self.last_agent_id)

    def opens_to(self, token_hash: str, moment: datetime) -> bool:
        """Tell whether the customer's token with this hash is good at `moment`."""
        return self.token_hash == token_hash and not self.token_revoked and self.token_expires_at >= moment

    @property
    def asks_for_rating(self) -> bool:
        """Whether a rating is wanted: the conversation is closed, and was a customer's."""
        return self.owner == CLOSED and self.outcome != "spam"

    @property
    def reading_language(self) -> str:
        """The customer's language: the switch decides, else what they write, else Chinese."""
        return self.language or self.spoken_language or "zh"


class Message(Base):
    """Something said, numbered without gaps in its conversation. `buttons_open`: its buttons may be pressed."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    seq: Mapped[int]
    sender: Mapped[str] = mapped_column(String(10))
    sender_id: Mapped[str | None] = mapped_column(String(40))
    sender_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    payload: Mapped[str | None] = mapped_column(Text)
    buttons: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    buttons_open: Mapped[bool] = mapped_column(default=False)
    attachment_id: Mapped[str | None] = mapped_column(ForeignKey("attachments.id"))
    client_id: Mapped[str | None] = mapped_column(String(100))
    content_hash: Mapped[str | None] = mapped_column(String(64))
    nlu: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "sender_id", "client_id", name="uq_messages_client_id"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A `Message` just stored by prepared statements, without the ORM's object, which costs more than storing."""

    id: int
    conversation_id: str
    seq: int
    sender: str
    sender_id: str | None
    sender_name: str
    text: str
    payload: str | None
    buttons: list[Any] | None
    buttons_open: bool
    attachment_id: str | None
    client_id: str | None
    content_hash: str | None
    nlu: dict[str, Any] | None
    created_at: datetime


class OwnershipEvent(Base):
    """The audit: one change of owner."""

    __tablename__ = "ownership_events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    from_owner: Mapped[str | None] = mapped_column(String(60))
    to_owner: Mapped[str] = mapped_column(String(60))
    by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(Text)
    flagged: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(index=True)


class Note(Base):
    """An internal note: agents read it, customers never; it has no `seq` and stands after message `after_seq`."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    after_seq: Mapped[int]
    author: Mapped[str] = mapped_column(String(60))
    author_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Rating(Base):
    """The customer's score (1 to 5) for one closed stretch."""

    __tablename__ = "ratings"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    stretch: Mapped[int]
    score: Mapped[int]
    comment: Mapped[str | None] = mapped_column(Text)
    agent_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("conversation_id", "stretch"),)
