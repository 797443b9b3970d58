"""The customer's side in tests: the widget as a person uses it, and an agent at the other end of the line."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from playwright.async_api import Locator, Page, expect

from tests.product import Product

PATIENCE = 15_000  # milliseconds; a turn of the bot may take eight seconds
SESSION = "Object.entries(localStorage).find(([key]) => key.startsWith('jieli:') && key.endsWith(':session'))"


class Widget:
    """The widget on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.launcher = page.locator("#jieli-widget .launcher")
        self.window = page.get_by_role("dialog")
        self.log = self.window.get_by_role("log")
        self.field = self.window.locator("#message")
        self.person = self.window.locator("button.person")
        self.place = self.window.locator(".place")
        self.warning = self.window.get_by_role("alert")
        self.files = self.window.locator("input[type=file]")

    async def open(self, address: str = "/?language=zh") -> Widget:
        """Go to a page and open the window."""
        await self.page.goto(address)
        await self.launcher.click()
        await expect(self.window).to_be_visible()
        return self

    async def say(self, text: str) -> None:
        """Write a message and press Enter."""
        await self.field.fill(text)
        await self.field.press("Enter")

    def rows(self, sender: str) -> Locator:
        """Return the stored messages of `customer`, `bot`, `agent` or `system`."""
        return self.log.locator(f".row.{sender}[data-seq]")

    @property
    def unsent(self) -> Locator:
        """Messages that are still on their way out."""
        return self.log.locator(".row.pending")

    async def stored(self, text: str) -> None:
        """Wait until the desk has stored a message of the customer."""
        await expect(self.rows("customer").filter(has_text=text)).to_have_count(1, timeout=PATIENCE)

    async def answered(self, count: int = 1) -> None:
        """Wait for the bot's answers."""
        await expect(self.rows("bot").nth(count - 1)).to_be_visible(timeout=PATIENCE)

    async def ask_person(self) -> None:
        """Press 转人工 and wait in line."""
        await self.person.click()
        await expect(self.place).to_have_text(re.compile(r"第 \d+ 位|Number \d+ in line"), timeout=PATIENCE)

    async def session(self) -> dict[str, Any]:
        """Return the conversation's id and token as the browser keeps them."""
        return json.loads(await self.page.evaluate(f"{SESSION}[1]"))

    async def change_session(self, **changes: Any) -> None:
        """Alter what the browser keeps."""
        await self.page.evaluate(
            f"(changes) => {{ const [key, value] = {SESSION};"
            " localStorage.setItem(key, JSON.stringify({...JSON.parse(value), ...changes})); }",
            changes,
        )


class AgentSide:
    """A demo agent, through the public API."""

    def __init__(self, product: Product, role: str = "agent") -> None:
        self.api = httpx.Client(base_url=f"{product.url}/api/v1", trust_env=False, timeout=20)
        account = product.agent(role)
        answer = self.api.post("/agents/login", json={"name": account["name"], "password": account["password"]})
        self.api.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"
        self.api.put("/agents/me/presence", json={"status": "online"}).raise_for_status()
        self.name = answer.json()["agent"]["name"]

    def conversation(self, id: str) -> dict[str, Any]:
        """Return the conversation as agents see it."""
        return self.api.get(f"/conversations/{id}").raise_for_status().json()

    def messages(self, id: str) -> list[dict[str, Any]]:
        """Return its messages."""
        return self.api.get(f"/conversations/{id}/messages").raise_for_status().json()["messages"]

    def take(self, id: str) -> None:
        """Claim the waiting conversation."""
        queue = self.api.get("/queue").raise_for_status().json()["items"]
        handoff = next(item for item in queue if item["conversation_id"] == id)
        self.api.post(f"/handoffs/{handoff['id']}/claim").raise_for_status()

    def say(self, id: str, text: str) -> None:
        """Reply to the customer."""
        body = {"client_id": text, "text": text}
        self.api.post(f"/conversations/{id}/messages", json=body).raise_for_status()

    def act(self, id: str, action: str, **body: Any) -> None:
        """Do one of the calls on a conversation: typing, read, resolve, release."""
        self.api.post(f"/conversations/{id}/{action}", json=body).raise_for_status()

    def leave(self) -> None:
        """Go off duty."""
        self.api.put("/agents/me/presence", json={"status": "offline"})
        self.api.close()
