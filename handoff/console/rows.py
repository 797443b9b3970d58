"""Rows of the lists: the waiting line, a person's own conversations, and those that need somebody (待干预)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent
from handoff.agents.rights import CONCERN_THRESHOLD, may_read, oversees, require_desk_role
from handoff.clock import iso
from handoff.conversations.models import BOT, Conversation, Message
from handoff.customers.models import Customer
from handoff.locales import text
from handoff.privacy.masking import preview
from handoff.queue.service import Queue, handoff_view, ranked

LONGEST = 500
PREVIEW = 160
TAG = 4


async def line_rows(session: AsyncSession, agent: Agent, language: str) -> list[dict[str, Any]]:
    """Return the waiting handoffs that this person may see, in the order in which they will be served."""
    require_desk_role(agent)
    line = await Queue(session).line(None if oversees(agent) else agent.group_names)
    names = await _names(session, [conversation for _, conversation in line])
    rows = [
        {
            **handoff_view(handoff, position, language),
            "customer": display_name(names.get(conversation.customer_id), conversation.id, language),
            "language": conversation.reading_language,
        }
        for (handoff, position), (_, conversation) in zip(ranked(line), line, strict=True)
    ]
    return rows[:LONGEST]


async def own_rows(session: AsyncSession, agent: Agent, language: str) -> list[dict[str, Any]]:
    """Return the conversations that this person holds, the longest waiting customer first."""
    query = _with_last().where(Conversation.owner == agent.owner_key).order_by(Conversation.updated_at)
    found = await session.execute(query)
    rows = [_row(conversation, customer, last, language) for conversation, customer, last in found]
    return sorted(rows, key=lambda row: (not row["waiting_since"], row["waiting_since"] or ""))


async def concern_rows(session: AsyncSession, agent: Agent, language: str) -> list[dict[str, Any]]:
    """Return the bot's conversations that go badly and that this person may take over, the worst first."""
    require_desk_role(agent)
    query = (
        _with_last()
        .where(Conversation.owner == BOT, Conversation.concern >= CONCERN_THRESHOLD)
        .order_by(Conversation.concern.desc(), Conversation.updated_at)
        .limit(LONGEST)
    )
    if not oversees(agent):
        query = query.where(Conversation.group_name.in_(agent.group_names))
    found = list(await session.execute(query))
    moods = await _moods(session, [conversation for conversation, _, _ in found])
    return [
        {**_row(conversation, customer, last, language), "emotion": moods.get(conversation.id)}
        for conversation, customer, last in found
        if may_read(agent, conversation)
    ]


def _with_last() -> Select[Conversation, Customer, Message]:
    return (
        select(Conversation, Customer, Message)
        .join(Customer, Customer.id == Conversation.customer_id)
        .outerjoin(Message, and_(Message.conversation_id == Conversation.id, Message.seq == Conversation.last_seq))
    )


def _row(conversation: Conversation, customer: Customer, last: Message | None, language: str) -> dict[str, Any]:
    waits = last is not None and last.sender == "customer"
    return {
        "conversation_id": conversation.id,
        "customer": display_name(customer.name, conversation.id, language),
        "language": conversation.reading_language,
        "group": conversation.group_name,
        "concern": conversation.concern,
        "owner": conversation.owner,
        "sender": last.sender if last else None,
        "text": preview(last.text or "…", PREVIEW, language) if last else "",
        "updated_at": iso(conversation.updated_at),
        "waiting_since": iso(last.created_at) if last and waits else None,
        "unread": max(0, conversation.last_customer_seq - conversation.agent_read_seq),
    }


async def _names(session: AsyncSession, conversations: list[Conversation]) -> dict[str, str | None]:
    ids = {conversation.customer_id for conversation in conversations}
    found = await session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(ids)))
    return {customer_id: name for customer_id, name in found}


async def _moods(session: AsyncSession, conversations: list[Conversation]) -> dict[str, dict[str, Any]]:
    """Return the mood of each conversation's latest understood customer message."""
    ids = [conversation.id for conversation in conversations]
    found = await session.execute(
        select(Message.conversation_id, Message.nlu)
        .where(Message.conversation_id.in_(ids), Message.nlu.is_not(None))
        .order_by(Message.seq)
    )
    return {conversation_id: nlu["emotion"] for conversation_id, nlu in found if nlu and "emotion" in nlu}


def display_name(name: str | None, conversation_id: str, language: str) -> str:
    """Return the customer's name; anonymous ones are told apart by a few letters."""
    if name:
        return name
    letters = "".join(letter for letter in conversation_id if letter.isalnum())
    return text("console.visitor", language, tag=letters[-TAG:].upper())
