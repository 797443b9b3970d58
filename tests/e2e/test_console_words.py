"""The console's words, canned replies and masking: what people read, checked without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handoff.console import components
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
