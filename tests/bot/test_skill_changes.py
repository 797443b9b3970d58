"""Changes to orders: offered where allowed, done after a yes, once; parcels in trouble."""

from __future__ import annotations

import pytest

from tests.bot.conftest import BotStack
from tests.bot.skill_talk import Talk, able, find, look_up, orders, take

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


    @pytest.mark.parametrize(
        ("language", "question", "answered"),
        [
            ("zh", "可以退到微信吗", "原路退回"),
            ("zh", "优惠券还退我不", "优惠券"),
            ("zh", "没问题吧这样操作", "不敢乱答"),
            ("en", "ok but will I lose my coupon?", "coupons"),
            ("en", "sure thing, though does a fee apply?", "free"),
        ],
    )
    def test_a_question_is_no_yes(
        self, bot_stack: BotStack, conversation: str, language: str, question: str, answered: str
    ) -> None:
        order = able(bot_stack, "cancel")
        talk = Talk(bot_stack, conversation, language)
        start(talk, CANCEL[language], order)
        talk.say(question)
        assert not talk.answer["done"]
        assert answered in talk.answer["messages"][0]["text"], talk.said
        assert order["number"] in talk.answer["messages"][-1]["text"]
        talk.press("/deny")

    def test_wanting_it_no_more_and_cancelling_is_a_yes(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "unpaid", "paid", "packed", allowed="cancel")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, CANCEL["zh"], order)
        talk.say("算了不要了取消掉")
        assert [entry["name"] for entry in talk.answer["done"]] == ["cancel"], talk.said

    def test_cancelling_no_more_is_a_no(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, CANCEL["zh"], able(bot_stack, "cancel"))
        talk.say("算了不取消了")
        assert not talk.answer["done"] and "没有动" in talk.said

    def test_saying_once_more_what_is_to_be_done_is_a_yes(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "unpaid", allowed="cancel")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, CANCEL["zh"], order)
        talk.say("优惠券还退我不")
        talk.say("那取消吧")
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

    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("zh", ["手机号写错了，只改电话，13912345670"]),
            ("zh", ["13912345670", "其他不变"]),
            ("en", ["just the phone please, it's 13912345670"]),
        ],
    )
    def test_only_a_part(self, bot_stack: BotStack, conversation: str, language: str, said: list[str]) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, language)
        start(talk, ADDRESS[language], order)
        for text in said:
            talk.say(text)
        assert "/affirm" in talk.payloads and "13912345670" in talk.said, talk.said
        talk.say(YES[language])
        changed = look_up(bot_stack, order)["recipient"]
        assert changed == order["recipient"] | {"phone": "139****5670"}

    @pytest.mark.parametrize(("language", "yes"), [("zh", "对"), ("zh", "好的"), ("en", "yes"), ("en", "ok")])
    def test_a_yes_means_that_the_rest_stays(
        self, bot_stack: BotStack, conversation: str, language: str, yes: str
    ) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, language)
        start(talk, ADDRESS[language], order)
        talk.say("13912345670")
        talk.say(yes)
        assert "/affirm" in talk.payloads and "13912345670" in talk.said, talk.said

    def test_a_correction_in_the_form_keeps_the_rest(self, bot_stack: BotStack, conversation: str) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, ADDRESS["zh"], order)
        for text in ("上海市浦东新区世纪大道100号", "15楼1502", "写错了，是1503"):
            talk.say(text)
            assert "/affirm" not in talk.payloads, talk.said
        talk.say("好的")
        assert "世纪大道100号15楼1503" in talk.said and "收件人" not in talk.said, talk.said

    def test_the_rest_stays_with_one_tap(self, bot_stack: BotStack, conversation: str) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, ADDRESS["zh"], order)
        talk.say("上海市浦东新区世纪大道100号")
        talk.press(next(payload for payload in talk.payloads if "rest" in payload))
        assert "其余不变" in talk.said and "世纪大道100号" in talk.said and "/affirm" in talk.payloads

    @pytest.mark.parametrize(
        ("correction", "shown"),
        [
            ("收件人错了 应该是刘阳", "刘阳"),
            ("少写了 后面加上3楼", "中山路5号3楼"),
            ("路名错了 是中央路", "鼓楼区中央路5号"),
            ("打错了 是15号", "中山路15号"),
        ],
    )
    def test_corrected_in_a_part(
        self, bot_stack: BotStack, conversation: str, correction: str, shown: str
    ) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, ADDRESS["zh"], order)
        talk.say("南京市鼓楼区中山路5号 刘洋 13533334444")
        talk.say(correction)
        assert shown in talk.said and "/affirm" in talk.payloads, talk.said

    def test_a_correction_that_says_nothing_new_is_asked_for(self, bot_stack: BotStack, conversation: str) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, ADDRESS["zh"], order)
        talk.say("南京市鼓楼区中山路5号 刘洋 13533334444")
        talk.say("写错了")
        assert "不提交" in talk.said
        talk.say("对")
        assert not talk.answer["done"]

    @pytest.mark.parametrize(
        ("language", "talk_on"),
        [
            ("zh", ["收件电话能写座机吗", "稍等", "好的"]),
            ("en", ["can i also change the phone number?", "one sec", "yes"]),
        ],
    )
    def test_talk_is_no_address(
        self, bot_stack: BotStack, conversation: str, language: str, talk_on: list[str]
    ) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, language)
        start(talk, ADDRESS[language], order)
        for text in talk_on:
            talk.say(text)
            assert "/affirm" not in talk.payloads, talk.said
        talk.say("Anna Lee, 13611112222, 12 Garden Road, Suzhou")
        assert "Anna Lee" in talk.said
        assert "/affirm" in talk.payloads

    @pytest.mark.parametrize(
        ("language", "correction"), [("zh", "不对，12改成21"), ("en", "wait the house number is 21 not 12")]
    )
    def test_corrected_before_the_yes(
        self, bot_stack: BotStack, conversation: str, language: str, correction: str
    ) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, language)
        start(talk, ADDRESS[language], order)
        talk.say("Anna Lee, 13611112222, 12 Garden Road, Suzhou")
        assert "21 Garden Road" in talk.say(correction)
        talk.say(YES[language])
        assert [entry["name"] for entry in talk.answer["done"]] == ["address"]

    def test_told_with_the_wish_and_the_new_phone_is_no_proof(self, bot_stack: BotStack, conversation: str) -> None:
        order = able(bot_stack, "address")
        other = next(
            one
            for one in orders(bot_stack)
            if one["phone_last4"] == order["phone_last4"] and one["number"] != order["number"]
        )
        talk = Talk(bot_stack, conversation, "en")
        talk.say(
            f"change address of {order['number']}, phone {order['phone_last4']}."
            " new: No. 18 Huaihai Road, Shanghai, Li Wei, 13900001111"
        )
        assert "Li Wei" in talk.said
        talk.say("yes")
        assert [entry["name"] for entry in talk.answer["done"]] == ["address"]
        assert "four digits" not in talk.say(f"and where is {other['number']}?")
        assert other["number"] in talk.said

    def test_another_wish_comes_next(self, bot_stack: BotStack, conversation: str) -> None:
        order = able(bot_stack, "address")
        talk = Talk(bot_stack, conversation, "en")
        start(talk, ADDRESS["en"], order)
        assert "invoice" in talk.say("and can i get an invoice for that order too")
        talk.say("Anna Lee, 13611112222, 12 Garden Road, Suzhou")
        assert "invoice" in talk.say("yes")
        assert [entry["name"] for entry in talk.answer["done"]] == ["address"]

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

    @pytest.mark.parametrize(
        ("language", "said", "title", "tax", "email"),
        [
            (
                "zh",
                ["公司的", "个人和公司有啥区别", "跟上次一样的抬头"],
                "杭州云起科技有限公司",
                "91330106MA2ABCDE1K",
                "邮箱 a@b.example",
            ),
            (
                "en",
                ["company", "what's the tax number for?", "yes"],
                "Acme Tools Ltd",
                "91310000MA1K35XX1A",
                "please mail it to a@b.example",
            ),
        ],
    )
    def test_a_company_is_asked_for_what_is_missing(
        self, bot_stack: BotStack, conversation: str, language: str, said: list[str], title: str, tax: str, email: str
    ) -> None:
        order = able(bot_stack, "invoice")
        talk = Talk(bot_stack, conversation, language)
        start(talk, INVOICE[language], order)
        for text in said:
            talk.say(text)
            assert "/affirm" not in talk.payloads, talk.said
        talk.say(title)
        assert any("no_tax" in payload for payload in talk.payloads), talk.said
        assert tax in talk.say(tax)
        assert "a@b.example" in talk.say(email)
        talk.say(YES[language])
        assert [entry["name"] for entry in talk.answer["done"]] == ["invoice"]
        assert look_up(bot_stack, order)["invoice"]["title"] == title

    def test_told_before_the_proof_is_not_asked_again(self, bot_stack: BotStack, conversation: str) -> None:
        order = able(bot_stack, "invoice")
        talk = Talk(bot_stack, conversation, "en")
        talk.say(f"invoice for {order['number']}, in the name of John Carter, email john@mail.example")
        talk.say(order["phone_last4"])
        assert "John Carter" in talk.said
        assert "john@mail.example" in talk.said
        assert "/affirm" in talk.payloads

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

    def test_any_reason_is_one_and_a_question_is_none(
        self, bot_stack: BotStack, conversation: str, language: str
    ) -> None:
        order = able(bot_stack, "return")
        talk = Talk(bot_stack, conversation, language)
        start(talk, RETURN[language], order)
        talk.say({"zh": "寄到哪啊 我自己寄还是你们来拿", "en": "is the pickup free?"}[language])
        assert ("上门" if language == "zh" else "picks it up") in talk.said
        assert any("quality" in payload for payload in talk.payloads)
        reason = {"zh": "买错了", "en": "bought the wrong one"}[language]
        assert reason in talk.say(reason)
        assert "/affirm" in talk.payloads
        talk.say({"zh": "退款要多久", "en": "how long would that take"}[language])
        assert reason in talk.answer["messages"][-1]["text"]

    def test_reason_told_with_the_wish(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        order = able(bot_stack, "return")
        talk = Talk(bot_stack, conversation, language)
        text = {"zh": "我要换货，收到就有划痕 {}", "en": "it has a scratch, i want to exchange it. {}"}[language]
        talk.say(text.format(order["number"]), order["phone_last4"])
        assert "/affirm" in talk.payloads, talk.said
        assert ("划痕" if language == "zh" else "scratch") in talk.said

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


class TestAnotherMind:
    @pytest.mark.parametrize(
        ("language", "wish", "said", "shown"),
        [
            ("zh", RETURN, ["不退了，换一个吧"], "可以换"),
            ("zh", EXCHANGE, ["还是退货吧"], "可以退"),
            ("en", RETURN, ["actually just exchange it"], "can be exchanged"),
            ("zh", RETURN, ["买错了", "还是换货吧"], "申请换货，原因：买错了"),
            ("zh", RETURN, ["那我想想", "想好了，退吧"], "原因是哪一种"),
        ],
    )
    def test_the_other_way_is_taken(
        self, bot_stack: BotStack, conversation: str, language: str, wish: dict, said: list[str], shown: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        start(talk, wish[language], able(bot_stack, "return"))
        for text in said:
            talk.say(text)
        assert shown in talk.said, talk.said


class TestReturnOfAPart:
    def test_one_thing_of_several_goes_to_a_person(self, bot_stack: BotStack, conversation: str) -> None:
        order = able(bot_stack, "return", items=2)
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("我想退货，只退其中一个")
        talk.say(order["number"])
        talk.say(order["phone_last4"])
        assert "/request_human" in talk.payloads and "整单" in talk.said, talk.said

    def test_a_reason_told_before_is_taken(self, bot_stack: BotStack, conversation: str) -> None:
        order = able(bot_stack, "return")
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("表带太硬戴着不舒服")
        start(talk, "我要退货", order)
        talk.say("原因我说过了啊")
        assert "太硬" in talk.said or "/affirm" in talk.payloads, talk.said


class TestShownOrder:
    @pytest.mark.parametrize(
        ("state", "language", "question", "answered"),
        [
            ("delayed", "zh", "为什么会延迟", "最新一条"),
            ("delayed", "en", "can you make them hurry up", "expected"),
            ("shipped", "zh", "能放驿站不", "改派"),
            ("refunded", "zh", "可是我没收到啊", "原路到账"),
            ("cancelled", "zh", "点错了，能恢复吗", "撤不回来"),
            ("shipped", "zh", "一共多少钱", "一共"),
            ("refunded", "en", "how much was it", "in all"),
            ("refunded", "zh", "退到哪张卡了", "原路退回"),
            ("refunded", "en", "which card", "the way you paid"),
            ("shipped", "zh", "能晚两天送吗", "改派"),
            ("shipped", "zh", "快递能不能放门口", "改派"),
            ("paid", "zh", "准吗", "预计"),
            ("unpaid", "zh", "我要付款", "我的订单"),
            ("unpaid", "zh", "哦我忘付款了，还能付吗", "我的订单"),
            ("unpaid", "en", "how do i pay", "My orders"),
        ],
    )
    def test_what_is_asked_next_is_answered(
        self, bot_stack: BotStack, conversation: str, state: str, language: str, question: str, answered: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        start(talk, {"zh": "查订单", "en": "track my order"}[language], find(bot_stack, state))
        talk.say(question)
        assert answered in talk.said and "/request_human" in talk.payloads, talk.said

    @pytest.mark.parametrize("text", ["我要付款", "还能付吗"])
    def test_paying_is_no_cancellation(self, bot_stack: BotStack, conversation: str, text: str) -> None:
        order = find(bot_stack, "unpaid")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, text, order)
        assert "/affirm" not in talk.payloads and "点开这一单" in talk.said, talk.said
        start(talk, CANCEL["zh"], order)
        talk.say("怎么付")
        assert "/affirm" not in talk.payloads and "点开这一单" in talk.said, talk.said

    def test_the_same_state_is_not_told_twice(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        told = start(talk, "查订单", find(bot_stack, "shipped"))
        talk.say("到哪了")
        assert talk.said != told and "没有新的变化" in talk.said

    def test_a_refund_nobody_asked_for_goes_to_a_person(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, "查订单", find(bot_stack, "refunded"))
        talk.say("不是我申请的退款")
        assert talk.answer["handoff"]["reason"] == "policy_topic"


@pytest.mark.parametrize(("language", "ask"), [("zh", "退款到哪了"), ("en", "what is the status of my refund")])
class TestRefund:
    def test_refunded_names_the_sum(self, bot_stack: BotStack, conversation: str, language: str, ask: str) -> None:
        order = find(bot_stack, "refunded")
        talk = Talk(bot_stack, conversation, language)
        told = start(talk, ask, order)
        assert f"{order['refund']['amount']:.2f}".removesuffix(".00") in told


class TestSeveralOrders:
    def test_each_goes_with_its_own_clause(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "unpaid", "paid", "packed", allowed="cancel")
        kept = find(bot_stack, "delayed")
        talk = Talk(bot_stack, conversation, "zh")
        talk.say(f"{order['number']} {order['phone_last4']} 取消，{kept['number']} 先留着")
        assert order["number"] in talk.said
        assert kept["number"] not in talk.said
        talk.say("确认")
        assert look_up(bot_stack, order)["status"] == "cancelled"
        assert kept["number"] not in talk.said

    @pytest.mark.parametrize(
        ("language", "text"),
        [("zh", "两个订单{}和{}都帮我看看到哪了 {}"), ("en", "where are {} and {}? my phone ends {}")],
    )
    def test_both_are_answered(self, bot_stack: BotStack, conversation: str, language: str, text: str) -> None:
        first, second = same_customer(bot_stack)
        talk = Talk(bot_stack, conversation, language)
        talk.say(text.format(first["number"], second["number"], first["phone_last4"]))
        assert first["number"] in talk.said
        assert second["number"] in talk.said

    def test_which_one_is_asked(self, bot_stack: BotStack, conversation: str) -> None:
        first, second = same_customer(bot_stack)
        talk = Talk(bot_stack, conversation, "en")
        talk.say(f"cancel one of these: {first['number']} and {second['number']}, {first['phone_last4']}")
        assert first["number"] in talk.press(first["number"])
        assert second["number"] not in talk.said

    def test_what_else_was_told_comes_up_afterwards(self, bot_stack: BotStack, conversation: str) -> None:
        order = take(bot_stack, "unpaid", "paid", "packed", allowed="cancel")
        talk = Talk(bot_stack, conversation, "en")
        start(talk, "cancel my order please and also my band 2 strap broke", order)
        talk.say("yes")
        assert look_up(bot_stack, order)["status"] == "cancelled"
        assert "strap" in talk.said


def same_customer(stack: BotStack) -> tuple[dict, dict]:
    """Two orders that the same digits open."""
    by_digits: dict[str, list[dict]] = {}
    for order in orders(stack):
        by_digits.setdefault(order["phone_last4"], []).append(order)
    first, second = next(found for found in by_digits.values() if len(found) > 1)[:2]
    return first, second


class TestBesideTheForm:
    """What is told while the order is looked for changes no wish."""

    @pytest.mark.parametrize(("wish", "told"), [("我要退货", "不想要了"), ("发票怎么开", "已经收到货了")])
    def test_a_reason_or_a_receipt_is_no_other_wish(
        self, bot_stack: BotStack, conversation: str, wish: str, told: str
    ) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say(wish)
        said = talk.say(told)
        assert "取消" not in said and "没收到" not in said and "订单号" in said

    @pytest.mark.parametrize(
        ("language", "wish", "told"), [("en", "where's my order?", "I don't have the number with me")]
    )
    def test_without_the_number_it_is_told_where_it_stands(
        self, bot_stack: BotStack, conversation: str, language: str, wish: str, told: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(wish)
        assert "My orders" in talk.say(told)
        assert "/request_human" in talk.payloads

    @pytest.mark.parametrize(
        ("language", "wish", "asked", "told"),
        [
            ("zh", "查订单", "用手机号可以查吗", "只凭手机号查不了"),
            ("en", "where's my order?", "can you find it by phone number?", "phone number alone"),
        ],
    )
    def test_a_phone_number_alone_opens_nothing(
        self, bot_stack: BotStack, conversation: str, language: str, wish: str, asked: str, told: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(wish)
        assert told in talk.say(asked)

    def test_an_address_that_comes_too_late_goes_to_a_person_with_it(
        self, bot_stack: BotStack, conversation: str
    ) -> None:
        order = find(bot_stack, "shipped")
        talk = Talk(bot_stack, conversation, "zh")
        start(talk, "帮我改下地址", order)
        assert "改派" in talk.say("改成上海市浦东新区示例路1号")
        assert "/request_human" in talk.payloads


class TestSeveralWishes:
    @pytest.mark.parametrize(
        ("language", "text", "asked", "question"),
        [
            ("zh", "查一下 {number} {phone} 到哪了，顺便帮我开个发票，还有问下保修多久", "抬头", "保修多久"),
            ("en", "two things: where is {number}, {phone}, and I need an invoice", "Who is it for", None),
        ],
    )
    def test_one_after_the_other(
        self, bot_stack: BotStack, conversation: str, language: str, text: str, asked: str, question: str | None
    ) -> None:
        order = able(bot_stack, "invoice")
        talk = Talk(bot_stack, conversation, language)
        said = talk.say(text.format(number=order["number"], phone=order["phone_last4"]))
        assert order["number"] in said and asked in said
        talk.say("个人" if language == "zh" else "personal")
        talk.press("/deny")
        assert question is None or question in talk.said



class TestParcels:
    @pytest.mark.parametrize(
        ("language", "state", "told", "wish"),
        [
            ("zh", "delivered", "少发了一个", "补发就行不用退"),
            ("zh", "delivered", "显示已签收但是我没收到", "那给我重新发一个吧"),
            ("zh", "lost", "我的包裹丢了", "补发"),
            ("en", "delivered", "one piece is missing", "just send me another one"),
            ("en", "lost", "my parcel got lost", "just send me another one"),
        ],
    )
    def test_only_a_person_sends_again(
        self, bot_stack: BotStack, conversation: str, language: str, state: str, told: str, wish: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        start(talk, told, find(bot_stack, state))
        talk.say(wish)
        assert (talk.answer["handoff"] or {}).get("reason") == "policy_topic", talk.said

    @pytest.mark.parametrize(
        ("language", "told"), [("zh", "少发了一个"), ("en", "one of the two is missing from the box, i took pictures")]
    )
    def test_something_missing(self, bot_stack: BotStack, conversation: str, language: str, told: str) -> None:
        order = find(bot_stack, "delivered")
        talk = Talk(bot_stack, conversation, language)
        talk.say(f"{told} {order['number']} {order['phone_last4']}")
        assert ("少了哪一样" if language == "zh" else "what is missing") in talk.said
        talk.say({"zh": "我拍了照片", "en": "i have photos"}[language])
        assert any("no_photo" in payload for payload in talk.payloads), talk.said

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
