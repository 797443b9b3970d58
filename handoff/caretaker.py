"""What the desk does by itself, round after round: nothing forgotten, nobody left waiting for someone who is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from sqlalchemy import select

from handoff.agents.models import Presence
from handoff.agents.service import Agents, give_back
from handoff.clock import now
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation, Sender
from handoff.conversations.ownership import change_owner
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.locales import text
from handoff.promises.service import tend
from handoff.queue.models import Reason
from handoff.queue.routing import assign_waiting
from handoff.queue.service import Queue
from handoff.settings import settings

log = structlog.get_logger(__name__)
FORGOTTEN_AFTER = timedelta(seconds=15)


class Caretaker:
    """Runs the rounds until stopped; a round that fails is logged and comes again."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin the rounds, seconds apart."""
        rounds: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (2, resume_forgotten),
            (5, open_groups),
            (15, tend),
            (5, hand_on_for_the_gone),
            (60, close_idle),
        ]
        if settings.routing == "auto":
            rounds.append((1, assign_waiting))
        self._tasks = [asyncio.create_task(_repeat(seconds, work)) for seconds, work in rounds]

    async def stop(self) -> None:
        """End the rounds."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _repeat(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # the next round tries again; a caretaker that dies helps nobody
            log.exception("round_failed", round=work.__name__)
        await asyncio.sleep(seconds)


async def resume_forgotten() -> None:
    """Give messages their turn that a crash, here or in another desk, left unanswered."""
    async with desk.database.read() as session:
        forgotten = await session.scalars(
            select(Conversation.id).where(
                Conversation.owner == BOT,
                Conversation.last_customer_seq > Conversation.answered_seq,
                Conversation.updated_at < now() - FORGOTTEN_AFTER,
            )
        )
        ids = list(forgotten)
    for conversation_id in ids:
        await desk.turns.kick(conversation_id)


async def resume_after_start() -> None:
    """At start-up, answer at once what the last run left unanswered."""
    async with desk.database.read() as session:
        ids = list(
            await session.scalars(
                select(Conversation.id).where(
                    Conversation.owner == BOT, Conversation.last_customer_seq > Conversation.answered_seq
                )
            )
        )
    for conversation_id in ids:
        await desk.turns.kick(conversation_id)


async def open_groups() -> None:
    """Tickets stand in line again when their group opens."""
    async with desk.database.write() as session:
        await Queue(session).open_groups()


async def hand_on_for_the_gone() -> None:
    """Whoever gave no sign of life goes offline, and their customers go first in line."""
    async with desk.database.read() as session:
        gone = [agent.id for agent in await Agents(session).gone()]
    for agent_id in gone:
        async with desk.database.write() as session:
            still = await Agents(session).gone(agent_id, lock=True)
            if not still:
                continue
            agent = still[0]
            reason = Reason.AGENT_BREAK if agent.status == Presence.BREAK else Reason.AGENT_GONE
            if agent.status == Presence.ONLINE:
                await Agents(session).set_presence(agent, Presence.OFFLINE, seen=False)
        count = await give_back(agent, reason, by="system")
        log.info("agent_gone", agent=agent_id, conversations=count)


async def close_idle() -> None:
    """Close what has been quiet for too long; who waits in line is never closed."""
    limit = now() - timedelta(seconds=settings.idle_close_after)
    async with desk.database.read() as session:
        ids = list(
            await session.scalars(
                select(Conversation.id).where(
                    Conversation.owner.not_in([CLOSED, QUEUE]), Conversation.updated_at < limit
                )
            )
        )
    for conversation_id in ids:
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(conversation_id, lock=True)
            if conversation.owner in {CLOSED, QUEUE} or conversation.updated_at >= limit:
                continue
            await Queue(session).finish(conversation)
            await Conversations(session).close_buttons(conversation)
            conversation.outcome, conversation.closed_at = "no_reply", now()
            change_owner(session, conversation, CLOSED, by="system", reason="idle")
            if conversation.last_seq:
                language = conversation.reading_language
                await Conversations(session).append(
                    conversation,
                    Sender.SYSTEM,
                    text("desk.idle_closed", language),
                    sender_name=text("desk.system", language),
                )
