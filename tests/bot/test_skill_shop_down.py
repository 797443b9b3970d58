"""When the shop fails: an honest sentence and a person, never silence. Nobody listens where the shop should be."""

from __future__ import annotations

import asyncio

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.answers import AnswerTopic
from bot.actions.clients import shop as shop_client
from bot.actions.orders import OrderTask, ValidateOrderForm
from tests.bot.conftest import free_port


@pytest.fixture
def dead_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_API_URL", f"http://127.0.0.1:{free_port()}")
    shop_client.shop.cache_clear()
    yield
    shop_client.shop.cache_clear()


def tracker(slots: dict, intent: str) -> Tracker:
    message = {
        "text": "?",
        "intent": {"name": intent},
        "entities": [],
        "topic": {"name": f"{intent}/fee", "ranking": []},
    }
    return Tracker("test", {"language": "zh", "turn_id": "t1", **slots}, message, [], False, None, {}, "action_listen")


def slots_of(events: list[dict]) -> dict:
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}


class TestShopDown:
    def test_a_question_of_policy_hands_over(self, dead_shop: None) -> None:
        dispatcher = CollectingDispatcher()
        events = asyncio.run(AnswerTopic().run(dispatcher, tracker({}, "delivery"), {}))
        assert slots_of(events)["handoff"]["reason"] == "bot_error"
        assert [event["name"] for event in events if event["event"] == "followup"] == ["action_hand_off"]
        assert dispatcher.messages == []

    def test_a_lookup_ends_the_form_and_hands_over(self, dead_shop: None) -> None:
        known = {"order_number": "LM2611180354", "phone_last4": "1234"}
        events = asyncio.run(ValidateOrderForm().run(CollectingDispatcher(), tracker(known, "inform"), {}))
        assert slots_of(events)["requested_slot"] is None
        after = tracker({**known, "form_trouble": slots_of(events)["form_trouble"]}, "inform")
        events = asyncio.run(OrderTask().run(CollectingDispatcher(), after, {}))
        assert slots_of(events)["handoff"]["reason"] == "bot_error"

    def test_the_breaker_stops_asking(self, dead_shop: None) -> None:
        client = shop_client.shop()

        async def ask() -> None:
            for _ in range(6):
                with pytest.raises(shop_client.ShopUnavailable):
                    await client.devices()

        asyncio.run(ask())
        assert client._breaker.current_state == "open"
