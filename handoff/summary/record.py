"""Everything stored of one conversation that a summary rests on, loaded at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.conversations.models import Conversation, Message, Sender
from handoff.customers.models import Customer
from handoff.promises.models import Promise
from handoff.queue.models import Handoff
from handoff.summary.knowledge import Knowledge
from handoff.summary.models import Fact, TriedStep


@dataclass(frozen=True)
class Record:
    """One conversation as it stands: messages in order, facts with the newest word last, the last handoff if any."""

    conversation: Conversation
    customer: Customer
    messages: list[Message]
    facts: list[Fact]
    tried: list[TriedStep]
    promises: list[Promise]
    handoff: Handoff | None

    @cached_property
    def said_by_customer(self) -> list[Message]:
        """The customer's messages, in order."""
        return [message for message in self.messages if message.sender == Sender.CUSTOMER]

    @cached_property
    def latest(self) -> dict[str, Fact]:
        """The newest fact of each name."""
        return {fact.name: fact for fact in self.facts}

    @cached_property
    def by_seq(self) -> dict[int, Message]:
        """Messages by their number."""
        return {message.seq: message for message in self.messages}

    @cached_property
    def tried_codes(self) -> set[str]:
        """Codes of the steps that the customer already tried."""
        return {step.text for step in self.tried}

    def value(self, name: str) -> str | None:
        """Return the newest value of a fact, if it is known."""
        fact = self.latest.get(name)
        return fact.value if fact else None


async def load(session: AsyncSession, conversation: Conversation) -> Record:
    """Read the conversation's record; six queries, whatever its length."""
    own = conversation.id
    knowledge = Knowledge(session, conversation)
    messages = await session.scalars(select(Message).where(Message.conversation_id == own).order_by(Message.seq))
    promises = await session.scalars(select(Promise).where(Promise.conversation_id == own).order_by(Promise.id))
    handoff = await session.scalar(
        select(Handoff).where(Handoff.conversation_id == own).order_by(Handoff.created_at.desc(), Handoff.id.desc()).limit(1)
    )
    return Record(
        conversation=conversation, customer=await session.get_one(Customer, conversation.customer_id), messages=list(messages),
        facts=await knowledge.facts(), tried=await knowledge.tried(), promises=list(promises), handoff=handoff,
    )
