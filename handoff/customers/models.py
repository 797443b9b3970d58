"""Tables of customers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from handoff.database import Base


class Customer(Base):
    """A person who writes to us; `external_id` is the company's own id for a known one."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(200), unique=True)
    name: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]


class UsedToken(Base):
    """The hashed `jti` of a customer token that was accepted (sites may put names into it), until it expires."""

    __tablename__ = "used_tokens"

    jti: Mapped[str] = mapped_column(String(200), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
