"""`/`: Rasa's own Socket.IO channel, so that an existing web chat works unchanged and gains people behind the bot.

The session id is the conversation's bearer token: only the desk issues it, only its hash is stored, it expires and can
be revoked. The protocol knows no acknowledgement, so a message counts as delivered once it is on its way to a living
socket; what was under way to a socket that then stopped answering is sent again on the next connection.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import socketio
import structlog
from pydantic import ValidationError

from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.errors import ApiError, header_language, invalid
from handoff.identifiers import CUSTOMER_TOKEN_PREFIX, new_id
from handoff.integrations.models import ORIGIN_SOCKETIO
from handoff.integrations.schemas import Hints, Uttered, hints_of, socket_views
from handoff.integrations.service import Channels, delivered_up_to, mark_delivered, mark_lost
from handoff.limits import address_of
from handoff.locales import text
from handoff.principals import CustomerCaller, identify
from handoff.realtime.delivery import Delivery
from handoff.realtime.hub import Event
from handoff.settings import settings

log = structlog.get_logger(__name__)
SLACK = 2.0


class SocketGone(Exception):
    """The socket closed while messages were on their way to it."""


@dataclass
class Session:
    """What one socket follows. `emitted`: when which messages went out, as (time, cursor before, cursor after).

    `resumed_at`: the message up to which all was thought to be delivered when the socket came; what came after it was
    shown here.
    """

    id: str
    conversation_id: str
    delivery: Delivery
    resumed_at: int
    emitted: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=500))


@dataclass
class Chat:
    """One socket: where it comes from, and its session once it has one."""

    address: str
    base: str
    language: str
    session: Session | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class RasaNamespace(socketio.AsyncNamespace):
    """Speaks `session_request`/`session_confirm`, `user_uttered` and `bot_uttered`."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self._chats: dict[str, Chat] = {}
        self._by_conversation: dict[str, set[str]] = {}
        desk.hub.listen(self._hear)

    def _chat(self, sid: str) -> Chat | None:
        """Return what we know of a living socket. Anybody may connect, as with Rasa: rights come with the session."""
        if sid not in self._chats:
            environ = self.server.get_environ(sid, self.namespace)
            if environ is None:
                return None
            self._chats[sid] = chat_of(environ)
        return self._chats[sid]

    async def on_disconnect(self, sid: str, reason: str = "") -> None:
        """Forget the socket; what went out to one that no longer answered is undelivered again."""
        chat = self._chats.pop(sid, None)
        session = chat.session if chat else None
        if session is None:
            return
        self._unfollow(sid, session)
        if reason == self.server.reason.PING_TIMEOUT:
            await self._take_back(session)

    async def on_session_request(self, sid: str, data: Any = None) -> None:
        """Resume the session that the desk issued, or begin a new one, and send what was missed."""
        chat = self._chat(sid)
        if chat is None:
            return
        async with chat.lock:
            try:
                wished = data.get("session_id") if isinstance(data, dict) else None
                session = await self._resume(sid, chat, wished) or await self._begin(sid, chat)
                await self._confirm(sid, chat, session)
            except ApiError as error:
                await self._complain(sid, chat, error)

    async def on_user_uttered(self, sid: str, data: Any = None) -> dict[str, Any] | None:
        """Store what the customer says; acknowledged with `{seq}`, or with `{error}` in the contract's shape."""
        chat = self._chat(sid)
        if chat is None:
            return None
        async with chat.lock:
            try:
                uttered = Uttered.model_validate(data)
                session = await self._session_for(sid, chat, uttered.session_id)
                return {"seq": await self._store(chat, session, uttered)}
            except ValidationError as error:
                return await self._refuse(sid, chat, error)
            except ApiError as error:
                return await self._complain(sid, chat, error)
            except Exception:  # the customer must hear that the message is not stored
                log.exception("user_uttered_failed")
                return await self._complain(sid, chat, ApiError(503, "unavailable"))

    async def _session_for(self, sid: str, chat: Chat, wished: Any) -> Session:
        """Return the session to speak in: the wished one if it is the desk's, else the socket's, else a new one."""
        own = chat.session.id if chat.session else None
        session = await self._resume(sid, chat, wished or own) or await self._resume(sid, chat, own)
        if session is None:
            session = await self._begin(sid, chat)
        if session is not chat.session:
            await self._confirm(sid, chat, session)
        return session

    async def _store(self, chat: Chat, session: Session, uttered: Uttered) -> int:
        hints = hints_of(uttered.metadata, uttered.customData)
        async with desk.database.write() as transaction:
            words = await self._words(transaction, chat, session, uttered.message, hints)
            message = await Channels(transaction).say(session.conversation_id, new_id("rasa"), words, hints)
            return message.seq

    async def _words(self, transaction: Any, chat: Chat, session: Session, words: str, hints: Hints) -> str:
        """Return what the customer says; the web chat's first payload is a greeting in the customer's language."""
        if words != settings.rasa_socketio_first_payload:
            return words
        conversation = await Conversations(transaction).get(session.conversation_id)
        language = conversation.language or conversation.spoken_language or hints.language or chat.language
        return text("integrations.greeting", language)

    async def _resume(self, sid: str, chat: Chat, wished: Any) -> Session | None:
        """Return the session with this id if the desk issued it for this channel and it is still valid; renews it."""
        if not isinstance(wished, str) or not wished.startswith(CUSTOMER_TOKEN_PREFIX):
            return None
        try:
            caller = await identify(wished)
        except ApiError:
            return None
        if chat.session is not None and chat.session.id == wished:
            return chat.session
        if not isinstance(caller, CustomerCaller):
            return None
        async with desk.database.read() as transaction:
            conversation = await Conversations(transaction).get(caller.conversation_id)
        if conversation.origin != ORIGIN_SOCKETIO:
            return None
        return self._session(sid, chat, wished, conversation.id, await delivered_up_to(conversation.id))

    async def _begin(self, sid: str, chat: Chat) -> Session:
        desk.limits.address("conversations", chat.address)
        async with desk.database.write() as transaction:
            conversation, token = await Channels(transaction).start(ORIGIN_SOCKETIO)
        return self._session(sid, chat, token, conversation.id, 0)

    def _session(self, sid: str, chat: Chat, session_id: str, conversation_id: str, after: int) -> Session:
        async def emit(_event: str, view: dict[str, Any]) -> None:
            await self._utter(sid, chat, session, view)

        desk.networks.note(conversation_id, chat.address)
        session = Session(session_id, conversation_id, Delivery(conversation_id, after, emit, for_agent=False), after)
        return session

    async def _confirm(self, sid: str, chat: Chat, session: Session) -> None:
        """Tell the session id, then what was missed, then follow the conversation."""
        if chat.session is not None and chat.session is not session:
            self._unfollow(sid, chat.session)
        await self.emit("session_confirm", session.id, to=sid)
        if sid in self._chats:
            chat.session = session
            self._by_conversation.setdefault(session.conversation_id, set()).add(sid)
            # What was taken back between the look at the cursor and now, nobody would tell.
            await self._tell_again(sid, session, await delivered_up_to(session.conversation_id))
            await self._catch_up(sid, session)

    async def _tell_again(self, sid: str, session: Session, lost_from: int) -> None:
        """Tell what came after a message and was thought to be delivered when the socket came; once."""
        if lost_from >= session.resumed_at:
            return
        until, session.resumed_at = session.resumed_at, lost_from
        await self._tell(sid, session, session.delivery.again(lost_from, until))

    def _unfollow(self, sid: str, session: Session) -> None:
        sids = self._by_conversation.get(session.conversation_id, set())
        sids.discard(sid)
        if not sids:
            self._by_conversation.pop(session.conversation_id, None)

    async def _hear(self, event: Event) -> None:
        if event["kind"] == "missed":
            sids = [sid for following in self._by_conversation.values() for sid in following]
        else:
            sids = list(self._by_conversation.get(event["conversation_id"] or "", ()))
        for sid in sids:
            chat = self._chats.get(sid)
            if chat is None or chat.session is None:
                continue
            if event["kind"] == "message":
                await self._tell(sid, chat.session, chat.session.delivery.hear(event))
            elif event["kind"] == "missed":
                await self._catch_up(sid, chat.session)
            elif event["kind"] == "revoked":
                await self.disconnect(sid)

    async def _catch_up(self, sid: str, session: Session) -> None:
        await self._tell(sid, session, session.delivery.catch_up())

    async def _tell(self, sid: str, session: Session, telling: Awaitable[None]) -> None:
        try:
            await telling
        except SocketGone:
            log.info("socket_gone", conversation=session.conversation_id, socket=sid)

    async def _utter(self, sid: str, chat: Chat, session: Session, view: dict[str, Any]) -> None:
        """Emit one message unless the customer said it, and note that it is delivered."""
        if view["sender"] == "customer":
            return
        for event in socket_views(view, chat.base):
            await self.emit("bot_uttered", event, to=sid)
        if sid not in self._chats:
            raise SocketGone
        session.emitted.append((time.monotonic(), min(session.delivery.after, view["seq"] - 1), view["seq"]))
        await mark_delivered(session.conversation_id, view["seq"])

    async def _take_back(self, session: Session) -> None:
        """Undo the delivery of what went out after the last sign of life; sockets that came since are told it now.

        What came after a living socket's beginning, that socket has shown.
        """
        eio = self.server.eio
        silent_since = time.monotonic() - eio.ping_interval - eio.ping_timeout - SLACK
        unsure = [(before, after) for moment, before, after in session.emitted if moment >= silent_since]
        if not unsure:
            return
        first, last = unsure[0][0], unsure[-1][1]
        if not self._following(session.conversation_id):
            await mark_lost(session.conversation_id, first, last)
        others = self._following(session.conversation_id)
        if all(other.resumed_at > first for _, other in others):
            for sid, other in others:
                await self._tell_again(sid, other, first)

    def _following(self, conversation_id: str) -> list[tuple[str, Session]]:
        """The sockets that follow a conversation, with their sessions."""
        chats = ((sid, self._chats.get(sid)) for sid in self._by_conversation.get(conversation_id, ()))
        return [(sid, chat.session) for sid, chat in chats if chat is not None and chat.session is not None]

    async def _refuse(self, sid: str, chat: Chat, error: ValidationError) -> dict[str, Any]:
        """Say that a message is too long; what is empty or malformed is not worth a word to the customer."""
        if any(item["type"] in {"string_too_long", "too_long"} for item in error.errors()):
            await self.emit("bot_uttered", {"text": text("integrations.too_long", chat.language)}, to=sid)
        return invalid(error.errors()).body(chat.language)

    async def _complain(self, sid: str, chat: Chat, error: ApiError) -> dict[str, Any]:
        """Tell the customer, in the only way that a Rasa web chat shows, and return the error for programs."""
        answer = error.body(chat.language)
        await self.emit("bot_uttered", {"text": answer["error"]["message"]}, to=sid)
        if error.retry_after is not None:
            answer["error"]["details"] = {**answer["error"]["details"], "retry_after": error.retry_after}
        return answer


def chat_of(environ: dict[str, Any]) -> Chat:
    """Return what the handshake tells: the caller's address, the desk's own address as they see it, their language."""
    scope = environ.get("asgi.scope") or {}
    secure = scope.get("scheme") in {"https", "wss"}
    base = f"{'https' if secure else 'http'}://{environ.get('HTTP_HOST', '')}"
    return Chat(address_of(scope), base, header_language(environ.get("HTTP_ACCEPT_LANGUAGE", "")))
