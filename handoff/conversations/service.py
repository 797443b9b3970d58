"""Storing what is said: numbered, once, and before anybody is told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from handoff import metrics
from handoff.agents.models import Agent, Presence
from handoff.attachments.models import Attachment
from handoff.clock import now
from handoff.conversations.language import spoken_language
from handoff.conversations.models import (
    BOT,
    CLOSED,
    Conversation,
    Message,
    OwnershipEvent,
    Rating,
    Sender,
    Standing,
    StoredMessage,
)
from handoff.conversations.ownership import change_owner
from handoff.customers.models import Customer
from handoff.database import after_commit
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.identifiers import CUSTOMER_TOKEN_PREFIX, hash_token, new_id, new_token
from handoff.locales import text
from handoff.settings import settings

PAGE = 500
REQUEST_HUMAN = "/request_human"
CANCEL_HANDOFF = "/cancel_handoff"
GAVE_UP = "gave_up"
ASKS_FOR_PERSON = "request_human"
LONGEST_TURN = 20


@dataclass(frozen=True)
class Said:
    """What a client sends: a text, a pressed button's payload, or a file with an optional text."""

    client_id: str
    text: str = ""
    payload: str | None = None
    attachment: Attachment | None = None
    file_hash: str | None = None

    @property
    def content_hash(self) -> str:
        """Tells whether a repeated `client_id` carries the same content."""
        return hashlib.sha256(json.dumps([self.text, self.payload, self.file_hash]).encode()).hexdigest()


class Erased(ApiError):
    """404: the conversation's contents were removed, and nothing may be stored in it any more."""

    def __init__(self) -> None:
        super().__init__(404, "not_found")


