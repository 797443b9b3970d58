"""Whispers: while a person owns a conversation, the bot only says what the customer's messages mean; it never speaks.

Messages of all conversations are gathered for a moment and understood together, so that a busy desk asks the bot a few
times a second and not once for each message. What the bot cannot take now is asked again when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import update

from handoff.assistant.client import BotFailed, Whisper
from handoff.assistant.learning import learn
from handoff.conversations.models import QUEUE, Message, StoredMessage
from handoff.conversations.service import Conversations, Erased
from handoff.database import DATABASE_AWAY
from handoff.queue.service import Queue

if TYPE_CHECKING:
    from handoff.desk import Desk

log = structlog.get_logger(__name__)
GATHER_SECONDS = 0.2
AT_ONCE = 64
WAITING_AT_MOST = 2000
LONGEST_PAUSE = 30.0


class Whispers:
    """Understands customers' messages for the people who answer them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: deque[Message | StoredMessage] = deque(maxlen=WAITING_AT_MOST)
        self._working: asyncio.Task[None] | None = None

    async def ask(self, message: Message | StoredMessage) -> None:
        """Have a stored message of the customer understood soon."""
        if not message.text or message.payload is not None:
            return
        self._waiting.append(message)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Ask no more."""
        self._waiting.clear()
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self) -> None:
        pause = GATHER_SECONDS
        while self._waiting:
            await asyncio.sleep(pause)
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                await self._understand(batch)
                pause = GATHER_SECONDS
            except (BotFailed, *DATABASE_AWAY) as error:
                log.info("whisper_failed", messages=len(batch), error=str(error) or type(error).__name__)
                self._waiting.extendleft(reversed(batch[: WAITING_AT_MOST - len(self._waiting)]))
                pause = min(LONGEST_PAUSE, max(1.0, pause * 2))
            except Exception:  # one message that cannot be understood must not silence the others
                log.exception("whisper_failed")

    async def _understand(self, batch: list[Message | StoredMessage]) -> None:
        asked = [{"seq": number, "text": message.text} for number, message in enumerate(batch, 1)]
        heard = await self._desk.bot.parse(batch[0].conversation_id, asked)
        async with self._desk.database.write() as session:
            for message, understood in zip(batch, heard.nlu, strict=False):
                meaning = update(Message).where(Message.id == message.id).values(nlu=understood.model_dump())
                await session.execute(meaning)
        told = {fact.seq for fact in heard.facts} | {step.seq for step in heard.tried}
        for number in sorted(told):
            await self._keep_facts(batch[number - 1], _said_in(heard, number, batch[number - 1].seq))
        for conversation_id in {message.conversation_id for message in batch}:
            await self._brief_again(conversation_id)
            await self._desk.hub.publish("understood", conversation_id)

    async def _keep_facts(self, message: Message | StoredMessage, heard: Whisper) -> None:
        with contextlib.suppress(Erased):
            async with self._desk.database.write() as session:
                conversation = await Conversations(session).get(message.conversation_id, lock=True)
                await learn(session, conversation, heard, [])

    async def _brief_again(self, conversation_id: str) -> None:
        """Who waits in line may have said what the line of summary does not hold yet."""
        with contextlib.suppress(Erased):
            async with self._desk.database.write() as session:
                conversation = await Conversations(session).get(conversation_id, lock=True)
                if conversation.owner == QUEUE:
                    await Queue(session).brief_again(conversation)


def _said_in(heard: Whisper, number: int, seq: int) -> Whisper:
    """Return what was heard in one message of the batch, under the message's own number."""
    return Whisper(
        facts=[fact.model_copy(update={"seq": seq}) for fact in heard.facts if fact.seq == number],
        tried=[step.model_copy(update={"seq": seq}) for step in heard.tried if step.seq == number],
    )
