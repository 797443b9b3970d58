"""Tables of agents and their skill groups."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handoff.database import Base


class Role(StrEnum):
    """What an account is for; the rights stand in `handoff.agents.rights`."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    DESIGNER = "designer"
    ADMIN = "admin"


class Presence(StrEnum):
    """在线就绪, 小休, 离线."""

    ONLINE = "online"
    BREAK = "break"
    OFFLINE = "offline"


class AgentGroup(Base):
    """Which agent serves which skill group."""

    __tablename__ = "agent_groups"

    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)
    group_name: Mapped[str] = mapped_column(ForeignKey("groups.name", ondelete="CASCADE"), primary_key=True)


class Group(Base):
    """A skill group (技能组) and when it is open.

    `hours` maps a weekday (0 = Monday) to `[["09:00", "18:00"], ...]` in `timezone`; None means always open.
    """

    __tablename__ = "groups"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    title_zh: Mapped[str] = mapped_column(String(100))
    title_en: Mapped[str] = mapped_column(String(100))
    timezone: Mapped[str] = mapped_column(String(60), default="Asia/Shanghai")
    hours: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Agent(Base):
    """An account. `capacity` is how many conversations the person holds at once."""

    __tablename__ = "agents"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    capacity: Mapped[int] = mapped_column(default=5)
    status: Mapped[str] = mapped_column(String(20), default=Presence.OFFLINE)
    status_reason: Mapped[str | None] = mapped_column(String(200))
    status_since: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    groups: Mapped[list[Group]] = relationship(secondary="agent_groups", lazy="selectin", order_by="Group.name")

    @property
    def group_names(self) -> set[str]:
        """Names of the skill groups this person serves."""
        return {group.name for group in self.groups}

    @property
    def owner_key(self) -> str:
        """How a conversation names this person as its owner."""
        return f"agent:{self.id}"


class AgentSession(Base):
    """A login; only the token's hash is kept."""

    __tablename__ = "agent_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
