"""What was said that matters: the trouble in the customer's own words, and what the bot told them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from handoff.conversations.models import Message, Sender
from handoff.locales import text
from handoff.privacy.masking import hide, mask
from handoff.summary import mood
from handoff.summary.corrections import messages_misread
from handoff.summary.designers import trouble
from handoff.summary.evidence import excerpt, fold, own_words
from handoff.summary.record import Record, intent
from handoff.summary.stated import tells_trouble, turn_of
from handoff.summary.wording import patterns

PROBLEM_QUOTE = 120
BOT_QUOTE = 160
MOST_STATEMENTS = 8
# A message in fewer letters says nothing, beside an address or a phone not more than a name.
SHORTEST, LONGEST_NAME = 2, 4
# What is said once more about the same is rather a remark beside it than the trouble itself.
FOLLOWS = 1.0
MOST_THREATS = 2
PATTERNS = patterns("speech.yml")
TROUBLE_INTENTS = {
    "device_problem",
    "parcel_problem",
    "refund",
    "return_exchange",
    "firmware_update",
    "cancel_order",
    "track_order",
    "change_address",
    "warranty",
    "invoice",
    "delivery",
}
SOCIAL_INTENTS = {"greet", "thank", "goodbye", "capabilities", "who_are_you", "chitchat", "affirm", "deny"}
EMPTY_INTENTS = SOCIAL_INTENTS | {"request_human", "inform", "out_of_scope"}
_GREETING = re.compile(
    r"^(?:你好|您好|哈喽|嗨|hi|hello|hey|good (?:morning|afternoon|evening))[^\n]{0,60}$", re.IGNORECASE
)
_COUNT = re.compile(
    r"第[一二三四五]个?(?:是)?[,，:：、 ]|[①②③④⑤]|(?:^|(?<=[\s;；。,，]))[1-5](?:[、)）]|[.](?![0-9]))"
    r"|(?<![a-z])(?:first|second|third)(?:ly)?[,:]",
    re.IGNORECASE,
)
_ONE_SENTENCE = re.compile(r"^[^.!。！\n]*[?？]\s*$")


@dataclass(frozen=True)
class Problem:
    """The stated trouble: the symptom if one was recognised, the words, and the message that says so."""

    symptom: str | None
    quote: str
    seq: int


def problem(record: Record) -> Problem | None:
    """Return the trouble of the present matter, a danger before all; None when no word was said about it."""
    misread = messages_misread("problem", record.corrections)
    danger = next((danger for danger in record.dangers if danger.seq not in misread), None)
    if danger:
        return Problem(None, danger.quote, danger.seq)
    fact = record.symptom
    if fact and fact.source_seq in record.by_seq and fact.source_seq not in misread:
        said = record.by_seq[fact.source_seq]
        whole = said.payload is None and said.text.strip()
        own = said.text[turn_of(said) :]
        quote = excerpt(own, PROBLEM_QUOTE, own_words(own, fact.quote or "")) if whole else said.text
        named = fact.value if trouble().topic_of(fact.value) else None
        return Problem(named, quote, said.seq)
    words = [one for one in record.open_words if one.seq not in misread and not _tells_nothing(one, record)]
    if not words:
        return None
    strongest = _strongest(words, record)
    return Problem(None, excerpt(strongest.text[turn_of(strongest) :], PROBLEM_QUOTE), strongest.seq)


def _strongest(words: list[Message], record: Record) -> Message:
    """Return the message that states the trouble best."""
    weights = {message.seq: _weight(message, record) for message in words}
    brought: set[str] = set()
    for message in words:
        meant = intent(message).partition("/")[0]
        weights[message.seq] -= FOLLOWS if meant in brought & TROUBLE_INTENTS else 0.0
        brought.add(meant)
    return max(words, key=lambda message: (weights[message.seq], -message.seq))


def _tells_nothing(message: Message, record: Record) -> bool:
    """Tell whether a message only gives data (an order's number, an address), or only calls for a person."""
    if _is_only_data(message.text):
        return True
    calls = intent(message) == "request_human" and not tells_trouble(fold(message.text))
    return calls and all(fact.source_seq != message.seq for fact in record.facts)


@lru_cache(maxsize=2048)
def _is_only_data(words: str) -> bool:
    public = hide(words, lambda kind: "")
    return len(PATTERNS["data"].sub("", fold(public))) < (SHORTEST if public == words else LONGEST_NAME + 1)


def problems(record: Record) -> list[Problem]:
    """Return every trouble of the present matter, the stated one first; what a message counts up stands one by one."""
    first = problem(record)
    if first is None:
        return []
    said = record.by_seq[first.seq]
    parts = _counted(said.text) if said.payload is None else []
    if parts:
        own = next((part for part in parts if first.quote in part), parts[0])
        found = [
            Problem(first.symptom if part == own else None, excerpt(part, PROBLEM_QUOTE), said.seq) for part in parts
        ]
    else:
        found = [first]
    misread = messages_misread("problem", record.corrections)
    for fact in record.stated:
        seq = fact.source_seq or 0
        if fact.name != "symptom" or seq < record.matter_start or seq in misread or seq not in record.by_seq:
            continue
        topic = trouble().topic_of(fact.value)
        if topic and all(seq != one.seq and fact.value != one.symptom for one in found):
            words = record.by_seq[seq].text
            quote = excerpt(words, PROBLEM_QUOTE, own_words(words, fact.quote or ""))
            found.append(Problem(fact.value, quote, seq))
    return found


def _counted(words: str) -> list[str]:
    """Return what a message counts up ("第一…第二…", "firstly … secondly …"); nothing when it doesn't."""
    marks = list(_COUNT.finditer(words))
    ends = [*(mark.start() for mark in marks[1:]), len(words)][: len(marks)]
    parts = [words[mark.end() : end].strip(" ,，.。;；:：、\n") for mark, end in zip(marks, ends, strict=True)]
    return [part for part in parts if part] if len(parts) > 1 else []


def problem_text(record: Record, language: str) -> str:
    """Return the troubles and threats in the reader's language, private data hidden."""
    told = [_told(one, language) for one in problems(record)]
    number = record.value("order_number")
    if number and is_lost(record, number):
        told.append(text("summary.order_lost_told", language, number=number))
    told += [text("summary.threat", language, quote=mask(quote, language)) for quote in _threats(record)]
    return text("summary.semicolon", language).join(told) or text("summary.no_problem_yet", language)


def _told(one: Problem, language: str) -> str:
    quote = mask(one.quote, language)
    if one.symptom is None:
        return text("summary.problem_quote", language, quote=quote)
    return text("summary.problem_symptom", language, symptom=trouble().title(one.symptom, language), quote=quote)


def is_lost(record: Record, number: str) -> bool:
    """Tell whether the shop, or the bot after it had asked the shop, says that an order's parcel is lost."""
    if record.order is not None:
        return record.order.number == number and record.order.status == "lost"
    said = (message.text for message in record.matter if message.sender == Sender.BOT and number in message.text)
    return any(PATTERNS["lost"].search(fold(words)) for words in said)


def _threats(record: Record) -> list[str]:
    """Return the sentences beside the stated trouble that speak of a lawyer, an authority or the media."""
    first = problem(record)
    found = []
    for message in record.matter_words:
        told = PATTERNS["threat"].search(fold(message.text))
        words = message.text[told.start() : told.end()] if told else ""
        if told and not (first and first.seq == message.seq and words in first.quote):
            found.append(excerpt(message.text, PROBLEM_QUOTE, words))
    return list(dict.fromkeys(found))[:MOST_THREATS]


def bot_said(record: Record) -> list[dict[str, Any]]:
    """Return what the bot stated in the present matter, the newest eight, without greetings and mere questions."""
    stated: dict[str, Message] = {}
    asked: list[Message] = []
    for message in record.matter:
        if message.sender == Sender.CUSTOMER:
            asked.append(message)
        elif message.sender == Sender.BOT and _matters(message, _turn(asked)):
            stated.pop(message.text, None)
            stated[message.text] = message
    newest = list(stated.values())[-MOST_STATEMENTS:]
    return [{"text": excerpt(message.text, BOT_QUOTE), "seq": message.seq} for message in newest]


def _turn(asked: list[Message]) -> list[Message]:
    """Return the customer's messages that one answer answers: the newest run without a gap."""
    turn: list[Message] = []
    for message in reversed(asked):
        if turn and turn[-1].seq - message.seq > 1:
            break
        turn.append(message)
    return turn


def _matters(message: Message, turn: list[Message]) -> bool:
    words = message.text.strip()
    if not words or _GREETING.match(words) or _ONE_SENTENCE.match(words):
        return False
    meant = {intent(asked).partition("/")[0] for asked in turn if intent(asked)}
    return not meant or not meant <= SOCIAL_INTENTS - {"affirm", "deny"}


def _weight(message: Message, record: Record) -> float:
    """How well a message states the trouble: what it means first, then how it weighs on the customer, then detail."""
    return _meaning(message, record) + mood.heaviness(message) / 4 + min(len(message.text), 150) / 75


def _meaning(message: Message, record: Record) -> int:
    meant, is_trouble = intent(message).partition("/")[0], tells_trouble(fold(message.text))
    if meant in EMPTY_INTENTS:
        return 2 if meant == "out_of_scope" and is_trouble else 0
    if meant == "device_problem" and not is_trouble:
        named = {fact.source_seq for fact in record.facts if fact.name in {"product", "device_model", "symptom"}}
        return 4 if message.seq in named else 1
    if meant == "complain":
        return 3
    return 4 if meant in TROUBLE_INTENTS else 2
