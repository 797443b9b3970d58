"""`/jieli`: the customer's socket."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import socketio
import structlog
from pydantic import ValidationError
from sqlalchemy.exc import DataError

from handoff.conversations.endpoints import place_view, store, typing
from handoff.conversations.models import Conversation
from handoff.conversations.schemas import SendMessage
from handoff.conversations.service import Said
from handoff.database import DATABASE_AWAY
from handoff.desk import desk
from handoff.errors import ApiError, fields_at_fault, header_language, invalid, unavailable
from handoff.limits import BUSY_RETRY, address_of
from handoff.locales import LANGUAGES
from handoff.principals import Caller, CustomerCaller, at_once, count, identify, in_time, known
from handoff.queue.service import Queue
from handoff.realtime.delivery import Delivery, Refresh, listens, patiently, state_of
from handoff.realtime.hub import Event

log = structlog.get_logger(__name__)
LOOK_AT_TOKEN = 5.0
LOOK_AT_PLACES = 20.0
LARGEST_SEQ = 2**53


@dataclass
class Connected:
    """One customer's socket and what it was told."""

    caller: CustomerCaller
    token: str
    delivery: Delivery
    queue: dict[str, Any] | None = field(default=None)
    good_until: float = 0.0


class CustomersNamespace(socketio.AsyncNamespace):
    """Replays what was missed, then tells news; the client sends messages and typing."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self._sockets: dict[str, Connected] = {}
        self._by_conversation: dict[str, set[str]] = {}
        self._places = Refresh(self._tell_places)
        self._rounds: asyncio.Task[None] | None = None
        desk.hub.listen(self._hear)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
        """Let the holder of the conversation's token in and replay what came after `after`."""
        auth = auth if isinstance(auth, dict) else {}
        after = auth.get("after", 0)
        try:
            caller = await known(str(auth.get("token", "")), address_of(environ.get("asgi.scope") or {}))
            count("calls", caller)
        except ApiError as error:
            raise refused(error, spoken(auth, environ)) from None
        except DATABASE_AWAY:
            raise refused(unavailable(), spoken(auth, environ)) from None
        if not isinstance(caller, CustomerCaller) or caller.conversation_id != auth.get("conversation"):
            raise refused(ApiError(403, "forbidden"), spoken(auth, environ))
        most = at_once("sockets", caller)
        if most != "off" and len(self._by_conversation.get(caller.conversation_id, ())) >= most:
            raise refused(ApiError(429, "too_many_requests", retry_after=BUSY_RETRY), caller.language)
        if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after <= LARGEST_SEQ:
            raise refused(fields_at_fault(after="int_type"), caller.language)

        async def emit(event: str, data: Any) -> None:
            await self.server.tell(sid, self.namespace, event, data)

        delivery = Delivery(caller.conversation_id, after, emit, for_agent=False)
        self._sockets[sid] = Connected(caller, str(auth["token"]), delivery)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._look_again_and_again())
        self.server.start_background_task(self._welcome, sid)

    async def _welcome(self, sid: str) -> None:
        """Follow the conversation from the moment at which this socket hears, so that nothing is told into the air."""
        connected = self._sockets.get(sid)
        if connected is None or not await listens(self, sid):
            self._sockets.pop(sid, None)
            return
        conversation_id = connected.caller.conversation_id
        self._by_conversation.setdefault(conversation_id, set()).add(sid)
        await patiently(lambda: self._tell_everything(conversation_id, [sid]), while_there=lambda: sid in self._sockets)

    async def _tell_everything(self, conversation_id: str, sids: list[str]) -> None:
        for sid in sids:
            connected = self._sockets.get(sid)
            if connected is not None:
                await connected.delivery.catch_up()
        await self._tell_state(conversation_id, sids)

    async def _tell_state(self, conversation_id: str, sids: list[str]) -> None:
        owner, queue, service = await state_of(conversation_id)
        for sid in sids:
            connected = self._sockets.get(sid)
            if connected is not None:
                connected.queue = queue
                await self.emit("service", service, to=sid)
                await self.emit("owner", {"owner": owner}, to=sid)
                await self.server.tell(sid, self.namespace, "queue", queue)  # `emit` leaves None out

    async def on_disconnect(self, sid: str, *_reason: Any) -> None:
        """Forget the socket."""
        connected = self._sockets.pop(sid, None)
        if connected is not None:
            sids = self._by_conversation.get(connected.caller.conversation_id, set())
            sids.discard(sid)
            if not sids:
                self._by_conversation.pop(connected.caller.conversation_id, None)

    async def on_send(self, sid: str, data: Any) -> dict[str, Any]:
        """Store a message; acknowledged with its `seq` once it is stored."""
        connected = self._sockets.get(sid)
        caller = connected.caller if connected is not None else None
        answer = await acknowledge(caller, caller.conversation_id if caller else "", data)
        if answer.get("error", {}).get("code") == "unauthenticated":
            await self.disconnect(sid)
        return answer

    async def on_typing(self, sid: str, data: Any) -> None:
        """Note that the customer types."""
        caller = await self._valid(sid)
        if caller is not None and in_time("signals", caller):
            on = bool(data.get("on", True)) if isinstance(data, dict) else True
            await typing(Conversation(id=caller.conversation_id), caller, on=on)

    async def _valid(self, sid: str) -> CustomerCaller | None:
        """Return the caller while the token is good, which this use of it renews; else end the socket.

        The token is looked up at most every `LOOK_AT_TOKEN` seconds: who types says so often.
        """
        connected = self._sockets.get(sid)
        if connected is not None and time.monotonic() < connected.good_until:
            return connected.caller
        try:
            caller = await identify(connected.token if connected else "")
        except ApiError:
            caller = None
        if connected is not None and isinstance(caller, CustomerCaller):
            connected.caller, connected.good_until = caller, time.monotonic() + LOOK_AT_TOKEN
            return caller
        await self.disconnect(sid)
        return None

    async def _hear(self, event: Event) -> None:
        if event["kind"] == "queue":
            self._places.soon()
            return
        if event["kind"] == "missed":
            for conversation_id, following in list(self._by_conversation.items()):
                await self._tell_everything(conversation_id, list(following))
            return
        sids = list(self._by_conversation.get(event["conversation_id"] or "", ()))
        if not sids:
            return
        if event["kind"] == "message":
            for sid in sids:
                connected = self._sockets.get(sid)
                if connected is not None:
                    connected.delivery.tell(event)
        elif event["kind"] == "owner":
            await self._tell_state(event["conversation_id"], sids)
        elif event["kind"] == "revoked":
            for sid in sids:
                await self.disconnect(sid)
        elif event["kind"] == "typing" and event["sender"] != "customer":
            for sid in sids:
                await self.emit("typing", {"sender": event["sender"], "on": event["on"]}, to=sid)
        elif event["kind"] == "read":
            for sid in sids:
                await self.emit("read", {"customer": event["customer"], "agent": event["agent"]}, to=sid)

    async def _look_again_and_again(self) -> None:
        """What a wait was thought to take is no longer true when nobody is taken, which nothing else tells of."""
        while self._sockets:
            await asyncio.sleep(LOOK_AT_PLACES)
            self._places.soon()

    async def _tell_places(self) -> None:
        """Tell every waiting customer whose place has changed."""
        waiting = [sid for sid, connected in self._sockets.items() if connected.queue]
        if not waiting:
            return
        async with desk.database.read() as session:
            places = await Queue(session).places()
        for sid in waiting:
            connected = self._sockets.get(sid)
            place = places.get(connected.caller.conversation_id) if connected is not None else None
            if connected is not None and place is not None and connected.queue != place_view(place):
                connected.queue = place_view(place)
                await self.emit("queue", connected.queue, to=sid)


