"""One webhook call: store what was said, wait for the answer, hand over what was not delivered yet."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handoff.clock import now
from handoff.conversations.models import BOT
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.identifiers import new_id
from handoff.integrations.models import ChannelCall, ChannelCursor
from handoff.integrations.schemas import Incoming, hints_of, rest_view
from handoff.integrations.service import Channels, customer_view
from handoff.settings import settings

A_LITTLE = 2.0
HOLD_MARGIN = 5.0
POLL = 1.0
BUSY_POLL = 0.1


@dataclass(frozen=True)
class Call:
    """A stored call. `deadline` is on the event loop's clock; `retry_safe`: the integration gave a `message_id`."""

    conversation_id: str
    recipient: str
    client_id: str
    hold: str
    seq: int
    deadline: float
    retry_safe: bool
    language: str


def longest_wait() -> float:
    """Return how many seconds a call waits for the bot at most."""
    return settings.bot_timeout + settings.turn_pause + A_LITTLE


async def begin(incoming: Incoming, address: str) -> Call:
    """Store the message and keep the callback quiet while this call waits. Raises ApiError, then nothing is stored."""
    client_id = incoming.message_id or new_id("rest")
    hold = new_id("call")
    deadline = asyncio.get_running_loop().time() + longest_wait()
    async with desk.database.write() as session:
        channels = Channels(session)
        conversation = await channels.of_sender(incoming.sender, address)
        message = await channels.say(conversation.id, client_id, incoming.message, hints_of(incoming.metadata))
        cursor = await channels.cursor(conversation.id)
        cursor.call_id, cursor.call_until = hold, now() + timedelta(seconds=longest_wait() + HOLD_MARGIN)
        return Call(
            conversation.id,
            incoming.sender,
            client_id,
            hold,
            message.seq,
            deadline,
            incoming.message_id is not None,
            conversation.reading_language,
        )


async def answered(call: Call) -> None:
    """Return once the bot owes nothing more to this message, or the deadline has passed."""
    async with desk.hub.waiter(call.conversation_id) as wake:
        while True:
            wake.clear()
            async with desk.database.read() as session:
                conversation = await Conversations(session).get(call.conversation_id)
            rest = call.deadline - asyncio.get_running_loop().time()
            if conversation.owner != BOT or conversation.answered_seq >= call.seq or rest <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), min(rest, POLL))


async def collect(call: Call) -> list[dict[str, Any]]:
    """Return what was not delivered yet; while a callback is under way wait for its end, else leave the rest to it."""
    while True:
        late = asyncio.get_running_loop().time() >= call.deadline
        async with desk.database.write() as session:
            cursor = await Channels(session).cursor(call.conversation_id)
            sending = cursor.sending_until is not None and cursor.sending_until > now()
            if not sending or late:
                _let_go(cursor, call)
                return [] if sending else await _take(session, cursor, call)
        await asyncio.sleep(BUSY_POLL)


async def abandon(call: Call) -> None:
    """The caller has gone: what was said stays undelivered for the next call or the callback."""
    async with desk.database.write() as session:
        _let_go(await Channels(session).cursor(call.conversation_id), call)


def _let_go(cursor: ChannelCursor, call: Call) -> None:
    """Allow callbacks again, unless a later call waits."""
    if cursor.call_id == call.hold:
        cursor.call_id = cursor.call_until = None


async def _take(session: AsyncSession, cursor: ChannelCursor, call: Call) -> list[dict[str, Any]]:
    earlier = await session.get(ChannelCall, (call.conversation_id, call.client_id))
    after, until = (earlier.after_seq, earlier.last_seq) if earlier else (cursor.delivered_seq, None)
    rows = await Channels(session).spoken(call.conversation_id, after, until)
    if rows and earlier is None:
        last = rows[-1][0].seq
        cursor.delivered_seq, cursor.attempts, cursor.next_attempt_at = last, 0, None
        if call.retry_safe:
            session.add(
                ChannelCall(
                    conversation_id=call.conversation_id, client_id=call.client_id, after_seq=after, last_seq=last
                )
            )
    return [rest_view(customer_view(message, attachment), call.recipient) for message, attachment in rows]
