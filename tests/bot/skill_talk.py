"""A customer for the skills' tests: talks through the bot's door, presses its buttons, owns seeded orders."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import requests

from tests.bot.conftest import ROOT, SHOP_TOKEN, BotStack

Order = dict[str, Any]


@dataclass
class Talk:
    """One conversation. `answer` is the bot's last answer as the desk gets it."""

    stack: BotStack
    conversation: str
    language: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    customer_token: str | None = None
    answer: dict[str, Any] = field(default_factory=dict)

    def say(self, *texts: str | dict[str, Any]) -> str:
        """One turn of one or several messages; returns what the bot said, messages joined by newlines."""
        self.answer = self.stack.talk(
            self.conversation, list(texts), self.language, self.facts, customer_token=self.customer_token
        )
        assert len(self.answer["messages"]) <= 2, self.answer["messages"]
        return self.said

    def press(self, part: str) -> str:
        """Presses the button of the last answer whose payload contains `part`."""
        payload = next((one for one in self.payloads if part in one), None)
        assert payload, f"no button with {part!r} in {self.payloads} after {self.said!r}"
        return self.say({"payload": payload})

    @property
    def said(self) -> str:
        """All that the bot said in its last answer."""
        return "\n".join(message["text"] for message in self.answer["messages"])

    @property
    def payloads(self) -> list[str]:
        """The payloads of all buttons in the last answer."""
        return [one["payload"] for message in self.answer["messages"] for one in message["buttons"] or []]

    @property
    def titles(self) -> list[str]:
        """The titles of all buttons in the last answer."""
        return [one["title"] for message in self.answer["messages"] for one in message["buttons"] or []]


@lru_cache(maxsize=4)
def _seeded(database: str, folder: str) -> list[Order]:
    words = [str(ROOT / ".venv/bin/python"), "-m", "examples.shop", "demo-orders"]
    environment = {"SHOP_DATABASE": database, "JIELI_VAR": folder, "PATH": ""}
    listed = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return list(json.loads(listed.stdout))


def orders(stack: BotStack) -> list[Order]:
    """The seeded orders: number, phone_last4, status, customer."""
    return _seeded(stack.environment["SHOP_DATABASE"], stack.environment["JIELI_VAR"])


_taken: set[str] = set()


def find(stack: BotStack, status: str) -> Order:
    """An order that is in this state now; tests that only look may share it."""
    found = next((order for order in _now(stack) if order["status"] == status), None)
    assert found, f"no order is {status} now"
    return found


def take(stack: BotStack, *states: str, allowed: str | None = None, within_days: int = 1000) -> Order:
    """An order in one of these states that no other test uses, delivered (if at all) within some days."""
    for order in _now(stack):
        fits = order["status"] in states and (allowed is None or allowed in order["allowed"])
        if fits and _age(order) <= within_days:
            _taken.add(order["number"])
            return order
    raise AssertionError(f"no order left that is {states} and allows {allowed}")


def able(stack: BotStack, change: str, items: int = 1) -> Order:
    """An order that allows a change now, shared by tests that leave it as it is or change it again and again.

    `items`: how many things it holds at least.
    """
    fitting = (order for order in _now(stack) if sum(item["quantity"] for item in order["items"]) >= items)
    found = next((order for order in fitting if change in order["allowed"]), None)
    assert found, f"no order allows {change} now"
    return found


def _now(stack: BotStack) -> Iterator[Order]:
    return (look_up(stack, listed) for listed in orders(stack) if listed["number"] not in _taken)


def _age(order: Order) -> int:
    """Days since the delivery; 0 when there was none."""
    if not order["delivered_at"]:
        return 0
    return (datetime.now(UTC) - datetime.fromisoformat(order["delivered_at"].replace("Z", "+00:00"))).days


def look_up(stack: BotStack, listed: Order) -> Order:
    """The order as the shop shows it now, with its `phone_last4`."""
    proof = {"number": listed["number"], "phone_last4": listed["phone_last4"]}
    answer = shop(stack, "POST", "/orders/lookup", proof)
    return {**answer, "phone_last4": listed["phone_last4"], "customer": listed.get("customer")}


def shop(stack: BotStack, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A call of the real shop."""
    headers = {"Authorization": f"Bearer {SHOP_TOKEN}"}
    answer = requests.request(method, stack.shop_url + path, json=body, headers=headers, timeout=20)
    assert answer.ok, answer.text
    return dict(answer.json())


def token_of(stack: BotStack, customer: str) -> str:
    """A fresh token that the company's site signs for a customer."""
    words = [str(ROOT / ".venv/bin/python"), "-m", "examples.shop", "customer-token", customer]
    environment = {**stack.environment}
    made = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return made.stdout.strip()


def day(date: str, language: str) -> str:
    """`2026-11-24` as the bot writes it."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    _, month, number = (int(part) for part in date[:10].split("-"))
    return f"{month}月{number}日" if language == "zh" else f"{number} {months[month - 1]}"