def refused(error: ApiError, language: str) -> socketio.exceptions.ConnectionRefusedError:
    """Return the refusal of a connection with the error's shape."""
    return socketio.exceptions.ConnectionRefusedError(error.code, error.body(language))


def spoken(auth: dict[str, Any], environ: dict[str, Any]) -> str:
    """Return the language of who connects: `auth.language`, else the browser's."""
    named = auth.get("language")
    return named if named in LANGUAGES else header_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))


async def acknowledge(caller: Caller | None, conversation_id: str, data: Any, language: str = "zh") -> dict[str, Any]:
    """Check and store what a socket sends; returns `{seq}`, or `{error}` in the contract's shape.

    `language` is for people at work; a customer is answered in the conversation's language.
    """
    language = caller.language if isinstance(caller, CustomerCaller) else language
    try:
        if caller is None:
            raise ApiError(401, "unauthenticated")
        count("sends", caller)
        body = SendMessage.model_validate(data)
        if (body.text is None) == (body.payload is None):
            raise ApiError(422, "text_or_payload")
        message, _ = await store(caller, conversation_id, Said(body.client_id, body.text or "", body.payload))
        return {"seq": message.seq}
    except ValidationError as error:
        return invalid(error.errors()).body(language)
    except ApiError as error:
        return refusal(error, language)
    except (DataError, UnicodeEncodeError):  # a repetition would fare no better
        return ApiError(422, "invalid").body(language)
    except Exception:  # the sender must hear that the message is not stored, so that it is sent again
        log.exception("send_failed", conversation=conversation_id)
        return refusal(unavailable(), language)


def refusal(error: ApiError, language: str) -> dict[str, Any]:
    """Return an error's shape for a socket, which has no headers: `details.retry_after` says when to come again."""
    answer = error.body(language)
    if error.retry_after is not None:
        answer["error"]["details"] = {**answer["error"]["details"], "retry_after": error.retry_after}
    return answer
