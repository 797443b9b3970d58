"""The callback: what people and the desk say while no webhook call is open goes to the integration at once.

The outbox is the conversation itself from its cursor on, so nothing that was stored can be forgotten: one message a
request, in order per sender, again and again until a 2xx moves the cursor. Several desks may run this; a claim in the
database lets one at a time send for a sender.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import httpx
import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update

from handoff.clock import now
from handoff.conversations.models import Conversation, Message, Sender
from handoff.desk import desk
from handoff.identifiers import new_id
from handoff.integrations.addresses import CallbackRefused, CallbackUnresolved, Target, resolve
from handoff.integrations.models import ORIGIN_REST, ChannelCursor
from handoff.integrations.schemas import rest_view
from handoff.integrations.service import Channels, customer_view
from handoff.realtime.hub import Event
from handoff.settings import settings

log = structlog.get_logger(__name__)
ROUND = 1.0
AT_ONCE = 16
SEND_TIMEOUT = 10.0
CLAIM = timedelta(seconds=30)
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0


@dataclass(frozen=True)
class Parcel:
    """One message on its way: its number, a name that stays the same in every attempt, and the body."""

    seq: int
    delivery_id: str
    body: bytes


def sign(timestamp: str, body: bytes) -> str:
    """Return the signature header: HMAC-SHA256 with `INTEGRATION_TOKEN` over `timestamp.body`, in hex."""
    mac = hmac.new(settings.integration_token.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


class CallbackSender:
    """Sends until stopped; does nothing unless `INTEGRATION_TOKEN` and `INTEGRATION_CALLBACK` are set."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._http: httpx.AsyncClient | None = None
        self._stop_listening = lambda: None

    async def start(self) -> None:
        """Check the address and begin; raises CallbackRefused when callbacks may not go there."""
        if not (settings.integration_token and settings.integration_callback):
            return
        try:
            await self._targets()
        except CallbackUnresolved as error:  # the name service may be back before the first message
            log.warning("callback_unresolved", error=str(error))
        self._http = httpx.AsyncClient(timeout=SEND_TIMEOUT, trust_env=False, follow_redirects=False)
        self._stop_listening = desk.hub.listen(self._hear)
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Begin nothing new and let what is under way end, so that its outcome is known."""
        self._stop_listening()
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loop
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=SEND_TIMEOUT + 1)
        if self._http is not None:
            await self._http.aclose()

    async def _targets(self) -> list[Target]:
        return await resolve(settings.integration_callback, private=settings.integration_callback_private)

    async def _hear(self, event: Event) -> None:
        if event["kind"] == "missed" or (event["kind"] == "message" and event["sender"] != Sender.CUSTOMER):
            self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._round()
            except Exception:  # the next round tries again
                log.exception("callback_round_failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), ROUND)

    async def _round(self) -> None:
        for conversation_id in await due(AT_ONCE):
            if conversation_id not in self._sending and len(self._sending) < AT_ONCE:
                task = asyncio.create_task(self._empty(conversation_id))
                self._sending[conversation_id] = task
                task.add_done_callback(partial(self._ended, conversation_id))

    def _ended(self, conversation_id: str, task: asyncio.Task[None]) -> None:
        del self._sending[conversation_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("callback_crashed", conversation=conversation_id, exc_info=task.exception())

    async def _empty(self, conversation_id: str) -> None:
        """Send what this sender has not got yet, until there is nothing more or an attempt fails."""
        claim = new_id("cb")
        while self._loop is not None and await claim_sender(conversation_id, claim):
            parcel = await next_parcel(conversation_id)
            accepted = parcel is not None and await self._post(conversation_id, parcel)
            await record(conversation_id, claim, parcel, accepted=accepted)
            if not accepted:
                return

    async def _post(self, conversation_id: str, parcel: Parcel) -> bool:
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                status = await self._try_each(await self._targets(), parcel)
        except (CallbackRefused, httpx.HTTPError, TimeoutError, OSError) as error:
            log.warning("callback_failed", conversation=conversation_id, error=str(error) or type(error).__name__)
            return False
        if not 200 <= status < 300:
            log.warning("callback_not_accepted", conversation=conversation_id, status=status)
        return 200 <= status < 300

    async def _try_each(self, targets: list[Target], parcel: Parcel) -> int:
        """Post to the first of the host's addresses that answers a connection; returns the status."""
        for target in targets[:-1]:
            with contextlib.suppress(httpx.ConnectError):
                return await self._post_to(target, parcel)
        return await self._post_to(targets[-1], parcel)

    async def _post_to(self, target: Target, parcel: Parcel) -> int:
        assert self._http is not None
        timestamp = str(int(time.time()))
        headers = {
            "Host": target.host_header,
            "Content-Type": "application/json; charset=utf-8",
            "X-Jieli-Delivery": parcel.delivery_id,
            "X-Jieli-Timestamp": timestamp,
            "X-Jieli-Signature": sign(timestamp, parcel.body),
        }
        request = self._http.stream(
            "POST", target.url, content=parcel.body, headers=headers, extensions=target.extensions
        )
        async with request as response:
            return response.status_code


