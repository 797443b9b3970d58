"""`/agents`: the socket of a person at work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import socketio
from sqlalchemy import select

from handoff.agents.models import Role
from handoff.agents.rights import may_read, oversees
from handoff.agents.service import Agents, sign_of_life
from handoff.clock import now
from handoff.conversations.endpoints import typing
from handoff.conversations.models import AGENT_PREFIX, CLOSED, Conversation, Standing, agent_of, standing_of
from handoff.conversations.service import Conversations
from handoff.database import DATABASE_AWAY
from handoff.desk import desk
from handoff.errors import ApiError, unavailable
from handoff.limits import address_of
from handoff.principals import AgentCaller, count, in_time, known
from handoff.queue.models import Handoff
from handoff.queue.service import Queue, handoff_view, ranked
from handoff.realtime.customers import acknowledge, refusal, refused, spoken
from handoff.realtime.delivery import Delivery, Refresh, listens, patiently
from handoff.realtime.hub import Event

LOOK_AT_LOGINS = 5.0


@dataclass
class Connected:
    """One person's socket and how far each conversation was delivered to it."""

    caller: AgentCaller
    language: str
    since: datetime
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    @property
    def line(self) -> tuple[frozenset[str] | None, str]:
        """Which line this person sees (None: every group), in which language; equal for many people."""
        agent = self.caller.agent
        return None if oversees(agent) else frozenset(agent.group_names), self.language


