"""Delivering a conversation to one socket: every message once, in order, whatever order the news arrive in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from handoff.conversations.endpoints import queue_view
from handoff.conversations.schemas import message_view
from handoff.conversations.service import PAGE, Conversations
from handoff.desk import desk

Emit = Callable[[str, Any], Awaitable[None]]


class Delivery:
    """What one socket has seen of one conversation."""

    def __init__(self, conversation_id: str, after: int, emit: Emit, *, for_agent: bool) -> None:
        self.conversation_id, self.after = conversation_id, after
        self._emit, self._for_agent = emit, for_agent
        self._lock = asyncio.Lock()

    async def catch_up(self) -> None:
        """Emit every message that came after the last one delivered."""
        async with self._lock:
            while True:
                async with desk.database.read() as session:
                    conversation = await Conversations(session).get(self.conversation_id)
                    rows = await Conversations(session).page(conversation, self.after)
                for message, attachment in rows:
                    view = message_view(message, attachment, for_agent=self._for_agent)
                    await self._emit(
                        "message", {**view, "conversation_id": self.conversation_id} if self._for_agent else view
                    )
                    self.after = message.seq
                if len(rows) < PAGE:
                    return


async def state_of(conversation_id: str) -> tuple[str, dict[str, Any] | None]:
    """Return the owner and the place in line."""
    async with desk.database.read() as session:
        conversation = await Conversations(session).get(conversation_id)
        return conversation.owner, await queue_view(session, conversation)