def _free(moment: datetime) -> ColumnElement[bool]:
    """Nobody delivers to this sender now, and the pause after a failure is over.

    A time further ahead than we ever set one is from before the clock was set back.
    """
    limit = moment + timedelta(seconds=LONGEST_PAUSE)
    times = (ChannelCursor.call_until, ChannelCursor.sending_until, ChannelCursor.next_attempt_at)
    return and_(*(or_(time.is_(None), ~time.between(moment, limit)) for time in times))


async def due(limit: int) -> list[str]:
    """Return conversations with something to send now."""
    waiting = select(Message.id).where(
        Message.conversation_id == ChannelCursor.conversation_id,
        Message.seq > ChannelCursor.delivered_seq,
        Message.sender != Sender.CUSTOMER,
    )
    query = (
        select(Conversation.id)
        .join(ChannelCursor, ChannelCursor.conversation_id == Conversation.id)
        .where(
            Conversation.origin == ORIGIN_REST,
            Conversation.last_seq > ChannelCursor.delivered_seq,
            _free(now()),
            waiting.exists(),
        )
        .order_by(Conversation.updated_at)
        .limit(limit)
    )
    async with desk.database.read() as session:
        return list(await session.scalars(query))


async def claim_sender(conversation_id: str, claim: str) -> bool:
    """Become the only one who delivers to this sender for a while; says whether that worked."""
    async with desk.database.write() as session:
        result = await session.execute(
            update(ChannelCursor)
            .where(ChannelCursor.conversation_id == conversation_id, _free(now()))
            .values(sending_by=claim, sending_until=now() + CLAIM)
        )
        return bool(result.rowcount)  # type: ignore[attr-defined]


async def next_parcel(conversation_id: str) -> Parcel | None:
    """Return the next message for this sender, if there is one."""
    async with desk.database.read() as session:
        conversation = await session.get_one(Conversation, conversation_id)
        cursor = await session.get_one(ChannelCursor, conversation_id)
        rows = await Channels(session).spoken(conversation_id, cursor.delivered_seq, limit=1)
    if not rows:
        return None
    message, attachment = rows[0]
    answer = rest_view(customer_view(message, attachment), conversation.external_sender or "")
    delivery_id = hashlib.sha256(f"{conversation_id}:{message.seq}".encode()).hexdigest()[:32]
    return Parcel(message.seq, delivery_id, json.dumps(answer, ensure_ascii=False).encode())


async def record(conversation_id: str, claim: str, parcel: Parcel | None, *, accepted: bool) -> None:
    """Store the outcome and let go of the sender: forward after a 2xx, else a pause that doubles."""
    async with desk.database.write() as session:
        cursor = await Channels(session).cursor(conversation_id)
        if accepted and parcel is not None:
            cursor.delivered_seq = max(cursor.delivered_seq, parcel.seq)
            cursor.attempts, cursor.next_attempt_at = 0, None
        elif parcel is not None:
            cursor.attempts += 1
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(cursor.attempts - 1, 20))
            cursor.next_attempt_at = now() + timedelta(seconds=pause)
        if cursor.sending_by == claim:
            cursor.sending_by = cursor.sending_until = None
