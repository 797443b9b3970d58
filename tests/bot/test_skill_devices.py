"""Troubleshooting: nothing known is asked, nothing tried is proposed, one step at a time, a report with a promise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from tests.bot.conftest import BotStack
from tests.bot.guides import FIRMWARE, first_steps, guide, known, step_text
from tests.bot.skill_talk import Talk, shop

SEED = {
    "zh": "前几天买的手环2，在iPhone 6上装了APP，走了10步，APP里步数一直显示0，换安卓手机就能正常计步，"
    "手环重启过，也重新配对过，固件是1.0.0.39，APP是5.2.1，是不是固件的问题？",
    "en": "Bought a Band 2 last week. On my iPhone 6 the app shows 0 steps, I walked 10 steps and nothing. "
    "With an Android phone it counts fine. I restarted the band and re-paired it. Firmware 1.0.0.39, app 5.2.1.",
}
LANGUAGES = ["zh", "en"]


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
