"""`/supervisor`: the floor at a glance, every conversation, and stepping in."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from handoff.clock import iso, now
from handoff.console import overview
from handoff.console.components import Chat, Composer, Dialogs, SummaryPanel, SupervisorBoard, TopBar
from handoff.console.pulse import Pulse
from handoff.console.thread_page import ThreadPage
from handoff.principals import AgentCaller
from handoff.realtime.hub import Event

BOARD_PAUSE = 1.0
BOARD_EVENTS = {"queue", "owner", "presence"}


class SupervisorPage(ThreadPage):
    """A supervisor's page: board, search, and the open conversation in a drawer."""

    def __init__(self, caller: AgentCaller, language: str) -> None:
        super().__init__(caller, language, "/supervisor")
        self.handlers["search"] = self.on_search
        self.pulses["board"] = Pulse(self.refresh_board, BOARD_PAUSE)
        TopBar()
        with ui.element("main").classes("floor"):
            SupervisorBoard()
            with ui.element("section").classes("detail"):
                with ui.element("div").classes("talk"):
                    Chat()
                    Composer()
                SummaryPanel()
        Dialogs()

    async def hear(self, event: Event) -> None:
        """Mark the board when somebody waits, moves or changes presence, and when the bot's talk may go badly."""
        await super().hear(event)
        if event["kind"] in BOARD_EVENTS or (event["kind"] == "message" and event["sender"] == "bot"):
            self.mark("board")

    async def refresh_board(self) -> None:
        """Push the board."""
        board = await overview.floor(await self.caller(), self.language)
        self.push(line=board.pop("line"), concern=board.pop("concern"), board=board, server_time=iso(now()))

    async def on_search(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Return a page of conversations."""
        return await overview.found(caller, args, self.language)
