"""Who speaks. Every change of owner goes through `change_owner`: version, audit row and news in one transaction."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession

from handoff import metrics
from handoff.clock import now
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation, OwnershipEvent
from handoff.database import after_commit
from handoff.desk import desk

KINDS = {
    (BOT, QUEUE),
    (BOT, "agent"),
    (QUEUE, "agent"),
    (QUEUE, BOT),
    (QUEUE, QUEUE),
    (BOT, CLOSED),
    (QUEUE, CLOSED),
    ("agent", QUEUE),
    ("agent", "agent"),
    ("agent", BOT),
    ("agent", CLOSED),
    (CLOSED, BOT),
    (CLOSED, "agent"),
}


class IllegalChange(Exception):
    """A change of owner that the design does not know; always a bug of ours."""


def kind(owner: str) -> str:
    """Return `bot`, `queue`, `agent` or `closed`."""
    return owner.partition(":")[0]


def change_owner(
    session: AsyncSession,
    conversation: Conversation,
    to: str,
    *,
    by: str,
    reason: str,
    note: str | None = None,
    flagged: bool = False,
) -> OwnershipEvent:
    """Give the conversation, which the caller has locked, to `to`.

    `by` is `bot`, `customer`, `system` or `agent:<id>`. What was decided under the old version can no longer be stored,
    and the bot owes no answer to what was said before. Raises IllegalChange.
    """
    before = conversation.owner
    if (kind(before), kind(to)) not in KINDS:
        raise IllegalChange(f"{before} -> {to}")
    conversation.owner = to
    conversation.version += 1
    conversation.updated_at = now()
    conversation.concern = 0
    conversation.turn_until = None
    if to != BOT or before != CLOSED:
        conversation.answered_seq = conversation.last_customer_seq
    if conversation.agent_id:
        conversation.last_agent_id = conversation.agent_id
    event = OwnershipEvent(
        conversation_id=conversation.id,
        version=conversation.version,
        from_owner=before,
        to_owner=to,
        by=by,
        reason=reason,
        note=note,
        flagged=flagged,
        created_at=now(),
    )
    session.add(event)
    standing = conversation.standing

    async def tell() -> None:
        metrics.OWNER_CHANGES.labels(kind(before), kind(to)).inc()
        await desk.hub.publish(
            "owner", conversation.id, before=before, version=event.version, **asdict(standing)
        )

    after_commit(session, tell)
    return event
