"""What messages state beside the one value of each kind that the bot recognises: one more order, device or error code.

The names of devices are the designers' (`bot/data/lookups/devices.yml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from handoff.conversations.models import Message
from handoff.summary.evidence import clause, fold
from handoff.summary.models import Fact
from handoff.summary.statements import Kind, statements

DEVICES = Path(__file__).resolve().parents[2] / "bot" / "data" / "lookups" / "devices.yml"
NUMBERED = ("order_number", "firmware_version", "app_version")
SHORTEST_NUMBER = 5
LONGEST_READ = 600
_DENIED = re.compile(r"(?:不是|并非|而非|(?<![a-z])(?:not|isn't|wasn't)(?: an?| the)?)\s*$")
_ERROR = re.compile(
    r"(?:(?<![a-z])(?:error|err|code|failed)|错误|代码|失败|报错)(?: ?(?:code|number|码|代码"
    r"|号))?[ :：,，“\"]{0,3}(-?[0-9]{1,5})(?![0-9:%]|[.][0-9])"
)
_SYSTEMS = {
    "harmonyos": re.compile(r"鸿蒙|(?<![a-z])harmony ?os(?![a-z])"),
    "android": re.compile(r"安卓|(?<![a-z])android(?![a-z])"),
    "ios": re.compile(r"苹果(?:手机|系统)|(?<![a-z])ios(?![a-z])"),
}
_VERSION = re.compile(r"^\W*v?([0-9]{1,2}(?:\.[0-9]{1,2}){0,2})(?![0-9.])")
_FINE = re.compile(
    r"正常|是好的|没(?:问题|事)|能用|以前|(?<![a-z])(?:works?|working|fine|ok(?:ay)?|no problem)(?![a-z])|朋友|同事"
    r"|邻居|别人"
)
_MATTERS = re.compile(r"退|换|修|没到|没发|到了|丢|少了|(?<![a-z])(?:return|refund|missing|arrived?|exchange|repair)")
# A watch that is only called "表", which is part of many other words.
_WATCH = re.compile(r"(?:^|(?<=[这那我的个块只,.;!?、\s]))表(?=$|[不没又也就老坏停走黑死慢快,.;!?、\s])")


@dataclass(frozen=True)
class Stated:
    """A value that a message states, and the words for it."""

    name: str
    value: str
    quote: str


def is_denied(fact: Fact, message: Message) -> bool:
    """Tell whether a message names a value only to say that it is not so."""
    place = message.text.find(fact.quote) if fact.quote else -1
    return place > 0 and _DENIED.search(fold(message.text[:place])) is not None


def further(message: Message, facts: list[Fact], question: str) -> list[Stated]:
    """Return what a message states beside `facts`, which were recognised in it as the answer to `question`."""
    known = {(fact.name, fact.value) for fact in facts}
    found = [*_numbers(message, facts), *_errors(message), *_systems(message, question), *_devices(message, facts)]
    return [one for one in found if (one.name, one.value) not in known]


def kinds(words: str) -> list[str]:
    """Return the kinds of devices that folded words name."""
    return [kind for kind, pattern in _kinds().items() if pattern.search(words)]


def _numbers(message: Message, facts: list[Fact]) -> Iterator[Stated]:
    """Every number that is written like one which was recognised."""
    for fact in facts:
        if fact.name in NUMBERED and len(fact.value) >= SHORTEST_NUMBER:
            shape = re.sub(r"[0-9]+", lambda run: rf"[0-9]{{{len(run.group())}}}", re.escape(fold(fact.value)))
            for match in re.finditer(rf"(?<![0-9a-z.]){shape}(?![0-9a-z]|\.[0-9])", fold(message.text)):
                quote = message.text[match.start() : match.end()]
                yield Stated(fact.name, quote.upper() if fact.name == "order_number" else quote, quote)


def _errors(message: Message) -> Iterator[Stated]:
    words = fold(message.text)
    for match in _ERROR.finditer(words):
        if not _DENIED.search(words[: match.start()]):
            yield Stated("error_code", match.group(1), message.text[match.start(1) : match.end(1)])


def _systems(message: Message, question: str) -> Iterator[Stated]:
    words = fold(message.text)
    version = _VERSION.search(words)
    for name, pattern in _SYSTEMS.items():
        for match in pattern.finditer(words):
            said = clause(words, match.start(), match.end())
            if not _DENIED.search(words[: match.start()]) and not _FINE.search(said):
                yield Stated("os", name, message.text[match.start() : match.end()])
        if version and pattern.search(question):
            yield Stated("os", name, message.text[version.start(1) : version.end(1)])


def _devices(message: Message, facts: list[Fact]) -> Iterator[Stated]:
    """Further devices: each in a clause of its own which tells of trouble, a wish or an order."""
    words = fold(message.text[:LONGEST_READ])
    known = {fact.value for fact in facts if fact.name in {"product", "device_model"}}
    ordered = any(fact.name == "order_number" for fact in facts)
    for kind, pattern in _kinds().items():
        if kind in known or (match := pattern.search(words)) is None or _DENIED.search(words[: match.start()]):
            continue
        said = clause(words, *match.span())
        if _FINE.search(said) or not (ordered or _matters(said)):
            continue
        quote = message.text[match.start() : match.end()]
        yield Stated("product", kind, quote)
        model = next((name for name, named in _models(kind).items() if named.search(said)), _only_model(kind))
        if model:
            yield Stated("device_model", model, quote)
    if (match := _WATCH.search(words)) and not known:
        yield Stated("product", "watch", message.text[match.start() : match.end()])


def _matters(said: str) -> bool:
    """Tell whether folded words tell of trouble, of a wish, or of what is to be done with a thing."""
    kinds_told = {one.kind for one in statements(said, 0, service=False)}
    return _MATTERS.search(said) is not None or not kinds_told.isdisjoint({Kind.TROUBLE, Kind.WISH})


@cache
def _lookup() -> dict[str, dict[str, Any]]:
    """The designers' names of devices; none where the desk runs without the bot's files."""
    if not DEVICES.is_file():
        return {"models": {}, "categories": {}}
    content: dict[str, dict[str, Any]] = yaml.safe_load(DEVICES.read_text(encoding="utf8"))
    return content


@cache
def _kinds() -> dict[str, re.Pattern[str]]:
    return {kind: _any_of(entry["patterns"]) for kind, entry in _lookup()["categories"].items()}


@cache
def _models(kind: str) -> dict[str, re.Pattern[str]]:
    models = _lookup()["models"].items()
    return {model: _any_of(entry["patterns"]) for model, entry in models if entry["category"] == kind}


def _only_model(kind: str) -> str | None:
    return _lookup()["categories"][kind].get("model")


def _any_of(names: list[str]) -> re.Pattern[str]:
    """Match any of the names, none of them inside a longer Latin word or number."""
    return re.compile("|".join(rf"(?<![a-z0-9](?=[a-z0-9]))(?:{name})(?!(?<=[a-z0-9])[a-z0-9])" for name in names))
