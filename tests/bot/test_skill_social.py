"""Small talk, complaints, persons, what is not understood, and product advice."""

from __future__ import annotations

import pytest

from bot.actions import words
from tests.bot.conftest import BotStack
from tests.bot.skill_talk import Talk, shop


class TestSmallTalk:
    @pytest.mark.parametrize(
        ("language", "text", "intent"),
        [
            ("zh", "你好", "greet"),
            ("en", "hello there", "greet"),
            ("zh", "谢谢你", "thank"),
            ("en", "thank you so much", "thank"),
            ("zh", "再见", "goodbye"),
            ("en", "bye bye", "goodbye"),
            ("zh", "你能做什么", "capabilities"),
            ("en", "what can you do", "capabilities"),
            ("zh", "今天天气怎么样", "out_of_scope"),
            ("en", "write me a poem about the sea", "out_of_scope"),
            ("zh", "你吃饭了吗", "chitchat"),
            ("en", "do you like music", "chitchat"),
        ],
    )
    def test_answers_politely_without_handing_over(
        self, bot_stack: BotStack, conversation: str, language: str, text: str, intent: str
    ) -> None:
        talk = Talk(bot_stack, conversation)
        talk.say(text)
        assert talk.answer["nlu"][0]["intent"] == intent
        assert talk.answer["language"] == language
        assert len(talk.answer["messages"]) == 1
        assert talk.answer["handoff"] is None

    @pytest.mark.parametrize(
        ("text", "honest"), [("你是真人吗", "不是真人"), ("are you a real person?", "not a person")]
    )
    def test_never_claims_to_be_a_person(self, bot_stack: BotStack, conversation: str, text: str, honest: str) -> None:
        assert honest in Talk(bot_stack, conversation).say(text)

    @pytest.mark.parametrize("text", ["你能做什么", "what can you do"])
    def test_capabilities_lead_on_by_buttons(self, bot_stack: BotStack, conversation: str, text: str) -> None:
        talk = Talk(bot_stack, conversation)
        talk.say(text)
        assert {"/track_order", "/device_problem", "/request_human"} <= set(talk.payloads)
        assert "LM" in talk.press("/track_order")


