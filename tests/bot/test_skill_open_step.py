"""While a step is open: what an answer to it means, and what is credited, repeated, explained or passed over."""

from __future__ import annotations

import pytest
import yaml

from bot.actions.catalogue import step_titles
from tests.bot.conftest import BotStack
from tests.bot.guides import FIRMWARE, first_steps, guide, known, step_text
from tests.bot.skill_talk import Talk


class TestOpenStep:
    """A step counts as tried only when the customer says so."""

    @pytest.mark.parametrize(
        ("start", "topic", "language", "between"),
        [
            ("手环2步数不准", "steps_wrong", "zh", ("1.0.0.45", "不对,是手环3")),
            ("手表充不进电", "charging", "zh", ("买了半年了", "手表pro")),
            ("lamp flickers like mad when i dim it below 20%", "lamp_flicker", "en", ("desk lamp L1",)),
            ("手环2掉电快", "battery_drain", "zh", ("1.0.0.45",)),
        ],
    )
    def test_a_fact_leaves_it_open(
        self, bot_stack: BotStack, conversation: str, start: str, topic: str, language: str, between: tuple[str, ...]
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        first, second = first_steps(topic, language)[:2]
        assert first in talk.say(start)
        for fact in between:
            told = talk.say(fact)
            assert second not in told, fact
            assert any("unsolved" in payload for payload in talk.payloads), fact
        assert second in talk.press("unsolved")

    @pytest.mark.parametrize(
        ("language", "start", "topic", "said"),
        [
            ("zh", "台灯连不上网", "lamp_offline", ("我在外面 晚上回去看", "谢谢", "做完了", "不知道")),
            ("en", "the lamp flickers", "lamp_flicker", ("ok wait", "thanks", "yep did that", "since monday")),
        ],
    )
    def test_waiting_thanks_and_done_leave_it_open(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, topic: str, said: tuple[str, ...]
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        first, second = first_steps(topic, language)[:2]
        assert first in talk.say(start)
        for text in said:
            assert second not in talk.say(text), text
            assert any("unsolved" in payload for payload in talk.payloads), text
        assert second in talk.press("unsolved")

    @pytest.mark.parametrize(
        ("language", "start", "questions"),
        [
            ("zh", "台灯连不上网", ("怎么拔电啊 是拔插座那头吗", "看不懂")),
            ("en", "the lamp flickers", ("should i use the app for that or the knob?", "i don't get it")),
        ],
    )
    def test_a_question_is_explained_and_then_a_person_offered(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, questions: tuple[str, str]
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        step = talk.say(start).splitlines()[-1]
        told = talk.say(questions[0])
        assert step in told
        assert len(told) > len(step) + 20
        talk.say(questions[1])
        assert "/request_human" in talk.payloads
        assert any("unsolved" in payload for payload in talk.payloads)

    def test_what_it_asked_to_look_at_goes_on(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("台灯连不上网")
        told = talk.say("慢闪")
        assert first_steps("lamp_offline", "zh")[1] in told
        assert guide("lamp_flicker")["acknowledge"]["zh"] not in told

    @pytest.mark.parametrize(
        ("start", "said", "other"),
        [
            ("手环2步数一直是0", "两个手机都试过了", "multi_phone"),
            (
                "my camera keeps going offline",
                "moved it closer to the router and changed the wifi channel",
                "router_slow",
            ),
        ],
    )
    def test_steps_told_are_no_new_trouble(
        self, bot_stack: BotStack, conversation: str, start: str, said: str, other: str
    ) -> None:
        talk = Talk(bot_stack, conversation)
        talk.say(start)
        told = talk.say(said)
        assert guide(other)["acknowledge"][talk.answer["language"]] not in told
        assert not [fact for fact in talk.answer["facts"] if fact["name"] in ("symptom", "product", "device_model")]

    def test_a_denied_trouble_is_not_the_trouble(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("摄像头转不动了")
        assert guide("camera_night")["acknowledge"]["zh"] not in talk.say("不是晚上的问题，是电机")

    @pytest.mark.parametrize(
        ("start", "step"),
        [
            ("台灯连不上网，拔了插也试了，重置也试了", ("lamp_offline", "restart_device")),
            ("路由器断网，还换了根网线，恢复出厂也弄了一次，固件1.1.24.0", ("router_offline", "other_cable")),
            ("体脂秤称重不准，换了新电池，固件1.3.0.5", ("scale_drift", "charge_full")),
        ],
    )
    def test_what_was_told_in_other_words_is_not_proposed(
        self, bot_stack: BotStack, conversation: str, start: str, step: tuple[str, str]
    ) -> None:
        topic, code = step
        text = next(one["zh"] for one in guide(topic)["steps"] if one["code"] == code)
        talk = Talk(bot_stack, conversation, "zh")
        said = [talk.say(start)]
        while not talk.answer["promises"] and not talk.answer["handoff"] and len(said) < 10:
            said.append(
                talk.press(next(part for part in ("unsolved", "unknown", "inform") if part in str(talk.payloads)))
            )
        assert text not in "\n".join(said)

    @pytest.mark.parametrize(
        ("language", "start", "done"),
        [
            ("zh", "体脂秤升级失败，报104，App更新过，手机重启过", "你说的都做过了"),
            (
                "en",
                "scale update keeps failing, i've updated the app, restarted my phone. error 104",
                "done it all",
            ),
        ],
    )
    def test_a_failing_update_skips_what_was_done_and_is_filed(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, done: str
    ) -> None:
        content = yaml.safe_load((FIRMWARE / "update_failed.yml").read_text(encoding="utf-8"))
        steps = {step["code"]: step[language] for step in content["steps"]}
        talk = Talk(bot_stack, conversation, language)
        told = talk.say(start)
        assert steps["update_app"] not in told
        assert steps["restart_phone"] not in told
        talk.say(done)
        assert talk.answer["promises"] or talk.answer["handoff"]


ONE_STEP = {"zh": "台灯一直闪", "en": "the lamp keeps flickering"}


class TestAnswersToTheOpenStep:
    """What has no wish of its own is an answer, and nothing undone is credited."""

    @pytest.mark.parametrize(
        ("language", "start", "topic", "said"),
        [
            ("zh", "手表进水了，昨天游泳戴的，现在屏幕里面有雾", "water", ("没充电", "没充电，一直关着机")),
            ("zh", "手表触摸屏失灵，划不动", "touch_screen", ("没贴膜", "没摔过")),
            ("zh", "手表耗电快", "battery_drain", ("亮度已经最低了", "没重启过", "常亮也关了")),
            ("zh", "台灯一直闪", "lamp_flicker", ("没试过换插座", "台灯先说", "先不弄了")),
            ("en", "the lamp flickers", "lamp_flicker", ("I haven't tried that", "no I didn't change anything")),
        ],
    )
    def test_a_statement_leaves_it_open(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, topic: str, said: tuple[str, ...]
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        first, second = first_steps(topic, language)[:2]
        before = talk.say(start)
        assert first in before
        for text in said:
            told = talk.say(text)
            assert told != before, text
            assert second not in told, text
            assert any("unsolved" in payload for payload in talk.payloads), text
            before = told

    def test_no_step_after_water_asks_to_charge(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        said = [talk.say("手环进水了"), talk.say("现在触摸屏失灵，划不动")]
        while not talk.answer["promises"] and not talk.answer["handoff"] and len(said) < 10:
            said.append(
                talk.press(next(part for part in ("unsolved", "unknown", "inform") if part in str(talk.payloads)))
            )
        for text in ("放到充电器上", "先充", "充到", "充满"):
            assert text not in "\n".join(said)

    @pytest.mark.parametrize(
        ("language", "start", "said", "answer"),
        [("zh", "手表进水了", "可以充电吗", "先别充"), ("en", "my band got wet", "can I charge it?", "Please don't")],
    )
    def test_a_wet_device_may_not_be_charged(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, said: str, answer: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(start)
        assert answer in talk.say(said)

    def test_a_step_done_in_its_own_verb_is_asked_for_its_outcome(
        self, bot_stack: BotStack, conversation: str
    ) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        first = talk.say("手表进水了")
        told = talk.say("晾了一天了")
        assert first.splitlines()[-1] not in told
        assert any("unsolved" in payload for payload in talk.payloads)

    @pytest.mark.parametrize(
        ("language", "start", "said"),
        [
            ("zh", "手表充不进电", ("擦过了",)),
            ("zh", "手表充不进电", ("擦了", "充电头也换过了")),
            ("en", "my watch won't charge", ("already wiped it",)),
            ("en", "my watch won't charge", ("cleaned it", "tried another cable and plug")),
        ],
    )
    def test_what_was_done_is_credited_and_never_asked_for_again(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, said: tuple[str, ...]
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        first = first_steps("charging", language)[0]
        assert first in talk.say(start)
        told = [talk.say(text) for text in said]
        assert not any(first in one for one in told)
        assert step_titles()["clean_contacts"][language] in told[-1]

    def test_changed_and_the_same_is_an_outcome(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("台灯一直闪")
        assert first_steps("lamp_flicker", "zh")[1] in talk.say("换了插座还闪")

    @pytest.mark.parametrize(
        ("language", "start", "asked", "told"),
        [
            ("zh", "手环2 iPhone 13 固件1.0.0.39 步数一直是0", "什么时候能修好", "1.0.0.45"),
            ("zh", "台灯一直闪", "什么时候能修好啊，给个准信", "报给研发"),
            ("en", "Band 2 on my iPhone shows 0 steps, firmware 1.0.0.39", "when will it be fixed", "1.0.0.45"),
        ],
    )
    def test_by_when_it_is_over_is_told_as_far_as_it_is_known(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, asked: str, told: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(start)
        assert told in talk.say(asked)
        assert any("unsolved" in payload for payload in talk.payloads)

    @pytest.mark.parametrize("said", ["开不了机", "充电也没反应", "升级后就开不了机了"])
    def test_a_wet_device_is_never_to_be_put_on_power(
        self, bot_stack: BotStack, conversation: str, said: str
    ) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("手环进水了")
        told = talk.say(said)
        assert "接上电源" not in told
        assert "接着电源" not in told
        assert any("unsolved" in payload for payload in talk.payloads)

    @pytest.mark.parametrize(
        ("language", "said"), [("zh", "还有别的办法吗"), ("en", "ok what else"), ("en", "I can't do that here")]
    )
    def test_another_way_is_the_next_step(
        self, bot_stack: BotStack, conversation: str, language: str, said: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(ONE_STEP[language])
        told = talk.say(said)
        assert first_steps("lamp_flicker", language)[1] in told
        assert talk.answer["handoff"] is None

    @pytest.mark.parametrize(
        ("language", "said"), [("zh", "弄完了，暂时没闪"), ("zh", "换了个插座好使了"), ("en", "it stopped flickering")]
    )
    def test_a_cure_in_other_words_is_heard(
        self, bot_stack: BotStack, conversation: str, language: str, said: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(ONE_STEP[language])
        assert guide("lamp_flicker")["tip"][language] in talk.say(said)

    @pytest.mark.parametrize(
        ("language", "start", "said", "topic"),
        [
            ("zh", "手环断连，安卓手机", "手环可以了，但是摄像头离线了", "camera_offline"),
            ("en", "band won't sync with my iphone", "it syncs now but notifications don't come", "notifications"),
        ],
    )
    def test_a_cure_and_another_trouble(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, said: str, topic: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(start)
        assert guide(topic)["acknowledge"][language] in talk.say(said)

    def test_what_is_corrected_is_no_cure(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("我的手环连不上了")
        assert guide("sync")["acknowledge"]["zh"] in talk.say("不是连不上，是连上了没数据")

    @pytest.mark.parametrize(
        ("language", "said", "answer"),
        [
            ("zh", "重启会丢数据吗", "重启不会丢"),
            ("zh", "恢复出厂会不会把数据弄没", "会清掉"),
            ("zh", "要多久啊", "几分钟"),
            ("en", "how long does it take", "a few minutes"),
            ("zh", "那能退回旧版本吗", "退回"),
        ],
    )
    def test_a_question_is_answered_and_the_step_stays(
        self, bot_stack: BotStack, conversation: str, language: str, said: str, answer: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say(ONE_STEP[language])
        assert answer in talk.say(said)
        told = talk.say({"zh": "还是不行", "en": "still the same"}[language])
        assert first_steps("lamp_flicker", language)[1] in told

    def test_a_light_is_explained_by_its_guide(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("路由器红灯，上不了网")
        assert "橙灯是没连上宽带" in talk.say("橙色的灯")
        assert not [payload for payload in talk.payloads if "lamp" in payload]

    def test_an_update_told_is_not_proposed_again(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("路由器老是断线，固件1.1.22.0")
        update = step_text(known("router-drops-1-1-22"), "update_firmware", "zh")
        talk.say("升级了还是掉")
        talk.press("1.1.24.0")
        for _ in range(3):
            assert update not in talk.press("unsolved")
