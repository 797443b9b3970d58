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
_DENIAL = r"(?:(?<![是要])不是|并非|而非|(?<![a-z])(?:not|isn't|wasn't)(?: an?| the)?(?![a-z]))"
_DENIED = re.compile(rf"{_DENIAL}\s*$")
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
_NEAR = re.compile(
    r"(?:靠近|挨着|离|挪到|放到|搬到)(?:[^,.;!?、\n]{0,3})$"
    r"|(?<![a-z])(?:closer to|nearer(?: to)?|near|next to|beside|away from) (?:the |my |our )?$"
)
_NEAR_AFTER = re.compile(r"^(?:的)?(?:旁边?|附近|边上|跟前)")
_THEIRS = re.compile(
    r"(?:[爸妈爷奶公婆]|老[公婆]|媳妇|丈夫|妻子|儿子|女儿|朋友|同事|邻居|室友|[他她])的?(?:华为|小米|苹果|荣耀|oppo|vivo|三星)?$"
    r"|(?<![a-z])(?:his|her|their|(?:wife|husband|friend|son|daughter|colleague|neighbou?r|mother|father|mum|mom|dad)'s)"
    r"(?: [a-z0-9]+)?\s*$"
)
_AS_WELL = re.compile(r"也|就?没问题|正常|好好的|能用|(?<![a-z])(?:too|as well|also|works|fine|no problem)(?![a-z])")
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
    return place > 0 and denies_next(fold(message.text[:place]))


def denies_next(before: str) -> bool:
    """Tell whether folded words say of what comes next that it is not so."""
    return _DENIED.search(before) is not None


def is_beside(fact: Fact, message: Message) -> bool:
    """Tell whether a device or phone is named only as a place, or as a thing of somebody else's beside the trouble."""
    if fact.name not in {"product", "device_model", "os", "phone_model"} or not fact.quote:
        return False
    place = message.text.find(fact.quote)
    if place < 0 or message.payload is not None:
        return False
    before, after = fold(message.text[:place]), fold(message.text[place + len(fact.quote) :])
    if fact.name in {"product", "device_model"} and (_NEAR.search(before) or _NEAR_AFTER.match(after)):
        return True
    said = clause(fold(message.text), place, place + len(fact.quote))
    return _THEIRS.search(before) is not None and _AS_WELL.search(said) is not None


def further(message: Message, facts: list[Fact], question: str, turn: int = 0) -> list[Stated]:
    """Return what a message states beside `facts`, which were recognised in it as the answer to `question`.

    From the place `turn` on it says what it is about: a device that is named before is none of theirs.
    """
    known = {(fact.name, fact.value) for fact in facts}
    devices = list(_turned_to(message, turn) if turn else _devices(message, facts))
    found = [*_numbers(message, facts), *_errors(message), *_systems(message, question), *devices]
    return [one for one in found if (one.name, one.value) not in known]


def kinds(words: str) -> list[str]:
    """Return the kinds of devices that folded words name."""
    return [kind for kind, pattern in _kinds().items() if pattern.search(words)]


def denied_kinds(words: str) -> set[str]:
    """Return the kinds of devices that folded words say it is not, where they name another one instead."""
    denied = {
        kind
        for kind, pattern in _kinds().items()
        if any(denies_next(words[: match.start()]) for match in pattern.finditer(words))
    }
    return denied if set(kinds(words)) - denied else set()


def without_denials(words: str) -> str:
    """Return folded words without those which say of what comes next that it is not so."""
    return re.sub(_DENIAL, "", words)


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
    """Further devices: each in a clause of its own which tells of trouble, a wish or an order, or puts one right."""
    words = fold(message.text[:LONGEST_READ])
    known = {fact.value for fact in facts if fact.name in {"product", "device_model"}}
    ordered = any(fact.name == "order_number" for fact in facts)
    puts_right = bool(denied_kinds(words))
    for kind, pattern in _kinds().items():
        if kind in known or (match := pattern.search(words)) is None or _DENIED.search(words[: match.start()]):
            continue
        said = clause(words, *match.span())
        if _FINE.search(said) or not (ordered or puts_right or _matters(said)):
            continue
        quote = message.text[match.start() : match.end()]
        yield Stated("product", kind, quote)
        model = next((name for name, named in _models(kind).items() if named.search(said)), _only_model(kind))
        if model:
            yield Stated("device_model", model, quote)
    if (match := _WATCH.search(words)) and not known:
        yield Stated("product", "watch", message.text[match.start() : match.end()])


def _turned_to(message: Message, turn: int) -> Iterator[Stated]:
    """The device that is named first from a place on, by a word that may mean other things too ("灯") as well."""
    words = fold(message.text)
    named = [
        (match.start(), kind, message.text[match.start() : match.end()])
        for kind, entry in _lookup()["categories"].items()
        if (match := _any_of([*entry["patterns"], *entry.get("weak_patterns", [])]).search(words, turn))
    ]
    for _, kind, quote in sorted(named)[:1]:
        yield Stated("product", kind, quote)
        if model := _only_model(kind):
            yield Stated("device_model", model, quote)


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
