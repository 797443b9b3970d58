"""`/supervisor`: the floor at a glance, every conversation, and stepping in."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from handoff.console import overview
from handoff.console.components import Chat, Composer, Dialogs, SummaryPanel, SupervisorBoard, TopBar
from handoff.console.lists import Rows
from handoff.console.switchboard import switchboard
from handoff.console.thread_page import ThreadPage
from handoff.principals import AgentCaller


class SupervisorPage(ThreadPage):
    """A supervisor's page: board, search, and the open conversation in a drawer."""

    shows_the_board = True

    def __init__(self, caller: AgentCaller, language: str) -> None:
        super().__init__(caller, language, "/supervisor")
        self.handlers["search"] = self.on_search
        TopBar()
        with ui.element("main").classes("floor"):
            SupervisorBoard()
            with ui.element("section").classes("detail"):
                with ui.element("div").classes("talk"):
                    Chat()
                    Composer()
                SummaryPanel()
        Dialogs()

    def lists(self) -> dict[str, Rows]:
        """Everybody who waits, and every conversation of the bot's that goes badly."""
        return {name: switchboard.lists.within(name, self.sight) for name in ("line", "concern")}

    async def on_ready(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Fill the board too."""
        await super().on_ready(caller, args)
        switchboard.mark("board")

    async def on_search(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Return a page of conversations."""
        return await overview.found(caller, args, self.language)
