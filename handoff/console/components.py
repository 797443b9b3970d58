"""The console's building blocks: each is one component in the browser, fed with rows, whatever their number.

They read one shared store in the browser; `Bridge` is the only one that talks to the server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.dependencies import register_esm

BROWSER = Path(__file__).parent / "browser"
# The address of the modules changes with the newest of them, so that browsers may keep them for ever.
register_esm("jieli", BROWSER, max_time=max(path.stat().st_mtime for path in BROWSER.glob("*.js")))


class Bridge(ui.element, component="components/bridge.js"):
    """Carries calls of the browser to the page's handlers, and what is new to the browser's store."""

    def __init__(self, words: dict[str, dict[str, str]], state: dict[str, Any]) -> None:
        super().__init__()
        self._props["words"] = words
        self._props["state"] = state

    def push(self, **topics: Any) -> None:
        """Put new values into the browser's store."""
        self._tell({"topics": topics})

    def answer(self, number: int, result: dict[str, Any]) -> None:
        """Answer a call."""
        self._tell({"number": number, "result": result})

    def _tell(self, message: dict[str, Any]) -> None:
        """Send a message of our own by the outbox: in order, and again after a lost connection."""
        if not self.is_deleted:
            self.client.outbox.enqueue_message("jieli", message, self.client.id)


class TopBar(ui.element, component="components/top_bar.js"):
    """Pages, presence, alerts, language and the account."""


class ConversationList(ui.element, component="components/conversation_list.js"):
    """The line, one's own conversations, and those that need somebody."""


class Chat(ui.element, component="components/desk_chat.js"):
    """One conversation's head, messages and notes."""


class Composer(ui.element, component="components/desk_composer.js"):
    """Where replies and notes are written."""


class SummaryPanel(ui.element, component="components/summary_panel.js"):
    """The context summary with its evidence."""


class Dialogs(ui.element, component="components/desk_dialogs.js"):
    """Transfer, ending, help and other questions."""


class SupervisorBoard(ui.element, component="components/supervisor_board.js"):
    """People on duty, the line, and all conversations."""


class DesignerBoard(ui.element, component="components/designer_board.js"):
    """How the bot's conversations went."""
