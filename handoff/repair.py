"""Start-up repair: finds what a crash, a restored backup or a hand in the database left half-done, and puts it right.

Every step is a function of its own that may be run at any time, by any number of desks at once: it looks without locks,
then changes one conversation after the other under its lock, and only what is still wrong then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, literal, select, update

from handoff.agents.models import Agent, Presence
from handoff.attachments.models import Attachment
from handoff.attachments.service import path_of
from handoff.clock import now
from handoff.conversations.models import AGENT_PREFIX, BOT, QUEUE, Conversation
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.queue.models import OPEN_STATES, Handoff, Reason, State
from handoff.queue.service import Queue
from handoff.settings import settings

log = structlog.get_logger(__name__)
ORPHAN_AGE = 3600.0  # an upload of another desk is younger


async def repair() -> None:
    """Do every step, and log what each has put right."""
    steps: list[Callable[[], Awaitable[int]]] = [
        expect_people_back,
        end_stale_claims,
        end_stale_waits,
        line_up_the_lost,
        remove_orphaned_files,
        report_missing_files,
        answer_what_is_owed,
    ]
    for step in steps:
        if count := await step():
            log.warning("repaired", step=step.__name__, count=count)


async def expect_people_back() -> int:
    """Give who was on duty the full time to come back: while the desk was away nobody could give a sign of life.

    Who does not come back is handed on by the caretaker, `settings.agent_gone_after` from now.
    """
    async with desk.database.write() as session:
        on_duty = update(Agent).where(Agent.status == Presence.ONLINE).values(last_seen_at=now())
        return len(list(await session.scalars(on_duty.returning(Agent.id))))


async def end_stale_claims() -> int:
    """End claims whose conversation is no longer with a person."""
    return await _end_handoffs(
        (Handoff.state == State.CLAIMED) & ~Conversation.owner.startswith(AGENT_PREFIX, autoescape=True), State.DONE
    )


async def end_stale_waits() -> int:
    """Take out of line whose conversation no longer waits: else they would stand before others for ever."""
    return await _end_handoffs(Handoff.state.in_(OPEN_STATES) & (Conversation.owner != QUEUE), State.ABANDONED)


async def _end_handoffs(wrong: ColumnElement[bool], state: State) -> int:
    found = select(Handoff.id, Handoff.conversation_id).join(Conversation).where(wrong)
    async with desk.database.read() as session:
        rows = [(handoff_id, conversation_id) for handoff_id, conversation_id in await session.execute(found)]
    ended = 0
    for handoff_id, conversation_id in rows:
        async with desk.database.write() as session:
            await Conversations(session).get(conversation_id, lock=True)
            handoff = await session.scalar(select(Handoff).join(Conversation).where(Handoff.id == handoff_id, wrong))
            if handoff is not None:
                handoff.state, handoff.ended_at = state, now()
                log.warning("stale_handoff_ended", conversation=conversation_id, handoff=handoff_id)
                ended += 1
    return ended


async def line_up_the_lost() -> int:
    """Put in line who waits without a place, or belongs to an account that is gone: nobody would ever see them."""
    placeless = (Conversation.owner == QUEUE) & ~select(Handoff.id).where(
        Handoff.conversation_id == Conversation.id, Handoff.state.in_(OPEN_STATES)
    ).exists()
    ownerless = (
        Conversation.owner.startswith(AGENT_PREFIX, autoescape=True)
        & ~select(Agent.id).where(Conversation.owner == literal(AGENT_PREFIX).concat(Agent.id)).exists()
    )
    lost = placeless | ownerless
    async with desk.database.read() as session:
        ids = list(await session.scalars(select(Conversation.id).where(lost)))
    lined_up = 0
    for conversation_id in ids:
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(conversation_id, lock=True)
            if await session.scalar(select(Conversation.id).where(Conversation.id == conversation_id, lost)) is None:
                continue
            await Queue(session).finish(conversation)
            await Queue(session).enqueue(conversation, Reason.AGENT_GONE, by="system")
            log.warning("lost_conversation_lined_up", conversation=conversation_id)
            lined_up += 1
    return lined_up


async def remove_orphaned_files() -> int:
    """Remove attachments' files that no message has: their upload was cut off before the message was stored."""
    old = time.time() - ORPHAN_AGE
    files = await asyncio.to_thread(_files_older_than, old)
    removed = 0
    for name, path in files.items():
        async with desk.database.read() as session:
            if await session.get(Attachment, name) is not None:
                continue
        await asyncio.to_thread(path.unlink, missing_ok=True)
        log.warning("orphaned_file_removed", file=name)
        removed += 1
    return removed


def _files_older_than(moment: float) -> dict[str, Path]:
    files = (path for path in settings.attachments_folder.glob("*/*") if path.is_file())
    return {path.name: path for path in files if path.stat().st_mtime < moment}


async def report_missing_files() -> int:
    """Log messages whose file is missing; it can only come back from a backup, and `jieli doctor` names it too."""
    missing = await files_missing()
    for attachment in missing:
        log.error("attachment_file_missing", conversation=attachment.conversation_id, file=attachment.id)
    return len(missing)


async def files_missing() -> list[Attachment]:
    """Return the attachments whose bytes are not where they should be."""
    async with desk.database.read() as session:
        rows = list(await session.scalars(select(Attachment)))
    return await asyncio.to_thread(lambda: [row for row in rows if not path_of(row).is_file()])


async def answer_what_is_owed() -> int:
    """Give messages their turn that the desk that died left unanswered; what another desk works on stays with it."""
    owed = (Conversation.owner == BOT) & (Conversation.last_customer_seq > Conversation.answered_seq)
    async with desk.database.read() as session:
        found = await session.scalars(select(Conversation.id).where(owed))
        ids = [conversation_id for conversation_id in found if not desk.turns.is_running(conversation_id)]
    for conversation_id in ids:
        await desk.turns.kick(conversation_id)
    return len(ids)
