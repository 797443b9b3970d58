"""What the desk does by itself, round after round: nothing forgotten, nobody left waiting for someone who is gone."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from sqlalchemy import select

from handoff.agents.models import Presence
from handoff.agents.service import Agents, give_back
from handoff.clock import ClockWatch, now
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation, Sender
from handoff.conversations.ownership import change_owner
from handoff.conversations.service import Conversations
from handoff.database import DATABASE_AWAY
from handoff.desk import desk
from handoff.locales import text
from handoff.privacy.erasure import announce_erasures, tell_bots
from handoff.privacy.retention import keep_no_longer
from handoff.promises.service import tend
from handoff.queue.models import Reason
from handoff.queue.routing import assign_waiting
from handoff.queue.service import Queue
from handoff.repair import expect_people_back, repair
from handoff.settings import settings

log = structlog.get_logger(__name__)
FORGOTTEN_AFTER = timedelta(seconds=10)  # longer than a customer may type on
TRUST_CLOCK_AFTER = 20.0


class Caretaker:
    """Runs the rounds until stopped; a round that fails is logged and comes again.

    Rounds that go by the clock rest a while after it was set, so that a jump that is corrected at once harms nobody.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._watch = ClockWatch()
        self._repaired = False
        self._lapsed = False
        self._trust_clock_at = 0.0

    async def start(self) -> None:
        """Repair what the last run left half-done, then begin the rounds, seconds apart.

        While the database is away the desk starts nevertheless, and repairs as soon as it is there.
        """
        with contextlib.suppress(*DATABASE_AWAY):
            await self._repair()
        rounds: list[tuple[float, Callable[[], Awaitable[object]]]] = [
            (2, resume_forgotten),
            (5, read_the_unread),
            (5, open_groups),
            (15, tend),
            (5, hand_on_for_the_gone),
            (60, close_idle),
            (2, announce_erasures),
            (15, tell_bots),
            (300, keep_no_longer),
        ]
        if settings.routing == "auto":
            rounds.append((1, assign_waiting))
        self._tasks = [asyncio.create_task(self._repeat(seconds, work)) for seconds, work in rounds]

    async def stop(self) -> None:
        """End the rounds."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _repair(self) -> None:
        if not self._repaired:
            await repair()
            self._repaired = True

    async def _repeat(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await self._repair()
                await self._look_at_the_clock()
                if work not in BY_THE_CLOCK or time.monotonic() >= self._trust_clock_at:
                    await work()
            except DATABASE_AWAY as error:  # nobody can give a sign of life either
                self._lapsed = True
                log.warning("round_waits_for_database", round=work.__name__, error=type(error).__name__)
            except Exception:  # the next round tries again; a caretaker that dies helps nobody
                log.exception("round_failed", round=work.__name__)
            await asyncio.sleep(seconds)

    async def _look_at_the_clock(self) -> None:
        """Where no sign of life was possible for a while, or could be compared, people get their full time again."""
        jump = self._watch.lapse()
        if jump is not None:
            log.warning("clock_jumped" if jump else "desk_stood_still", seconds=round(jump))
            self._lapsed = True
            if jump:
                self._trust_clock_at = time.monotonic() + TRUST_CLOCK_AFTER
        if self._lapsed:
            await expect_people_back()
            self._lapsed = False


async def resume_forgotten() -> None:
    """Give messages their turn that a crash, here or in another desk, left unanswered."""
    moment = now()
    async with desk.database.read() as session:
        forgotten = await session.scalars(
            select(Conversation.id).where(
                Conversation.owner == BOT,
                Conversation.last_customer_seq > Conversation.answered_seq,
                # Not in the future either: a clock was set back.
                ~Conversation.updated_at.between(moment - FORGOTTEN_AFTER, moment + FORGOTTEN_AFTER),
            )
        )
        ids = list(forgotten)
    for conversation_id in ids:
        await desk.turns.kick(conversation_id)


async def read_the_unread() -> None:
    """Have understood what was said in line and nobody has read: danger in it must not wait."""
    await desk.whispers.ask_for_the_unread()


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


BY_THE_CLOCK = (open_groups, tend, hand_on_for_the_gone, close_idle, keep_no_longer)
