"""Delivering a conversation to one socket: every message once, in order, whatever order the news arrive in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import socketio
import structlog

from handoff.attachments.models import Attachment
from handoff.conversations.endpoints import queue_view, service_view
from handoff.conversations.models import Message, StoredMessage
from handoff.conversations.schemas import message_view
from handoff.conversations.service import PAGE, Conversations
from handoff.database import DATABASE_AWAY
from handoff.desk import desk
from handoff.realtime.hub import Event

log = structlog.get_logger(__name__)
REST = 0.2
CONNECT_STEP, CONNECT_STEPS = 0.01, 500
Emit = Callable[[str, Any], Awaitable[None]]


class Delivery:
    """What one socket has seen of one conversation."""

    def __init__(self, conversation_id: str, after: int, emit: Emit, *, for_agent: bool) -> None:
        self.conversation_id, self.after = conversation_id, after
        self._emit, self._for_agent = emit, for_agent
        self._lock = asyncio.Lock()
        self._untold: deque[Event] = deque()
        self._telling: asyncio.Task[None] | None = None

    def tell(self, event: Event) -> None:
        """Have the message that an event tells of emitted after all earlier ones; nobody waits for this socket."""
        self._untold.append(event)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._untold:
            event = self._untold.popleft()
            try:
                await self.hear(event)
            except DATABASE_AWAY:
                self._untold.appendleft(event)
                await asyncio.sleep(1)
            except Exception:  # the next event delivers what this one could not
                log.exception("delivery_failed", conversation=self.conversation_id)

    async def hear(self, event: Event) -> None:
        """Emit the message that an event tells of, and any before it that was not delivered yet.

        The next message in order, told in this process, comes with the event; only then no look at the database is due.
        """
        async with self._lock:
            if event["seq"] <= self.after:
                return
            if "stored" in event and event["seq"] == self.after + 1:
                await self._deliver(*event["stored"])
            else:
                await self._read_on()

    async def catch_up(self) -> None:
        """Emit every message that came after the last one delivered."""
        async with self._lock:
            await self._read_on()

    async def again(self, after: int, until: int) -> None:
        """Emit once more what came after one message up to another, if it was thought to be delivered before."""
        async with self._lock:
            reached, self.after = self.after, after
            try:
                await self._read_on(min(until, reached))
            finally:
                self.after = max(reached, self.after)

    async def _read_on(self, until: int | None = None) -> None:
        while True:
            async with desk.database.read() as session:
                conversation = await Conversations(session).get(self.conversation_id)
                rows = await Conversations(session).page(conversation, self.after)
            for message, attachment in rows:
                if until is not None and message.seq > until:
                    return
                await self._deliver(message, attachment)
            if len(rows) < PAGE:
                return

    async def _deliver(self, message: Message | StoredMessage, attachment: Attachment | None) -> None:
        view = message_view(message, attachment, for_agent=self._for_agent)
        await self._emit("message", {**view, "conversation_id": self.conversation_id} if self._for_agent else view)
        self.after = message.seq


async def state_of(conversation_id: str) -> tuple[str, dict[str, Any] | None, dict[str, Any]]:
    """Return the owner, the place in line, and who serves."""
    async with desk.database.read() as session:
        conversation = await Conversations(session).get(conversation_id)
        queue, service = await queue_view(session, conversation), await service_view(session, conversation)
        return conversation.owner, queue, service


async def patiently(work: Callable[[], Awaitable[None]], *, while_there: Callable[[], bool]) -> None:
    """Do `work`, and again each second while the database is away and somebody is there to be told."""
    while while_there():
        try:
            return await work()
        except DATABASE_AWAY:
            await asyncio.sleep(1)


class Refresh:
    """Does a piece of work soon, once for all the reasons that come meanwhile, and rests a moment in between."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._due = False
        self._task: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Ask for the work to be done after this moment."""
        self._due = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._due:
            self._due = False
            try:
                await self._work()
            except DATABASE_AWAY:
                self._due = True
                await asyncio.sleep(1)
            except Exception:  # the next reason tries again
                log.exception("refresh_failed")
            await asyncio.sleep(REST)


async def listens(namespace: socketio.AsyncNamespace, sid: str) -> bool:
    """Wait until the socket's connection is complete; False when it was lost before.

    What is sent to a socket before that reaches nobody, and a socket lost in the middle never says goodbye.
    """
    for _ in range(CONNECT_STEPS):
        if namespace.server.get_environ(sid, namespace.namespace) is None:
            return False
        if namespace.server.manager.is_connected(sid, namespace.namespace):
            return True
        await asyncio.sleep(CONNECT_STEP)
    return False
