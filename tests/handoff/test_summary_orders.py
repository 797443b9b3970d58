"""The order's state in a summary: looked up at that moment, no wrong proof tried twice, no long wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from handoff.settings import settings
from handoff.summary import orders
from handoff.summary.orders import OrderState, state_of
from handoff.summary.writing import summary
from tests.handoff.summary_stories import Story


class ShopWithOneOrder:
    """A back office that knows one order; it can dawdle or break."""

    def __init__(self) -> None:
        self.delay, self.broken = 0.0, False
        self.asked: list[dict[str, str]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        body = json.loads(await reader.readexactly(int(fields["content-length"])))
        self.asked.append(body)
        assert head.startswith("post /orders/lookup ") and fields["authorization"] == "bearer shop-token"
        await asyncio.sleep(self.delay)
        status = 500 if self.broken else 200 if body["phone_last4"] == "8888" else 404
        order = {"number": body["number"], "status": "shipped", "expected_date": "2026-11-28", "total": 299.0}
        content = json.dumps(order if status == 200 else {}).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n".encode())
        writer.write(content)
        writer.close()


@pytest_asyncio.fixture
async def shop(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ShopWithOneOrder]:
    """The back office, running and configured; nothing is remembered from before."""
    made = ShopWithOneOrder()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    monkeypatch.setattr(settings, "shop_api_url", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    monkeypatch.setattr(settings, "shop_api_token", "shop-token")
    monkeypatch.setattr(orders, "_kept", {})
    monkeypatch.setattr(orders, "READER_WAITS", 5.0)
    yield made
    server.close()


async def test_state_and_expected_day(shop: ShopWithOneOrder) -> None:
    state = await state_of("LM2611030042", "8888")
    assert state is not None and (state.status, str(state.expected_date)) == ("shipped", "2026-11-28")


async def test_without_both_proofs_nobody_is_asked(shop: ShopWithOneOrder) -> None:
    assert await state_of("LM2611030042", None) is None and await state_of(None, "8888") is None
    assert shop.asked == []


async def test_a_wrong_proof_is_tried_once(shop: ShopWithOneOrder) -> None:
    for _ in range(3):
        assert await state_of("LM2611030042", "1111") is None
    assert len(shop.asked) == 1


async def test_a_slow_shop_is_not_waited_for_and_known_at_the_next_look(
    shop: ShopWithOneOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "READER_WAITS", 0.05)
    shop.delay = 0.5
    assert await state_of("LM2611030042", "8888") is None
    await asyncio.gather(*orders._asking.values())
    assert await state_of("LM2611030042", "8888") is not None and len(shop.asked) == 1


async def test_a_broken_shop_is_nothing(shop: ShopWithOneOrder) -> None:
    shop.broken = True
    assert await state_of("LM2611030042", "8888") is None


def test_the_next_step_tells_it_in_both_languages() -> None:
    story = Story()
    seq = story.customer("LM2611030042到哪了,尾号8888", "track_order")
    story.fact("order_number", "LM2611030042", "LM2611030042", seq)
    state = OrderState.model_validate({"number": "LM2611030042", "status": "shipped", "expected_date": "2026-11-28"})
    record = replace(story.record(), order=state)
    zh, en = summary(record, "zh"), summary(record, "en")
    assert zh["order"]["text"] == "订单 LM2611030042：已发货在途，预计 11 月 28 日送到"
    assert en["next_steps"][0]["text"].startswith("Order LM2611030042: shipped and on its way, expected on 11/28")
    assert en["next_steps"][0]["source"] == {"lookup": "order LM2611030042"}
    assert summary(story.record(), "zh")["order"] is None
