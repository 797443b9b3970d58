"""The hub: what happened, told to whoever listens in any desk process.

Events are hints ("message 7 of conversation x is stored"), never the only copy: listeners read the database, so a lost
event delays a delivery until the next one and loses nothing. With `REDIS_URL` every desk process hears the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import redis.asyncio
import structlog

from handoff.identifiers import new_id

log = structlog.get_logger(__name__)
Event = dict[str, Any]
Listener = Callable[[Event], Awaitable[None]]
CHANNEL = "jieli:events"


class Hub:
    """Fan-out of events to listeners and waiters."""

    def __init__(self, redis_url: str = "") -> None:
        self._listeners: list[Listener] = []
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._origin = new_id("hub")
        self._redis = redis.asyncio.from_url(redis_url) if redis_url else None
        self._relay: asyncio.Task[None] | None = None

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every event from now on; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

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
        """Tell listeners here and in the other desk processes."""
        event = {"kind": kind, "conversation_id": conversation_id, **details}
        await self._deliver(event)
        if self._redis is not None:
            try:
                await self._redis.publish(CHANNEL, json.dumps({"origin": self._origin, "event": event}))
            except redis.RedisError as error:
                log.warning("redis_publish_failed", error=str(error))

    async def _deliver(self, event: Event) -> None:
        for wake in self._waiters.get(event["conversation_id"] or "", ()):
            wake.set()
        for listener in list(self._listeners):
            try:
                await listener(event)
            except Exception:  # one listener's fault must not silence the others
                log.exception("listener_failed", kind=event["kind"])

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
                            await self._hear(item["data"])
            except redis.RedisError as error:
                log.warning("redis_lost", error=str(error))
                await asyncio.sleep(1)

    async def _hear(self, data: bytes) -> None:
        message = json.loads(data)
        if message["origin"] != self._origin:
            await self._deliver(message["event"])
