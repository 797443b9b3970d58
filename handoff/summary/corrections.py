"""What people at work called wrong in a summary: it is struck, a fact gets its right value, and designers read why."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent
from handoff.clock import iso, now
from handoff.conversations.models import Conversation
from handoff.privacy.masking import anonymous
from handoff.summary.models import Correction, Fact

Part = Literal["facts", "hopes", "tried", "promises"]
BY_A_PERSON = "agent"
NEWEST = 200


def corrected(facts: list[Fact], corrections: list[Correction]) -> list[Fact]:
    """Return the facts without those called wrong, the right values last: a person's word counts most."""
    about = [correction for correction in corrections if correction.part == "facts"]
    wrong = {(correction.name, correction.claimed) for correction in about}
    right = [
        Fact(
            id=-1000 - correction.id,
            conversation_id=correction.conversation_id,
            name=correction.name,
            value=correction.value,
            lookup=BY_A_PERSON,
            created_at=correction.created_at,
        )
        for correction in about
        if correction.value
    ]
    return [fact for fact in facts if (fact.name, fact.value) not in wrong] + right


def struck(part: Part, lines: list[dict[str, Any]], corrections: list[Correction]) -> list[dict[str, Any]]:
    """Return a summary's lines without those called wrong."""
    wrong = {(correction.source_seq, correction.claimed) for correction in corrections if correction.part == part}
    return [line for line in lines if (line["seq"], line["quote"] or line["text"]) not in wrong]


async def corrections_of(session: AsyncSession, conversation_id: str) -> list[Correction]:
    """Return what was called wrong in a conversation's summary, oldest first."""
    query = select(Correction).where(Correction.conversation_id == conversation_id).order_by(Correction.id)
    return list(await session.scalars(query))


def correct(
    session: AsyncSession, conversation: Conversation, agent: Agent, part: Part, line: dict[str, Any], value: str | None
) -> None:
    """Keep that a line of the summary is wrong, and a fact's right value if it is known."""
    fact = part == "facts"
    session.add(
        Correction(
            conversation_id=conversation.id,
            part=part,
            name=line["name"] if fact else None,
            claimed=line["value"] if fact else line["quote"] or line["text"],
            quote=line["quote"],
            source_seq=line["source"].get("seq") if fact else line["seq"],
            value=value if fact else None,
            agent_id=agent.id,
            created_at=now(),
        )
    )


async def for_designers(session: AsyncSession, language: str) -> list[dict[str, Any]]:
    """Return the newest corrections of all conversations, with nothing by which a customer could be known."""
    rows = await session.scalars(select(Correction).order_by(Correction.id.desc()).limit(NEWEST))
    return [
        {
            "part": row.part,
            "name": row.name,
            "claimed": anonymous(row.claimed, language),
            "quote": anonymous(row.quote, language) if row.quote else None,
            "value": anonymous(row.value, language) if row.value else None,
            "created_at": iso(row.created_at),
        }
        for row in rows
        if row.name != "phone_last4"
    ]
