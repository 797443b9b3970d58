"""Order tracking: number and proof, states, corrections, interruptions, known customers."""

from __future__ import annotations

import pytest

from tests.bot.conftest import BotStack
from tests.bot.skill_talk import Talk, day, find, orders, take, token_of

LANGUAGES = ["zh", "en"]
ASK = {"zh": "我的快递到哪了", "en": "where is my order?"}
STATES = ["unpaid", "paid", "packed", "shipped", "delayed", "delivered", "lost", "cancelled", "returning", "refunded"]
STATE_WORDS = {
    "zh": {
        "unpaid": "还没有付款",
        "paid": "备货",
        "packed": "打包",
        "shipped": "在路上",
        "delayed": "耽搁",
        "delivered": "签收",
        "lost": "丢失",
        "cancelled": "取消",
        "returning": "退换中",
        "refunded": "已退款",
    },
    "en": {
        "unpaid": "not paid",
        "paid": "being prepared",
        "packed": "packed",
        "shipped": "on its way",
        "delayed": "delayed",
        "delivered": "was delivered",
        "lost": "confirmed lost",
        "cancelled": "cancelled",
        "returning": "on its way back",
        "refunded": "is refunded",
    },
}


class TestTracking:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_asks_number_then_proof_then_tells(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        order = find(bot_stack, "shipped")
        talk = Talk(bot_stack, conversation, language)
        talk.say(ASK[language])
        assert order["number"] not in talk.said
        assert order["number"] in talk.say(order["number"])
        told = talk.say(order["phone_last4"])
        assert order["number"] in told
        assert order["parcels"][-1]["number"] in told
        assert day(order["expected_date"], language) in told
        latest = max(order["parcels"][-1]["events"], key=lambda event: event["at"])
        assert latest["text"][language] in told

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("status", STATES)
    def test_every_state_has_its_answer_and_buttons(
        self, bot_stack: BotStack, conversation: str, language: str, status: str
    ) -> None:
        order = find(bot_stack, status)
        talk = Talk(bot_stack, conversation, language)
        told = talk.say(f"{ASK[language]} {order['number']} {order['phone_last4']}")
        assert order["number"] in told
        assert STATE_WORDS[language][order["status"]] in told
        offered = {"/cancel_order": "cancel", "/change_address": "address", "/invoice": "invoice"}
        for payload, change in offered.items():
            assert payload not in talk.payloads or change in order["allowed"]
        if "cancel" in order["allowed"]:
            assert "/cancel_order" in talk.payloads
        if status == "lost":
            assert "/request_human" in talk.payloads

    def test_number_in_small_letters_and_spaces(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "delayed")
        talk = Talk(bot_stack, conversation, "zh")
        spaced = f"lm{order['number'][2:8]} {order['number'][8:]}"
        talk.say(f"查一下订单 {spaced}")
        assert order["number"] in talk.say(order["phone_last4"])

    def test_three_messages_are_one_turn(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "delivered")
        talk = Talk(bot_stack, conversation)
        told = talk.say("你好", "查一下我的订单", f"{order['number']} {order['phone_last4']}")
        assert order["number"] in told
        assert STATE_WORDS["zh"]["delivered"] in told


class TestProof:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_wrong_proof_and_unknown_number_sound_the_same(
        self, bot_stack: BotStack, conversation: str, language: str
    ) -> None:
        order = find(bot_stack, "shipped")
        wrong = "0000" if order["phone_last4"] != "0000" else "1111"
        first, second = Talk(bot_stack, conversation, language), Talk(bot_stack, conversation + "-b", language)
        for talk, number in ((first, order["number"]), (second, "LM2501019999")):
            talk.say(ASK[language])
            talk.say(number)
            talk.say(wrong)
        assert first.said.replace(order["number"], "N") == second.said.replace("LM2501019999", "N")
        assert first.payloads == second.payloads
        assert "/request_human" in first.payloads
        assert STATE_WORDS[language]["shipped"] in first.say(order["phone_last4"])

    def test_too_many_wrong_proofs_have_an_answer_of_their_own(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "delivered", "refunded")
        talk = Talk(bot_stack, conversation, "zh")
        talk.say(f"查订单 {order['number']}")
        wrong = [
            digits for digits in ("1234", "2345", "3456", "4567", "5678", "6789") if digits != order["phone_last4"]
        ]
        for digits in wrong:
            talk.say(digits)
            if talk.answer["handoff"] or "锁定" in talk.said:
                break
        assert "锁定" in talk.said
        assert "/request_human" in talk.payloads

    def test_corrected_number_replaces_the_wrong_one(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "shipped")
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("查快递")
        talk.say("LM2501018888")
        assert order["number"] in talk.say(f"不对，订单号是{order['number']}")
        assert STATE_WORDS["zh"]["shipped"] in talk.say(order["phone_last4"])

    def test_corrected_number_goes_with_the_digits_given(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "shipped")
        talk = Talk(bot_stack, conversation, "en")
        talk.say("track my order")
        talk.say("LM2501017777")
        talk.say(order["phone_last4"])
        assert STATE_WORDS["en"]["shipped"] in talk.say(f"sorry, the number is {order['number']}")


class TestInterruption:
    @pytest.mark.parametrize(
        ("language", "question", "fact"), [("zh", "你们运费多少钱", "99"), ("en", "how much is shipping?", "99")]
    )
    def test_question_is_answered_and_the_form_goes_on(
        self, bot_stack: BotStack, conversation: str, language: str, question: str, fact: str
    ) -> None:
        order = find(bot_stack, "shipped")
        talk = Talk(bot_stack, conversation, language)
        talk.say(ASK[language])
        talk.say(order["number"])
        told = talk.say(question)
        assert fact in talk.answer["messages"][0]["text"]
        assert order["number"] in talk.answer["messages"][1]["text"], told
        assert STATE_WORDS[language]["shipped"] in talk.say(order["phone_last4"])

    def test_another_wish_changes_the_task(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "paid", "packed", allowed="cancel")
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("查一下快递")
        talk.say(order["number"])
        talk.say("我想取消这个订单")
        talk.say(order["phone_last4"])
        assert "/affirm" in talk.payloads
        assert "取消" in talk.said

    @pytest.mark.parametrize(("language", "leave"), [("zh", "算了"), ("en", "never mind")])
    def test_leaving(self, bot_stack: BotStack, conversation: str, language: str, leave: str) -> None:
        talk = Talk(bot_stack, conversation, language)
        asked = talk.say(ASK[language])
        left = talk.say(leave)
        assert left != asked
        assert "LM" not in talk.say("你好" if language == "zh" else "hello")

    def test_person_in_the_middle_of_the_form(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("我要查订单")
        talk.say("转人工")
        assert talk.answer["handoff"]["reason"] == "asked_for_person"
        assert len(talk.answer["messages"]) <= 1

    def test_device_problem_leaves_the_form(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("查快递")
        talk.say("我的路由器连不上网了，断网")
        assert "LM" not in talk.said
        assert any("outcome" in payload or "inform" in payload for payload in talk.payloads)


class TestFollowUp:
    @pytest.mark.parametrize(
        ("language", "asked"),
        [
            ("zh", "那具体什么时候能到"),
            ("en", "ok and when will it arrive exactly"),
            ("en", "i need it by monday"),
        ],
    )
    def test_is_about_the_order_just_shown(
        self, bot_stack: BotStack, conversation: str, language: str, asked: str
    ) -> None:
        order = find(bot_stack, "shipped")
        talk = Talk(bot_stack, conversation, language)
        talk.say(f"{ASK[language]} {order['number']} {order['phone_last4']}")
        told = talk.say(asked)
        assert order["number"] in told
        assert day(order["expected_date"], language) in told

    def test_a_delay_is_no_cancellation(self, bot_stack: BotStack, conversation: str) -> None:
        order = find(bot_stack, "delayed")
        talk = Talk(bot_stack, conversation, "en")
        told = talk.say(
            f"order no {order['number']} phone ends {order['phone_last4']} its delayed again?? whats going on"
        )
        assert "cancel" not in told
        assert order["parcels"][-1]["number"] in told


class TestKnownCustomer:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_chooses_by_button_and_needs_no_proof(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        mine = [order for order in orders(bot_stack) if order["customer"] == "cus-1001"]
        talk = Talk(bot_stack, conversation, language, customer_token=token_of(bot_stack, "cus-1001"))
        talk.say(ASK[language])
        assert len(talk.payloads) >= 2
        assert all(any(order["number"] in payload for order in mine) for payload in talk.payloads[: len(mine)])
        chosen = mine[0]["number"]
        assert chosen in talk.press(chosen)
        assert "四位" not in talk.said
        assert "four digits" not in talk.said

    def test_bad_token_falls_back_to_number_and_proof(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh", customer_token="not-a-token")
        assert "订单号" in talk.say("查快递")
