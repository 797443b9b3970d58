"""The ledger of promises: each has a time, is settled exactly once, and is never forgotten.

A promise is `open` until it is `kept` (the customer has what was promised) or `broken` (its time passed). R&D's answer
that comes after that is still told, and the promise is then `late`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent, Group
from handoff.clock import now
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation, Message, Note, Sender
from handoff.conversations.service import Conversations
from handoff.database import after_commit
from handoff.desk import desk
from handoff.locales import LANGUAGES, text
from handoff.promises.models import Promise
from handoff.promises.shop import BugReport, NoReport, Shop, ShopUnreachable
from handoff.queue.announcement import local_time
from handoff.queue.models import PRIORITY, Reason
from handoff.queue.service import Queue
from handoff.settings import settings

log = structlog.get_logger(__name__)
BUG_REPORT = "bug_report"
BY_AGENT = "agent"
BUG_REPORT_GROUP = "tech"
LATE_ANSWERS_FOR = timedelta(days=30)


class PromiseState(StrEnum):
    """Where a promise stands."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    LATE = "late"


class Promises:
    """The ledger within one transaction; conversations are passed in locked."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def of(self, conversation: Conversation) -> list[Promise]:
        """Return all promises of the conversation, in the order in which they were made."""
        rows = await self.session.scalars(
            select(Promise).where(Promise.conversation_id == conversation.id).order_by(Promise.id)
        )
        return list(rows)

    async def give(self, conversation: Conversation, agent: Agent, words: str, due_at: datetime) -> Promise:
        """Store what a person promised; the customer is told, unless a person has just said so in these words."""
        said = await self.session.scalar(
            select(Message.seq)
            .where(
                Message.conversation_id == conversation.id,
                Message.sender == Sender.AGENT,
                Message.text.contains(words, autoescape=True),
            )
            .order_by(Message.seq.desc())
            .limit(1)
        )
        promise = Promise(
            conversation_id=conversation.id,
            kind=BY_AGENT,
            text_zh=words,
            text_en=words,
            seq=said or await self._announce(conversation, agent, words, due_at),
            due_at=due_at,
            state=PromiseState.OPEN,
            created_at=now(),
        )
        self.session.add(promise)
        await self.session.flush()
        self._tell(conversation)
        return promise

    async def _announce(self, conversation: Conversation, agent: Agent, words: str, due_at: datetime) -> int:
        language = conversation.reading_language
        group = await self.session.get(Group, conversation.group_name or settings.default_group)
        due = local_time(due_at, group.timezone if group else "UTC", language)
        told = text("promises.given", language, name=agent.name, promise=words, due=due)
        message = await Conversations(self.session).append(
            conversation, Sender.SYSTEM, told, sender_name=text("desk.system", language)
        )
        return message.seq

    async def settle(self, conversation: Conversation, promise: Promise, state: PromiseState) -> bool:
        """Settle the promise if nobody else did; returns whether this call was the one."""
        before = PromiseState.BROKEN if state is PromiseState.LATE else PromiseState.OPEN
        settled = await self.session.scalar(
            update(Promise)
            .where(Promise.id == promise.id, Promise.state == before)
            .values(state=state, settled_at=now())
            .returning(Promise.id)
            .execution_options(synchronize_session=False)
        )
        await self.session.refresh(promise)
        if settled is not None:
            self._tell(conversation)
        return settled is not None

    async def tell_answer(self, conversation: Conversation, promise: Promise, report: BugReport) -> None:
        """Give R&D's answer to the customer, once, whoever owns the conversation; a closed one stays closed."""
        if report.answer is None:
            return
        late = promise.state == PromiseState.BROKEN
        if not await self.settle(conversation, promise, PromiseState.LATE if late else PromiseState.KEPT):
            return
        language = conversation.reading_language
        words = text(
            "promises.answered_late" if late else "promises.answered",
            language,
            reference=report.id,
            answer=report.answer.get("en" if language == "en" else "zh") or next(iter(report.answer.values())),
        )
        await Conversations(self.session).append(
            conversation, Sender.SYSTEM, words, sender_name=text("desk.system", language)
        )

    async def break_overdue(self, conversation: Conversation, promise: Promise) -> None:
        """Settle an overdue promise as broken, once, and see to it that a person follows it up."""
        if promise.due_at > now() or not await self.settle(conversation, promise, PromiseState.BROKEN):
            return
        if conversation.owner == QUEUE:
            await self._go_first(conversation)
            await self._note(conversation, promise)
        elif conversation.agent_id:
            await self._note(conversation, promise)
        else:
            await self._to_queue(conversation, promise)

    async def _to_queue(self, conversation: Conversation, promise: Promise) -> None:
        if conversation.owner == CLOSED:
            Conversations(self.session).reopen_with_bot(conversation, by="system")
        assert conversation.owner == BOT
        group = conversation.group_name or (BUG_REPORT_GROUP if promise.kind == BUG_REPORT else None)
        await Queue(self.session).enqueue(
            conversation, Reason.BROKEN_PROMISE, by="system", group=group, evidence=[promise.seq] if promise.seq else []
        )

    async def _go_first(self, conversation: Conversation) -> None:
        handoff = await Queue(self.session).open_handoff(conversation.id)
        if handoff is None:
            return
        handoff.priority = min(handoff.priority, PRIORITY[Reason.BROKEN_PROMISE])
        group = handoff.group_name
        await self.session.flush()
        after_commit(self.session, lambda: desk.hub.publish("queue", None, group=group))

    async def _note(self, conversation: Conversation, promise: Promise) -> None:
        words = "\n".join(
            text("promises.overdue_note", language, promise=promise.text_en if language == "en" else promise.text_zh)
            for language in LANGUAGES
        )
        self.session.add(
            Note(
                conversation_id=conversation.id,
                after_seq=conversation.last_seq,
                author="system",
                author_name=text("desk.system", "zh"),
                text=words,
                created_at=now(),
            )
        )
        await self.session.flush()
        after_commit(self.session, lambda: desk.hub.publish("note", conversation.id))

    def _tell(self, conversation: Conversation) -> None:
        after_commit(self.session, lambda: desk.hub.publish("summary", conversation.id))


