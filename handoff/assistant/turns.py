"""Turns: what a customer says in one go gets one answer, stored only while the bot still owns the conversation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy import func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from handoff import metrics
from handoff.assistant.client import Answer, BotFailed, BotMessage, Button
from handoff.assistant.learning import learn
from handoff.attachments.models import Attachment
from handoff.clock import now
from handoff.conversations.models import BOT, QUEUE, Conversation, Message, Note, Sender
from handoff.conversations.service import REQUEST_HUMAN, Conversations, Erased
from handoff.customers.models import Customer
from handoff.customers.service import shop_token
from handoff.database import DATABASE_AWAY
from handoff.identifiers import new_id
from handoff.locales import LANGUAGES, both, text
from handoff.promises.models import Promise
from handoff.queue.models import Reason
from handoff.queue.service import Queue
from handoff.queue.waiting import Waiting
from handoff.settings import settings
from handoff.summary.service import Summaries

if TYPE_CHECKING:
    from handoff.desk import Desk

log = structlog.get_logger(__name__)
Result = TypeVar("Result")
LATE_ANSWER_LIMIT = 60.0
LEASE_SLACK = 4.0
MANY_TYPING = 1000


@dataclass(frozen=True)
class Turn:
    """What is asked of the bot, and under which version it was decided.

    `withdrawn`: all of it was said before the customer gave up waiting for a person.
    """

    conversation_id: str
    version: int
    first: int
    last: int
    reset: bool
    withdrawn: bool
    body: dict[str, Any]

    @property
    def seqs(self) -> list[int]:
        """The numbers of the messages asked about, in order."""
        return [message["seq"] for message in self.body["messages"]]


class Turns:
    """Runs at most one turn per conversation at a time: in this process, and by a lease among all desks.

    The lease outlasts the bot's time a little; a desk that dies while holding it is followed by another one after that.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._running: dict[str, asyncio.Task[None]] = {}
        self._wanted: set[str] = set()
        self._typing: dict[str, float] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._name = new_id("desk")

    async def kick(self, conversation_id: str) -> None:
        """Make sure that the conversation's unanswered messages get their turn, this one or the next."""
        self._wanted.add(conversation_id)
        self._start(conversation_id)

    def _start(self, conversation_id: str) -> None:
        if not self._stopping and conversation_id not in self._running:
            task = asyncio.create_task(self._work(conversation_id))
            self._running[conversation_id] = task
            task.add_done_callback(lambda done: self._ended(conversation_id, done))

    def typing(self, conversation_id: str, on: bool) -> None:
        """Note that the customer types: what comes next belongs to the same turn."""
        if on:
            moment = time.monotonic()
            if len(self._typing) >= MANY_TYPING:
                limit = moment - settings.turn_typing_pause
                self._typing = {key: value for key, value in self._typing.items() if value > limit}
            self._typing[conversation_id] = moment
        else:
            self._typing.pop(conversation_id, None)

    def is_running(self, conversation_id: str) -> bool:
        """Tell whether this process works on the conversation."""
        return conversation_id in self._running

    async def stop(self) -> None:
        """Take no new turns and let the running ones end; what is not answered by then is answered after the start."""
        self._stopping = True
        waiting = [*self._running.values(), *self._background]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=settings.bot_timeout + 2)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, conversation_id: str, task: asyncio.Task[None]) -> None:
        self._running.pop(conversation_id, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("turn_crashed", conversation=conversation_id, exc_info=task.exception())
        elif conversation_id in self._wanted:  # a message came after the last look
            self._start(conversation_id)

    async def _work(self, conversation_id: str) -> None:
        while not self._stopping:
            await self._let_finish_typing(conversation_id)
            self._wanted.discard(conversation_id)
            turn = await self._patiently(lambda: self._next(conversation_id))
            if turn is None:
                return
            await self._desk.hub.publish("typing", conversation_id, sender=str(Sender.BOT), on=True)
            try:
                await self._run(turn)
            except Erased:  # nobody is left to answer
                return
            except Exception:  # whatever breaks here, the customer must not be left in silence
                log.exception("turn_failed", conversation=conversation_id)
                await self._patiently(partial(self._bot_broke, turn))

    async def _patiently(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do `work`, and again each second while the database is away: what the bot did must not be thrown away."""
        while True:
            try:
                return await work()
            except DATABASE_AWAY as error:
                if self._stopping:
                    raise
                log.warning("turn_waits_for_database", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _let_finish_typing(self, conversation_id: str) -> None:
        """Wait a moment for the rest of a thought, and while the customer types on, but not for ever."""
        await asyncio.sleep(settings.turn_pause)
        give_up = time.monotonic() + settings.turn_typing_limit
        while time.monotonic() < give_up:
            rest = self._typing.get(conversation_id, 0.0) + settings.turn_typing_pause - time.monotonic()
            if rest <= 0:
                return
            await asyncio.sleep(min(rest, 0.2))

    async def _claim(self, conversation_id: str) -> bool:
        """Become the only desk that asks the bot what is unanswered here; SQLite has no other desk."""
        if self._desk.database.is_sqlite:
            return True
        life = timedelta(seconds=settings.bot_timeout + LEASE_SLACK)
        free = or_(
            Conversation.turn_by == self._name,
            Conversation.turn_until.is_(None),
            ~Conversation.turn_until.between(func.now(), func.now() + life),  # over, or from before a clock was set
        )
        async with self._desk.database.write() as session:
            claimed = await session.scalar(
                update(Conversation)
                .where(Conversation.id == conversation_id, Conversation.owner == BOT, free)
                .where(Conversation.last_customer_seq > Conversation.answered_seq)
                .values(turn_by=self._name, turn_until=func.now() + life)
                .returning(Conversation.id)
            )
        return claimed is not None

    async def _next(self, conversation_id: str) -> Turn | None:
        if not await self._claim(conversation_id):
            return None
        async with self._desk.database.read() as session:
            conversation = await session.get(Conversation, conversation_id)
            if conversation is None:
                return None
            waiting = await Conversations(session).unanswered(conversation)
            if conversation.owner != BOT:  # what was said while the bot handed over is read for who takes over
                for message, _ in waiting:
                    if message.nlu is None:
                        await self._desk.whispers.ask(message)
                return None
            if waiting:
                return await self._turn(session, conversation, waiting)
            settled = conversation.last_customer_seq <= conversation.answered_seq
        if not settled:
            await self._settle(conversation_id)
        return None

    async def _turn(
        self, session: AsyncSession, conversation: Conversation, waiting: list[tuple[Message, Attachment | None]]
    ) -> Turn:
        customer = await session.get_one(Customer, conversation.customer_id)
        facts = await Summaries(session).known_facts(conversation)
        first, last = waiting[0][0], waiting[-1][0]
        body = {
            "conversation": conversation.id,
            "turn_id": f"{conversation.id}:{conversation.version}:{last.seq}",
            "messages": [as_bot_input(message, attachment) for message, attachment in waiting],
            "language": conversation.language,
            "locale": conversation.spoken_language,
            "facts": facts,
            "customer": {"id": customer.external_id, "name": customer.name} if customer.external_id else None,
            "customer_token": shop_token(customer),
            "network": self._desk.networks.name_of(conversation.id),
        }
        return Turn(
            conversation.id,
            conversation.version,
            first.seq,
            last.seq,
            conversation.reset_pending,
            await Conversations(session).gave_up_after(conversation, last),
            body,
        )

    async def _settle(self, conversation_id: str) -> None:
        """Owe nothing more where what was left were calls for a person, which the waiting line has answered."""
        async with self._desk.database.write() as session:
            conversation = await Conversations(session).get(conversation_id, lock=True)
            if conversation.owner == BOT and not await Conversations(session).unanswered(conversation):
                conversation.answered_seq, conversation.turn_until = conversation.last_customer_seq, None

    async def _run(self, turn: Turn) -> None:
        started = time.monotonic()
        request = asyncio.create_task(self._ask(turn))
        try:
            answer = await asyncio.wait_for(asyncio.shield(request), settings.bot_timeout)
        except (BotFailed, TimeoutError) as error:
            metrics.TURNS.labels("failed").inc()
            log.warning("bot_failed", conversation=turn.conversation_id, error=str(error) or type(error).__name__)
            if isinstance(error, TimeoutError):
                self._keep(self._note_late_answer(turn, request))
            await self._patiently(partial(self._bot_broke, turn))
            return
        await self._patiently(partial(self._store, turn, answer))
        seconds = time.monotonic() - started
        metrics.TURNS.labels("answered").inc()
        metrics.TURN_SECONDS.observe(seconds)
        log.info("turn", conversation=turn.conversation_id, seconds=round(seconds, 3))

    async def _ask(self, turn: Turn) -> Answer:
        if turn.reset:
            await self._desk.bot.reset(turn.conversation_id, keep_facts=True)
        return await self._desk.bot.turn(turn.body, LATE_ANSWER_LIMIT)

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None and not isinstance(task.exception(), Erased):
            log.error("background_work_failed", exc_info=task.exception())

    async def _store(self, turn: Turn, answer: Answer) -> None:
        """Store the answer and any handoff in one transaction; a stale answer is dropped."""
        async with self._desk.database.write() as session:
            conversation = await Conversations(session).get(turn.conversation_id, lock=True)
            if conversation.version == turn.version and conversation.answered_seq >= turn.last:
                return  # stored before: the database was lost while it confirmed, or another desk was faster
            await learn(session, conversation, answer, turn.seqs)
            if not _still_valid(conversation, turn):
                log.info(
                    "stale_answer_dropped", conversation=conversation.id, version=turn.version, now=conversation.version
                )
                await self._keep_unsaid(session, conversation, answer)
                return
            conversation.reset_pending = False
            conversation.answered_seq, conversation.turn_until = turn.last, None
            await self._speak(session, conversation, turn, answer)

    async def _speak(self, session: AsyncSession, conversation: Conversation, turn: Turn, answer: Answer) -> None:
        language = conversation.reading_language
        messages, wish = list(answer.messages), answer.handoff
        acknowledgement = messages.pop().text if wish and messages else ""
        if wish and turn.withdrawn and wish.reason is not Reason.SAFETY:
            # Who has just left the line is not put back by what was said before; a person is one tap away.
            messages, wish = [*messages, _offer_of_person(language)], None
            conversation.reset_pending = True
        if messages:
            await Conversations(session).close_buttons(conversation)
        seq = conversation.last_seq
        for message in messages:
            buttons = [button.model_dump() for button in message.buttons or []]
            stored = await Conversations(session).append(
                conversation, Sender.BOT, message.text, buttons=buttons, sender_name=text("desk.bot", language)
            )
            seq = stored.seq
        self._store_promises(session, conversation, answer, seq)
        if wish:
            evidence = [number for number in wish.evidence if 0 < number <= conversation.last_seq]
            await Queue(session).enqueue(
                conversation,
                wish.reason,
                by="bot",
                evidence=evidence,
                explanation=wish.explanation.model_dump(mode="json") if wish.explanation else None,
                priority=wish.priority,
                group=wish.group,
                acknowledgement=acknowledgement,
            )
        if answer.handoff:
            await self._note_done(session, conversation, answer)

    def _store_promises(self, session: AsyncSession, conversation: Conversation, answer: Answer, seq: int) -> None:
        for promise in answer.promises:
            session.add(
                Promise(
                    conversation_id=conversation.id,
                    kind=promise.kind,
                    reference=promise.reference,
                    seq=seq,
                    text_zh=promise.text["zh"],
                    text_en=promise.text["en"],
                    created_at=now(),
                    due_at=promise.due_at,
                )
            )

    async def _bot_broke(self, turn: Turn) -> None:
        """A broken bot is a handoff, never silence."""
        async with self._desk.database.write() as session:
            conversation = await Conversations(session).get(turn.conversation_id, lock=True)
            if _still_valid(conversation, turn):
                await Queue(session).enqueue(conversation, Reason.BOT_ERROR, by="system", evidence=[turn.last])

    async def _note_late_answer(self, turn: Turn, request: asyncio.Task[Answer]) -> None:
        try:
            answer = await request
        except BotFailed:
            return
        await self._patiently(partial(self._note_unsaid, turn, answer))

    async def _note_unsaid(self, turn: Turn, answer: Answer) -> None:
        async with self._desk.database.write() as session:
            conversation = await Conversations(session).get(turn.conversation_id, lock=True)
            await learn(session, conversation, answer, turn.seqs)
            await self._keep_unsaid(session, conversation, answer)

    async def _keep_unsaid(self, session: AsyncSession, conversation: Conversation, answer: Answer) -> None:
        """Keep what matters of an answer that came too late: what the bot did, and why it would have handed over."""
        await self._note_done(session, conversation, answer)
        wish = answer.handoff
        if wish is not None and conversation.owner == QUEUE:
            first = answer.messages[-1].text if answer.messages and wish.reason == Reason.SAFETY else None
            advice = dict.fromkeys(LANGUAGES, first) if first else None
            await Waiting(session).heed(conversation, wish.model_copy(update={"advice": advice}))

    async def _note_done(self, session: AsyncSession, conversation: Conversation, answer: Answer) -> None:
        """Tell the agent what the bot did although its words were dropped."""
        for done in answer.done:
            words = " / ".join([done.text["zh"], done.text["en"]])
            session.add(
                Note(
                    conversation_id=conversation.id,
                    after_seq=conversation.last_seq,
                    author="bot",
                    author_name=both("desk.bot")["zh"],
                    text=words,
                    created_at=now(),
                )
            )


def _offer_of_person(language: str) -> BotMessage:
    button = Button(title=text("queue.person", language), payload=REQUEST_HUMAN)
    return BotMessage(text=text("queue.person_offered", language), buttons=[button])


def _still_valid(conversation: Conversation, turn: Turn) -> bool:
    return conversation.owner == BOT and conversation.version == turn.version and conversation.answered_seq < turn.first


def as_bot_input(message: Message, attachment: Attachment | None) -> dict[str, Any]:
    """Return one customer message as the bot's door takes it."""
    if message.payload is not None:
        return {"seq": message.seq, "payload": message.payload}
    entry: dict[str, Any] = {"seq": message.seq, "text": message.text}
    if attachment is not None:
        entry["attachment"] = {"name": attachment.name, "type": attachment.type}
    return entry
