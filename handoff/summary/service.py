"""What is known of a conversation, and what a person must read before the first word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from handoff.conversations.models import Conversation
from handoff.locales import LANGUAGES
from handoff.summary import mood, writing
from handoff.summary.closing import closing_note
from handoff.summary.headline import headline
from handoff.summary.hopes import hopes
from handoff.summary.knowledge import Knowledge
from handoff.summary.record import load

if TYPE_CHECKING:
    from handoff.assistant.client import BotFact, Tried


@dataclass(frozen=True)
class Briefing:
    """What the waiting line shows: `{"label", "score", "course"}` and one line in each language."""

    emotion: dict[str, Any]
    headline: dict[str, str]


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
        latest = {fact.name: fact.value for fact in await Knowledge(self.session, conversation).facts()}
        return [{"name": name, "value": value} for name, value in latest.items()]

    async def briefing(self, conversation: Conversation) -> Briefing:
        """Return mood and headline for a handoff that is about to be made."""
        record = await load(self.session, conversation)
        wished = hopes(record)
        return Briefing(
            mood.emotion(record.said_by_customer),
            {language: headline(record, wished, language) for language in LANGUAGES},
        )

    async def summary(self, conversation: Conversation, language: str) -> dict[str, Any]:
        """Return the contract's context summary in `language`; quotes stay as the customer wrote them."""
        return writing.summary(await load(self.session, conversation), language)

    async def closing(self, conversation: Conversation, language: str) -> str:
        """Return the closing note in `language` for the agent to confirm or change."""
        return closing_note(await load(self.session, conversation), language)
