"""Keeping nothing longer than needed: a round of the caretaker, in small batches, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import aliased

from handoff.agents.models import AgentSession
from handoff.attachments.models import Attachment
from handoff.attachments.service import path_of
from handoff.clock import now
from handoff.conversations.models import CLOSED, Conversation, Message
from handoff.customers.models import Customer, UsedToken
from handoff.desk import desk
from handoff.locales import text
from handoff.privacy.erasure import erase_conversation, scrub
from handoff.privacy.models import Erasure
from handoff.settings import settings

log = structlog.get_logger(__name__)
BATCH = 20
REST = 0.2
SESSIONS_KEPT = timedelta(days=30)
TOKEN_LEEWAY = timedelta(minutes=5)


async def keep_no_longer() -> None:
    """Remove what is older than the settings allow: contents, files, shells, logins, used tokens, log files."""
    counts = {
        "conversations": await _in_batches(_erase_some),
        "attachments": await _in_batches(_drop_some_attachments),
        "shells": await _in_batches(_drop_some_shells),
        "customers": await _in_batches(_drop_some_customers),
    }
    await _drop_expired()
    logs = await asyncio.to_thread(drop_old_files)
    if any(counts.values()) or logs:
        await scrub(desk.database, whole=False)
        log.info("retention", **counts, logs=logs)


async def _in_batches(work: object) -> int:
    done = 0
    while count := await work():  # type: ignore[operator]
        done += count
        await asyncio.sleep(REST)
    return done


def _before(days: int | Literal["off"]) -> datetime | None:
    return None if days == "off" else now() - timedelta(days=days)


async def _erase_some() -> int:
    """Erase closed conversations in which nothing was said for `RETENTION_DAYS`."""
    limit = _before(settings.retention_days)
    if limit is None:
        return 0
    old = (
        select(Conversation.id)
        .where(Conversation.owner == CLOSED, Conversation.updated_at < limit, Conversation.erased_at.is_(None))
        .order_by(Conversation.updated_at)
        .limit(BATCH)
    )
    async with desk.database.read() as session:
        ids = list(await session.scalars(old))
    for conversation_id in ids:
        async with desk.database.write() as session:
            still = await session.scalar(old.where(Conversation.id == conversation_id))
            if still is not None:
                await erase_conversation(session, conversation_id, by="system")
    return len(ids)


async def _drop_some_attachments() -> int:
    """Remove files of closed conversations after `RETENTION_ATTACHMENT_DAYS`; the message says that there was one."""
    limit = _before(settings.retention_attachment_days)
    if limit is None:
        return 0
    async with desk.database.write() as session:
        rows = list(
            await session.execute(
                select(Attachment, Conversation)
                .join(Conversation, Conversation.id == Attachment.conversation_id)
                .where(Conversation.owner == CLOSED, Attachment.created_at < limit)
                .limit(BATCH)
            )
        )
        for attachment, conversation in rows:
            here = Message.attachment_id == attachment.id
            gone = text("desk.attachment_expired", conversation.reading_language)
            await session.execute(update(Message).where(here, Message.text == "").values(text=gone))
            await session.execute(update(Message).where(here).values(attachment_id=None))
            await session.delete(attachment)
        await session.flush()
        for attachment, _ in rows:
            await asyncio.to_thread(path_of(attachment).unlink, missing_ok=True)
    return len(rows)


async def _drop_some_shells() -> int:
    """Remove the audit, handoffs and scores of conversations that were erased `RETENTION_AUDIT_DAYS` ago."""
    limit = _before(settings.retention_audit_days)
    if limit is None:
        return 0
    pending = select(Erasure.conversation_id)
    old = select(Conversation.id).where(Conversation.erased_at < limit, Conversation.id.not_in(pending)).limit(BATCH)
    async with desk.database.write() as session:
        ids = list(await session.scalars(old))
        if ids:
            await session.execute(delete(Conversation).where(Conversation.id.in_(ids)))
    return len(ids)


async def _drop_some_customers() -> int:
    """Take name and company's id from customers of whom every conversation is erased; drop those who have none."""
    limit = _before(settings.retention_days)
    if limit is None:
        return 0
    own, kept = aliased(Conversation), aliased(Conversation)
    alive = select(kept.id).where(kept.customer_id == Customer.id, kept.erased_at.is_(None)).exists()
    any_left = select(own.id).where(own.customer_id == Customer.id).exists()
    named = Customer.name.is_not(None) | Customer.external_id.is_not(None)
    query = select(Customer).where(Customer.created_at < limit, ~alive, named | ~any_left).limit(BATCH)
    async with desk.database.write() as session:
        customers = list(await session.scalars(query))
        for customer in customers:
            customer.name = customer.external_id = None
            if not await session.scalar(select(own.id).where(own.customer_id == customer.id).limit(1)):
                await session.delete(customer)
    return len(customers)


async def _drop_expired() -> None:
    """Remove used customer tokens that have expired, and logins that ended long ago."""
    async with desk.database.write() as session:
        await session.execute(delete(UsedToken).where(UsedToken.expires_at < now() - TOKEN_LEEWAY))
        await session.execute(delete(AgentSession).where(AgentSession.expires_at < now() - SESSIONS_KEPT))


def drop_old_files() -> int:
    """Remove what is `RETENTION_LOG_DAYS` old: log files no longer written to, and trackers that were put aside."""
    if settings.retention_log_days == "off":
        return 0
    oldest = time.time() - settings.retention_log_days * 24 * 3600
    files = [*(settings.jieli_var / "log").glob("*.log*"), *_put_aside()]
    old = [path for path in files if path.stat().st_mtime < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def drop_put_aside() -> None:
    """Remove trackers that the bot could not read: nobody can take one customer's words out of them."""
    for path in _put_aside():
        path.unlink(missing_ok=True)


def _put_aside() -> list[Path]:
    return list(settings.jieli_var.glob("trackers.db.broken-*"))
