"""Work that should have been done: answers, tickets and promises that are overdue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from handoff.clock import now
from handoff.conversations.models import BOT, Conversation
from handoff.database import Database
from handoff.doctor.finding import Finding
from handoff.promises.models import Promise
from handoff.promises.service import PromiseState
from handoff.queue.models import Handoff, State
from handoff.settings import settings

OVERDUE_AFTER = timedelta(minutes=2)


async def backlog(_environment: Mapping[str, str]) -> Finding:
    """The desk does by itself what is due; where the database does not answer, that is another finding."""
    moment = now() - OVERDUE_AFTER
    queries = {
        "answers": select(func.count())
        .select_from(Conversation)
        .where(
            Conversation.owner == BOT,
            Conversation.last_customer_seq > Conversation.answered_seq,
            Conversation.updated_at < moment,
        ),
        "tickets": select(func.count())
        .select_from(Handoff)
        .where(Handoff.state == State.TICKET, Handoff.opens_at < moment),
        "promises": select(func.count())
        .select_from(Promise)
        .where(Promise.state == PromiseState.OPEN, Promise.due_at < moment),
    }
    opened = Database(settings.database)
    try:
        async with opened.read() as session:
            counts = {name: await session.scalar(query) or 0 for name, query in queries.items()}
    except SQLAlchemyError:
        return Finding("backlog")
    finally:
        await opened.close()
    return Finding("backlog", "backlog", dict(counts)) if any(counts.values()) else Finding("backlog")
