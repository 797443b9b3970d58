"""`/designer`: what customers asked, what the bot did not understand, and why people were called."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from handoff.console import insight
from handoff.console.components import DesignerBoard, Dialogs, TopBar
from handoff.console.live import LivePage
from handoff.console.pulse import Pulse
from handoff.principals import AgentCaller
from handoff.realtime.hub import Event

REVIEW_PAUSE = 5.0
DEFAULT_DAYS = 7


class DesignerPage(LivePage):
    """A designer's page. Phrases stand alone and masked; no conversation can be opened from here."""

    follows_the_bot = True

    def __init__(self, caller: AgentCaller, language: str) -> None:
        super().__init__(caller, language, "/designer")
        self.days = DEFAULT_DAYS
        self.handlers["period"] = self.on_period
        self.pulses["review"] = Pulse(self.refresh_review, REVIEW_PAUSE)
        TopBar()
        with ui.element("main").classes("review"):
            DesignerBoard()
        Dialogs()

    def hear(self, event: Event) -> None:
        """Follow what the bot answers and whom it hands over."""
        self.mark("review")

    async def refresh_review(self) -> None:
        """Push the review."""
        self.push(board=await insight.review(await self.caller(), self.days, self.language))

    async def on_period(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Look at another stretch of days."""
        self.days = args["days"] if args["days"] in insight.PERIODS else DEFAULT_DAYS
        return await insight.review(caller, self.days, self.language)
