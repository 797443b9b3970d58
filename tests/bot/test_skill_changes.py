"""Changes to orders: offered where allowed, done after a yes, once; parcels in trouble."""

from __future__ import annotations

import pytest

from tests.bot.conftest import BotStack
from tests.bot.skill_talk import Talk, find, look_up, take

LANGUAGES = ["zh", "en"]
CANCEL = {"zh": "取消订单", "en": "cancel my order"}
ADDRESS = {"zh": "我要改收货地址", "en": "I need to change the delivery address"}
INVOICE = {"zh": "给我开发票", "en": "I need an invoice"}
RETURN = {"zh": "我要退货", "en": "I want to return it"}
EXCHANGE = {"zh": "我想换货", "en": "I want to exchange it"}
YES = {"zh": "是的", "en": "yes please"}


def start(talk: Talk, text: str, order: dict) -> str:
    return talk.say(f"{text} {order['number']}", order["phone_last4"])


@pytest.mark.parametrize("language", LANGUAGES)
class TestCancel:
    def test_done_only_after_yes(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        order = take(bot_stack, "paid", "packed", allowed="cancel")
        talk = Talk(bot_stack, conversation, language)
        start(talk, CANCEL[language], order)
        assert look_up(bot_stack, order)["status"] == order["status"]
        assert not talk.answer["done"]
        talk.say(YES[language])
        assert [entry["name"] for entry in talk.answer["done"]] == ["cancel"]
        assert look_up(bot_stack, order)["status"] == "cancelled"
        assert order["number"] in talk.said

    def test_no_leaves_the_order(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        order = take(bot_stack, "packed", "paid", allowed="cancel")
        talk = Talk(bot_stack, conversation, language)
        start(talk, CANCEL[language], order)
        talk.press("/deny")
        assert not talk.answer["done"]
        assert look_up(bot_stack, order)["status"] == order["status"]

    def test_shipped_is_refused_with_another_way(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        order = find(bot_stack, "shipped")
        talk = Talk(bot_stack, conversation, language)
        told = start(talk, CANCEL[language], order)
        assert "/affirm" not in talk.payloads
        assert ("拒收" if language == "zh" else "Refuse it" if "Refuse it" in told else "refuse it") in told


class TestConfirmation:
    def test_yes_to_something_else_does_nothing(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "paid", "packed", allowed="cancel")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, CANCEL["zh"], order)
        talk.say("谢谢")
        talk.say("好的")
        assert not talk.answer["done"]
        assert look_up(bot_stack, order)["status"] == order["status"]

    def test_question_in_between_keeps_the_confirmation(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "paid", "packed", allowed="cancel")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, CANCEL["zh"], order)
        talk.say("你们发什么快递")
        assert order["number"] in talk.answer["messages"][-1]["text"]
        talk.press("/affirm")
        assert [entry["name"] for entry in talk.answer["done"]] == ["cancel"]


class TestAddress:
    @pytest.mark.parametrize(
        ("language", "parts"),
        [
            ("zh", ["王小芳 13912345678 北京市海淀区中关村大街1号院2号楼301室"]),
            ("zh", ["上海市浦东新区世纪大道100号", "李雷，13712345678"]),
            ("en", ["Li Ming, 13612345678, Room 5, 12 Nanjing Road, Shanghai"]),
        ],
    )
    def test_changed_after_yes(self, bot_stack: BotStack, conversation: str, language: str, parts: list[str]) -> None:
        order = take(bot_stack, "paid", "packed", allowed="address")
        talk = Talk(bot_stack, conversation, language)
        start(talk, ADDRESS[language], order)
        for part in parts:
            assert "/affirm" not in talk.payloads
            talk.say(part)
        assert "/affirm" in talk.payloads, talk.said
        talk.say(YES[language])
        assert [entry["name"] for entry in talk.answer["done"]] == ["address"]
        assert look_up(bot_stack, order)["recipient"] != order["recipient"]

    def test_on_its_way_names_the_courier(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "shipped")
        talk = Talk(bot_stack, conversation, "zh")
        assert order["parcels"][-1]["number"] in start(talk, ADDRESS["zh"], order)


class TestInvoice:
    def test_personal_by_button(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "paid", "packed", allowed="invoice")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, INVOICE["zh"], order)
        talk.press("personal")
        talk.press("/affirm")
        assert [entry["name"] for entry in talk.answer["done"]] == ["invoice"]
        assert look_up(bot_stack, order)["invoice"]["title"] == "个人"

    def test_company_with_tax_number(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "shipped", allowed="invoice")
        talk = Talk(bot_stack, conversation, "en")
        start(talk, INVOICE["en"], order)
        talk.say("Blue Sky Trading Ltd, tax number 91110108MA01ABCD23, mail books@bluesky.example")
        assert "91110108MA01ABCD23" in talk.said
        talk.say("yes")
        assert look_up(bot_stack, order)["invoice"]["title"] == "Blue Sky Trading Ltd"

    def test_unpaid_is_refused_with_the_way(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "unpaid")
        talk = Talk(bot_stack, conversation, "zh")
        assert "付款后" in start(talk, INVOICE["zh"], order)


