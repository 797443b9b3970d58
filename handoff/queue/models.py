"""Tables of the waiting line."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from handoff.database import Base


class Reason(StrEnum):
    """Why a person is needed."""

    ASKED_FOR_PERSON = "asked_for_person"
    EMOTION = "emotion"
    SAFETY = "safety"
    REPEATED_FAILURE = "repeated_failure"
    BOT_REPEATING = "bot_repeating"
    COMPLEX = "complex"
    POLICY_TOPIC = "policy_topic"
    BOT_ERROR = "bot_error"
    BROKEN_PROMISE = "broken_promise"
    TRANSFERRED = "transferred"
    AGENT_GONE = "agent_gone"
    AGENT_BREAK = "agent_break"
    REOPENED = "reopened"
    SUPERVISOR = "supervisor"


PRIORITY = {
    Reason.SAFETY: 1,
    Reason.EMOTION: 2,
    Reason.BROKEN_PROMISE: 2,
    Reason.AGENT_GONE: 2,
    Reason.SUPERVISOR: 2,
    Reason.TRANSFERRED: 2,
    Reason.AGENT_BREAK: 2,
    Reason.POLICY_TOPIC: 3,
    Reason.ASKED_FOR_PERSON: 3,
    Reason.REPEATED_FAILURE: 3,
    Reason.BOT_REPEATING: 3,
    Reason.COMPLEX: 3,
    Reason.BOT_ERROR: 3,
    Reason.REOPENED: 3,
}


# What moves somebody up who waits already, the gravest first, and which of these are always the default group's.
GRAVE = (Reason.SAFETY, Reason.POLICY_TOPIC, Reason.EMOTION, Reason.BROKEN_PROMISE)
CARE_MATTERS = frozenset({Reason.SAFETY, Reason.POLICY_TOPIC})


class State(StrEnum):
    """Where a handoff stands; `ticket` was left outside the group's hours."""

    WAITING = "waiting"
    TICKET = "ticket"
    CLAIMED = "claimed"
    ABANDONED = "abandoned"
    DONE = "done"


OPEN_STATES = (State.WAITING, State.TICKET)


class Handoff(Base):
    """One stay in the queue. `priority` 1 is served first, then by `arrival`; `evidence` holds message numbers.

    `explanation` is the bot's score, signal by signal; None where the bot did not decide.

    `arrival` counts who came: times go back when a clock is set.
    """

    __tablename__ = "handoffs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(String(30))
    priority: Mapped[int]
    group_name: Mapped[str] = mapped_column(ForeignKey("groups.name"))
    emotion: Mapped[dict[str, Any]] = mapped_column(JSON)
    evidence: Mapped[list[int]] = mapped_column(JSON)
    explanation: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    summary_line: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(20))
    arrival: Mapped[int] = mapped_column(index=True)
    created_at: Mapped[datetime]
    opens_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(40))
    claimed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_handoffs_line", "state", "group_name", "priority", "arrival"),
        Index(
            "uq_handoffs_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'ticket')"),
            postgresql_where=text("state IN ('waiting', 'ticket')"),
        ),
    )
