"""Whispers: while a person owns a conversation, the bot only says what the customer's messages mean; it never speaks.

Messages of all conversations are gathered for a moment and understood together, so that a busy desk asks the bot a few
times a second and not once for each message. What the bot cannot take now is asked again when it is back. What somebody
says who waits in line is assessed too, as if the bot had to decide on a handoff: who tells of a danger moves up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.assistant.client import BotFailed, BotHandoff, Understanding, Whisper
from handoff.assistant.learning import learn
from handoff.clock import now
from handoff.conversations.models import QUEUE, Conversation, Message, Sender, StoredMessage
from handoff.conversations.service import Conversations, Erased
from handoff.database import DATABASE_AWAY
from handoff.queue.models import OPEN_STATES, Handoff, Reason
from handoff.queue.waiting import Waiting

if TYPE_CHECKING:
    from handoff.desk import Desk

log = structlog.get_logger(__name__)
GATHER_SECONDS = 0.2
# With what was said before by those who wait, no more than the bot's door takes.
AT_ONCE, BEFORE = 20, 4
LONGEST_BEFORE = 1000
WAITING_AT_MOST = 2000
LONGEST_PAUSE = 30.0
UNREAD_AFTER = timedelta(seconds=5)
JUST_BEFORE = timedelta(hours=1)
Said = Message | StoredMessage
_TYPED = (Message.sender == Sender.CUSTOMER, Message.payload.is_(None), Message.text != "")


@dataclass(frozen=True)
class Question:
    """What the bot is asked about a batch of messages.

    They are numbered from 1, and after them what those who wait said before; `talks` holds such numbers.
    """

    batch: list[Said]
    before: list[Said]
    talks: list[list[int]]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages as the bot's door takes them."""
        texts = [message.text for message in self.batch] + [message.text[:LONGEST_BEFORE] for message in self.before]
        return [{"seq": number, "text": text} for number, text in enumerate(texts, 1)]

    def heard(self, answer: Whisper) -> list[Heard]:
        """Return what the bot made of each message of the batch, under the messages' own numbers."""
        said = [*self.batch, *self.before]
        calls = {talk[-1]: call for talk, call in zip(self.talks, answer.handoffs, strict=False)}
        understood = zip(enumerate(self.batch, 1), answer.nlu, strict=False)
        return [
            Heard(message, nlu, _said_in(answer, number, message.seq), _under_own_numbers(calls.get(number), said))
            for (number, message), nlu in understood
        ]


@dataclass(frozen=True)
class Heard:
    """What the bot made of one message, and the handoff for which it calls, if it does."""

    message: Said
    nlu: Understanding
    told: Whisper
    call: BotHandoff | None