class Conversations:
    """Conversations within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def start(
        self,
        customer: Customer,
        language: str | None,
        context: dict[str, Any],
        origin: str = "widget",
        external_sender: str | None = None,
        locale: str | None = None,
    ) -> tuple[Conversation, str]:
        """Open a conversation with the bot; returns it and the bearer token, which is shown this once.

        `language` is the customer's choice, `locale` only what the browser asks for until the customer has spoken.
        """
        token = new_token(CUSTOMER_TOKEN_PREFIX)
        conversation = Conversation(
            id=new_id("c"),
            token_hash=hash_token(token),
            token_expires_at=now() + timedelta(days=settings.customer_token_days),
            customer_id=customer.id,
            origin=origin,
            external_sender=external_sender,
            language=language,
            spoken_language=locale,
            context=context,
            owner=BOT,
            version=1,
            last_seq=0,
            last_customer_seq=0,
            answered_seq=0,
            created_at=now(),
            updated_at=now(),
        )
        self.session.add(conversation)
        await self.session.flush()
        return conversation, token

    async def get(self, conversation_id: str, *, lock: bool = False) -> Conversation:
        """Return the conversation, locked against other writers when asked; 404 `not_found`.

        Nobody gets the lock of an erased one (Erased), so that nothing is stored in it any more.
        """
        query = select(Conversation).where(Conversation.id == conversation_id)
        if lock:  # what was read before the lock may be old by now
            query = query.with_for_update().execution_options(populate_existing=True)
        conversation = await self.session.scalar(query)
        if conversation is None:
            raise ApiError(404, "not_found")
        if lock and conversation.erased_at is not None:
            raise Erased
        return conversation

    async def by_client_id(self, conversation: Conversation, sender_id: str, said: Said) -> Message | None:
        """Return what this sender already stored under this `client_id`; 409 `client_id_reused` for other content."""
        message = await self.session.scalar(
            select(Message).where(
                Message.conversation_id == conversation.id,
                Message.sender_id == sender_id,
                Message.client_id == said.client_id,
            )
        )
        if message is not None and message.content_hash != said.content_hash:
            raise ApiError(409, "client_id_reused")
        return message

    async def append(
        self,
        conversation: Conversation,
        sender: Sender,
        words: str,
        *,
        sender_name: str,
        sender_id: str | None = None,
        said: Said | None = None,
        buttons: list[dict[str, str]] | None = None,
    ) -> Message:
        """Store the next message of a locked conversation and tell everybody after the commit."""
        quiet_since = conversation.updated_at
        conversation.last_seq += 1
        conversation.updated_at = now()
        if sender is Sender.CUSTOMER:
            conversation.last_customer_seq = conversation.last_seq
        message = Message(
            conversation_id=conversation.id,
            seq=conversation.last_seq,
            sender=sender,
            sender_id=sender_id,
            sender_name=sender_name,
            text=words,
            payload=said.payload if said else None,
            buttons=buttons or None,
            buttons_open=bool(buttons),
            attachment_id=said.attachment.id if said and said.attachment else None,
            client_id=said.client_id if said else None,
            content_hash=said.content_hash if said else None,
            created_at=now(),
        )
        if said and said.attachment:
            self.session.add(said.attachment)
            await self.session.flush()
        self.session.add(message)
        await self.session.flush()
        standing, attachment = conversation.standing, said.attachment if said else None
        after_commit(self.session, lambda: tell_stored(message, attachment, standing, quiet_since))
        return message

    async def receive(self, conversation_id: str, said: Said, token: str | None = None) -> tuple[Message, bool]:
        """Store what the customer says; returns the message and whether it is new.

        A closed conversation opens again, with the bot or with the same person when they are on duty. 401
        `unauthenticated` when the `token` that was shown is no longer good.
        """
        conversation = await self.get(conversation_id, lock=True)
        if token is not None and not conversation.opens_to(hash_token(token), now()):
            raise ApiError(401, "unauthenticated")
        known = await self.by_client_id(conversation, conversation.customer_id, said)
        if known is not None:
            return known, False
        count_message(conversation.id)
        words = await self._press(conversation, said.payload) if said.payload is not None else said.text
        customer = await self.session.get_one(Customer, conversation.customer_id)
        name = customer.name or text("desk.customer", conversation.reading_language)
        if conversation.owner == CLOSED:
            await self._reopen(conversation)
        conversation.spoken_language = spoken_language(words) or conversation.spoken_language
        message = await self.append(
            conversation, Sender.CUSTOMER, words, sender_name=name, sender_id=customer.id, said=said
        )
        await self._answer_or_act(conversation, message)
        return message, True

    async def _answer_or_act(self, conversation: Conversation, message: Message) -> None:
        from handoff.queue.service import Queue

        if message.payload == REQUEST_HUMAN:
            await Queue(self.session).request_person(conversation)
        elif message.payload == CANCEL_HANDOFF:
            await Queue(self.session).give_up(conversation)
        else:
            owner = conversation.owner
            after_commit(self.session, lambda: follow_up(message, owner))

    async def _press(self, conversation: Conversation, payload: str) -> str:
        """Close the pressed button's message and return the button's title; 409 `stale_button` when it is not open."""
        offers = await self.session.scalars(
            select(Message)
            .where(Message.conversation_id == conversation.id, Message.buttons_open)
            .order_by(Message.seq.desc())
        )
        for message in offers:
            for button in message.buttons or []:
                if button["payload"] == payload:
                    message.buttons_open = False
                    return str(button["title"])
        raise ApiError(409, "stale_button")

    async def close_buttons(self, conversation: Conversation) -> None:
        """No button offered so far may be pressed any more."""
        await self.session.execute(
            update(Message)
            .where(Message.conversation_id == conversation.id, Message.buttons_open)
            .values(buttons_open=False)
        )

    async def _reopen(self, conversation: Conversation) -> None:
        agent = await self.session.get(
            Agent, conversation.last_agent_id or "", with_for_update=True, populate_existing=True
        )
        if (
            agent is not None
            and agent.status == Presence.ONLINE
            and await held_by(self.session, agent) < agent.capacity
        ):
            _begin_stretch(conversation)
            change_owner(self.session, conversation, agent.owner_key, by="customer", reason="reopened")
            language = conversation.reading_language
            words = text("desk.reopened", language, name=agent.name)
            await self.append(conversation, Sender.SYSTEM, words, sender_name=text("desk.system", language))
        else:
            self.reopen_with_bot(conversation, by="customer")

    def reopen_with_bot(self, conversation: Conversation, *, by: str) -> None:
        """Open a closed conversation again; the bot has forgotten the old trouble, not the facts."""
        _begin_stretch(conversation)
        conversation.reset_pending = True
        change_owner(self.session, conversation, BOT, by=by, reason="reopened")

    async def page(
        self, conversation: Conversation, after: int, limit: int = PAGE
    ) -> list[tuple[Message, Attachment | None]]:
        """Return the messages with `seq` above `after`, in order, at most `limit`."""
        rows = await self.session.execute(
            select(Message, Attachment)
            .outerjoin(Attachment, Attachment.id == Message.attachment_id)
            .where(Message.conversation_id == conversation.id, Message.seq > after)
            .order_by(Message.seq)
            .limit(limit)
        )
        return [(message, attachment) for message, attachment in rows]

    async def unanswered(self, conversation: Conversation) -> list[tuple[Message, Attachment | None]]:
        """Return the customer's messages that the bot still owes an answer, in order, at most `LONGEST_TURN`.

        Calls for a person that are understood as such, by button or in words, were answered by the waiting line.
        """
        rows = await self.session.execute(
            select(Message, Attachment)
            .outerjoin(Attachment, Attachment.id == Message.attachment_id)
            .where(
                Message.conversation_id == conversation.id,
                Message.sender == Sender.CUSTOMER,
                Message.seq > conversation.answered_seq,
                or_(Message.payload.is_(None), Message.payload.not_in([REQUEST_HUMAN, CANCEL_HANDOFF])),
            )
            .order_by(Message.seq)
        )
        owed = ((message, attachment) for message, attachment in rows if not _asks_for_person(message))
        return list(islice(owed, LONGEST_TURN))

    async def gave_up_after(self, conversation: Conversation, message: Message) -> bool:
        """Tell whether the customer gave up waiting after this message, and nobody else has spoken since."""
        event = await self.session.scalar(
            select(OwnershipEvent).where(
                OwnershipEvent.conversation_id == conversation.id,
                OwnershipEvent.version == conversation.version,
                OwnershipEvent.reason == GAVE_UP,
            )
        )
        return event is not None and message.created_at <= event.created_at

    async def last_before(self, conversation_id: str, moment: datetime) -> int:
        """Return the `seq` of the last message that is older than `moment`, 0 when there is none."""
        query = select(func.max(Message.seq)).where(
            Message.conversation_id == conversation_id, Message.created_at < moment
        )
        return await self.session.scalar(query) or 0

    async def rate(self, conversation: Conversation, score: int, comment: str | None) -> Rating:
        """Store the customer's score; 409 `not_closed`, or `already_rated` for this stretch."""
        if conversation.owner != CLOSED:
            raise ApiError(409, "not_closed")
        rated = await self.session.scalar(
            select(func.count())
            .select_from(Rating)
            .where(Rating.conversation_id == conversation.id, Rating.stretch == conversation.stretch)
        )
        if rated:
            raise ApiError(409, "already_rated")
        rating = Rating(
            conversation_id=conversation.id,
            stretch=conversation.stretch,
            score=score,
            comment=comment,
            agent_id=conversation.last_agent_id,
            created_at=now(),
        )
        self.session.add(rating)
        await self.session.flush()
        return rating


