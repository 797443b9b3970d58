"""What is learned of a conversation: facts and tried steps, each once and each with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.clock import now
from handoff.conversations.models import Conversation, Message, Sender
from handoff.summary.evidence import own_words
from handoff.summary.models import Fact, TriedStep

if TYPE_CHECKING:
    from handoff.assistant.client import BotFact, Tried

log = structlog.get_logger(__name__)
FACT_NAMES = (
    "order_number",
    "phone_last4",
    "product",
    "device_model",
    "phone_model",
    "os",
    "os_version",
    "app_version",
    "firmware_version",
    "symptom",
    "error_code",
    "purchased_at",
)
CONTEXT_FACTS = ("os", "os_version", "phone_model", "app_version", "device_model", "firmware_version")
PHONE_SYSTEMS = {
    "ios": "ios",
    "iphone os": "ios",
    "ipados": "ios",
    "android": "android",
    "harmonyos": "harmonyos",
    "openharmony": "harmonyos",
}
LONGEST_VALUE = 500
LONGEST_STEP = 200


def newest_last(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts in the order in which they were said; what the site sent or a lookup found comes before any word."""
    return sorted(facts, key=lambda fact: (fact.source_seq or 0, fact.id))


class Knowledge:
    """Facts and tried steps of one conversation, which the caller has locked, within one transaction."""

    def __init__(self, session: AsyncSession, conversation: Conversation) -> None:
        self.session, self.conversation = session, conversation

    async def facts(self) -> list[Fact]:
        """Return every fact row, the newest word last."""
        return newest_last(await self.session.scalars(select(Fact).where(Fact.conversation_id == self.conversation.id)))

    async def tried(self) -> list[TriedStep]:
        """Return every tried step, in the order in which they were said."""
        rows = await self.session.scalars(
            select(TriedStep)
            .where(TriedStep.conversation_id == self.conversation.id)
            .order_by(TriedStep.source_seq, TriedStep.id)
        )
        return list(rows)

    async def add_facts(self, facts: list[BotFact]) -> None:
        """Store what is new; a fact whose name is unknown or whose quote was never said is dropped and logged."""
        messages = await self._messages({fact.seq for fact in facts})
        known = await self.facts()
        for fact in facts:
            quote = _quote_of_fact(fact, messages.get(fact.seq))
            if fact.name not in FACT_NAMES or not fact.value.strip() or quote is None:
                self._log_dropped("fact", fact.name, fact.seq)
                continue
            known = await self._store(known, fact.name, fact.value, quote, fact.seq)

    async def add_context(self, context: Mapping[str, Any]) -> None:
        """Store what the site and the browser told by themselves; a computer's system says nothing about the app."""
        known = await self.facts()
        values = {name: str(context.get(name) or "").strip() for name in CONTEXT_FACTS}
        system = PHONE_SYSTEMS.get(values["os"].lower())
        values["os"] = system or ""
        values["os_version"] = values["os_version"] if system else ""
        values["device_model"] = values["device_model"].lower()
        for name, value in values.items():
            if value:
                known = await self._store(known, name, value, None, None)

    async def add_tried(self, steps: list[Tried]) -> None:
        """Store each tried step once, with the first words that said so."""
        messages = await self._messages({step.seq for step in steps})
        known = {row.text for row in await self.tried()}
        for step in steps:
            code = step.text.strip()[:LONGEST_STEP]
            quote = _quote_in(messages.get(step.seq), step.quote)
            if not code or quote is None:
                self._log_dropped("tried", step.text, step.seq)
            elif code not in known:
                known.add(code)
                self.session.add(
                    TriedStep(
                        conversation_id=self.conversation.id,
                        text=code,
                        quote=quote,
                        source_seq=step.seq,
                        created_at=now(),
                    )
                )
        await self.session.flush()

    async def _store(self, known: list[Fact], name: str, value: str, quote: str | None, seq: int | None) -> list[Fact]:
        value = value.strip()[:LONGEST_VALUE]
        same_name = [row for row in known if row.name == name]
        comes_late = any((row.source_seq or 0) > (seq or 0) for row in same_name)
        compared = same_name if comes_late else same_name[-1:]
        if any(row.value == value for row in compared):
            return known
        row = Fact(
            conversation_id=self.conversation.id, name=name, value=value, quote=quote, source_seq=seq, created_at=now()
        )
        self.session.add(row)
        await self.session.flush()
        return newest_last([*known, row])

    async def _messages(self, seqs: set[int]) -> dict[int, Message]:
        if not seqs:
            return {}
        rows = await self.session.scalars(
            select(Message).where(
                Message.conversation_id == self.conversation.id,
                Message.seq.in_(seqs),
                Message.sender == Sender.CUSTOMER,
            )
        )
        return {row.seq: row for row in rows}

    def _log_dropped(self, what: str, name: str, seq: int) -> None:
        log.warning("evidence_missing", conversation=self.conversation.id, what=what, name=name[:LONGEST_STEP], seq=seq)


def _quote_in(message: Message | None, quote: str) -> str | None:
    """Return the customer's words; for a pressed button these are its title, which the bot never sees."""
    if message is None:
        return None
    return own_words(message.text, quote) or (message.text if message.payload is not None else None)


def _quote_of_fact(fact: BotFact, message: Message | None) -> str | None:
    if message is not None and message.payload is not None and fact.value not in message.payload:
        return own_words(message.text, fact.quote)
    return _quote_in(message, fact.quote)
