"""What was said that matters: the trouble in the customer's own words, and what the bot told them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from handoff.conversations.models import Message, Sender
from handoff.locales import text
from handoff.summary import mood
from handoff.summary.corrections import messages_misread
from handoff.summary.designers import trouble
from handoff.summary.evidence import excerpt, own_words
from handoff.summary.record import Record, intent

PROBLEM_QUOTE = 120
BOT_QUOTE = 160
MOST_STATEMENTS = 8
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
_ONE_SENTENCE = re.compile(r"^[^.!。！\n]*[?？]\s*$")


@dataclass(frozen=True)
class Problem:
    """The stated trouble: the symptom if one was recognised, the words, and the message that says so."""

    symptom: str | None
    quote: str
    seq: int


def problem(record: Record) -> Problem | None:
    """Return the trouble of the present matter; None when the customer has not said a word about it."""
    misread = messages_misread("problem", record.corrections)
    fact = record.symptom
    if fact and fact.source_seq in record.by_seq and fact.source_seq not in misread:
        said = record.by_seq[fact.source_seq]
        whole = said.payload is None and said.text.strip()
        quote = excerpt(said.text, PROBLEM_QUOTE, own_words(said.text, fact.quote or "")) if whole else said.text
        return Problem(fact.value, quote, said.seq)
    words = [message for message in record.matter_words if message.seq not in misread]
    if not words:
        return None
    strongest = max(words, key=lambda message: (_weight(message), -message.seq))
    return Problem(None, excerpt(strongest.text, PROBLEM_QUOTE), strongest.seq)


def problem_text(record: Record, language: str) -> str:
    """Return the trouble in the reader's language, the customer's words as they are."""
    found = problem(record)
    if found is None:
        return text("summary.no_problem_yet", language)
    if found.symptom is None:
        return text("summary.problem_quote", language, quote=found.quote)
    return text(
        "summary.problem_symptom", language, symptom=trouble().title(found.symptom, language), quote=found.quote
    )


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


def _weight(message: Message) -> float:
    """How well a message states the trouble: what it means first, then how it weighs on the customer, then detail."""
    meant = intent(message).partition("/")[0]
    return _meaning(meant) + mood.heaviness(message) / 4 + min(len(message.text), 150) / 75


def _meaning(meant: str) -> int:
    if meant in EMPTY_INTENTS:
        return 0
    if meant == "complain":
        return 3
    return 4 if meant in TROUBLE_INTENTS else 2
