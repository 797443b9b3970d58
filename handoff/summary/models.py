"""Tables of what customers told us."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handoff.database import Base


class Fact(Base):
    """A thing we know, and from where: a message (`source_seq`), a lookup, or else the site's context.

    The word said last counts; earlier rows are its history.
    """

    __tablename__ = "facts"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(Text)
    quote: Mapped[str | None] = mapped_column(Text)
    source_seq: Mapped[int | None]
    lookup: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_facts_conversation", "conversation_id", "name"),)


class TriedStep(Base):
    """Something the customer already tried, in their own words."""

    __tablename__ = "tried_steps"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(String(200))
    quote: Mapped[str] = mapped_column(Text)
    source_seq: Mapped[int]
    created_at: Mapped[datetime]


class Correction(Base):
    """A line of a summary that a person at work called wrong; a fact may get its right `value`.

    Kept for the designers: what was claimed, and the words that misled.
    """

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    part: Mapped[str] = mapped_column(String(20))
    name: Mapped[str | None] = mapped_column(String(40))
    claimed: Mapped[str] = mapped_column(Text)
    quote: Mapped[str | None] = mapped_column(Text)
    source_seq: Mapped[int | None]
    value: Mapped[str | None] = mapped_column(Text)
    agent_id: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
