"""What the customer hopes for, said or implied, found by the designers' phrases in `hopes.yml`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from handoff.conversations.models import Message
from handoff.locales import LANGUAGES, text
from handoff.summary.attempts import is_by_others
from handoff.summary.dangers import FRAUD, ONLY_MATTER
from handoff.summary.evidence import clauses, excerpt, fold
from handoff.summary.record import Record, intent
from handoff.summary.stated import turn_of
from handoff.summary.statements import Kind, statements
from handoff.summary.wording import patterns

PATTERNS = patterns("needs.yml")
PHRASES = Path(__file__).with_name("hopes.yml")
LONGEST_QUOTE = 80
LONGEST_READ = 600
DENIED_WITHIN = 40
# A time that was promised to the customer is no wish of theirs.
PLEDGED = patterns("pledges.yml")["told_word"]
OWN_WORDS = "own_words"
PERSON, SAFETY, NOT_CHEATED = "person", "safety", "not_cheated"
PERSON_INTENT = "request_human"
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
    unless: re.Pattern[str] | None
    intents: tuple[str, ...]
    is_one_of: bool


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
            _any_of(entry.get("unless")),
            tuple(entry.get("intents") or ()),
            bool(entry.get("one_of")),
        )
        for key, entry in content.items()
    )


def hopes(record: Record) -> list[Hope]:
    """Return the hopes of the present matter in the order in which they were first said; withdrawn ones are gone.

    Where no phrase or need tells, the understood wish of the message that states the trouble stands for the hope. By
    when it is wished for stands in the text. What a danger calls for comes first.
    """
    found = _in_danger(record)
    heard: set[str] = set()
    is_told = bool(found)
    beside = {danger.seq for danger in record.dangers if danger.kind in ONLY_MATTER}
    done = {(one.seq, one.quote) for one in record.attempts if one.text == one.quote}
    for message in record.matter_words:
        if message.seq in beside:
            continue
        own = message.text[turn_of(message) :]
        fresh = [part for part in clauses(own[:LONGEST_READ]) if part not in heard]
        heard.update(fresh)
        words = fold("\n".join(fresh))
        used: set[str] = set()
        denied: set[str] = set()
        named: list[str] = []
        for entry in phrases():
            quote, refused = _read(entry, words, fresh)
            denied.update(refused)
            if entry.withdrawn and entry.withdrawn.search(words):
                found.pop(entry.key, None)
                heard.clear()
            elif quote is not None:
                used.add(quote)
                named.append(entry.key)
                found.setdefault(entry.key, Hope(entry.key, entry.text, quote, message.seq))
            elif refused:
                found.pop(entry.key, None)
        if chosen := _changed_to(words, fresh):
            given_up = [one.key for one in phrases() if one.is_one_of and one.key not in chosen]
            for key in given_up:
                found.pop(key, None)
            named = [key for key in named if key not in given_up]
            heard.clear()
        if PERSON not in named and fresh and intent(message) == PERSON_INTENT:
            quote = excerpt(message.text, LONGEST_QUOTE)
            named.append(PERSON)
            found.setdefault(PERSON, Hope(PERSON, _entry(PERSON).text, quote, message.seq))
        due = None if PLEDGED.search(words) else _deadline(fresh)
        if due and named:
            key = next((key for key in named if found[key].quote in due.clause), named[-1])
            found[key] = replace(found[key], text=_by(_entry(key).text, due.words))
            used.add(due.clause)
        used |= denied
        rest = [part for part in fresh if part not in used and (message.seq, part) not in done and not _only_told(part)]
        quote = _in_clause(PATTERNS["need"], fold("\n".join(rest)), rest)
        is_told = is_told or bool(named) or quote is not None
        if rest and not named and quote is None:
            quote = _in_clause(PATTERNS["stake"], fold("\n".join(rest)), rest) or _asked(message)
        if quote:
            texts = {str(language): f"“{quote}”" for language in LANGUAGES}
            found[f"{OWN_WORDS}:{message.seq}"] = Hope(OWN_WORDS, texts, quote, message.seq)
    return [*found.values(), *([] if is_told else _implied(record))]


def _in_danger(record: Record) -> dict[str, Hope]:
    """Return what the dangers call for, by its key."""
    found: dict[str, Hope] = {}
    for danger in record.dangers:
        entry = _entry(NOT_CHEATED if danger.kind == FRAUD else SAFETY)
        found.setdefault(entry.key, Hope(entry.key, entry.text, excerpt(danger.quote, LONGEST_QUOTE), danger.seq))
    return found


def _entry(key: str) -> Phrases:
    return next(entry for entry in phrases() if entry.key == key)


def _read(entry: Phrases, words: str, parts: list[str]) -> tuple[str | None, set[str]]:
    """Return the first clause of `parts`, which `words` joins in folded letters, that hopes so, and what denies it."""
    hoped: str | None = None
    refused: set[str] = set()
    for match in entry.said.finditer(words) if entry.said else ():
        part = parts[words.count("\n", 0, match.start())]
        if _is_denied(words, match):
            refused.add(part)
        elif hoped is None and not (entry.unless and entry.unless.search(fold(part))):
            hoped = excerpt(part, LONGEST_QUOTE)
    return hoped, refused


def _is_denied(words: str, match: re.Match[str]) -> bool:
    wish = PATTERNS["wish_word"].match(words, match.start(), match.end())
    before = words[max(0, match.start() - DENIED_WITHIN) : wish.end() if wish else match.start()]
    after = words[match.end() : match.end() + DENIED_WITHIN]
    if PATTERNS["not_wanted_after"].search(after):
        return True
    return PATTERNS["not_wanted"].search(before) is not None and not PATTERNS["refused_by_shop"].search(after)


def _changed_to(words: str, parts: list[str]) -> set[str]:
    """Return which of the wishes that exclude one another stand from the clause on that tells of a change of mind."""
    changes = PATTERNS["changes_mind"].search(words)
    if changes is None:
        return set()
    rest = parts[words.count("\n", 0, changes.end()) :]
    return {one.key for one in phrases() if one.is_one_of and _read(one, fold("\n".join(rest)), rest)[0] is not None}


def _in_clause(pattern: re.Pattern[str], words: str, parts: list[str]) -> str | None:
    """Return the first clause of `parts`, which `words` joins in folded letters, that the pattern finds undenied."""
    for match in pattern.finditer(words):
        if not PATTERNS["not_wanted"].search(words[max(0, match.start() - DENIED_WITHIN) : match.start()]):
            return excerpt(parts[words.count("\n", 0, match.start())], LONGEST_QUOTE)
    return None


@dataclass(frozen=True)
class _Deadline:
    words: str
    clause: str


def _deadline(parts: list[str]) -> _Deadline | None:
    """Return by when something is wished for, in the customer's words, with the clause that says so."""
    for part in parts:
        if match := PATTERNS["deadline"].search(fold(part)):
            return _Deadline(part[match.start() : match.end()], part)
    return None


def _by(texts: dict[str, str], words: str) -> dict[str, str]:
    return {
        str(language): text("summary.hope_by", language, hope=texts[language], words=words) for language in LANGUAGES
    }


def _only_told(part: str) -> bool:
    return PATTERNS["only_told"].search(fold(part)) is not None or is_by_others(fold(part))


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
            if entry.unless and entry.unless.search(fold(message.text)):
                continue
            if meant and any(meant == name or meant.startswith(f"{name}/") for name in entry.intents):
                quote = excerpt(message.text[turn_of(message) :], LONGEST_QUOTE)
                return [Hope(entry.key, entry.text, quote, message.seq)]
    return []


def _any_of(patterns: list[str] | None) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
