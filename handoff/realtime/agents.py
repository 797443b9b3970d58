"""`/agents`: the socket of a person at work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import socketio

from handoff.agents.models import Agent, Role
from handoff.agents.rights import may_read, oversees, serves
from handoff.agents.service import Agents, sign_of_life
from handoff.conversations.endpoints import typing
from handoff.conversations.models import Conversation
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.principals import AgentCaller, identify
from handoff.queue.endpoints import waiting_line
from handoff.realtime.customers import acknowledge, refused
from handoff.realtime.delivery import Delivery
from handoff.realtime.hub import Event


@dataclass
class Connected:
    """One person's socket and how far each conversation was delivered to it."""

    caller: AgentCaller
    deliveries: dict[str, Delivery] = field(default_factory=dict)


class AgentsNamespace(socketio.AsyncNamespace):
    """Tells what this person may see; accepts messages and typing."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self._sockets: dict[str, Connected] = {}
        desk.hub.listen(self._hear)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
        """Let a logged-in person in."""
        try:
            caller = await identify(str(auth.get("token", "")) if isinstance(auth, dict) else "")
        except ApiError as error:
            raise refused(error) from None
        if not isinstance(caller, AgentCaller) or caller.agent.role == Role.DESIGNER:
            raise refused(ApiError(403, "forbidden"))
        self._sockets[sid] = Connected(caller)
        self.server.start_background_task(self._tell_line, sid)

    async def on_disconnect(self, sid: str, *_reason: Any) -> None:
        """Forget the socket."""
        self._sockets.pop(sid, None)

    async def on_send(self, sid: str, data: Any) -> dict[str, Any]:
        """Reply in a conversation: `{conversation, client_id, text}`."""
        caller = await self._alive(sid)
        if not isinstance(data, dict):
            return ApiError(422, "invalid").body("zh")
        conversation_id = str(data.get("conversation") or data.get("conversation_id") or "")
        return await acknowledge(caller, conversation_id, data)

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
        connected = self._sockets.get(sid)
        agent = await self._fresh(connected) if connected else None
        if connected is None or agent is None:
            await self.disconnect(sid)
            return None
        await sign_of_life(agent)
        connected.caller = AgentCaller(agent, connected.caller.token)
        return connected.caller

    async def _fresh(self, connected: Connected) -> Agent | None:
        async with desk.database.read() as session:
            return await Agents(session).by_token(connected.caller.token)

    async def _hear(self, event: Event) -> None:
        for sid in list(self._sockets):
            connected = self._sockets.get(sid)
            if connected is None:
                continue
            if event["kind"] == "queue":
                if oversees(connected.caller.agent) or serves(connected.caller.agent, event["group"]):
                    await self._tell_line(sid)
            elif event["kind"] == "presence":
                await self.emit("presence", {"agent": event["agent"], "status": event["status"]}, to=sid)
            elif event["kind"] in {"message", "owner", "typing", "note", "understood", "read"}:
                await self._tell_conversation(sid, connected, event)

    async def _tell_conversation(self, sid: str, connected: Connected, event: Event) -> None:
        async with desk.database.read() as session:
            agent = await Agents(session).by_token(connected.caller.token)
            conversation = await session.get(Conversation, event["conversation_id"])
        if agent is None:
            await self.disconnect(sid)
            return
        if conversation is None:
            return
        lost = event["kind"] == "owner" and event["before"] == agent.owner_key
        if not may_read(agent, conversation) and not lost:
            return
        if event["kind"] == "message":
            await self._delivery(sid, connected, conversation.id, event["seq"]).catch_up()
        elif event["kind"] == "owner":
            await self.emit(
                "owner",
                {"conversation_id": conversation.id, "owner": event["owner"], "version": event["version"]},
                to=sid,
            )
        else:
            details = {key: value for key, value in event.items() if key != "kind"}
            await self.emit(event["kind"], details, to=sid)

    def _delivery(self, sid: str, connected: Connected, conversation_id: str, seq: int) -> Delivery:
        async def emit(name: str, data: Any) -> None:
            await self.emit(name, data, to=sid)

        delivery = connected.deliveries.get(conversation_id)
        if delivery is None:
            delivery = connected.deliveries[conversation_id] = Delivery(conversation_id, seq - 1, emit, for_agent=True)
        return delivery

    async def _tell_line(self, sid: str) -> None:
        connected = self._sockets.get(sid)
        if connected is not None:
            await self.emit("queue", {"items": await waiting_line(connected.caller.agent, None, "zh")}, to=sid)
