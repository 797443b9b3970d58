"""Erasing conversations: what somebody said and what was kept about it goes, the audit stays without personal data.

An erasure is one transaction for each conversation, and can be repeated. What lies outside the database follows: the
serving desk ends the sockets and tells the owner, and every bot forgets its part, again and again until it has worked.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.assistant.client import BotFailed
from handoff.attachments.models import Attachment
from handoff.attachments.service import path_of
from handoff.clock import now
from handoff.conversations.models import CLOSED, Conversation, Message, Note, OwnershipEvent, Rating
from handoff.conversations.ownership import change_owner
from handoff.customers.models import Customer
from handoff.database import Database, OutOfPatience
from handoff.desk import desk
from handoff.identifiers import CUSTOMER_TOKEN_PREFIX, hash_token, new_token
from handoff.integrations.models import ChannelCall, ChannelCursor
from handoff.privacy.models import Erasure
from handoff.promises.models import Promise
from handoff.queue.models import OPEN_STATES, Handoff, State
from handoff.queue.service import Queue
from handoff.summary.models import Correction, Fact, TriedStep

log = structlog.get_logger(__name__)
ERASED = "erased"
TELL_BOTS_AGAIN_AFTER = timedelta(seconds=60)
EMPTY_LOG_TRIES = 3
BETWEEN_TRIES = 0.2
TABLES = (
    "messages",
    "attachments",
    "facts",
    "tried_steps",
    "corrections",
    "notes",
    "promises",
    "handoffs",
    "ratings",
    "customers",
)


@dataclass
class Removed:
    """What an erasure took away: how many of each, and what the company's own systems may still hold."""

    counts: Counter[str] = field(default_factory=Counter)
    orders: set[str] = field(default_factory=set)
    reports: set[str] = field(default_factory=set)

    def __iadd__(self, other: Removed) -> Removed:
        """Add up."""
        self.counts += other.counts
        self.orders |= other.orders
        self.reports |= other.reports
        return self