async def tend() -> None:
    """One round: tell the answers that R&D has given, then follow up what is overdue.

    Any number of desks may do this at once, and a round that is cut off loses nothing: each promise is settled in one
    transaction, together with what follows from it.
    """
    await _ask_the_shop()
    await _follow_up_overdue()


async def _ask_the_shop() -> None:
    if not settings.shop_api_url:
        return
    async with desk.database.read() as session:
        rows = await session.execute(
            select(Promise.id, Promise.conversation_id, Promise.reference)
            .where(Promise.kind == BUG_REPORT, Promise.reference.is_not(None), _awaits_answer())
            .order_by(Promise.due_at)
        )
        waiting = [(promise_id, conversation_id, str(reference)) for promise_id, conversation_id, reference in rows]
    if not waiting:
        return
    async with Shop(settings.shop_api_url, settings.shop_api_token) as shop:
        for promise_id, conversation_id, reference in waiting:
            try:
                report = await shop.bug_report(reference)
            except NoReport as error:
                log.warning("no_bug_report", conversation=conversation_id, reference=reference, error=str(error))
                continue
            except ShopUnreachable as error:
                log.warning("shop_unreachable", error=str(error))
                return
            if report.answer is not None:
                await _settle(promise_id, conversation_id, report)


def _awaits_answer() -> ColumnElement[bool]:
    recently_broken = (Promise.state == PromiseState.BROKEN) & (Promise.due_at > now() - LATE_ANSWERS_FOR)
    return or_(Promise.state == PromiseState.OPEN, recently_broken)


async def _follow_up_overdue() -> None:
    async with desk.database.read() as session:
        rows = await session.execute(
            select(Promise.id, Promise.conversation_id)
            .where(Promise.state == PromiseState.OPEN, Promise.due_at <= now())
            .order_by(Promise.due_at)
        )
        overdue = [(promise_id, conversation_id) for promise_id, conversation_id in rows]
    for promise_id, conversation_id in overdue:
        await _settle(promise_id, conversation_id, None)


async def _settle(promise_id: int, conversation_id: str, report: BugReport | None) -> None:
    """Tell the report's answer, or without one follow up what is overdue; a failure leaves it to the next round."""
    try:
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(conversation_id, lock=True)
            promise = await session.get_one(Promise, promise_id)
            if report is not None:
                await Promises(session).tell_answer(conversation, promise, report)
            else:
                await Promises(session).break_overdue(conversation, promise)
    except Exception:  # one conversation's fault must not keep the other promises waiting
        log.exception("promise_not_settled", conversation=conversation_id, promise=promise_id)
