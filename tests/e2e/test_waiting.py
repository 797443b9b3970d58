"""Danger told while waiting in line, with the real bot: it is advised on at once and moves the customer up."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.product import Product

PATIENCE_SECONDS = 60


def _until_advised(http: httpx.Client, conversation: str, advice: str) -> dict[str, Any]:
    """Read until the desk has said `advice`; fails after a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        page: dict[str, Any] = http.get(f"/api/v1/conversations/{conversation}/messages").json()
        if any(advice in message["text"] for message in page["messages"] if message["sender"] == "system"):
            return page
        time.sleep(0.2)
    raise AssertionError(page)


@pytest.mark.parametrize(
    ("language", "words", "advice"),
    [
        ("en", ["talk to a person please", "the plug is smoking now", "should I touch it??"], "don't touch"),
        ("zh", ["转人工", "我手被烫起泡了", "怎么办"], "流动凉水"),
        ("zh", ["人工", "算了我不想活了"], "12356"),
        ("en", ["agent", "i want to end my life"], "You are not alone"),
    ],
)
def test_danger_told_in_line(product: Product, language: str, words: list[str], advice: str) -> None:
    with httpx.Client(base_url=product.url, timeout=40, trust_env=False) as http:
        made = http.post("/api/v1/conversations", json={"language": language}).json()
        http.headers["Authorization"] = f"Bearer {made['token']}"
        path = f"/api/v1/conversations/{made['id']}/messages"
        for number, text in enumerate(words):
            assert http.post(path, json={"client_id": f"m{number}", "text": text}).status_code == 201
            deadline = time.monotonic() + PATIENCE_SECONDS
            while http.get(path).json()["owner"] != "queue":
                assert time.monotonic() < deadline
                time.sleep(0.2)
        page = _until_advised(http, made["id"], advice)
        assert sum(advice in message["text"] for message in page["messages"]) == 1
        assert page["owner"] == "queue" and page["queue"]["position"] <= 4
        assert not any(message["sender"] == "bot" for message in page["messages"])
        assert http.delete(f"/api/v1/conversations/{made['id']}/handoff").status_code == 200
