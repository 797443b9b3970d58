"""Everything that is kept of one customer, as JSON: for people who ask what is known about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.attachments.models import Attachment
from handoff.clock import iso
from handoff.conversations.models import Conversation, Message, Note, OwnershipEvent, Rating
from handoff.customers.models import Customer
from handoff.promises.models import Promise
from handoff.queue.models import Handoff
from handoff.summary.models import Correction, Fact, TriedStep

_PARTS: dict[str, Any] = {
    "messages": Message,
    "attachments": Attachment,
    "facts": Fact,
    "tried": TriedStep,
    "corrections": Correction,
    "notes": Note,
    "promises": Promise,
    "handoffs": Handoff,
    "ratings": Rating,
    "events": OwnershipEvent,
}
_SECRET = {"token_hash", "content_hash"}


async def export_customer(session: AsyncSession, customer: Customer) -> dict[str, Any]:
    """Return the customer, their conversations and all that belongs to each, without secrets."""
    conversations = await session.scalars(
        select(Conversation).where(Conversation.customer_id == customer.id).order_by(Conversation.created_at)
    )
    return {
        "customer": _row(customer),
        "conversations": [{**_row(one), **await _parts(session, one)} for one in conversations],
    }


async def _parts(session: AsyncSession, conversation: Conversation) -> dict[str, Any]:
    parts = {}
    for name, table in _PARTS.items():
        rows = await session.scalars(select(table).where(table.conversation_id == conversation.id).order_by(table.id))
        parts[name] = [_row(row) for row in rows]
    return parts


def _row(row: Any) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in inspect(row).mapper.column_attrs}
    return {
        name: iso(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if name not in _SECRET
    }