class AgentsNamespace(socketio.AsyncNamespace):
    """Tells what this person may see; accepts messages and typing.

    A message must not cost a question to the database for each of hundreds of sockets: the event says who may hear it,
    and accounts and logins are looked up for all sockets together, every `LOOK_AT_LOGINS` seconds and when one ends.
    """

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self._sockets: dict[str, Connected] = {}
        self._by_agent: dict[str, set[str]] = {}
        self._overseers: set[str] = set()
        self._lines = Refresh(self._tell_lines)
        self._logins = Refresh(self._look_at_logins)
        self._rounds: asyncio.Task[None] | None = None
        desk.hub.listen(self._hear)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
        """Let a logged-in person in."""
        auth = auth if isinstance(auth, dict) else {}
        language = spoken(auth, environ)
        try:
            caller = await known(str(auth.get("token", "")), address_of(environ.get("asgi.scope") or {}))
            count("calls", caller)
        except ApiError as error:
            raise refused(error, language) from None
        except DATABASE_AWAY:
            raise refused(unavailable(), language) from None
        if not isinstance(caller, AgentCaller) or caller.agent.role == Role.DESIGNER:
            raise refused(ApiError(403, "forbidden"), language)
        self._add(sid, Connected(caller, language, now()))
        self.server.start_background_task(self._welcome, sid)

    def _add(self, sid: str, connected: Connected) -> None:
        agent = connected.caller.agent
        self._sockets[sid] = connected
        self._by_agent.setdefault(agent.id, set()).add(sid)
        (self._overseers.add if oversees(agent) else self._overseers.discard)(sid)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._look_again_and_again())

    def _remove(self, sid: str) -> None:
        connected = self._sockets.pop(sid, None)
        self._overseers.discard(sid)
        if connected is not None:
            sids = self._by_agent.get(connected.caller.agent.id, set())
            sids.discard(sid)
            if not sids:
                self._by_agent.pop(connected.caller.agent.id, None)

    async def _welcome(self, sid: str) -> None:
        if not await listens(self, sid):
            self._remove(sid)
            return
        await patiently(lambda: self._tell_line(sid), while_there=lambda: sid in self._sockets)

    async def on_disconnect(self, sid: str, *_reason: Any) -> None:
        """Forget the socket."""
        self._remove(sid)

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
        if caller is None or not isinstance(data, dict) or not in_time("signals", caller):
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
        if connected is None:
            return None
        async with desk.database.read() as session:
            agent = await Agents(session).by_token(connected.caller.token)
        if agent is None:
            self._remove(sid)
            await self.disconnect(sid)
            return None
        await sign_of_life(agent)
        return AgentCaller(agent, connected.caller.token)

    async def _look_again_and_again(self) -> None:
        while self._sockets:
            await asyncio.sleep(LOOK_AT_LOGINS)
            self._logins.soon()

    async def _look_at_logins(self) -> None:
        await self._renew(list(self._sockets))

    async def _renew(self, sids: list[str]) -> None:
        """Give sockets their rights as things stand now; those whose login has ended are ended."""
        there = {sid: self._sockets[sid] for sid in sids if sid in self._sockets}
        async with desk.database.read() as session:
            logins = await Agents(session).logins({connected.caller.token for connected in there.values()})
        for sid, connected in there.items():
            agent = connected.caller.agent
            role, groups = logins.get(connected.caller.token, (Role.DESIGNER, frozenset()))
            if role == Role.DESIGNER:
                self._remove(sid)
                await self.disconnect(sid)
            elif (role, groups) != (agent.role, agent.group_names):
                await self._change_rights(sid, connected)

    async def _change_rights(self, sid: str, connected: Connected) -> None:
        async with desk.database.read() as session:
            agent = await Agents(session).by_token(connected.caller.token)
        if agent is not None and sid in self._sockets:
            connected.caller = AgentCaller(agent, connected.caller.token)
            self._add(sid, connected)

    async def _hear(self, event: Event) -> None:
        kind = event["kind"]
        if kind == "queue":
            self._lines.soon()
        elif kind == "logins":
            await self._look_at_logins()
        elif kind == "missed":
            self._lines.soon()
            await self._look_again()
        elif kind == "presence":
            news = {"agent": event["agent"], "status": event["status"]}
            for sid in list(self._sockets):
                await self.emit("presence", news, to=sid)
        elif kind == "message":
            for sid in self._audience(standing_of(event)):
                if delivery := await self._delivery(sid, event["conversation_id"], event):
                    delivery.tell(event)
        elif kind == "owner":
            await self._tell_owner(event)
        elif kind in {"typing", "note", "understood", "read"}:
            await self._tell_detail(event)

    def _audience(self, standing: Standing) -> list[str]:
        """Return the sockets of those who may read a conversation that stands so."""
        holder = standing.last_agent_id if standing.owner == CLOSED else agent_of(standing.owner)
        near = self._sockets if holder is None else self._overseers | self._by_agent.get(holder, set())
        return [sid for sid in near if may_read(self._sockets[sid].caller.agent, standing)]

    async def _tell_owner(self, event: Event) -> None:
        lost = self._by_agent.get(agent_of(event["before"]) or "", set())
        news = {"conversation_id": event["conversation_id"], "owner": event["owner"], "version": event["version"]}
        for sid in {*self._audience(standing_of(event)), *lost}:
            await self.emit("owner", news, to=sid)
            if event["owner"] == CLOSED and sid in self._sockets:
                self._sockets[sid].deliveries.pop(event["conversation_id"], None)

    async def _tell_detail(self, event: Event) -> None:
        async with desk.database.read() as session:
            conversation = await session.get(Conversation, event["conversation_id"])
        if conversation is None:
            return
        details = {key: value for key, value in event.items() if key != "kind"}
        for sid in self._audience(conversation.standing):
            await self.emit(event["kind"], details, to=sid)

    async def _look_again(self) -> None:
        """Deliver what was said without our hearing it in the conversations that people here hold."""
        await self._look_at_logins()
        owners = {f"{AGENT_PREFIX}{agent_id}": agent_id for agent_id in self._by_agent}
        async with desk.database.read() as session:
            query = select(Conversation.id, Conversation.owner).where(Conversation.owner.in_(owners))
            held = [(conversation_id, owner) for conversation_id, owner in await session.execute(query)]
        for conversation_id, owner in held:
            for sid in list(self._by_agent.get(owners[owner], ())):
                if delivery := await self._delivery(sid, conversation_id):
                    await delivery.catch_up()

    async def _delivery(self, sid: str, conversation_id: str, event: Event | None = None) -> Delivery | None:
        """Return a conversation's delivery, from what was said since this socket is there; None when that is gone."""

        async def emit(name: str, data: Any) -> None:
            await self.server.tell(sid, self.namespace, name, data)

        connected = self._sockets.get(sid)
        if connected is None:
            return None
        delivery = connected.deliveries.get(conversation_id)
        if delivery is None:
            if event is not None and "stored" in event and event["quiet_since"] < connected.since:
                before = event["seq"] - 1
            else:
                async with desk.database.read() as session:
                    before = await Conversations(session).last_before(conversation_id, connected.since)
            delivery = connected.deliveries.setdefault(
                conversation_id, Delivery(conversation_id, before, emit, for_agent=True)
            )
        return delivery

    async def _tell_lines(self) -> None:
        """Tell everybody their line; people who see the same one are told together."""
        views: dict[tuple[frozenset[str] | None, str], list[str]] = {}
        for sid, connected in self._sockets.items():
            views.setdefault(connected.line, []).append(sid)
        if not views:
            return
        async with desk.database.read() as session:
            line = list(ranked(await Queue(session).line(None)))
        for (groups, language), sids in views.items():
            await self.emit("queue", {"items": _items(line, groups, language)}, to=sids)

    async def _tell_line(self, sid: str) -> None:
        connected = self._sockets[sid]
        groups, language = connected.line
        async with desk.database.read() as session:
            line = ranked(await Queue(session).line(None if groups is None else set(groups)))
        await self.emit("queue", {"items": _items(line, groups, language)}, to=sid)


def _items(line: Iterable[tuple[Handoff, int]], groups: frozenset[str] | None, language: str) -> list[dict[str, Any]]:
    return [
        handoff_view(handoff, position, language)
        for handoff, position in line
        if groups is None or handoff.group_name in groups
    ]
