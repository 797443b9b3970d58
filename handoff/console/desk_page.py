"""`/desk`: where agents work."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from handoff.agents.endpoints import PresenceBody, change_presence
from handoff.agents.models import Agent
from handoff.agents.service import agent_view
from handoff.clock import iso, now
from handoff.console.components import Chat, Composer, ConversationList, Dialogs, SummaryPanel, TopBar
from handoff.console.pulse import Pulse
from handoff.console.rows import concern_rows, line_rows, own_rows
from handoff.console.thread_page import ThreadPage
from handoff.desk import desk
from handoff.principals import AgentCaller
from handoff.realtime.hub import Event

LIST_PAUSE = 0.5
CONCERN_PAUSE = 2.0


class DeskPage(ThreadPage):
    """An agent's page: three panes."""

    def __init__(self, caller: AgentCaller, language: str) -> None:
        super().__init__(caller, language, "/desk")
        self.handlers["presence"] = self.on_presence
        self.pulses |= {
            "line": Pulse(self.refresh_line, LIST_PAUSE),
            "mine": Pulse(self.refresh_mine, LIST_PAUSE),
            "concern": Pulse(self.refresh_concern, CONCERN_PAUSE),
        }
        self._owner_key = caller.agent.owner_key
        TopBar()
        with ui.element("main").classes("desk"):
            ConversationList()
            with ui.element("section").classes("talk"):
                Chat()
                Composer()
            SummaryPanel()
        Dialogs()

    async def hear(self, event: Event) -> None:
        """Mark the lists that an event changes."""
        await super().hear(event)
        kind = event["kind"]
        if kind == "queue":
            self.mark("line")
        elif kind == "owner":
            self.mark("line", "mine", "concern")
        elif kind == "message":
            self.mark("mine" if event["owner"] == self._owner_key else "concern")

    def mark_lists(self) -> None:
        """What was read is no longer unread in the list."""
        self.mark("mine")

    async def refresh_line(self) -> None:
        """Push the waiting line."""
        agent = (await self.caller()).agent
        async with desk.database.read() as session:
            self.push(line=await line_rows(session, agent, self.language), server_time=iso(now()))

    async def refresh_mine(self) -> None:
        """Push this person's own conversations."""
        agent = (await self.caller()).agent
        async with desk.database.read() as session:
            self.push(mine=await own_rows(session, agent, self.language), me=agent_view(agent))

    async def refresh_concern(self) -> None:
        """Push the conversations that need somebody."""
        agent = (await self.caller()).agent
        async with desk.database.read() as session:
            self.push(concern=await concern_rows(session, agent, self.language))

    async def on_presence(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Go on duty, on a break, or off duty."""
        body = PresenceBody(status=args["status"], reason=args.get("reason"))
        agent: Agent = await change_presence(caller.agent.id, body.status, body.reason)
        self.push(me=agent_view(agent))
