"""What a summary reads in the words themselves: steps tried, promises made, needs, and answers to what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from handoff.summary.writing import summary
from tests.handoff.summary_stories import Story


def written(story: Story, language: str = "zh") -> dict[str, Any]:
    """The summary of a story."""
    return summary(story.record(), language)


class TestTried:
    """Steps told in words."""

    @pytest.mark.parametrize(
        "words",
        [
            "路由器我拔过电源了",
            "换了三根线都不行",
            "I already swapped the cable",
            "unplugged it, no change",
            "昨天打客服电话没人接",
            "restart了两次",
            "照着说明书弄了一遍",
        ],
    )
    def test_what_was_done_is_quoted(self, words: str) -> None:
        story = Story()
        story.customer(words)
        [step] = written(story)["tried"]
        assert step["quote"] in words and step["seq"] == 1

    @pytest.mark.parametrize(
        "words",
        [
            "没重启过",
            "要不要换线",
            "你们换了快递吧",
            "怎么关掉",
            "should I have reset it?",
            "现在都4点半了",
            "我不退了",
        ],
    )
    def test_what_was_not_done_is_not(self, words: str) -> None:
        story = Story()
        story.customer(words)
        assert written(story)["tried"] == []

    @pytest.mark.parametrize(
        ("step", "reply"),
        [
            ("请长按电源键十秒。", "按了 灯还是红的"),
            ("Please turn the lamp off and on.", "still flickers"),
            ("请看一下电池盖有没有关。", "关着呢"),
        ],
    )
    def test_an_answer_to_a_step_counts(self, step: str, reply: str) -> None:
        story = Story()
        story.customer("坏了")
        story.bot(step)
        seq = story.customer(reply)
        assert [(one["quote"], one["seq"]) for one in written(story)["tried"]] == [(reply, seq)]

    @pytest.mark.parametrize("reply", ["我不想再试了", "为什么要这样？", "转人工", "LM2611030042", "I want my money"])
    def test_a_refusal_or_something_else_does_not(self, reply: str) -> None:
        story = Story()
        story.customer("坏了")
        story.bot("请长按电源键十秒。")
        story.customer(reply)
        assert written(story)["tried"] == []


class TestPromises:
    """Promises made in words."""

    @pytest.mark.parametrize(
        ("words", "due"),
        [
            ("仓库明天 15:00 前给您补发。", "2026-11-22T07:00:00.000Z"),
            ("A colleague will call you within 2 hours.", "2026-11-21T08:30:00.000Z"),
            ("I'll email you by 5 p.m. today.", "2026-11-21T09:00:00.000Z"),
            ("同事会跟您确认金额。", None),
        ],
    )
    def test_kept_with_their_time(self, words: str, due: str | None) -> None:
        story = Story()
        seq = story.agent(words)
        [promise] = written(story)["promises"]
        assert (promise["quote"], promise["seq"], promise["due_at"]) == (words, seq, due)

    @pytest.mark.parametrize(
        "words",
        [
            "如果坏了，我们明天给您换。",
            "要不要我给您打电话？",
            "我帮您转接同事。",
            "If it fails again, we will replace it tomorrow.",
            "A colleague will take over now.",
            "周五没回您，是我们失约了。",
            "请明天 9 点前把手环充满电。",
        ],
    )
    def test_offers_conditions_and_failures_are_none(self, words: str) -> None:
        story = Story()
        story.bot(words)
        assert written(story)["promises"] == []

    def test_what_the_customer_says_is_no_promise(self) -> None:
        story = Story()
        story.customer("我明天 9 点前给您回复")
        assert written(story)["promises"] == []


class TestNeeds:
    """Wishes and stakes in no phrase of the designers."""

    @pytest.mark.parametrize(
        "words",
        ["我闺女靠它写作业", "别打我电话", "下周要出差用", "I need it for my race", "my mother is alone at home"],
    )
    def test_they_are_kept_in_own_words(self, words: str) -> None:
        story = Story()
        story.customer(words)
        [hope] = written(story)["hopes"]
        assert (hope["quote"], hope["text"], hope["seq"]) == (words, f"“{words}”", 1)


class TestAnswers:
    """What a bare answer says, and which trouble is the customer's."""

    def test_digits_of_the_phone_with_a_correction(self) -> None:
        story = Story()
        story.bot("请告诉我手机号后四位。")
        seq = story.customer("3021，不对，是3012")
        facts = {fact["name"]: fact for fact in written(story)["facts"]}
        assert (facts["phone_last4"]["value"], facts["phone_last4"]["source"]) == ("3012", {"seq": seq})

    def test_which_model(self) -> None:
        story = Story()
        first = story.customer("我的手表连不上", "device_problem/sync")
        story.fact("product", "watch", "手表", first)
        story.bot("请问是手表还是手表 Pro？")
        seq = story.customer("pro")
        facts = {fact["name"]: fact for fact in written(story)["facts"]}
        assert (facts["device_model"]["value"], facts["device_model"]["source"]) == ("watch-pro", {"seq": seq})

    def test_the_first_trouble_stays_and_one_more_is_added(self) -> None:
        story = Story()
        first = story.customer("手环充不进电", "device_problem/charging")
        story.fact("symptom", "充不进电", "充不进电", first)
        story.bot("充电口有没有脏？")
        later = story.customer("灯是红的", "device_problem/lamp")
        story.fact("symptom", "台灯闪烁或不亮", "灯是红的", later)
        assert [fact["value"] for fact in written(story)["facts"] if fact["name"] == "symptom"] == ["充不进电"]
        more = story.customer("而且现在屏幕也不亮了", "device_problem/screen")
        story.fact("symptom", "屏幕不亮", "屏幕也不亮了", more)
        [symptom] = [fact for fact in written(story)["facts"] if fact["name"] == "symptom"]
        assert symptom["value"] == "屏幕不亮" and [row["value"] for row in symptom["history"]] == ["充不进电"]

    def test_trouble_without_a_name_is_told_in_own_words(self) -> None:
        story = Story()
        story.customer("秤上的字全是倒着的，不对劲", "device_problem/other")
        [symptom] = written(story)["facts"]
        assert symptom["value"] == symptom["quote"] == "秤上的字全是倒着的，不对劲"
