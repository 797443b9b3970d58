"""`/desk`: where agents work."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from handoff.agents.endpoints import PresenceBody, change_presence
from handoff.agents.models import Agent
from handoff.agents.service import agent_view
from handoff.console.components import Chat, Composer, ConversationList, Dialogs, SummaryPanel, TopBar
from handoff.console.lists import Rows
from handoff.console.switchboard import switchboard
from handoff.console.thread_page import ThreadPage
from handoff.principals import AgentCaller


class DeskPage(ThreadPage):
    """An agent's page: three panes."""

    def __init__(self, caller: AgentCaller, language: str) -> None:
        super().__init__(caller, language, "/desk")
        self.handlers["presence"] = self.on_presence
        TopBar()
        with ui.element("main").classes("desk"):
            ConversationList()
            with ui.element("section").classes("talk"):
                Chat()
                Composer()
            SummaryPanel()
        Dialogs()

    def lists(self) -> dict[str, Rows]:
        """The line, one's own conversations, and those that need somebody."""
        shared = {name: switchboard.lists.within(name, self.sight) for name in ("line", "concern")}
        return {**shared, "mine": switchboard.lists.held.get(self.owner_key, {})}

    async def on_presence(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Go on duty, on a break, or off duty."""
        body = PresenceBody(status=args["status"], reason=args.get("reason"))
        agent: Agent = await change_presence(caller.agent.id, body.status, body.reason)
        self.push(me=agent_view(agent))
