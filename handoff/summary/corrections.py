"""What people at work called wrong in a summary: it is struck, a fact gets its right value, and designers read why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent
from handoff.clock import iso, now
from handoff.conversations.models import Conversation
from handoff.customers.models import Customer
from handoff.locales import text
from handoff.privacy.masking import anonymous
from handoff.summary.models import Correction, Fact

Part = Literal["headline", "problem", "facts", "hopes", "tried", "promises", "next_steps", "bot_said", "story"]
BY_A_PERSON = "agent"
NEWEST = 200


@dataclass(frozen=True)
class Claim:
    """What a line of a summary claims: a value or words, the quote and the message it rests on, a fact's name."""

    said: str
    quote: str | None = None
    seq: int | None = None
    name: str | None = None


def claims(summary: dict[str, Any], part: Part) -> list[Claim]:
    """Return what the lines of one part of a summary claim."""
    if part == "headline":
        return [Claim(summary["headline"])]
    if part == "problem":
        quote = summary["problem_quote"]
        return [Claim(quote or summary["problem"], quote, summary["problem_seq"])]
    if part == "facts":
        return [
            Claim(fact["value"], fact["quote"], fact["source"].get("seq"), fact["name"]) for fact in summary["facts"]
        ]
    return [Claim(line.get("quote") or line["text"], line.get("quote"), _seq(line)) for line in summary[part]]


def _seq(line: dict[str, Any]) -> int | None:
    """Return the message that a line cites first."""
    if "seqs" in line:
        return int(line["seqs"][0])
    return line["seq"] if "seq" in line else line["source"].get("seq")


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
    return [line for line in lines if (_seq(line), line.get("quote") or line["text"]) not in wrong]


def called_wrong(part: Part, corrections: list[Correction]) -> set[str]:
    """Return the words of one part of a summary that were called wrong."""
    return {correction.claimed for correction in corrections if correction.part == part}


def messages_misread(part: Part, corrections: list[Correction]) -> set[int]:
    """Return the messages whose lines in one part of a summary were called wrong."""
    return {correction.source_seq for correction in corrections if correction.part == part and correction.source_seq}


async def corrections_of(session: AsyncSession, conversation_id: str) -> list[Correction]:
    """Return what was called wrong in a conversation's summary, oldest first."""
    query = select(Correction).where(Correction.conversation_id == conversation_id).order_by(Correction.id)
    return list(await session.scalars(query))


def correct(
    session: AsyncSession, conversation: Conversation, agent: Agent, part: Part, claim: Claim, value: str | None
) -> None:
    """Keep that a line of the summary is wrong, and a fact's right value if it is known."""
    session.add(
        Correction(
            conversation_id=conversation.id,
            part=part,
            name=claim.name,
            claimed=claim.said,
            quote=claim.quote,
            source_seq=claim.seq,
            value=value if part == "facts" else None,
            agent_id=agent.id,
            created_at=now(),
        )
    )


async def for_designers(session: AsyncSession, language: str) -> list[dict[str, Any]]:
    """Return the newest corrections of all conversations, with nothing by which a customer could be known."""
    query = (
        select(Correction, Customer.name)
        .join(Conversation, Conversation.id == Correction.conversation_id)
        .join(Customer, Customer.id == Conversation.customer_id)
        .order_by(Correction.id.desc())
        .limit(NEWEST)
    )
    return [
        {
            "part": row.part,
            "name": row.name,
            "claimed": _masked(row.claimed, customer, language),
            "quote": _masked(row.quote, customer, language),
            "value": _masked(row.value, customer, language),
            "created_at": iso(row.created_at),
        }
        for row, customer in await session.execute(query)
        if row.name != "phone_last4"
    ]


def _masked(words: str | None, customer: str | None, language: str) -> str | None:
    """Return words without personal data; a headline begins with the customer's name."""
    if words is None:
        return None
    return anonymous(words.replace(customer, text("desk.customer", language)) if customer else words, language)
