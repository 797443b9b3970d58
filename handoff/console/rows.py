"""Rows of the lists as the database has them: the line, what people hold, and what needs somebody (待干预).

A row says nothing in a language and nothing about who looks at it, so that one reading serves every open page. Numbers
are not counted out either: a place in line is the row's rank among those of its group.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.rights import CONCERN_THRESHOLD
from handoff.clock import iso
from handoff.conversations.models import BOT, Conversation, Message
from handoff.customers.models import Customer
from handoff.locales import text
from handoff.privacy.masking import mask, preview
from handoff.queue.models import OPEN_STATES, Handoff

LONGEST = 500
PREVIEW = 160
TAG = 4


async def waiting_rows(session: AsyncSession) -> list[dict[str, Any]]:
    """Return everybody who waits, in the order in which they will be served."""
    query = (
        select(
            Handoff.id,
            Handoff.conversation_id,
            Handoff.reason,
            Handoff.priority,
            Handoff.group_name,
            Handoff.emotion,
            Handoff.summary_line,
            Handoff.arrival,
            Handoff.created_at,
            Handoff.opens_at,
            Handoff.state,
            Conversation.language,
            Conversation.spoken_language,
            Customer.name,
        )
        .join(Conversation, Conversation.id == Handoff.conversation_id)
        .join(Customer, Customer.id == Conversation.customer_id)
        .where(Handoff.state.in_(OPEN_STATES))
        .order_by(Handoff.state.desc(), Handoff.priority, Handoff.arrival, Handoff.id)
    )
    return [
        {
            "id": row.id,
            "conversation_id": row.conversation_id,
            "name": row.name,
            "language": row.language or row.spoken_language or "zh",
            "reason": row.reason,
            "priority": row.priority,
            "group": row.group_name,
            "emotion": row.emotion,
            "summary": {language: _masked(line, None, language) for language, line in row.summary_line.items()},
            "created_at": iso(row.created_at),
            "opens_at": iso(row.opens_at),
            "state": row.state,
            "order": f"{'01'[row.state != 'waiting']}{row.priority}{row.arrival:012d}{row.id}",
        }
        for row in await session.execute(query)
    ]


async def held_rows(session: AsyncSession, owners: Collection[str]) -> list[dict[str, Any]]:
    """Return every conversation of these owners."""
    return [_row(row) for row in await session.execute(_with_last(Conversation.owner.in_(owners)))]


async def rows_of(session: AsyncSession, ids: Collection[str]) -> list[dict[str, Any]]:
    """Return these conversations."""
    return [_row(row) for row in await session.execute(_with_last(Conversation.id.in_(ids)))]


async def concern_rows(session: AsyncSession) -> list[dict[str, Any]]:
    """Return the bot's conversations that go badly, the worst first."""
    query = (
        _with_last(and_(Conversation.owner == BOT, Conversation.concern >= CONCERN_THRESHOLD))
        .order_by(Conversation.concern.desc(), Conversation.updated_at)
        .limit(LONGEST)
    )
    return [_row(row) for row in await session.execute(query)]


def _with_last(condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    last, asked = Message.__table__.alias("last"), Message.__table__.alias("asked")
    seen = Conversation.last_customer_seq
    return (
        select(
            Conversation.id,
            Conversation.language,
            Conversation.spoken_language,
            Conversation.group_name,
            Conversation.concern,
            Conversation.owner,
            Conversation.updated_at,
            Conversation.last_customer_seq,
            Conversation.agent_read_seq,
            Customer.name,
            last.c.sender,
            last.c.text,
            last.c.created_at.label("said_at"),
            asked.c.nlu,
        )
        .join(Customer, Customer.id == Conversation.customer_id)
        .outerjoin(last, and_(last.c.conversation_id == Conversation.id, last.c.seq == Conversation.last_seq))
        .outerjoin(asked, and_(asked.c.conversation_id == Conversation.id, asked.c.seq == seen))
        .where(condition)
    )


def _row(row: Row[Any]) -> dict[str, Any]:
    language = row.language or row.spoken_language or "zh"
    return {
        "conversation_id": row.id,
        "name": row.name,
        "language": language,
        "group": row.group_name,
        "concern": row.concern,
        "owner": row.owner,
        "sender": row.sender,
        "text": _masked(row.text or "…", PREVIEW, language) if row.sender else "",
        "emotion": (row.nlu or {}).get("emotion"),
        "updated_at": iso(row.updated_at),
        "waiting_since": iso(row.said_at) if row.sender == "customer" else None,
        "unread": max(0, row.last_customer_seq - row.agent_read_seq),
    }


@lru_cache(maxsize=8192)
def _masked(words: str, longest: int | None, language: str) -> str:
    """Return the words with personal data hidden; lists are read anew all the time, and most of what they say stays."""
    return mask(words, language) if longest is None else preview(words, longest, language)


def display_name(name: str | None, conversation_id: str, language: str) -> str:
    """Return the customer's name; anonymous ones are told apart by a few letters, as in the browser."""
    if name:
        return name
    letters = "".join(letter for letter in conversation_id if letter.isalnum())
    return text("console.visitor", language, tag=letters[-TAG:].upper())