@pytest.mark.parametrize("language", LANGUAGES)
class TestReturn:
    @pytest.mark.parametrize("kind", ["return", "exchange"])
    def test_reason_then_yes(self, bot_stack: BotStack, conversation: str, language: str, kind: str) -> None:
        order = take(bot_stack, "delivered", allowed="return", within_days=6)
        talk = Talk(bot_stack, conversation, language)
        start(talk, (RETURN if kind == "return" else EXCHANGE)[language], order)
        talk.press("quality")
        assert "/affirm" in talk.payloads, talk.said
        talk.press("/affirm")
        assert [entry["name"] for entry in talk.answer["done"]] == [kind]
        assert look_up(bot_stack, order)["status"] == "returning"

    def test_may_i_return_this_order(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        order = find(bot_stack, "shipped")
        text = {"zh": "订单{} 能退吗", "en": "can I return order {}?"}[language].format(order["number"])
        told = Talk(bot_stack, conversation, language).say(text, order["phone_last4"])
        assert order["number"] in told

    def test_before_shipping_cancelling_is_offered(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        order = find(bot_stack, "unpaid")
        talk = Talk(bot_stack, conversation, language)
        start(talk, RETURN[language], order)
        assert "/cancel_order" in talk.payloads


@pytest.mark.parametrize(("language", "ask"), [("zh", "退款到哪了"), ("en", "what is the status of my refund")])
class TestRefund:
    def test_refunded_names_the_sum(self, bot_stack: BotStack, conversation: str, language: str, ask: str) -> None:
        order = find(bot_stack, "refunded")
        talk = Talk(bot_stack, conversation, language)
        told = start(talk, ask, order)
        assert f"{order['refund']['amount']:.2f}".removesuffix(".00") in told


class TestParcels:
    @pytest.mark.parametrize(("language", "told"), [("zh", "我的包裹丢了"), ("en", "my parcel got lost")])
    def test_lost_is_acknowledged_and_goes_to_a_person(
        self, bot_stack: BotStack, conversation: str, language: str, told: str
    ) -> None:
        order = find(bot_stack, "lost")
        talk = Talk(bot_stack, conversation, language)
        opening = talk.say(told)
        assert ("退款" if language == "zh" else "refund") in opening
        talk.say(order["number"])
        talk.say(order["phone_last4"])
        talk.press("refund")
        assert talk.answer["handoff"]["group"] == "orders"
        assert order["number"] in talk.said

    @pytest.mark.parametrize(
        ("language", "told"),
        [("zh", "收到的东西是坏的，外壳都裂了"), ("en", "it arrived damaged, the case is cracked")],
    )
    def test_damaged_asks_for_a_photo_and_offers_exchange(
        self, bot_stack: BotStack, conversation: str, language: str, told: str
    ) -> None:
        order = take(bot_stack, "delivered", allowed="return")
        talk = Talk(bot_stack, conversation, language)
        talk.say(told)
        talk.say(f"{order['number']} {order['phone_last4']}")
        assert any("no_photo" in payload for payload in talk.payloads), talk.said
        talk.say({"attachment": {"name": "crack.jpg", "type": "image/jpeg"}})
        assert ("凭证" if language == "zh" else "evidence") in talk.said
        talk.press("return_exchange/exchange")
        assert "/affirm" in talk.payloads

    def test_signed_for_but_not_received(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "delivered")
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("显示已签收但是我没收到", f"{order['number']} {order['phone_last4']}")
        talk.press("missing")
        assert talk.answer["handoff"]["reason"] == "policy_topic"

    def test_still_moving_parcel_is_not_called_lost(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "delayed")
        talk = Talk(bot_stack, conversation, "zh")
        told = talk.say("物流好几天没动了", f"{order['number']} {order['phone_last4']}")
        assert order["parcels"][-1]["number"] in told
        assert "/request_human" in talk.payloads
