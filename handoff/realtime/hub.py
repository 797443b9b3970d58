"""The hub: what happened, told to whoever listens in any desk process.

Events are hints ("message 7 of conversation x is stored"), never the only copy: listeners read the database, so a lost
event delays a delivery and loses nothing. With `REDIS_URL` every desk process hears the others.

Whenever events may have been lost (Redis or the database was away), listeners hear `missed`: look at everything again.
While Redis is away that comes every `LOOK_AGAIN` seconds, so that desks still see what the others have stored.
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

from handoff.database import DATABASE_AWAY
from handoff.identifiers import new_id

log = structlog.get_logger(__name__)
Event = dict[str, Any]
Listener = Callable[[Event], Awaitable[None]]
CHANNEL = "jieli:events"
REDIS_TIMEOUT = 2.0
REDIS_HEARTBEAT = 5.0
REDIS_AWAY = (redis.RedisError, OSError, TimeoutError)
LOOK_AGAIN = 3.0
UNSENT_KEPT = 10_000
MISSED: Event = {"kind": "missed", "conversation_id": None}


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
            except DATABASE_AWAY as error:
                log.warning("listener_waits_for_database", kind=event["kind"], error=type(error).__name__)
                await asyncio.sleep(1)
                self._events.clear()
                self._events.append(MISSED)
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
        self.stopping = False
        self._origin = new_id("hub")
        options: dict[str, Any] = {"socket_connect_timeout": REDIS_TIMEOUT, "socket_timeout": REDIS_TIMEOUT}
        self._redis = redis.asyncio.from_url(redis_url, **options) if redis_url else None
        self._unsent: asyncio.Queue[Event] = asyncio.Queue(UNSENT_KEPT)
        self._relays: list[asyncio.Task[None]] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every event from now on; returns how to stop."""
        ear = Ear(listener)
        self._ears.append(ear)
        return lambda: self._ears.remove(ear) if ear in self._ears else None

    def release_waiters(self) -> None:
        """Let nobody wait any more: the desk stops."""
        self.stopping = True
        for wake in set().union(*self._waiters.values()):
            wake.set()

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

    async def publish(
        self, kind: str, conversation_id: str | None = None, *, here: dict[str, Any] | None = None, **details: Any
    ) -> None:
        """Tell listeners here and in the other desk processes; does not wait until they have heard.

        `here` is told in this process alone: what others would have to read from the database, and read themselves.
        """
        event = {"kind": kind, "conversation_id": conversation_id, **details}
        self._deliver({**event, **(here or {})})
        if self._redis is not None:
            with contextlib.suppress(asyncio.QueueFull):  # Redis is away, and `missed` will tell
                self._unsent.put_nowait(event)

    def _deliver(self, event: Event) -> None:
        waiters = [self._waiters.get(event["conversation_id"] or "", set())]
        for wake in set().union(*(self._waiters.values() if event is MISSED else waiters)):
            wake.set()
        for ear in self._ears:
            ear.tell(event)

    async def start(self) -> None:
        """Begin to hear the other desk processes."""
        if self._redis is not None:
            self._relays = [asyncio.create_task(self._hear_others()), asyncio.create_task(self._tell_others())]

    async def stop(self) -> None:
        """Stop hearing."""
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)
        for ear in self._ears:
            await ear.close()
        if self._redis is not None:
            await self._redis.aclose()

    async def _tell_others(self) -> None:
        """Publish one event after the other; nobody waits for Redis, and what it could not take is told as missed."""
        assert self._redis is not None
        while True:
            event = await self._unsent.get()
            while True:
                try:
                    await self._redis.publish(CHANNEL, json.dumps({"origin": self._origin, "event": event}))
                    break
                except REDIS_AWAY as error:
                    log.warning("redis_publish_failed", error=str(error) or type(error).__name__)
                    event = MISSED
                    await asyncio.sleep(1)
                    while not self._unsent.empty():
                        self._unsent.get_nowait()

    async def _hear_others(self) -> None:
        assert self._redis is not None
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    self._deliver(MISSED)  # said before this desk could hear it
                    await self._hear_channel(channel)
            except REDIS_AWAY as error:
                log.warning("redis_lost", error=str(error) or type(error).__name__)
                self._deliver(MISSED)
                await asyncio.sleep(LOOK_AGAIN)

    async def _hear_channel(self, channel: redis.asyncio.client.PubSub) -> None:
        """Hear until the line is lost; a Redis that says nothing is asked, and one that does not answer is lost."""
        asked = False
        while True:
            item = await channel.get_message(timeout=REDIS_HEARTBEAT)
            if item is not None:
                asked = False
                if item["type"] == "message":
                    self._hear_other(item["data"])
            elif asked:
                raise TimeoutError("no heartbeat")
            else:
                await channel.ping()
                asked = True

    def _hear_other(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            if message["origin"] != self._origin:
                event = message["event"]
                self._deliver(MISSED if event["kind"] == MISSED["kind"] else event)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("foreign_event_ignored", error=str(error))
