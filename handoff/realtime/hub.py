"""The hub: what happened, told to whoever listens in any desk process.

Events are hints ("message 7 of conversation x is stored"), never the only copy: listeners read the database, so a lost
event delays a delivery until the next one and loses nothing. With `REDIS_URL` every desk process hears the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import redis.asyncio
import structlog

from handoff.identifiers import new_id

log = structlog.get_logger(__name__)
Event = dict[str, Any]
Listener = Callable[[Event], Awaitable[None]]
CHANNEL = "jieli:events"
CONNECT_TIMEOUT = 2.0


class Ear:
    """One listener and what it has still to hear: in order, and without holding up whoever speaks."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._events: deque[Event] = deque()
        self._hearing: asyncio.Task[None] | None = None

    def tell(self, event: Event) -> None:
        """Let the listener hear `event` after all earlier ones."""
        self._events.append(event)
        if self._hearing is None or self._hearing.done():
            self._hearing = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        while self._events:
            event = self._events.popleft()
            try:
                await self._listener(event)
            except Exception:  # what cannot be told now is told with the next event
                log.exception("listener_failed", kind=event["kind"])

    async def close(self) -> None:
        """Hear no more."""
        self._events.clear()
        if self._hearing is not None:
            self._hearing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._hearing


class Hub:
    """Fan-out of events to listeners and waiters."""

    def __init__(self, redis_url: str = "") -> None:
        self._ears: list[Ear] = []
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._origin = new_id("hub")
        self._redis = redis.asyncio.from_url(redis_url, socket_connect_timeout=CONNECT_TIMEOUT) if redis_url else None
        self._relay: asyncio.Task[None] | None = None

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every event from now on; returns how to stop."""
        ear = Ear(listener)
        self._ears.append(ear)
        return lambda: self._ears.remove(ear) if ear in self._ears else None

    @contextlib.asynccontextmanager
    async def waiter(self, conversation_id: str) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set when something happens in the conversation."""
        wake = asyncio.Event()
        waiters = self._waiters.setdefault(conversation_id, set())
        waiters.add(wake)
        try:
            yield wake
        finally:
            waiters.discard(wake)
            if not waiters:
                self._waiters.pop(conversation_id, None)

    async def publish(self, kind: str, conversation_id: str | None = None, **details: Any) -> None:
        """Tell listeners here and in the other desk processes; does not wait until they have heard."""
        event = {"kind": kind, "conversation_id": conversation_id, **details}
        self._deliver(event)
        if self._redis is not None:
            try:
                await self._redis.publish(CHANNEL, json.dumps({"origin": self._origin, "event": event}))
            except redis.RedisError as error:
                log.warning("redis_publish_failed", error=str(error))

    def _deliver(self, event: Event) -> None:
        for wake in self._waiters.get(event["conversation_id"] or "", ()):
            wake.set()
        for ear in self._ears:
            ear.tell(event)

    async def start(self) -> None:
        """Begin to hear the other desk processes."""
        if self._redis is not None:
            self._relay = asyncio.create_task(self._hear_others())

    async def stop(self) -> None:
        """Stop hearing."""
        if self._relay is not None:
            self._relay.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._relay
        for ear in self._ears:
            await ear.close()
        if self._redis is not None:
            await self._redis.aclose()

    async def _hear_others(self) -> None:
        assert self._redis is not None
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    async for item in channel.listen():
                        if item["type"] == "message":
                            self._hear_other(item["data"])
            except (redis.RedisError, OSError) as error:
                log.warning("redis_lost", error=str(error))
                await asyncio.sleep(1)

    def _hear_other(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            if message["origin"] != self._origin:
                self._deliver(message["event"])
        except (ValueError, KeyError, TypeError) as error:
            log.warning("foreign_event_ignored", error=str(error))
