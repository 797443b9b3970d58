"""What the customer hopes for, said or implied, found by the designers' phrases in `hopes.yml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from handoff.conversations.models import Message
from handoff.summary.evidence import clause, excerpt, fold
from handoff.summary.record import Record, intent

PHRASES = Path(__file__).with_name("hopes.yml")
LONGEST_QUOTE = 80
LONGEST_READ = 1500
_NOT_WANTED = re.compile(
    r"(?:不想|不用|不要|不需要|不必|无需|不是要|别|(?:do ?n[o']?t|do not) (?:want|need)|no need|not asking)"
    r"[^,.;!?、\n]{0,8}$"
)


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

    Where no phrase tells, the understood wish of the message that states the trouble stands for the hope.
    """
    found: dict[str, Hope] = {}
    for message in record.matter_words:
        words = fold(message.text)[:LONGEST_READ]
        for entry in phrases():
            if entry.withdrawn and entry.withdrawn.search(words):
                found.pop(entry.key, None)
            elif entry.key not in found and (quote := _wished(entry, message, words)):
                found[entry.key] = Hope(entry.key, entry.text, quote, message.seq)
    return list(found.values()) or _implied(record)


def _wished(entry: Phrases, message: Message, words: str) -> str | None:
    for match in entry.said.finditer(words) if entry.said else ():
        if not _NOT_WANTED.search(words[: match.start()]):
            return excerpt(clause(message.text, match.start(), match.end()), LONGEST_QUOTE)
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
