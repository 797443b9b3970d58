"""Rows of the lists as the database has them: the line, what people hold, and what needs somebody (待干预).

A row says nothing in a language and nothing about who looks at it, so that one reading serves every open page. Numbers
are not counted out either: a place in line is the row's rank among those of its group.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from handoff.agents.rights import CONCERN_THRESHOLD
from handoff.attachments.models import Attachment
from handoff.clock import iso
from handoff.conversations.models import BOT, Conversation, Message, Sender
from handoff.customers.models import Customer
from handoff.locales import LANGUAGES, text
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
            Customer.name,
            last.c.sender,
            last.c.text,
            Attachment.name.label("file_name"),
            Attachment.type.label("file_type"),
            _unanswered_since().label("unanswered_since"),
            _unread().label("unread"),
            asked.c.nlu,
        )
        .join(Customer, Customer.id == Conversation.customer_id)
        .outerjoin(last, and_(last.c.conversation_id == Conversation.id, last.c.seq == Conversation.last_seq))
        .outerjoin(Attachment, Attachment.id == last.c.attachment_id)
        .outerjoin(asked, and_(asked.c.conversation_id == Conversation.id, asked.c.seq == seen))
        .where(condition)
    )


def _unanswered_since() -> ScalarSelect[Any]:
    """The time of the customer's first message that neither a person nor the bot has answered."""
    said, answer = aliased(Message), aliased(Message)
    answered = (
        select(answer.seq)
        .where(answer.conversation_id == Conversation.id, answer.sender.in_((Sender.AGENT, Sender.BOT)))
        .order_by(answer.seq.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    return (
        select(said.created_at)
        .where(said.conversation_id == Conversation.id, said.seq > func.coalesce(answered, 0))
        .where(said.sender == Sender.CUSTOMER)
        .order_by(said.seq)
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )


def _unread() -> ScalarSelect[Any]:
    """How many of the customer's messages the person who has the conversation has not read."""
    said = aliased(Message)
    return (
        select(func.count())
        .where(said.conversation_id == Conversation.id, said.seq > Conversation.agent_read_seq)
        .where(said.sender == Sender.CUSTOMER)
        .correlate(Conversation)
        .scalar_subquery()
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
        "text": _masked(row.text, PREVIEW, language) if row.text else "",
        "attachment": file_view(row.file_name, row.file_type, language) if row.file_name else None,
        "emotion": (row.nlu or {}).get("emotion"),
        "updated_at": iso(row.updated_at),
        "waiting_since": iso(row.unanswered_since),
        "unread": row.unread,
    }


@lru_cache(maxsize=8192)
def _masked(words: str, longest: int | None, language: str) -> str:
    """Return the words with personal data hidden; lists are read anew all the time, and most of what they say stays."""
    return mask(words, language) if longest is None else preview(words, longest, language)


def file_view(name: str, kind: str, language: str) -> dict[str, str]:
    """Return the file of a message as lists name it, with personal data in its name hidden."""
    return {"name": _masked(name, PREVIEW, language), "type": kind}


def display_name(name: str | None, conversation_id: str, language: str) -> str:
    """Return the customer's name; anonymous ones are told apart by a few letters, as in the browser."""
    if name:
        return name
    letters = "".join(letter for letter in conversation_id if letter.isalnum())
    return text("console.visitor", language, tag=letters[-TAG:].upper())


def without_visitor(words: str) -> str:
    """Return what is searched for without the word that stands before an anonymous customer's letters."""
    starts = (text("console.visitor", language, tag="").strip().lower() for language in LANGUAGES)
    return next((words[len(start) :].strip() for start in starts if words.lower().startswith(start)), words)