class TestServiceHours:
    @pytest.mark.parametrize(
        ("language", "text"),
        [
            ("zh", "你们几点上班"),
            ("zh", "请问周末你们休息吗"),
            ("zh", "真人客服几点下班"),
            ("en", "Are you open on sunday?"),
            ("en", "what hours are your agents available"),
        ],
    )
    def test_who_asks_when_people_are_on_duty_is_told(
        self, bot_stack: BotStack, conversation: str, language: str, text: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        assert words.words("utter_capabilities/service_hours", language).text in talk.say(text)
        assert talk.payloads == ["/request_human"]
        assert talk.answer["handoff"] is None

    def test_it_is_told_while_an_order_is_looked_for_too(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("帮我查一下快递")
        said = talk.say("对了，你们周末上班不")
        assert words.words("utter_capabilities/service_hours", "zh").text in said
        assert "订单号" in said


def test_every_greeting_says_who_greets() -> None:
    for language, name in (("zh", "小墨"), ("en", "Momo")):
        assert all(name in entry["text"] for entry in words.variations("utter_greet", language))


class TestPerson:
    @pytest.mark.parametrize("text", ["转人工", "我要跟真人说话", "let me talk to a human", "I want a real person"])
    def test_goes_at_once(self, bot_stack: BotStack, conversation: str, text: str) -> None:
        talk = Talk(bot_stack, conversation)
        talk.say(text)
        assert talk.answer["handoff"]["reason"] == "asked_for_person"
        assert len(talk.answer["messages"]) <= 1

    def test_last_words_name_the_trouble(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh", {"device_model": "band-2", "os": "android"})
        talk.say("手环步数一直是0")
        assert "步数一直为 0" in talk.say("转人工吧")
        assert len(talk.answer["messages"]) == 1


class TestComplaint:
    @pytest.mark.parametrize(
        ("language", "text"), [("zh", "我对你们的服务不太满意"), ("en", "I am not very happy with your service")]
    )
    def test_is_heard_first_and_offers_a_person(
        self, bot_stack: BotStack, conversation: str, language: str, text: str
    ) -> None:
        talk = Talk(bot_stack, conversation)
        said = talk.say(text)
        if talk.answer["handoff"]:
            assert talk.answer["handoff"]["reason"] in ("emotion", "policy_topic")
            return
        assert ("对不起" if language == "zh" else "sorry") in said
        assert "/request_human" in talk.payloads


    @pytest.mark.parametrize(
        ("language", "text"), [("zh", "都等了半个月了"), ("en", "waited three weeks already, useless")]
    )
    def test_who_only_says_how_long_it_takes_is_heard(
        self, bot_stack: BotStack, conversation: str, language: str, text: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        said = talk.say(text)
        assert talk.answer["handoff"] or ("/request_human" in talk.payloads and ("对不起" in said or "sorry" in said))


class TestNotUnderstood:
    def test_one_question_with_choices_then_a_person(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("asdkjh qweoiu")
        assert talk.answer["handoff"] is None
        assert 2 <= len(talk.payloads) <= 4
        assert all(title and "/" not in title and "_" not in title for title in talk.titles)
        first = talk.said
        talk.say("zxcvb mnbvc")
        handed_over = talk.answer["handoff"] and talk.answer["handoff"]["reason"] == "repeated_failure"
        assert handed_over or ("/request_human" in talk.payloads and talk.said != first)

    def test_bare_order_number_starts_tracking(self, bot_stack: BotStack, conversation: str) -> None:
        assert "LM2611180000" in Talk(bot_stack, conversation, "zh").say("LM2611180000")

    def test_bare_file_is_acknowledged(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "en")
        assert "picture" in talk.say({"attachment": {"name": "photo.png", "type": "image/png"}})
        assert talk.payloads


class TestAdvice:
    @pytest.mark.parametrize(("language", "ask"), [("zh", "帮我推荐一款产品吧"), ("en", "which product suits me?")])
    def test_choices_then_one_recommendation_with_price(
        self, bot_stack: BotStack, conversation: str, language: str, ask: str
    ) -> None:
        devices = shop(bot_stack, "GET", "/devices")["devices"]
        talk = Talk(bot_stack, conversation, language)
        talk.say(ask)
        talk.press("sport")
        told = talk.press("low")
        named = [device for device in devices if device["name"][language] in told]
        assert len(named) == 1
        assert named[0]["category"] in ("band", "watch")
        assert named[0]["for_sale"]
        assert f"{named[0]['price']:.2f}".removesuffix(".00") in told
        assert float(named[0]["price"]) <= 300

    def test_what_is_said_is_not_asked(self, bot_stack: BotStack, conversation: str) -> None:
        told = Talk(bot_stack, conversation, "en").say("which router should I buy for my flat?")
        assert "Lanmo Router AX3" in told

    def test_price_of_a_named_device(self, bot_stack: BotStack, conversation: str) -> None:
        devices = shop(bot_stack, "GET", "/devices")["devices"]
        price = next(device["price"] for device in devices if device["model"] == "watch-pro")
        assert f"{price:.0f}" in Talk(bot_stack, conversation, "zh").say("手表Pro多少钱")

    def test_a_question_in_between_and_leaving(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("帮我推荐一款产品吧")
        talk.say("保修多久")
        assert any("choice" in payload for payload in talk.payloads)
        talk.say("算了不选了")
        assert not any("choice" in payload for payload in talk.payloads)


class TestTwoWishes:
    @pytest.mark.parametrize(
        ("text", "named", "payload"),
        [
            ("一般发货后几天能送到？另外发票怎么开", "您还问了", "/invoice"),
            ("how long is the warranty? also, how do I update the firmware", "You also asked", "/firmware_update"),
        ],
    )
    def test_the_second_is_named_and_one_press_away(
        self, bot_stack: BotStack, conversation: str, text: str, named: str, payload: str
    ) -> None:
        talk = Talk(bot_stack, conversation)
        assert named in talk.say(text)
        assert talk.answer["handoff"] is None
        assert talk.press(payload)


class TestComparedDevices:
    @pytest.mark.parametrize(
        ("language", "asked", "names", "prices"),
        [
            ("zh", "手环2和3有啥区别", ("澜墨手环 2", "澜墨手环 3"), ("149", "229")),
            ("en", "band 2 vs band 3?", ("Lanmo Band 2", "Lanmo Band 3"), ("149", "229")),
            ("en", "compare watch and watch pro pls", ("Lanmo Watch,", "Lanmo Watch Pro"), ("599", "1299")),
        ],
    )
    def test_both_with_their_prices(
        self,
        bot_stack: BotStack,
        conversation: str,
        language: str,
        asked: str,
        names: tuple[str, str],
        prices: tuple[str, str],
    ) -> None:
        told = Talk(bot_stack, conversation, language).say(asked)
        assert all(name in told for name in names), told
        assert all(price in told for price in prices), told

    def test_the_product_named_decides(self, bot_stack: BotStack, conversation: str) -> None:
        told = Talk(bot_stack, conversation, "zh").say("想买个能打电话的表，老人用的，六百以内")
        assert "澜墨手表" in told
        assert "摄像头" not in told

    def test_a_question_after_the_recommendation(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "en")
        assert "Lanmo Watch" in talk.say("recommend a sport watch under 700")
        assert "Lanmo Watch" in talk.say("and water proof?")
        assert not any("choice" in payload for payload in talk.payloads)

    def test_warranty_is_worked_out(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "en")
        assert "still under warranty" in talk.say("is my watch pro still under warranty? bought march last year")
        assert "ended" in talk.say("and my band 2, bought in march 2024, is it under warranty?")
