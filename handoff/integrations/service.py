"""What both of Rasa's channels share: starting a conversation, storing words, and how far it was delivered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.attachments.models import Attachment
from handoff.conversations.models import Conversation, Message, Sender
from handoff.conversations.schemas import message_view
from handoff.conversations.service import Conversations, Said
from handoff.customers.service import Customers
from handoff.desk import desk
from handoff.integrations.models import ORIGIN_REST, ChannelCursor
from handoff.integrations.schemas import Hints
from handoff.summary.service import Summaries


class Channels:
    """Conversations of existing integrations, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def start(self, origin: str, external_sender: str | None = None) -> tuple[Conversation, str]:
        """Open a conversation with its cursor; returns it and its bearer token, which is shown this once."""
        customer = await Customers(self.session).anonymous()
        conversation, token = await Conversations(self.session).start(
            customer, None, {}, origin=origin, external_sender=external_sender
        )
        self.session.add(ChannelCursor(conversation_id=conversation.id))
        await self.session.flush()
        return conversation, token

    async def of_sender(self, sender: str, address: str) -> Conversation:
        """Return the conversation of an integration's sender, opened when there is none; 429 for too many new ones."""
        known = await self._by_sender(sender)
        if known is not None:
            return known
        desk.limits.address("conversations", address)
        try:
            async with self.session.begin_nested():
                conversation, _ = await self.start(ORIGIN_REST, sender)
        except IntegrityError:  # another call opened it at the same moment
            conversation = await self.session.scalar(_sender_query(sender))
            if conversation is None:
                raise
        return conversation

    async def _by_sender(self, sender: str) -> Conversation | None:
        return await self.session.scalar(_sender_query(sender))

    async def say(self, conversation_id: str, client_id: str, words: str, hints: Hints) -> Message:
        """Store what the customer says: an open button's payload presses it, everything else is text."""
        conversations = Conversations(self.session)
        conversation = await conversations.get(conversation_id, lock=True)
        if not conversation.last_customer_seq:
            await self._introduce(conversation, hints)
        pressed = await self._is_press(conversation, client_id, words)
        said = Said(client_id, payload=words) if pressed else Said(client_id, words)
        message, _ = await conversations.receive(conversation.id, said)
        return message

    async def _introduce(self, conversation: Conversation, hints: Hints) -> None:
        conversation.language = conversation.language or hints.language
        conversation.context = {**conversation.context, **hints.context}
        await Summaries(self.session).learn_context(conversation, hints.context)

    async def _is_press(self, conversation: Conversation, client_id: str, words: str) -> bool:
        """Tell whether `words` are a button's payload: an open one's, or the one that this very message pressed."""
        here = select(Message).where(Message.conversation_id == conversation.id)
        itself = await self.session.scalar(
            here.where(Message.sender == Sender.CUSTOMER, Message.client_id == client_id)
        )
        if itself is not None:
            return itself.payload == words
        offers = await self.session.scalars(here.where(Message.buttons_open))
        return any(button["payload"] == words for offer in offers for button in offer.buttons or [])

    async def cursor(self, conversation_id: str) -> ChannelCursor:
        """Return the conversation's cursor, locked against other deliveries."""
        return await self.session.get_one(ChannelCursor, conversation_id, with_for_update=True)

    async def spoken(
        self, conversation_id: str, after: int, until: int | None = None, limit: int | None = None
    ) -> list[tuple[Message, Attachment | None]]:
        """Return what bot, desk and people said after `after` (and up to `until`), in order."""
        query = (
            select(Message, Attachment)
            .outerjoin(Attachment, Attachment.id == Message.attachment_id)
            .where(Message.conversation_id == conversation_id, Message.seq > after, Message.sender != Sender.CUSTOMER)
            .order_by(Message.seq)
            .limit(limit)
        )
        if until is not None:
            query = query.where(Message.seq <= until)
        return [(message, attachment) for message, attachment in await self.session.execute(query)]


def _sender_query(sender: str) -> Any:
    return select(Conversation).where(Conversation.external_sender == sender, Conversation.origin == ORIGIN_REST)


def customer_view(message: Message, attachment: Attachment | None) -> dict[str, Any]:
    """Return a message as the customer's side sees it."""
    return message_view(message, attachment, for_agent=False)


async def delivered_up_to(conversation_id: str) -> int:
    """Return the number of the last message that was delivered."""
    async with desk.database.read() as session:
        return (await session.get_one(ChannelCursor, conversation_id)).delivered_seq


async def mark_delivered(conversation_id: str, seq: int) -> None:
    """Move the cursor forward to `seq`; it never goes back this way."""
    async with desk.database.write() as session:
        await session.execute(
            update(ChannelCursor)
            .where(ChannelCursor.conversation_id == conversation_id, ChannelCursor.delivered_seq < seq)
            .values(delivered_seq=seq)
        )


async def mark_lost(conversation_id: str, seq: int, last: int) -> None:
    """Move the cursor back to `seq` unless something was delivered after `last`."""
    async with desk.database.write() as session:
        await session.execute(
            update(ChannelCursor)
            .where(ChannelCursor.conversation_id == conversation_id, ChannelCursor.delivered_seq == last)
            .values(delivered_seq=seq)
        )