def _asks_for_person(message: Message) -> bool:
    return (message.nlu or {}).get("intent", "").partition("/")[0] == ASKS_FOR_PERSON


def count_message(conversation_id: str) -> None:
    """Count one more of the customer's messages; 429 `too_many_requests` when they are too many."""
    desk.limits.conversation("messages", conversation_id)


async def tell_stored(
    message: Message | StoredMessage, attachment: Attachment | None, standing: Standing, quiet_since: datetime
) -> None:
    """Tell everybody who listens that a message is stored; nothing had happened there since `quiet_since`."""
    metrics.MESSAGES.labels(str(message.sender)).inc()
    await desk.hub.publish(
        "message",
        message.conversation_id,
        here={"stored": (message, attachment), "quiet_since": quiet_since},
        seq=message.seq,
        sender=str(message.sender),
        **standing.details,
    )


async def follow_up(message: Message | StoredMessage, owner: str) -> None:
    """Do what a customer's words call for: the bot's answer, or, for the person who has the baton, their meaning."""
    if owner == BOT:
        await desk.turns.kick(message.conversation_id)
    else:
        await desk.whispers.ask(message)


def _begin_stretch(conversation: Conversation) -> None:
    conversation.stretch += 1
    conversation.closed_at = None
    conversation.outcome = None


async def held_by_each(session: AsyncSession, owners: list[str]) -> dict[str, int]:
    """Return how many conversations each of these owners has now; who has none is left out."""
    rows = await session.execute(
        select(Conversation.owner, func.count()).where(Conversation.owner.in_(owners)).group_by(Conversation.owner)
    )
    return {owner: count for owner, count in rows}


async def held_by(session: AsyncSession, agent: Agent) -> int:
    """Return how many conversations the agent owns now."""
    return (
        await session.scalar(
            select(func.count()).select_from(Conversation).where(Conversation.owner == agent.owner_key)
        )
        or 0
    )
