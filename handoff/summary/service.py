"""What is known of a conversation, and what a person must read before the first word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent
from handoff.conversations.models import Conversation
from handoff.errors import ApiError
from handoff.locales import LANGUAGES
from handoff.summary import mood, writing
from handoff.summary.closing import closing_note
from handoff.summary.corrections import Part, claims, correct, corrected, corrections_of
from handoff.summary.headline import headline
from handoff.summary.hopes import hopes
from handoff.summary.knowledge import Knowledge
from handoff.summary.orders import state_of
from handoff.summary.record import load

if TYPE_CHECKING:
    from handoff.assistant.client import BotFact, Tried


@dataclass(frozen=True)
class Briefing:
    """What the waiting line shows: `{"label", "score", "course"}` and one line in each language."""

    emotion: dict[str, Any]
    headline: dict[str, str]


@dataclass(frozen=True)
class LineOfSummary:
    """Which line of a summary: a fact's name, the message it cites, and the value or quote that stands there."""

    said: str
    seq: int | None = None
    name: str | None = None


class Summaries:
    """Facts, evidence and the context summary, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def learn(self, conversation: Conversation, facts: list[BotFact], tried: list[Tried]) -> None:
        """Keep what the bot understood, each thing once; what no message supports is dropped and logged."""
        knowledge = Knowledge(self.session, conversation)
        if facts:
            await knowledge.add_facts(facts)
        if tried:
            await knowledge.add_tried(tried)

    async def learn_context(self, conversation: Conversation, context: Mapping[str, Any]) -> None:
        """Keep what the site and the browser told by themselves (system, phone, versions, device)."""
        await Knowledge(self.session, conversation).add_context(context)

    async def known_facts(self, conversation: Conversation) -> list[dict[str, str]]:
        """Return the latest value of every known fact, as the bot's door takes them."""
        corrections = await corrections_of(self.session, conversation.id)
        facts = corrected(await Knowledge(self.session, conversation).facts(), corrections)
        latest = {fact.name: fact.value for fact in facts}
        return [{"name": name, "value": value} for name, value in latest.items()]

    async def briefing(self, conversation: Conversation) -> Briefing:
        """Return mood and headline for a handoff that is about to be made."""
        record = await load(self.session, conversation)
        wished = hopes(record)
        return Briefing(
            mood.emotion(record.said_by_customer),
            {language: headline(record, wished, language) for language in LANGUAGES},
        )

    async def summary(self, conversation: Conversation, language: str, *, look_up: bool = False) -> dict[str, Any]:
        """Return the contract's context summary in `language`; quotes stay as the customer wrote them.

        `look_up` asks the shop for the order's present state, which a writing transaction must not wait for.
        """
        record = await load(self.session, conversation)
        if look_up:
            record = replace(record, order=await state_of(record.value("order_number"), record.value("phone_last4")))
        return writing.summary(record, language)

    async def closing(self, conversation: Conversation, language: str) -> str:
        """Return the closing note in `language` for the agent to confirm or change."""
        return closing_note(await load(self.session, conversation), language)

    async def call_wrong(
        self, conversation: Conversation, agent: Agent, part: Part, line: LineOfSummary, value: str | None
    ) -> None:
        """Strike a line of the summary, give a fact its right value, and keep both for the designers.

        Raises ApiError 404 `not_found` when the summary has no such line.
        """
        record = await load(self.session, conversation)
        for language in LANGUAGES:
            for claim in claims(writing.summary(record, language), part):
                if (claim.seq, claim.said, claim.name) == (line.seq, line.said, line.name):
                    correct(self.session, conversation, agent, part, claim, value)
                    return
        raise ApiError(404, "not_found")