class Whispers:
    """Understands customers' messages for the people who answer them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: deque[Said] = deque(maxlen=WAITING_AT_MOST)
        self._asking: list[Said] = []
        self._working: asyncio.Task[None] | None = None

    async def ask(self, message: Said) -> None:
        """Have a stored message of the customer understood soon."""
        if not message.text or message.payload is not None:
            return
        self._waiting.append(message)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def ask_for_the_unread(self) -> None:
        """Have understood what was said in line and nobody asks about: a desk stopped, a turn came to nothing."""
        asked = {message.id for message in [*self._waiting, *self._asking]}
        async with self._desk.database.read() as session:
            unread = await _unread(session)
        for message in unread:
            if message.id not in asked:
                await self.ask(message)

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
            self._asking = batch
            try:
                await self._understand(batch)
                pause = GATHER_SECONDS
            except (BotFailed, *DATABASE_AWAY) as error:
                log.info("whisper_failed", messages=len(batch), error=str(error) or type(error).__name__)
                self._waiting.extendleft(reversed(batch[: WAITING_AT_MOST - len(self._waiting)]))
                pause = min(LONGEST_PAUSE, max(1.0, pause * 2))
            except Exception:  # one message that cannot be understood must not silence the others
                log.exception("whisper_failed")
            self._asking = []

    async def _understand(self, batch: list[Said]) -> None:
        question = await self._question(batch)
        answer = await self._desk.bot.parse(batch[0].conversation_id, question.messages, question.talks)
        heard = question.heard(answer)
        for conversation_id in dict.fromkeys(message.conversation_id for message in batch):
            own = [one for one in heard if one.message.conversation_id == conversation_id]
            try:
                await self._keep(conversation_id, own)
                await self._desk.hub.publish("understood", conversation_id)
            except Erased:  # nothing is to be kept
                continue
            except DATABASE_AWAY:
                raise
            except Exception:  # one conversation that cannot be kept must not silence the others
                log.exception("whisper_failed", conversation=conversation_id)

    async def _question(self, batch: list[Said]) -> Question:
        """Return what to ask, with what those who wait said just before."""
        ids = {message.conversation_id for message in batch}
        talks: list[list[Said]] = []
        async with self._desk.database.read() as session:
            waiting = select(Conversation.id).where(Conversation.id.in_(ids), Conversation.owner == QUEUE)
            for conversation_id in sorted(await session.scalars(waiting)):
                new = [message for message in batch if message.conversation_id == conversation_id]
                new.sort(key=lambda message: message.seq)
                said = [*await _before(session, new[0]), *new]
                ends = range(len(said) - len(new) + 1, len(said) + 1)
                talks += [said[max(0, end - 1 - BEFORE) : end] for end in ends]
        known = {message.id for message in batch}
        before = list({one.id: one for talk in talks for one in talk if one.id not in known}.values())
        numbers = {message.id: number for number, message in enumerate([*batch, *before], 1)}
        return Question(batch, before, [[numbers[one.id] for one in talk] for talk in talks])

    async def _keep(self, conversation_id: str, heard: list[Heard]) -> None:
        """Keep what is new of it, and do what it calls for, in one transaction."""
        async with self._desk.database.write() as session:
            conversation = await Conversations(session).get(conversation_id, lock=True)
            unread = await _without_meaning(session, conversation, [one.message.seq for one in heard])
            new = sorted((one for one in heard if one.message.seq in unread), key=lambda one: one.message.seq)
            if not new:
                return
            told = Whisper(
                nlu=[one.nlu for one in new],
                facts=[fact for one in new for fact in one.told.facts],
                tried=[step for one in new for step in one.told.tried],
            )
            await learn(session, conversation, told, [one.message.seq for one in new])
            if conversation.owner == QUEUE:
                await _answer_in_line(session, conversation, new)


async def _answer_in_line(session: AsyncSession, conversation: Conversation, new: list[Heard]) -> None:
    """Move up who said something grave, note the rest, and write the line's summary anew."""
    line = Waiting(session)
    for one in new:
        if one.call is not None:
            await line.heed(conversation, one.call)
    for one in new:
        in_danger = one.call is not None and one.call.reason == Reason.SAFETY
        await line.note(conversation, one.message.seq, "" if in_danger else one.message.text)
    await line.brief_again(conversation)


async def _before(session: AsyncSession, message: Said) -> list[Said]:
    """Return what the customer typed shortly before a message, in order."""
    rows = await session.scalars(
        select(Message)
        .where(
            Message.conversation_id == message.conversation_id,
            Message.seq < message.seq,
            Message.created_at > message.created_at - JUST_BEFORE,
            *_TYPED,
        )
        .order_by(Message.seq.desc())
        .limit(BEFORE)
    )
    return list[Said](rows)[::-1]


async def _without_meaning(session: AsyncSession, conversation: Conversation, seqs: list[int]) -> set[int]:
    rows = await session.scalars(
        select(Message.seq).where(
            Message.conversation_id == conversation.id, Message.seq.in_(seqs), Message.nlu.is_(None)
        )
    )
    return set(rows)


async def _unread(session: AsyncSession) -> list[Message]:
    """Return what was typed in line, or just before, and was not understood within `UNREAD_AFTER`; oldest first."""
    rows = await session.execute(
        select(Message, Handoff.created_at)
        .join(Handoff, Handoff.conversation_id == Message.conversation_id)
        .where(Handoff.state.in_(OPEN_STATES), Message.nlu.is_(None), *_TYPED)
        # Not in the future either: a clock was set back.
        .where(~Message.created_at.between(now() - UNREAD_AFTER, now() + UNREAD_AFTER))
        .order_by(Message.id)
    )
    return [message for message, waits_since in rows if message.created_at > waits_since - JUST_BEFORE]


def _said_in(heard: Whisper, number: int, seq: int) -> Whisper:
    """Return what was heard in one message of the batch, under the message's own number."""
    return Whisper(
        facts=[fact.model_copy(update={"seq": seq}) for fact in heard.facts if fact.seq == number],
        tried=[step.model_copy(update={"seq": seq}) for step in heard.tried if step.seq == number],
    )


def _under_own_numbers(call: BotHandoff | None, said: list[Said]) -> BotHandoff | None:
    """Return a handoff whose evidence are the messages' own numbers."""
    if call is None:
        return None

    def own(evidence: list[int]) -> list[int]:
        return sorted({said[number - 1].seq for number in evidence if 0 < number <= len(said)})

    why = call.explanation
    if why is not None:
        signals = [signal.model_copy(update={"evidence": own(signal.evidence)}) for signal in why.signals]
        why = why.model_copy(update={"signals": signals})
    return call.model_copy(update={"evidence": own(call.evidence), "explanation": why})
