"""What the customer hopes for, said or implied, found by the designers' phrases in `hopes.yml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from handoff.conversations.models import Message
from handoff.locales import LANGUAGES
from handoff.summary.evidence import clauses, excerpt, fold
from handoff.summary.record import Record, intent
from handoff.summary.statements import Kind, statements
from handoff.summary.wording import patterns

PATTERNS = patterns("needs.yml")
PHRASES = Path(__file__).with_name("hopes.yml")
LONGEST_QUOTE = 80
LONGEST_READ = 600
DENIED_WITHIN = 40
OWN_WORDS = "own_words"
SHORTEST_QUESTION = 2


@dataclass(frozen=True)
class Hope:
    """A hope with its evidence; `key` names it for the advice."""

    key: str
    text: dict[str, str]
    quote: str
    seq: int


@dataclass(frozen=True)
class Phrases:
    """One entry of `hopes.yml`, ready to be matched on folded text."""

    key: str
    text: dict[str, str]
    said: re.Pattern[str] | None
    withdrawn: re.Pattern[str] | None
    intents: tuple[str, ...]


@cache
def phrases() -> tuple[Phrases, ...]:
    """Return the designers' phrases, in their order."""
    content = yaml.safe_load(PHRASES.read_text(encoding="utf8"))
    return tuple(
        Phrases(
            key,
            {"zh": entry["zh"], "en": entry["en"]},
            _any_of(entry.get("said")),
            _any_of(entry.get("withdrawn")),
            tuple(entry.get("intents") or ()),
        )
        for key, entry in content.items()
    )


def hopes(record: Record) -> list[Hope]:
    """Return the hopes of the present matter in the order in which they were first said; withdrawn ones are gone.

    Where no phrase or need tells, the understood wish of the message that states the trouble stands for the hope.
    """
    found: dict[str, Hope] = {}
    heard: set[str] = set()
    is_told = False
    for message in record.matter_words:
        fresh = [part for part in clauses(message.text[:LONGEST_READ]) if part not in heard]
        heard.update(fresh)
        words = fold("\n".join(fresh))
        named: set[str] = set()
        for entry in phrases():
            if entry.withdrawn and entry.withdrawn.search(words):
                found.pop(entry.key, None)
                heard.clear()
            elif quote := _in_clause(entry.said, words, fresh):
                named.add(quote)
                found.setdefault(entry.key, Hope(entry.key, entry.text, quote, message.seq))
        rest = [part for part in fresh if part not in named]
        quote = _in_clause(PATTERNS["need"], fold("\n".join(rest)), rest)
        is_told = is_told or bool(named) or quote is not None
        if fresh and not named and quote is None:
            quote = _in_clause(PATTERNS["stake"], words, fresh) or _asked(message)
        if quote:
            texts = {str(language): f"“{quote}”" for language in LANGUAGES}
            found[f"{OWN_WORDS}:{message.seq}"] = Hope(OWN_WORDS, texts, quote, message.seq)
    return [*found.values(), *([] if is_told else _implied(record))]


def _in_clause(pattern: re.Pattern[str] | None, words: str, parts: list[str]) -> str | None:
    """Return the first clause of `parts`, which `words` joins in folded letters, that the pattern finds undenied."""
    for match in pattern.finditer(words) if pattern else ():
        if not PATTERNS["not_wanted"].search(words[max(0, match.start() - DENIED_WITHIN) : match.start()]):
            return excerpt(parts[words.count("\n", 0, match.start())], LONGEST_QUOTE)
    return None


def _asked(message: Message) -> str | None:
    """Return the first wish of a message, or what it asks; an exclamation like "260?" asks for nothing."""
    for one in statements(message.text[:LONGEST_READ], message.seq, service=False):
        asks = one.kind == Kind.QUESTION and len(one.pairs) >= SHORTEST_QUESTION
        if (one.kind == Kind.WISH or asks) and not PATTERNS["no_question"].search(fold(one.text)):
            return excerpt(one.text, LONGEST_QUOTE)
    return None


def _implied(record: Record) -> list[Hope]:
    for message in reversed(record.matter_words):
        meant = intent(message)
        for entry in phrases():
            if meant and any(meant == name or meant.startswith(f"{name}/") for name in entry.intents):
                return [Hope(entry.key, entry.text, excerpt(message.text, LONGEST_QUOTE), message.seq)]
    return []


def _any_of(patterns: list[str] | None) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
