"""What the console's browser tests share: customers on the desk's API, and people at the console."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from playwright.async_api import Browser, Page, expect

from tests.product import Product

DESKTOP = {"width": 1280, "height": 800}
SECONDS = 15.0


class Customer:
    """A customer who talks to the running desk over its API."""

    def __init__(self, http: httpx.AsyncClient, id: str, token: str) -> None:
        self.http, self.id = http, id
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.path = f"/api/v1/conversations/{id}"

    async def say(self, text: str) -> int:
        """Send a text; returns its number."""
        answer = await self.http.post(f"{self.path}/messages", json={"client_id": uuid.uuid4().hex, "text": text})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["seq"])

    async def send_file(self, name: str, content: bytes, kind: str) -> None:
        """Send a file."""
        body = {"client_id": uuid.uuid4().hex}
        answer = await self.http.post(f"{self.path}/messages", data=body, files={"file": (name, content, kind)})
        assert answer.status_code == 201, answer.text

    async def ask_for_person(self) -> None:
        """Press 转人工."""
        answer = await self.http.post(f"{self.path}/handoff")
        assert answer.status_code in (200, 202), answer.text

    async def read(self) -> dict[str, Any]:
        """Return everything the customer sees."""
        answer = await self.http.get(f"{self.path}/messages")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until(self, condition: Any, what: str) -> dict[str, Any]:
        """Read until `condition(page)` holds."""
        end = asyncio.get_running_loop().time() + SECONDS
        while True:
            page = await self.read()
            if condition(page):
                return page
            assert asyncio.get_running_loop().time() < end, f"{what}: {page}"
            await asyncio.sleep(0.1)

    async def hears(self, words: str) -> dict[str, Any]:
        """Wait until a message has these words; returns it."""
        page = await self.until(lambda page: any(words in one["text"] for one in page["messages"]), f"hears {words!r}")
        return next(one for one in page["messages"] if words in one["text"])


@asynccontextmanager
async def customer(product: Product, **body: Any) -> AsyncIterator[Customer]:
    """Open a conversation."""
    # The desk closes idle connections after 5 s; one that is just being closed must not be used again.
    limits = httpx.Limits(keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=product.url, timeout=40, trust_env=False, limits=limits) as http:
        answer = await http.post("/api/v1/conversations", json=body)
        assert answer.status_code == 201, answer.text
        yield Customer(http, answer.json()["id"], answer.json()["token"])


@asynccontextmanager
async def waiting_customer(product: Product, *texts: str, **body: Any) -> AsyncIterator[Customer]:
    """A customer who has said something to the bot and now waits for a person."""
    async with customer(product, **body) as one:
        for text in texts:
            seq = await one.say(text)
            await one.until(lambda page, seq=seq: page["messages"][-1]["seq"] > seq, "an answer")
        await one.ask_for_person()
        await one.until(lambda page: page["owner"] == "queue", "waits")
        try:
            yield one
        finally:
            await _free_the_agent(product, one)


async def _free_the_agent(product: Product, one: Customer) -> None:
    """End what somebody still holds: a failed test must not fill the hands of the agent in all tests after it."""
    account = product.agent("supervisor")
    async with httpx.AsyncClient(base_url=product.url, timeout=40, trust_env=False) as http:
        if not (await one.read())["owner"].startswith("agent:"):
            return
        logged_in = await http.post("/api/v1/agents/login", json={name: account[name] for name in ("name", "password")})
        http.headers["Authorization"] = f"Bearer {logged_in.raise_for_status().json()['token']}"
        ended = await http.post(f"/api/v1/conversations/{one.id}/resolve", json={"outcome": "solved"})
        ended.raise_for_status()


async def log_in(page: Page, account: dict[str, str], path: str = "/desk") -> None:
    """Log in at the console."""
    await page.goto(path)
    await page.get_by_label("用户名").fill(account["name"])
    await page.get_by_label("密码").fill(account["password"])
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.locator(".bar")).to_be_visible(timeout=SECONDS * 1000)


async def go_online(page: Page) -> None:
    """Switch to 在线, and wait until the desk has it."""
    await page.get_by_role("radio", name="在线").click()
    await expect(page.get_by_role("radio", name="在线")).to_be_checked()


async def claim(page: Page, one: Customer) -> None:
    """Take a waiting customer by the button in the line."""
    row = page.locator(f'li[data-conversation="{one.id}"]')
    await row.hover()
    await row.locator(".take").click()
    await expect(page.locator(".owner[data-owner=agent]")).to_be_visible()


async def reply(page: Page, words: str) -> None:
    """Write to the customer and send with Enter."""
    box = page.get_by_label("回复客户…")
    await box.fill(words)
    await box.press("Enter")
    await expect(box).to_have_value("")


@asynccontextmanager
async def another_page(browser: Browser, product: Product, **options: Any) -> AsyncIterator[Page]:
    """A page of another person, in a browser context of its own."""
    usual = {"base_url": product.url, "viewport": DESKTOP, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
    context = await browser.new_context(**{**usual, **options})
    try:
        yield await context.new_page()
    finally:
        await context.close()


def let_it_go_badly(product: Product, id: str, group: str = "care") -> None:
    """Make the desk think that this bot conversation goes badly, whatever the bot's model thinks of it today."""
    with sqlite3.connect(product.var / "desk.db", timeout=30) as database:
        database.execute("UPDATE conversations SET concern = 80, group_name = ? WHERE id = ?", (group, id))


def put_into_group(product: Product, id: str, group: str) -> None:
    """Let this customer wait in another group's line, whatever the bot made of what they said."""
    with sqlite3.connect(product.var / "desk.db", timeout=30) as database:
        database.execute("UPDATE conversations SET group_name = ? WHERE id = ?", (group, id))
        database.execute("UPDATE handoffs SET group_name = ? WHERE conversation_id = ?", (group, id))