async def erase_conversation(session: AsyncSession, conversation_id: str, *, by: str) -> Removed:
    """Remove all that was said in a conversation and all that was kept about it.

    What stays: the conversation's empty shell, its audit rows and handoffs for the figures, and ratings' scores. The
    token is void and nothing can be stored in it any more (`Conversations.get` refuses every writer).
    """
    conversation = await session.scalar(
        select(Conversation)
        .where(Conversation.id == conversation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    removed = Removed()
    if conversation is None or conversation.erased_at is not None:
        return removed
    removed.orders = set(await _values(session, Fact.value, _of(Fact, conversation) & (Fact.name == "order_number")))
    removed.reports = set(await _values(session, Promise.reference, _of(Promise, conversation)))
    last_owner = conversation.owner
    await _close(session, conversation, by=by)
    files = list(await session.scalars(select(Attachment).where(_of(Attachment, conversation))))
    await session.flush()
    for table in (Message, Attachment, Fact, TriedStep, Correction, Note, Promise, ChannelCall, ChannelCursor):
        result = await session.execute(delete(table).where(_of(table, conversation)))
        removed.counts[table.__tablename__] = result.rowcount  # type: ignore[attr-defined]
    await _blank_what_stays(session, conversation, removed)
    session.add(
        Erasure(
            conversation_id=conversation.id,
            last_owner=last_owner,
            version=conversation.version,
            requested_at=now(),
        )
    )
    await session.flush()
    # Before the commit: should it fail, the next attempt finds the rows again and misses no file.
    await asyncio.to_thread(_unlink, files)
    removed.counts["conversations"] = 1
    return removed


def _of(table: Any, conversation: Conversation) -> ColumnElement[bool]:
    return table.conversation_id == conversation.id


async def _values(session: AsyncSession, column: Any, where: ColumnElement[bool]) -> list[str]:
    return [value for value in await session.scalars(select(column).where(where)) if value]


async def _close(session: AsyncSession, conversation: Conversation, *, by: str) -> None:
    """End the conversation, whoever owns it; the audit says why."""
    await Queue(session).leave_line(conversation, State.ABANDONED)
    await Queue(session).finish(conversation)
    if conversation.owner != CLOSED:
        change_owner(session, conversation, CLOSED, by=by, reason=ERASED)
        return
    session.add(
        OwnershipEvent(
            conversation_id=conversation.id,
            version=conversation.version,
            from_owner=CLOSED,
            to_owner=CLOSED,
            by=by,
            reason=ERASED,
            created_at=now(),
        )
    )


async def _blank_what_stays(session: AsyncSession, conversation: Conversation, removed: Removed) -> None:
    commented = update(Rating).where(_of(Rating, conversation), Rating.comment.is_not(None)).values(comment=None)
    removed.counts["ratings"] = (await session.execute(commented)).rowcount  # type: ignore[attr-defined]
    await session.execute(update(OwnershipEvent).where(_of(OwnershipEvent, conversation)).values(note=None))
    for handoff in await session.scalars(select(Handoff).where(_of(Handoff, conversation))):
        assert handoff.state not in OPEN_STATES
        handoff.summary_line, handoff.evidence = {}, []
        handoff.emotion = {**handoff.emotion, "course": []}
        removed.counts["handoffs"] += 1
    conversation.token_hash = hash_token(new_token(CUSTOMER_TOKEN_PREFIX))
    conversation.token_revoked = True
    conversation.external_sender = None
    conversation.context = {}
    conversation.last_seq = conversation.last_customer_seq = conversation.answered_seq = 0
    conversation.customer_read_seq = conversation.agent_read_seq = 0
    conversation.concern = 0
    conversation.closed_at = conversation.closed_at or now()
    conversation.erased_at = conversation.updated_at = now()


def _unlink(files: list[Attachment]) -> None:
    for attachment in files:
        path_of(attachment).unlink(missing_ok=True)


async def erase_customer(database: Database, customer_id: str, *, by: str) -> Removed:
    """Erase all conversations of a customer, each in its own transaction, then their name and the company's id."""
    removed = Removed()
    async with database.read() as session:
        ids = list(await session.scalars(select(Conversation.id).where(Conversation.customer_id == customer_id)))
    for conversation_id in ids:
        async with database.write() as session:
            removed += await erase_conversation(session, conversation_id, by=by)
    async with database.write() as session:
        forget_name = update(Customer).where(Customer.id == customer_id).values(name=None, external_id=None)
        removed.counts["customers"] = (await session.execute(forget_name)).rowcount  # type: ignore[attr-defined]
    return removed


async def scrub(database: Database, *, whole: bool) -> None:
    """Let no deleted byte stay in the database's files.

    SQLite overwrites what it deletes (`secure_delete`), and this empties the write-ahead log; `whole` also rewrites the
    file (`VACUUM`), for pieces that were left behind when rows moved. On PostgreSQL the tables are vacuumed. Raises
    OutOfPatience when somebody keeps reading what the log holds; scrubbing again is safe.
    """
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        if not database.is_sqlite:
            if whole:
                await connection.execute(text(f"VACUUM {', '.join(TABLES)}"))
            return
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if whole:
            await driver.execute("VACUUM")
        for _ in range(EMPTY_LOG_TRIES):
            busy, *_ = await (await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")).fetchone()
            if not busy:
                return
            await asyncio.sleep(BETWEEN_TRIES)
        raise OutOfPatience("the write-ahead log is in use and still holds what was deleted")


async def announce_erasures() -> None:
    """A round of the caretaker: end the sockets of erased conversations and tell who owned them."""
    query = select(Erasure, Conversation).join(Conversation, Conversation.id == Erasure.conversation_id)
    async with desk.database.read() as session:
        found = list(await session.execute(query.where(~Erasure.announced)))
    for one, conversation in found:
        standing = asdict(conversation.standing)
        await desk.hub.publish("owner", one.conversation_id, before=one.last_owner, version=one.version, **standing)
        await desk.hub.publish("revoked", one.conversation_id)
        await desk.hub.publish("queue", None, group=conversation.group_name)
        async with desk.database.write() as session:
            told = update(Erasure).where(Erasure.conversation_id == one.conversation_id).values(announced=True)
            await session.execute(told)


async def tell_bots() -> int:
    """A round of the caretaker: every bot forgets what was erased, twice; returns how many conversations are left."""
    async with desk.database.read() as session:
        found = list(await session.scalars(select(Erasure).order_by(Erasure.requested_at).limit(100)))
    for one in found:
        if one.bots_told and now() < one.requested_at + TELL_BOTS_AGAIN_AFTER:
            continue
        try:
            await desk.bot.forget(one.conversation_id)
        except BotFailed as error:
            log.warning("bot_did_not_forget", conversation=one.conversation_id, error=str(error))
            continue
        async with desk.database.write() as session:
            here = Erasure.conversation_id == one.conversation_id
            await session.execute(update(Erasure).where(here).values(bots_told=Erasure.bots_told + 1))
            await session.execute(delete(Erasure).where(here, Erasure.bots_told >= 2, Erasure.announced))
    async with desk.database.read() as session:
        return await session.scalar(select(func.count()).select_from(Erasure).where(Erasure.bots_told == 0)) or 0
