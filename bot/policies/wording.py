"""What the wording of a message tells for certain, and how alike two messages are."""

import re
from functools import lru_cache

from bot.nlu.encoder import encoder
from bot.nlu.lookups import compile_all, lookup
from bot.nlu.memory import remembered
from bot.nlu.model import model_text
from bot.nlu.text import align, clause_around, normalise

_DANGERS = ("life", "watched", "swallowed", "unwell", "body")
_OF_DANGER, _HARMLESS = ("safety", "hurt"), ("hypothetical", "figurative")
_DENIED = re.compile(
    r"(?:没|不|未|无)(?:有|见|再|闻到|看到|出现|任何)*$"
    r"|(?<![a-z])(?:no|not|never|without|nothing|nobody|isn't|wasn't|didn't|doesn't|hasn't)(?! just| only)"
    r"(?: \w+){0,2} $"
)
_NOT_WORDS = re.compile(r"[\W_]+")
_EMPHASIS = re.compile(
    r"^(?:(?:都|已经)*我(?:都|就|已经|刚才?)*说(?:了|过)*(?:的?(?:是|就是))?"
    r"|i(?:'ve| have)? (?:already )?(?:said|told you))"
)
_REPEATED = re.compile(r"(.{2,12}?)\1+")
_LEAST_CORE = 2
_REMEMBERED = 1024


@lru_cache(maxsize=1)
def _topics() -> dict[str, re.Pattern[str]]:
    return {name: compile_all(patterns) for name, patterns in lookup("handoff").items()}


@remembered(_REMEMBERED)
def speaks_of(topic: str, raw: str) -> bool:
    """True when a message has the wording of a topic of handoff.yml; a danger only denied, asked or likened is none."""
    topics, aligned = _topics(), align(raw)
    for match in topics[topic].finditer(aligned.text):
        start, end = clause_around(aligned, match.start())
        clause, before = aligned.text[start:end], aligned.text[start : match.start()]
        harmless = _DENIED.search(before) or any(topics[name].search(clause) for name in _HARMLESS)
        if topic not in _OF_DANGER or not harmless:
            return True
    return False


@remembered(_REMEMBERED)
def denies_danger(raw: str) -> bool:
    """True when the words of danger in a message are there only to say that there is none ("no smoke, no smell")."""
    aligned = align(raw)
    found = list(_topics()["safety"].finditer(aligned.text))
    before = (aligned.text[clause_around(aligned, match.start())[0] : match.start()] for match in found)
    return bool(found) and all(_DENIED.search(words) for words in before)


def danger_in(raw: str) -> str:
    """Which danger a message tells of: `life`, `watched`, `swallowed`, `unwell`, `body`, or that of a `device`."""
    text = align(raw).text
    return next((kind for kind in _DANGERS if _topics()[f"danger_{kind}"].search(text)), "device")


def likeness(one: str, other: str) -> float:
    """How alike two messages are, 0 to 1, by their pairs of characters."""
    pairs_one, pairs_other = _pairs(one), _pairs(other)
    if not pairs_one or not pairs_other:
        return 0.0
    return len(pairs_one & pairs_other) / len(pairs_one | pairs_other)


def nearness(one: str, other: str) -> float:
    """How near two messages are in meaning, 0 to 1, in either language; 0 where no sentence encoder is installed."""
    sentences = encoder()
    if sentences is None:
        return 0.0
    first, second = sentences.encode([model_text(one), model_text(other)])
    return max(0.0, float(first @ second))


@remembered(_REMEMBERED)
def letters(raw: str) -> str:
    """The letters and digits of a message in their normal form."""
    return _NOT_WORDS.sub("", normalise(raw))


@remembered(_REMEMBERED)
def insisted_on(raw: str) -> str:
    """The letters of what a message says with emphasis: after "I said", several times over, or with "!"; else empty."""
    text = normalise(raw).strip()
    plain = letters(_EMPHASIS.sub("", text))
    repeated = _REPEATED.fullmatch(plain)
    core = repeated.group(1) if repeated else plain
    emphatic = repeated or _EMPHASIS.search(text) or text.endswith("!")
    return core if emphatic and len(core) >= _LEAST_CORE else ""


@remembered(_REMEMBERED)
def _pairs(raw: str) -> frozenset[str]:
    plain = letters(raw)
    return frozenset(plain[index : index + 2] for index in range(len(plain) - 1))


BY_TEXT = (speaks_of, denies_danger, letters, insisted_on, _pairs)
