"""Who speaks. Every change of owner goes through `change_owner`: version, audit row and news in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from handoff import metrics
from handoff.clock import now
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation, OwnershipEvent, Standing, agent_of
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


@dataclass(frozen=True)
class Change:
    """One change of owner: what the conversation's row becomes, its row in the audit, and what everybody is told."""

    values: dict[str, Any]
    audit: dict[str, Any]
    standing: Standing

    async def tell(self) -> None:
        """Count the change and tell it; only when it is stored."""
        before = self.audit["from_owner"]
        metrics.OWNER_CHANGES.labels(kind(before), kind(self.standing.owner)).inc()
        await desk.hub.publish(
            "owner",
            self.audit["conversation_id"],
            before=before,
            version=self.audit["version"],
            **self.standing.details,
        )


def change_of(
    conversation: Conversation | Row[Any],
    to: str,
    *,
    by: str,
    reason: str,
    note: str | None = None,
    flagged: bool = False,
) -> Change:
    """Return the change that gives the conversation, which the caller has locked, to `to`. Raises IllegalChange."""
    before = conversation.owner
    if (kind(before), kind(to)) not in KINDS:
        raise IllegalChange(f"{before} -> {to}")
    moment = now()
    values: dict[str, Any] = {
        "owner": to,
        "version": conversation.version + 1,
        "updated_at": moment,
        "concern": 0,
        "turn_until": None,
        "last_agent_id": agent_of(to) or conversation.last_agent_id,
    }
    if agent_of(to) or agent_of(before) or to == CLOSED:
        values["answered_seq"] = conversation.last_customer_seq
    audit = {
        "conversation_id": conversation.id,
        "version": values["version"],
        "from_owner": before,
        "to_owner": to,
        "by": by,
        "reason": reason,
        "note": note,
        "flagged": flagged,
        "created_at": moment,
    }
    return Change(values, audit, Standing(to, conversation.group_name, 0, values["last_agent_id"]))


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

    `by` is `bot`, `customer`, `system` or `agent:<id>`. What was decided under the old version can no longer be stored.
    The bot owes no answer to what a person could read, or what was closed; what nobody answered before a wait in line
    and during it, it owes again when the customer gives up waiting. Raises IllegalChange.
    """
    change = change_of(conversation, to, by=by, reason=reason, note=note, flagged=flagged)
    for name, value in change.values.items():
        setattr(conversation, name, value)
    event = OwnershipEvent(**change.audit)
    session.add(event)
    after_commit(session, change.tell)
    return event
