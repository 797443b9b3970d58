"""Everything stored of one conversation that a summary rests on, loaded at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Group
from handoff.conversations.models import AGENT_PREFIX, BOT, CLOSED, Conversation, Message, OwnershipEvent, Sender
from handoff.customers.models import Customer
from handoff.locales import section
from handoff.promises.models import Promise
from handoff.queue.models import Handoff
from handoff.summary.aside import put_aside
from handoff.summary.attempts import Attempt, attempts, really_done
from handoff.summary.corrections import corrected, corrections_of
from handoff.summary.dangers import ONLY_MATTER, Danger, dangers
from handoff.summary.knowledge import Knowledge
from handoff.summary.models import Correction, Fact, TriedStep
from handoff.summary.orders import OrderState
from handoff.summary.pledges import Pledge, pledges
from handoff.summary.stated import stated


@dataclass(frozen=True)
class Record:
    """One conversation as it stands: messages in order, facts with the newest word last, the last handoff if any.

    `ends` are the times at which an earlier matter ended: closed, or given back to the bot by a person;
    `corrections` what people at work called wrong; `order` what the shop says now, if it was asked.
    """

    conversation: Conversation
    customer: Customer
    messages: list[Message]
    facts: list[Fact]
    tried: list[TriedStep]
    promises: list[Promise]
    handoff: Handoff | None
    group: Group | None
    ends: list[datetime]
    corrections: list[Correction] = field(default_factory=list)
    order: OrderState | None = None
    earlier_handoffs: list[Handoff] = field(default_factory=list)

    @cached_property
    def said_by_customer(self) -> list[Message]:
        """The customer's messages, in order."""
        return [message for message in self.messages if message.sender == Sender.CUSTOMER]

    @cached_property
    def matter_start(self) -> int:
        """The number of the first message of the present matter: what was settled before is not the trouble now."""
        for end in reversed(self.ends):
            newer = [message for message in self.messages if message.created_at > end]
            if any(message.sender == Sender.CUSTOMER for message in newer):
                return newer[0].seq
        return 0

    @cached_property
    def matter(self) -> list[Message]:
        """The messages of the present matter."""
        return [message for message in self.messages if message.seq >= self.matter_start]

    @cached_property
    def matter_words(self) -> list[Message]:
        """What the customer typed in the present matter; pressed buttons and bare files say nothing in own words."""
        return [
            message
            for message in self.said_by_customer
            if message.seq >= self.matter_start and message.payload is None and message.text.strip()
        ]

    @cached_property
    def open_words(self) -> list[Message]:
        """What of these words was not put aside later on; all of them where nothing else is left."""
        aside = put_aside(self.messages).messages
        return [message for message in self.matter_words if message.seq not in aside] or self.matter_words

    @cached_property
    def dangers(self) -> list[Danger]:
        """The dangers of the present matter, whoever has had it since: to people, from devices, of being cheated."""
        handoffs = [*self.earlier_handoffs, *([self.handoff] if self.handoff else [])]
        return dangers(self.matter, handoffs)

    @cached_property
    def stated(self) -> list[Fact]:
        """What is known, the newest word last: what the bot recognised, and what was stated in answers."""
        return corrected(stated(self.facts, self.messages, self.dangers), self.corrections)

    @cached_property
    def latest(self) -> dict[str, Fact]:
        """The newest fact of each name."""
        return _of_one_device({fact.name: fact for fact in self.stated}, self.stated)

    @cached_property
    def by_seq(self) -> dict[int, Message]:
        """Messages by their number."""
        return {message.seq: message for message in self.messages}

    @cached_property
    def done(self) -> list[TriedStep]:
        """The recognised steps whose words say that they were done."""
        names = section("summary")
        return [
            step
            for step in self.tried
            if really_done(step, self.by_seq.get(step.source_seq), named=f"step_{step.text}" in names)
        ]

    @cached_property
    def tried_codes(self) -> set[str]:
        """Codes of the steps that the customer already tried."""
        return {step.text for step in self.done}

    @cached_property
    def attempts(self) -> list[Attempt]:
        """What the customer reports to have done in the present matter."""
        beside = {danger.seq for danger in self.dangers if danger.kind in ONLY_MATTER}
        return attempts([message for message in self.matter if message.seq not in beside], self.facts)

    @cached_property
    def pledges(self) -> list[Pledge]:
        """What was promised to the customer in words in the present matter."""
        return pledges(self.matter, self.timezone)

    @cached_property
    def symptom(self) -> Fact | None:
        """The symptom of the present matter, if one was stated."""
        fact = self.latest.get("symptom")
        return fact if fact and (fact.source_seq or 0) >= self.matter_start else None

    @property
    def timezone(self) -> str:
        """The zone in which the agents of this conversation read times."""
        return self.group.timezone if self.group else "Asia/Shanghai"

    def value(self, name: str) -> str | None:
        """Return the newest value of a fact, if it is known."""
        fact = self.latest.get(name)
        return fact.value if fact else None


def _of_one_device(latest: dict[str, Fact], known: list[Fact]) -> dict[str, Fact]:
    """Return the newest facts with a kind of product and a model that are one device: the one named last."""
    product, model = latest.get("product"), latest.get("device_model")
    if product is None or model is None or model.value.partition("-")[0] == product.value:
        return latest
    other, anchor = sorted((product, model), key=known.index)
    kind = anchor.value.partition("-")[0]
    fitting = [fact for fact in known if fact.name == other.name and fact.value.partition("-")[0] == kind]
    rest = {name: fact for name, fact in latest.items() if name != other.name}
    return rest | ({other.name: fitting[-1]} if fitting else {})


def intent(message: Message) -> str:
    """Return the full name of what the message was understood to mean; empty when it was not understood."""
    return str((message.nlu or {}).get("intent") or "")


async def load(session: AsyncSession, conversation: Conversation) -> Record:
    """Read the conversation's record: a fixed number of queries, whatever its length."""
    own = conversation.id
    knowledge = Knowledge(session, conversation)
    messages = await session.scalars(select(Message).where(Message.conversation_id == own).order_by(Message.seq))
    promises = await session.scalars(select(Promise).where(Promise.conversation_id == own).order_by(Promise.id))
    handoffs = select(Handoff).where(Handoff.conversation_id == own).order_by(Handoff.arrival)
    stays = list(await session.scalars(handoffs))
    return Record(
        conversation=conversation,
        customer=await session.get_one(Customer, conversation.customer_id),
        messages=list(messages),
        facts=await knowledge.facts(),
        tried=await knowledge.tried(),
        promises=list(promises),
        handoff=stays[-1] if stays else None,
        group=await session.get(Group, conversation.group_name) if conversation.group_name else None,
        ends=await _ends(session, own),
        corrections=await corrections_of(session, own),
        earlier_handoffs=stays[:-1],
    )


async def _ends(session: AsyncSession, conversation_id: str) -> list[datetime]:
    given_back = (OwnershipEvent.to_owner == BOT) & OwnershipEvent.from_owner.startswith(AGENT_PREFIX, autoescape=True)
    rows = await session.scalars(
        select(OwnershipEvent.created_at)
        .where(OwnershipEvent.conversation_id == conversation_id, (OwnershipEvent.to_owner == CLOSED) | given_back)
        .order_by(OwnershipEvent.version)
    )
    return list(rows)
