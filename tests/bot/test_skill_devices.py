"""Troubleshooting: nothing known is asked, nothing tried is proposed, one step at a time, a report with a promise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.actions.catalogue import step_titles
from tests.bot.conftest import ROOT, BotStack
from tests.bot.skill_talk import Talk, shop

FIRMWARE = ROOT / "bot" / "data" / "firmware"
SEED = {
    "zh": "前几天买的手环2，在iPhone 6上装了APP，走了10步，APP里步数一直显示0，换安卓手机就能正常计步，"
    "手环重启过，也重新配对过，固件是1.0.0.39，APP是5.2.1，是不是固件的问题？",
    "en": "Bought a Band 2 last week. On my iPhone 6 the app shows 0 steps, I walked 10 steps and nothing. "
    "With an Android phone it counts fine. I restarted the band and re-paired it. Firmware 1.0.0.39, app 5.2.1.",
}
LANGUAGES = ["zh", "en"]


def guide(topic: str) -> dict:
    for path in sorted(FIRMWARE.glob("guides_*.yml")):
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        if topic in content:
            return content[topic]
    raise KeyError(topic)


def known(name: str) -> dict:
    content = yaml.safe_load((FIRMWARE / "known_issues.yml").read_text(encoding="utf-8"))
    return next(issue for issue in content if issue["id"] == name)


def step_text(issue: dict, code: str, language: str) -> str:
    return next(step[language] for step in issue["fix"]["steps"] if step["code"] == code)


@pytest.mark.parametrize(
    ("trouble", "answers"),
    [
        ("我这个手环时间不对", ("找到澜墨健康了", "点了设备", "转圈圈呢")),
        ("My band shows the wrong time", ("It's blinking now", "the bar is full", "it went dark for a second")),
    ],
)
def test_an_answer_that_sounds_like_another_devices_trouble_starts_none(
    bot_stack: BotStack, conversation: str, trouble: str, answers: tuple[str, ...]
) -> None:
    talk = Talk(bot_stack, conversation, facts={"device_model": "band-2"})
    talk.say(trouble)
    for answer in answers:
        talk.say(answer)
        kinds = {kind for kind in ("camera", "router", "lamp", "scale") if any(kind in one for one in talk.payloads)}
        assert not kinds, (answer, talk.payloads)


@pytest.mark.parametrize("language", LANGUAGES)
class TestSeedCase:
    def test_one_long_message_is_enough(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        issue = known("steps-zero-ios")
        talk = Talk(bot_stack, conversation)
        told = talk.say(SEED[language])
        assert talk.answer["language"] == language
        assert guide("steps_zero")["acknowledge"][language] in told
        assert str(issue["reports"]) in told
        assert issue["cause"][language] in told
        assert step_text(issue, "update_firmware", language) in told
        assert [payload for payload in talk.payloads if "outcome" in payload]
        assert not [payload for payload in talk.payloads if "os" in payload or "device_model" in payload]

    def test_tried_steps_are_credited_and_never_proposed(
        self, bot_stack: BotStack, conversation: str, language: str
    ) -> None:
        talk = Talk(bot_stack, conversation)
        told = [talk.say(SEED[language])]
        tried = {step["text"] for step in talk.answer["tried"]}
        assert {"restart_device", "re_pair", "other_phone", "test_walk"} <= tried
        credit = {"zh": "已经试过了", "en": "You have already tried"}[language]
        assert credit in told[0]
        while not talk.answer["promises"] and len(told) < 8:
            told.append(talk.press("unsolved"))
        said = "\n".join(told)
        steps = [*guide("steps_zero")["steps"], *known("steps-zero-ios")["fix"]["steps"]]
        for step in steps:
            if step["code"] in tried:
                assert step[language] not in said

    def test_platform_and_device_are_never_asked(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        talk = Talk(bot_stack, conversation)
        talk.say(SEED[language])
        while not talk.answer["promises"]:
            assert not [payload for payload in talk.payloads if '"os"' in payload or '"device_model"' in payload]
            assert not [payload for payload in talk.payloads if '"firmware_version"' in payload]
            talk.press("unsolved")

    def test_only_the_firmware_is_asked_when_only_it_is_missing(
        self, bot_stack: BotStack, conversation: str, language: str
    ) -> None:
        text = {"zh": "手环2在苹果手机上步数一直是0", "en": "my band 2 stays at 0 steps on my iphone"}[language]
        talk = Talk(bot_stack, conversation, language)
        talk.say(text)
        assert [payload for payload in talk.payloads if "1.0.0.39" in payload], talk.said
        assert str(known("steps-zero-ios")["reports"]) in talk.press("1.0.0.39")

    def test_fixed_firmware_is_not_the_known_issue(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        facts = {"device_model": "band-2", "os": "ios", "firmware_version": "1.0.0.45", "app_version": "5.2.1"}
        talk = Talk(bot_stack, conversation, language, facts)
        told = talk.say({"zh": "步数一直显示0", "en": "steps stay at 0"}[language])
        assert known("steps-zero-ios")["cause"][language] not in told
        assert any(step[language] in told for step in guide("steps_zero")["steps"])


class TestContext:
    def test_facts_of_the_widget_are_not_asked(self, bot_stack: BotStack, conversation: str) -> None:
        facts = {
            "device_model": "band-2",
            "os": "ios",
            "os_version": "17.4",
            "firmware_version": "1.0.0.36",
            "app_version": "5.1.0",
        }
        talk = Talk(bot_stack, conversation, "zh", facts)
        told = talk.say("步数一直是0")
        assert str(known("steps-zero-ios")["reports"]) in told
        assert step_text(known("steps-zero-ios"), "update_app", "zh") in told

    def test_unknown_firmware_is_asked_once_only(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("手环2在苹果手机上步数一直是0")
        talk.press("unknown")
        assert str(known("steps-zero-ios")["reports"]) in talk.said
        while not talk.answer["promises"]:
            talk.press("unsolved")
            assert not [payload for payload in talk.payloads if "firmware_version" in payload]

    def test_other_device_does_not_inherit_the_first_ones_model(self, bot_stack: BotStack, conversation: str) -> None:
        facts = {"device_model": "band-2", "os": "android", "firmware_version": "1.0.0.45"}
        talk = Talk(bot_stack, conversation, "zh", facts)
        told = talk.say("路由器老是断网")
        assert guide("router_offline")["acknowledge"]["zh"] in told

    def test_other_trouble_in_the_middle_of_steps(self, bot_stack: BotStack, conversation: str) -> None:
        facts = {"device_model": "band-2", "os": "ios", "firmware_version": "1.0.0.45", "app_version": "5.2.1"}
        talk = Talk(bot_stack, conversation, "zh", facts)
        talk.say("手环掉电特别快")
        told = talk.say("先帮我看下路由器，老断网")
        assert guide("router_offline")["acknowledge"]["zh"] in told

    def test_not_knowing_is_not_a_failed_step(self, bot_stack: BotStack, conversation: str) -> None:
        facts = {"device_model": "band-2", "os": "ios", "firmware_version": "1.0.0.45", "app_version": "5.2.1"}
        talk = Talk(bot_stack, conversation, "zh", facts)
        talk.say("手环掉电特别快")
        second = guide("battery_drain")["steps"][1]["zh"]
        assert second not in talk.say("不知道好没好")
        assert "/request_human" in talk.payloads
        assert second in talk.press("unsolved")


@pytest.mark.parametrize("language", LANGUAGES)
class TestOutcomes:
    START = {"zh": "台灯一直闪", "en": "the lamp keeps flickering"}  # noqa: RUF012

    def test_solved_gets_one_tip(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        talk = Talk(bot_stack, conversation, language)
        self._to_step(talk, self.START[language])
        told = talk.press('"solved"')
        assert guide("lamp_flicker")["tip"][language] in told
        assert not talk.payloads

    def test_solved_in_words(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        talk = Talk(bot_stack, conversation, language)
        self._to_step(talk, self.START[language])
        told = talk.say({"zh": "可以了，谢谢", "en": "it works now, thanks"}[language])
        assert guide("lamp_flicker")["tip"][language] in told

    def test_trying_is_waited_for(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        talk = Talk(bot_stack, conversation, language)
        first = self._to_step(talk, self.START[language])
        told = talk.say({"zh": "好的，我试试", "en": "ok let me try"}[language])
        assert told != first
        assert any("unsolved" in payload for payload in talk.payloads)

    def test_all_steps_failed_files_a_report_with_a_promise(
        self, bot_stack: BotStack, conversation: str, language: str
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        self._to_step(talk, self.START[language])
        said: list[str] = []
        while not talk.answer["promises"] and len(said) < 12:
            said.append(talk.press("unsolved" if self._at_step(talk) else "unknown"))
            assert len(said) == len(set(said))
        promise = talk.answer["promises"][0]
        report = shop(bot_stack, "GET", f"/bug-reports/{promise['reference']}")
        assert report["symptom"] == guide("lamp_flicker")["title"]["zh"]
        assert promise["due_at"] == report["answer_due_at"]
        assert datetime.fromisoformat(promise["due_at"].replace("Z", "+00:00")) > datetime.now(UTC) + timedelta(
            hours=11
        )
        assert promise["reference"] in talk.said
        assert promise["reference"] in promise["text"]["zh"]
        assert any("return_exchange/exchange" in payload for payload in talk.payloads)
        assert any("return_exchange/return" in payload for payload in talk.payloads)

    def _at_step(self, talk: Talk) -> bool:
        return any("unsolved" in payload for payload in talk.payloads)

    def _to_step(self, talk: Talk, text: str) -> str:
        said = talk.say(text)
        while not self._at_step(talk):
            said = talk.press("inform")
        return said


def first_steps(topic: str, language: str) -> list[str]:
    return [step[language] for step in guide(topic)["steps"]]


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


class TestUpdatesThatFail:
    @pytest.mark.parametrize(
        ("language", "start", "said"),
        [
            ("zh", "手环固件更新卡住了", ("手机离得很近啊", "充电着呢", "没用")),
            ("zh", "手表升级卡在60%一小时了", ("长按了，没反应",)),
            ("en", "my band 3 firmware update is stuck", ("the phone is right next to it", "still stuck")),
        ],
    )
    def test_the_answer_is_heard_out(
        self, bot_stack: BotStack, conversation: str, language: str, start: str, said: tuple[str, ...]
    ) -> None:
        talk = Talk(bot_stack, conversation, language)
        before = talk.say(start)
        for text in said:
            told = talk.say(text)
            assert told != before, text
            assert not [payload for payload in talk.payloads if "order" in payload or "advice" in payload], text
            before = told
        assert {"zh": "我们先弄清", "en": "Let's see whether"}[language] in told

    def test_the_newest_version_is_named(self, bot_stack: BotStack, conversation: str) -> None:
        newest = shop(bot_stack, "GET", "/devices/router-ax3/firmware")["versions"][0]["version"]
        assert newest in Talk(bot_stack, conversation, "zh").say("路由器固件最新是哪个版本啊")


@pytest.mark.parametrize("text", ["路由器坏了", "台灯坏了", "摄像头离线了", "路由器断网了", "摄像头黑屏"])
def test_a_device_with_its_fault_is_no_bare_name(bot_stack: BotStack, conversation: str, text: str) -> None:
    talk = Talk(bot_stack, conversation, "zh")
    talk.say(text)
    assert not [payload for payload in talk.payloads if "firmware_update" in payload]


@pytest.mark.parametrize(
    ("guide", "language", "text"),
    [
        ("scale_power", "zh", "体脂秤踩上去没反应"),
        ("scale_power", "en", "scale won't turn on"),
        ("camera_sound", "zh", "摄像头录像没声音"),
        ("camera_sound", "zh", "录像没声音"),
        ("camera_sound", "en", "my camera records but there's no sound"),
    ],
)
def test_some_troubles_have_a_guide_of_their_own(
    bot_stack: BotStack, conversation: str, guide: str, language: str, text: str
) -> None:
    content = yaml.safe_load((FIRMWARE / f"{guide}.yml").read_text(encoding="utf-8"))
    assert content["steps"][0][language] in Talk(bot_stack, conversation, language).say(text)


class TestDecidingFact:
    """A known issue is claimed on the deciding fact alone."""

    START = {"zh": "我的摄像头老掉线", "en": "my camera keeps going offline"}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("en", "i'm at work right now, can check tonight"),
            ("en", "hold on, let me get my phone"),
            ("en", "how do i find that"),
            ("en", "C1"),
            ("zh", "c1"),
            ("zh", "在哪里看啊"),
            ("zh", "重启过了没用"),
            ("zh", "灯是红的常亮"),
        ],
    )
    def test_other_answers_keep_the_question_open(
        self, bot_stack: BotStack, conversation: str, language: str, said: str
    ) -> None:
        issue = known("camera-offline-3-3")
        talk = Talk(bot_stack, conversation, language)
        talk.say(self.START[language])
        assert issue["cause"][language] not in talk.say(said)
        assert issue["cause"][language] in talk.say("3.3.1.8")

    @pytest.mark.parametrize(("start", "said"), [("路由器网速慢", ("有线测的92", "网线是光猫送的那根"))])
    def test_it_is_asked_twice_at_most_and_nothing_is_concluded(
        self, bot_stack: BotStack, conversation: str, start: str, said: tuple[str, str]
    ) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        asked = talk.say(start)
        again = talk.say(said[0])
        assert asked.splitlines()[-1] not in again
        assert first_steps("router_slow", "zh")[0] in talk.say(said[1])

    def test_a_version_that_is_fixed_withdraws_what_may_be(self, bot_stack: BotStack, conversation: str) -> None:
        issue = known("camera-offline-3-3")
        talk = Talk(bot_stack, conversation, "en")
        talk.say(self.START["en"])
        told = talk.press("unknown")
        assert issue["cause"]["en"] in told
        assert "may be" in told
        told = talk.say("it's 3.4.0.22")
        assert "correction" in told.lower()
        assert first_steps("camera_offline", "en")[0] in told

    @pytest.mark.parametrize(("system", "claimed"), [("13", False), ("14", False), ("15", True)])
    def test_the_system_can_rule_it_out(
        self, bot_stack: BotStack, conversation: str, system: str, claimed: bool
    ) -> None:
        talk = Talk(bot_stack, conversation, "en")
        told = talk.say(f"my band 2 won't pair with my android {system} phone, app 5.1.2")
        assert (known("pairing-android-15")["cause"]["en"] in told) == claimed

    @pytest.mark.parametrize(
        ("start", "then"),
        [("router slow every evening, AX3", "i told you its the latest"), ("台灯定时不执行", "已经是最新的了")],
    )
    def test_newest_is_an_answer(self, bot_stack: BotStack, conversation: str, start: str, then: str) -> None:
        talk = Talk(bot_stack, conversation)
        talk.say(start)
        assert any("firmware_version" in payload for payload in talk.payloads)
        talk.say(then)
        assert any("unsolved" in payload for payload in talk.payloads)


@pytest.mark.parametrize("language", LANGUAGES)
class TestVague:
    def test_first_an_open_question_then_choices(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        talk = Talk(bot_stack, conversation, language)
        told = talk.say({"zh": "手环坏了", "en": "my band is broken"}[language])
        assert told.rstrip().endswith(("?", "？", "。", "."))
        assert not talk.payloads
        talk.say({"zh": "就是不太对劲，说不上来", "en": "it just isn't right, hard to say"}[language])
        assert talk.answer["handoff"] or any("device_problem/" in payload for payload in talk.payloads)

    def test_description_leads_to_its_guide(self, bot_stack: BotStack, conversation: str, language: str) -> None:
        talk = Talk(bot_stack, conversation, language)
        talk.say({"zh": "手环坏了", "en": "my band is broken"}[language])
        told = talk.say({"zh": "充不进电，插上没反应", "en": "it does not charge any more"}[language])
        assert guide("charging")["acknowledge"][language] in told


class TestReportedTrouble:
    def test_told_again_says_how_the_report_stands_and_then_the_answer(
        self, bot_stack: BotStack, conversation: str
    ) -> None:
        facts = {
            "device_model": "scale-s1",
            "os": "ios",
            "firmware_version": "1.3.0.5",
            "app_version": "5.2.1",
            "os_version": "17.4",
        }
        talk = Talk(bot_stack, conversation, "en", facts)
        talk.say("the scale weight drifts every time I step on it")
        while not talk.answer["promises"]:
            talk.press("unsolved")
        reference = talk.answer["promises"][0]["reference"]
        assert reference in talk.say("the scale still drifts")
        assert talk.answer["promises"] == []
        answer = {"zh": "已经定位到原因，下个版本修复。", "en": "We found the cause; the next version cures it."}
        shop(bot_stack, "POST", f"/bug-reports/{reference}/answer", {"answer": answer})
        assert answer["en"] in talk.say("the scale drifts again")


class TestUpdatesOnTheWay:
    def test_each_update_counts_for_itself(self, bot_stack: BotStack, conversation: str) -> None:
        talk = Talk(bot_stack, conversation, "zh")
        talk.say("手环2步数一直是0，iPhone 14，固件1.0.0.39，App是5.1.0")
        assert "更新到 5.2.0" in talk.said
        talk.say("更新完了，5.2.1")
        assert "固件" in talk.said and not [part for part in talk.payloads if "firmware_version" in part]
        step = talk.said
        talk.say("在装")
        assert talk.said != step and not talk.answer["promises"]
        talk.say("装好了1.0.0.45")
        assert "对不上" not in talk.said


def topics() -> list[str]:
    return sorted(
        topic
        for path in FIRMWARE.glob("guides_*.yml")
        for topic in yaml.safe_load(path.read_text(encoding="utf-8"))
        if topic != "other"
    )


class TestEveryTopic:
    @pytest.mark.parametrize("topic", topics())
    def test_leads_through_its_steps_to_a_report(self, bot_stack: BotStack, conversation: str, topic: str) -> None:
        language = LANGUAGES[topics().index(topic) % 2]
        talk = Talk(bot_stack, conversation, language)
        said = [talk.say({"payload": f'/device_problem{{"topic": "device_problem/{topic}"}}'})]
        assert guide(topic)["acknowledge"][language] in said[0]
        while not talk.answer["promises"] and len(said) < 14:
            assert talk.answer["handoff"] is None
            said.append(
                talk.press(next(part for part in ("unsolved", "unknown", "inform") if self._offers(talk, part)))
            )
            assert "{" not in said[-1]
        assert talk.answer["promises"], said
        assert len(said) == len(set(said))

    def _offers(self, talk: Talk, part: str) -> bool:
        return any(part in payload for payload in talk.payloads)
