"""`/agents`: the socket of a person at work."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import socketio
from sqlalchemy import select

from handoff.agents.models import Agent, Role
from handoff.agents.rights import may_read
from handoff.agents.service import Agents, sign_of_life
from handoff.clock import now
from handoff.conversations.endpoints import typing
from handoff.conversations.models import Conversation
from handoff.conversations.service import Conversations
from handoff.database import DATABASE_AWAY
from handoff.desk import desk
from handoff.errors import ApiError, unavailable
from handoff.principals import AgentCaller, identify
from handoff.queue.endpoints import waiting_line
from handoff.realtime.customers import acknowledge, refusal, refused, spoken
from handoff.realtime.delivery import Delivery, Refresh, listens
from handoff.realtime.hub import Event


@dataclass
class Connected:
    """One person's socket and how far each conversation was delivered to it."""

    caller: AgentCaller
    language: str
    since: datetime
    refresh: Refresh
    deliveries: dict[str, Delivery] = field(default_factory=dict)


class AgentsNamespace(socketio.AsyncNamespace):
    """Tells what this person may see; accepts messages and typing."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self._sockets: dict[str, Connected] = {}
        desk.hub.listen(self._hear)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
        """Let a logged-in person in."""
        auth = auth if isinstance(auth, dict) else {}
        language = spoken(auth, environ)
        try:
            caller = await identify(str(auth.get("token", "")))
        except ApiError as error:
            raise refused(error, language) from None
        except DATABASE_AWAY:
            raise refused(unavailable(), language) from None
        if not isinstance(caller, AgentCaller) or caller.agent.role == Role.DESIGNER:
            raise refused(ApiError(403, "forbidden"), language)
        self._sockets[sid] = Connected(caller, language, now(), Refresh(partial(self._tell_line, sid)))
        self.server.start_background_task(self._welcome, sid)

    async def _welcome(self, sid: str) -> None:
        connected = self._sockets.get(sid)
        if connected is not None and await listens(self, sid):
            connected.refresh.soon()
        else:
            self._sockets.pop(sid, None)

    async def on_disconnect(self, sid: str, *_reason: Any) -> None:
        """Forget the socket."""
        self._sockets.pop(sid, None)

    async def on_send(self, sid: str, data: Any) -> dict[str, Any]:
        """Reply in a conversation: `{conversation, client_id, text}`."""
        connected = self._sockets.get(sid)
        language = connected.language if connected else "zh"
        try:
            caller = await self._alive(sid)
        except DATABASE_AWAY:
            return refusal(unavailable(), language)
        if not isinstance(data, dict):
            return ApiError(422, "invalid").body(language)
        conversation_id = str(data.get("conversation") or data.get("conversation_id") or "")
        return await acknowledge(caller, conversation_id, data, language)

    async def on_typing(self, sid: str, data: Any) -> None:
        """Say that this person types: `{conversation, on}`."""
        caller = await self._alive(sid)
        if caller is None or not isinstance(data, dict):
            return
        try:
            async with desk.database.read() as session:
                conversation = await Conversations(session).get(
                    str(data.get("conversation") or data.get("conversation_id") or "")
                )
        except ApiError:
            return
        await typing(conversation, caller, on=bool(data.get("on", True)))

    async def _alive(self, sid: str) -> AgentCaller | None:
        """Return the caller with fresh rights; a login that ended meanwhile ends the socket."""
        agent = await self._fresh(sid)
        if agent is None:
            return None
        await sign_of_life(agent)
        return self._sockets[sid].caller if sid in self._sockets else None

    async def _fresh(self, sid: str) -> Agent | None:
        """Return whose socket this is, as things stand now; a login that has ended ends the socket."""
        connected = self._sockets.get(sid)
        if connected is None:
            return None
        async with desk.database.read() as session:
            agent = await Agents(session).by_token(connected.caller.token)
        if agent is None:
            await self.disconnect(sid)
            return None
        connected.caller = AgentCaller(agent, connected.caller.token)
        return agent

    async def _hear(self, event: Event) -> None:
        for sid in list(self._sockets):
            connected = self._sockets.get(sid)
            if connected is None:
                continue
            if event["kind"] == "queue":
                connected.refresh.soon()
            elif event["kind"] == "missed":
                connected.refresh.soon()
                await self._look_again(sid, connected)
            elif event["kind"] == "presence":
                if await self._fresh(sid) is not None:
                    await self.emit("presence", {"agent": event["agent"], "status": event["status"]}, to=sid)
            elif event["kind"] in {"message", "owner", "typing", "note", "understood", "read"}:
                await self._tell_conversation(sid, connected, event)

    async def _look_again(self, sid: str, connected: Connected) -> None:
        """Deliver what was said without our hearing it in the conversations that this person holds."""
        agent = await self._fresh(sid)
        if agent is None:
            return
        async with desk.database.read() as session:
            held = list(await session.scalars(select(Conversation.id).where(Conversation.owner == agent.owner_key)))
        for conversation_id in held:
            await (await self._delivery(sid, connected, conversation_id)).catch_up()

    async def _tell_conversation(self, sid: str, connected: Connected, event: Event) -> None:
        agent = await self._fresh(sid)
        async with desk.database.read() as session:
            conversation = await session.get(Conversation, event["conversation_id"])
        if agent is None or conversation is None:
            return
        lost = event["kind"] == "owner" and event["before"] == agent.owner_key
        if not may_read(agent, conversation) and not lost:
            return
        if event["kind"] == "message":
            await (await self._delivery(sid, connected, conversation.id)).catch_up()
        elif event["kind"] == "owner":
            await self.emit(
                "owner",
                {"conversation_id": conversation.id, "owner": event["owner"], "version": event["version"]},
                to=sid,
            )
        else:
            details = {key: value for key, value in event.items() if key != "kind"}
            await self.emit(event["kind"], details, to=sid)

    async def _delivery(self, sid: str, connected: Connected, conversation_id: str) -> Delivery:
        """Return the delivery of a conversation, from what was said since this socket is there."""

        async def emit(name: str, data: Any) -> None:
            await self.emit(name, data, to=sid)

        delivery = connected.deliveries.get(conversation_id)
        if delivery is None:
            async with desk.database.read() as session:
                before = await Conversations(session).last_before(conversation_id, connected.since)
            delivery = connected.deliveries.setdefault(
                conversation_id, Delivery(conversation_id, before, emit, for_agent=True)
            )
        return delivery

    async def _tell_line(self, sid: str) -> None:
        agent = await self._fresh(sid)
        connected = self._sockets.get(sid)
        if agent is not None and connected is not None:
            await self.emit("queue", {"items": await waiting_line(agent, None, connected.language)}, to=sid)
