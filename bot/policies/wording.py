"""What the wording of a message tells for certain, and how alike two messages are."""

import re
from functools import lru_cache

from bot.nlu.encoder import encoder
from bot.nlu.lookups import compile_all, lookup
from bot.nlu.memory import remembered
from bot.nlu.model import model_text
from bot.nlu.text import align, clause_around, normalise

_DANGERS = ("life", "watched", "swallowed", "body")
_NOT_WORDS = re.compile(r"[\W_]+")
_REMEMBERED = 1024


@lru_cache(maxsize=1)
def _topics() -> dict[str, re.Pattern[str]]:
    return {name: compile_all(patterns) for name, patterns in lookup("handoff").items()}


@remembered(_REMEMBERED)
def speaks_of(topic: str, raw: str) -> bool:
    """True when a message has the wording of a topic of handoff.yml; asking about a danger is not telling of it."""
    topics, aligned = _topics(), align(raw)
    for match in topics[topic].finditer(aligned.text):
        start, end = clause_around(aligned, match.start())
        if topic not in ("safety", "hurt") or not topics["hypothetical"].search(aligned.text[start:end]):
            return True
    return False


def danger_in(raw: str) -> str:
    """Which danger a message tells of: `life`, `watched`, `swallowed`, `body`, or that of a `device`."""
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
def _pairs(raw: str) -> frozenset[str]:
    plain = letters(raw)
    return frozenset(plain[index : index + 2] for index in range(len(plain) - 1))


BY_TEXT = (speaks_of, letters, _pairs)
