"""The words of the summary."""

from __future__ import annotations

from typing import Any

from handoff.clock import iso
from handoff.conversations.models import Sender
from handoff.locales import text
from handoff.summary import mood
from handoff.summary.evidence import excerpt
from handoff.summary.models import Fact
from handoff.summary.record import Record

HEADLINE_QUOTE = 40


def headline(record: Record, language: str) -> str:
    """Return one line: who, and what about."""
    first = next((message.text for message in record.said_by_customer if message.text), "")
    return f"{record.customer.name or text('desk.customer', language)}: {excerpt(first, HEADLINE_QUOTE)}"


def summary(record: Record, language: str) -> dict[str, Any]:
    """Return the contract's summary."""
    feeling = mood.emotion(record.said_by_customer)
    return {
        "headline": headline(record, language), "problem": next((m.text for m in record.said_by_customer if m.text), ""),
        "hopes": [], "facts": [_fact(record, fact) for fact in record.latest.values()],
        "tried": [{"text": step.text, "quote": step.quote, "seq": step.source_seq} for step in record.tried],
        "bot_said": [{"text": m.text, "seq": m.seq} for m in record.messages if m.sender == Sender.BOT],
        "promises": [{"text": p.text_en if language == "en" else p.text_zh, "due_at": iso(p.due_at), "seq": p.seq}
                     for p in record.promises],
        "emotion": feeling, "reason": record.handoff.reason if record.handoff else None, "next_steps": [], "language": language,
    }


def _fact(record: Record, fact: Fact) -> dict[str, Any]:
    earlier = [_row(row) for row in record.facts if row.name == fact.name and row is not fact]
    return {"name": fact.name, **_row(fact), "history": earlier}


def _row(fact: Fact) -> dict[str, Any]:
    source = {"seq": fact.source_seq} if fact.source_seq else {"lookup": fact.lookup} if fact.lookup else {"context": True}
    return {"value": fact.value, "quote": fact.quote, "source": source}
