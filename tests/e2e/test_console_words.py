"""The console's words, canned replies and masking: what people read, checked without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handoff.console import components
from handoff.console.masking import mask
from handoff.console.words import words
from handoff.replies.service import BadCatalogue, catalogue, parse, replies_for

CONSOLE = Path(components.__file__).parent
PLACE = re.compile(r"\{(\w+)\}")


def test_every_sentence_exists_in_both_languages_with_the_same_places() -> None:
    for key, texts in words().items():
        assert set(texts) == {"zh", "en"}, key
        assert texts["zh"].strip() and texts["en"].strip(), key
        assert set(PLACE.findall(texts["zh"])) == set(PLACE.findall(texts["en"])), key


def test_every_word_that_the_scripts_ask_for_exists() -> None:
    asked: set[str] = set()
    for script in CONSOLE.glob("*/*.js"):
        asked |= set(re.findall(r"\bt\(['\"]([a-z0-9_]+)['\"]\s*[,)]", script.read_text("utf8")))
    assert len(asked) > 100
    assert asked - set(words()) == set()


def test_there_are_enough_replies_each_once_and_without_empty_promises() -> None:
    replies = catalogue()
    assert len(replies) >= 24
    assert len({reply.shortcut for reply in replies}) == len(replies)
    for reply in replies:
        assert not re.search("亲亲|请耐心等待|不应该啊|从没遇到", reply.text["zh"]), reply.shortcut


def test_a_reply_is_made_out_to_the_customer() -> None:
    greeting = replies_for("zh", "王芳", "Lin")[0]["text"]
    assert str(greeting).startswith("王芳您好，我是客服Lin")
    assert str(replies_for("en", "Emily", "Lin")[0]["text"]).startswith("Hello Emily, I'm Lin")


@pytest.mark.parametrize(("language", "start"), [("zh", "您好，我是客服Lin"), ("en", "Hello, I'm Lin")])
def test_a_nameless_customer_is_greeted_without_a_gap(language: str, start: str) -> None:
    made_out = replies_for(language, None, "Lin")
    assert str(made_out[0]["text"]).startswith(start)
    assert all("{" not in str(reply["text"]) for reply in made_out)


@pytest.mark.parametrize(
    "entry",
    [
        "- {shortcut: a, topic: x, title: {zh: 一, en: a}, text: {zh: 一}}",
        "- {shortcut: a, topic: x, title: {zh: 一, en: a}, text: {zh: '{customer}', en: a}}",
        "- {shortcut: 'A b', topic: x, title: {zh: 一, en: a}, text: {zh: 一, en: a}}",
        "- [",
    ],
)
def test_a_mistake_in_the_catalogue_is_named(entry: str) -> None:
    with pytest.raises(BadCatalogue, match=r"reply 1|not YAML"):
        parse(entry)


@pytest.mark.parametrize(
    ("phrase", "masked"),
    [
        ("订单LM2611030042到哪了", "订单〔订单号〕到哪了"),
        ("ＬＭ２６１１０３００４２", "〔订单号〕"),
        ("lm 26 1103 0042 还没到", "〔订单号〕 还没到"),
        ("电话13812345678", "电话〔电话〕"),
        ("打 138-1234-5678 找我", "打 〔电话〕 找我"),
        ("call +1 415 555 0132", "call 〔电话〕"),
        ("发到 a.b+c@mail.example.com 吧", "发到 〔邮箱〕 吧"),
        ("尾号是1234", "尾号是〔数字〕"),
        ("我叫王小明", "我叫〔姓名〕"),
        ("寄到北京市朝阳区建国路88号3栋501室", "〔地址〕"),
        ("身份证11010519491231002X", "身份证〔证件号〕"),
        ("SN20261103884455", "〔数字〕"),
    ],
)
def test_personal_data_is_hidden(phrase: str, masked: str) -> None:
    assert mask(phrase, "zh") == masked


@pytest.mark.parametrize(
    "phrase",
    ["固件1.0.0.39升级失败", "App 5.2.1 闪退", "手环2步数一直是0", "iPhone 12 Pro 连不上", "走了2000步只记1500"],
)
def test_what_the_phrase_is_about_stays(phrase: str) -> None:
    assert mask(phrase, "zh") == phrase
