"""Answers: firmware how-tos with the shop's versions, policy with the shop's figures, never the same text twice."""

from __future__ import annotations

import pytest

from tests.bot.conftest import BotStack
from tests.bot.skill_talk import Talk, shop


class TestFirmware:
    @pytest.mark.parametrize(
        ("language", "question"),
        [
            ("zh", "手环2怎么升级固件"),
            ("en", "how do I update the firmware of my Band 2"),
            ("zh", "固件版本在哪看"),
            ("en", "where can I see the firmware version"),
            ("zh", "固件升级失败了怎么办"),
            ("en", "the firmware update failed"),
            ("zh", "升级卡在传输99%不动"),
            ("en", "the update is stuck at transferring"),
            ("zh", "能退回旧版本固件吗"),
            ("en", "can I go back to the old firmware"),
        ],
    )
    def test_answers_in_one_message(self, bot_stack: BotStack, conversation: str, language: str, question: str) -> None:
        talk = Talk(bot_stack, conversation)
        told = talk.say(question)
        assert talk.answer["language"] == language
        assert talk.answer["nlu"][0]["intent"].startswith("firmware_update")
        assert len(talk.answer["messages"]) == 1
        assert "{" not in told
        assert not talk.answer["handoff"]

    @pytest.mark.parametrize(
        ("language", "question"),
        [("zh", "手环3最新版本更新了什么"), ("en", "what's new in the latest Band 3 firmware")],
    )
    def test_whats_new_comes_from_the_shop(
        self, bot_stack: BotStack, conversation: str, language: str, question: str
    ) -> None:
        newest = shop(bot_stack, "GET", "/devices/band-3/firmware")["versions"][0]
        told = Talk(bot_stack, conversation, language).say(question)
        assert newest["version"] in told
        assert all(note in told for note in newest["notes"][language])

    def test_whats_new_in_an_older_version(self, bot_stack: BotStack, conversation: str) -> None:
        versions = shop(bot_stack, "GET", "/devices/band-2/firmware")["versions"]
        older = versions[1]
        told = Talk(bot_stack, conversation, "zh").say(f"手环2的{older['version']}更新了什么内容")
        assert all(note in told for note in older["notes"]["zh"])

    def test_whats_new_asks_for_the_device_by_buttons(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("最新版固件更新了什么")
        newest = shop(bot_stack, "GET", "/devices/camera-c1/firmware")["versions"][0]
        assert newest["version"] in talk.press("camera-c1")

    @pytest.mark.parametrize(("language", "question"), [("zh", "怎么升级固件"), ("en", "how to update the firmware")])
    def test_never_the_same_explanation_twice(
        self, bot_stack: BotStack, conversation: str, language: str, question: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        told = []
        for _ in range(3):
            told.append(talk.say(question))
            if talk.answer["handoff"]:
                break
        assert len(set(told)) == len(told)
        assert talk.answer["handoff"] or "/request_human" in talk.payloads


class TestPolicy:
    @pytest.mark.parametrize(
        ("language", "question", "path"),
        [
            ("zh", "一般几天能送到", ("delivery", "days_city")),
            ("en", "how long does delivery take", ("delivery", "days_city")),
            ("zh", "运费多少钱", ("delivery", "free_over")),
            ("en", "how much is shipping", ("delivery", "free_over")),
            ("zh", "退货规则是什么", ("return", "conditions")),
            ("en", "what is your return policy", ("return", "conditions")),
            ("zh", "保修多久", ("warranty", "conditions")),
            ("en", "how long is the warranty", ("warranty", "conditions")),
        ],
    )
    def test_figures_are_the_shops(
        self, bot_stack: BotStack, conversation: str, language: str, question: str, path: tuple[str, str]
    ) -> None:
        value = shop(bot_stack, "GET", "/policies")[path[0]][path[1]]
        told = Talk(bot_stack, conversation).say(question)
        assert str(value[language] if isinstance(value, dict) else value) in told
        assert "{" not in told

    @pytest.mark.parametrize(("language", "question"), [("zh", "你们用什么快递"), ("en", "which courier do you use")])
    def test_couriers(self, bot_stack: BotStack, conversation: str, language: str, question: str) -> None:
        couriers = shop(bot_stack, "GET", "/policies")["delivery"]["couriers"]
        told = Talk(bot_stack, conversation).say(question)
        assert all(courier[language] in told for courier in couriers)


class TestFollowUps:
    """Short questions that only the answer before them explains."""

    @pytest.mark.parametrize(
        ("language", "first", "then", "told"),
        [
            ("zh", "保修多久", "电池呢", "6 个月"),
            ("zh", "保修多久", "人为损坏呢", "付费维修"),
            ("zh", "退货政策是什么", "拆开用过了还能退吗", "拆开试过也可以退"),
            ("en", "how long is the warranty", "and the battery?", "6 months"),
            ("en", "what's your return policy", "but I opened it", "Opened and tried is fine"),
            ("zh", "固件怎么升级", "手环3", "2.1."),
            ("en", "how do I update the band", "android", "The steps are the same"),
        ],
    )
    def test_are_answered(
        self, bot_stack: BotStack, conversation: str, language: str, first: str, then: str, told: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(first)
        assert told in talk.say(then)

    @pytest.mark.parametrize(
        ("language", "text", "told"),
        [("zh", "手环能不能防水游泳", "防水"), ("en", "can I swim with the band", "Water")],
    )
    def test_what_a_kind_of_device_can_do(
        self, bot_stack: BotStack, conversation: str, language: str, text: str, told: str
    ) -> None:
        assert told in Talk(bot_stack, conversation, language).say(text)
