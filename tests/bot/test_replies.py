"""What a message means to an open step: by its words, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from bot.replies import (
    ALL_TRIED,
    ANOTHER,
    DONE,
    FACT,
    LATER,
    LOST,
    QUESTION,
    SOLVED,
    SOLVED_BUT,
    TOLD,
    TRIED,
    UNABLE,
    UNKNOWN,
    UNSOLVED,
    as_reply,
    reply_of,
)


def parse(text: str, intent: str = "nlu_fallback", confidence: float = 0.0, **entities: str) -> dict[str, Any]:
    return {
        "text": text,
        "intent": {"name": intent, "confidence": confidence},
        "topic": {"name": intent, "ranking": []},
        "entities": [{"entity": name, "value": value} for name, value in entities.items()],
        "tried": [],
        "wishes": [],
        "cues": {},
        "emotion": {"label": "calm"},
    }


SAID = {
    LATER: "i'm at work right now, can check tonight|hold on, let me get my phone|ok wait|one sec|ok let me try"
    "|我在外面 晚上回去看|好的我试试|等我下班回去试|手环不在身边|ok updating|will see tomorrow|正在更新"
    "|在装|好，更新App",
    LOST: "没懂|还是看不懂|cant see it anywhere|i dont get it|没有这个选项|there's no such menu|不会弄",
    QUESTION: "怎么看版本|怎么拔电啊 是拔插座那头吗|你说的这个在哪点|啥是固件|要拔多久"
    "|should i use the app for that or the knob?|how do i find that|where is that setting",
    UNSOLVED: "还是不行|重启过了没用|怎么还是不行啊|still the same|no|didn't help|it's still blinking|not working"
    "|nothing works|连是连上了，就是没网",
    SOLVED: "弄完了，暂时没断|换了根六类线900多了|现在快多了|it stopped flickering"
    "|可以了，谢谢|连上了|恢复正常了|it works now, thanks|fixed!|no problem now, works|it worked, thank you!",
    DONE: "that's done|做完了|弄好了|yep did that|done",
    TRIED: "换了线也充不进|左手右手都试了|两个手机都试过了|tried that",
    ALL_TRIED: "都试过了|你说的都做过了|done it all already|I've tried everything",
    UNKNOWN: "不知道好没好|not sure",
    TOLD: "没充电|没贴膜|密码没错|路由没换过，密码也没改|没试过取电池|没摔过|no I didn't change anything"
    "|I haven't tried that",
    UNABLE: "没法换|没有别的手机|I can't split them, my ISP locked it|I don't have another phone",
    ANOTHER: "还有别的办法吗|ok what else|any other way?",
    SOLVED_BUT: "换了张卡好使了，但是现在录像没声音|手环可以了，摄像头怎么弄|it syncs now but notifications don't come",
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SAID.items() for text in texts.split("|")])
def test_words_tell_the_kind(kind: str, text: str) -> None:
    assert reply_of(parse(text)) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("换了插座还闪", UNSOLVED),
        ("重启过了还是在掉", UNSOLVED),
        ("照断", UNSOLVED),
        ("cleaned it", DONE),
        ("I already unplugged them", DONE),
        ("什么时候能修好", QUESTION),
        ("给个准信行不", QUESTION),
        ("how long do i have to wait", QUESTION),
    ],
)
def test_words_that_tell_how_far_it_is(text: str, kind: str) -> None:
    assert reply_of(parse(text)) == kind


@pytest.mark.parametrize("text", ["换了手机还没试", "升级了还好", "I need it tomorrow"])
def test_words_that_tell_neither(text: str) -> None:
    assert reply_of(parse(text)) not in (UNSOLVED, DONE)


@pytest.mark.parametrize(
    "text",
    [
        "连上了没数据",
        "已经恢复到出厂状态了",
        "我下周要出差，希望之前解决",
        "since monday",
        "慢闪",
        "灯是红的常亮",
        "我要退货",
        "the wifi drops every night",
    ],
)
def test_words_that_tell_no_outcome(text: str) -> None:
    assert reply_of(parse(text)) is None


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("oh wait, firmware is 3.2.1.7", {"firmware_version": "3.2.1.7"}),
        ("不对,是手环2", {"device_model": "band-2"}),
        ("L1 obviously", {"device_model": "lamp-l1"}),
        ("买了半年了", {"purchased_at": "半年"}),
    ],
)
def test_a_fact_and_a_correction(text: str, entities: dict[str, str]) -> None:
    assert reply_of(parse(text, "inform", 0.8, **entities)) == FACT


def test_a_step_told_keeps_no_other_device() -> None:
    said = parse("tried it closer to the router", "device_problem", 0.9, product="router", symptom="Wi-Fi is slow")
    heard = as_reply(said, "camera")
    assert heard["reply"] == TRIED
    assert heard["entities"] == []


@pytest.mark.parametrize(
    "said",
    [
        parse("my router is still down", "device_problem", 0.9, product="router"),
        parse("where is my order?", "track_order", 0.95),
        parse("human", "request_human", 1.0),
        parse("今天天气怎么样?", "out_of_scope", 0.99),
    ],
)
def test_what_has_a_wish_of_its_own_is_no_reply(said: dict[str, Any]) -> None:
    assert as_reply(said, "camera") == said


@pytest.mark.parametrize(
    ("text", "intent", "confidence"),
    [
        ("没充电", "parcel_problem", 0.97),
        ("换过电池了", "warranty", 0.91),
        ("还是卡", "product_advice", 0.61),
        ("密码没错", "device_problem", 0.98),
        ("网线是光猫送的那根", "device_problem", 0.75),
        ("how long does it take", "delivery", 0.62),
        ("the password is correct", "device_problem", 0.9),
    ],
)
def test_what_names_no_matter_of_its_own_is_an_answer(text: str, intent: str, confidence: float) -> None:
    assert as_reply(parse(text, intent, confidence), "watch").get("reply")


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("盒子里没有充电线", "parcel_problem"),
        ("少发了一根充电线", "parcel_problem"),
        ("还没发货", "parcel_problem"),
        ("多久能到", "delivery"),
    ],
)
def test_what_names_a_matter_of_the_shop_is_none(text: str, intent: str) -> None:
    assert "reply" not in as_reply(parse(text, intent, 0.95), "watch")


def test_a_light_named_in_passing_is_no_lamp() -> None:
    heard = as_reply(parse("灯亮着呢", "device_problem", 0.53, product="lamp", device_model="lamp-l1"), "band")
    assert (heard["reply"], heard["entities"]) == (TOLD, [])


@pytest.mark.parametrize("text", ["ok wait", "怎么拔电啊"])
def test_what_was_misread_is_heard_as_a_reply(text: str) -> None:
    heard = as_reply(parse(text, "goodbye", 0.43), "lamp")
    assert (heard["intent"]["name"], "reply" in heard) == ("inform", True)
