"""What the customer has tried, in their words: reports of something done, and answers to a step they were given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from handoff.conversations.models import Message, Sender
from handoff.summary.evidence import clause, clauses, excerpt, fold
from handoff.summary.models import Fact, TriedStep
from handoff.summary.wording import patterns

PATTERNS = patterns("attempts.yml")
LONGEST_QUOTE = 80
LONGEST_READ = 600
MOST_IN_ONE_MESSAGE = 8
# A space between Chinese words parts clauses as a comma does.
_SPACED = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
# Facts of the case, none of which says how a step went.
CASE_FACTS = ("order_number", "phone_last4", "product", "device_model", "phone_model", "os", "purchased_at")
# What messages mean that are no answer to a step, unless they plainly say how it went.
ELSEWHERE = {
    "greet",
    "thank",
    "goodbye",
    "capabilities",
    "who_are_you",
    "chitchat",
    "complain",
    "request_human",
    "refund",
    "return_exchange",
    "cancel_order",
    "change_address",
    "parcel_problem",
}


@dataclass(frozen=True)
class Attempt:
    """Something that the customer tried: how to call it, their words, and the message.

    `confirmed` says that others named it and the customer agreed.
    """

    text: str
    quote: str
    seq: int
    confirmed: bool = False


@dataclass(frozen=True)
class _Step:
    """A sentence of the bot or an agent: a step that was asked for, or (`summed_up`) what was done as they know it."""

    text: str
    summed_up: bool = False

    def is_answered_by(self, reply: str, *, elsewhere: bool) -> bool:
        """Tell whether a reply says how it went, and does not refuse, ask, put off or speak of something else.

        `elsewhere`: the message gives thanks, a fact or vent to anger, so that only plain words of an outcome count.
        """
        words = fold(reply)
        if self.summed_up:
            return PATTERNS["confirms"].search(words) is not None
        if not words or self.is_put_off_by(reply) or (self.text[-1] in "?？" and PATTERNS["no"].search(words)):
            return False
        first = next(iter(clauses(words)), words)
        beginning = words if first == words.rstrip("?") else first
        if (
            PATTERNS["undone"].search(words)
            or PATTERNS["else"].search(beginning)
            or PATTERNS["no_report"].search(words)
        ):
            return False
        elsewhere = elsewhere or any(PATTERNS[name].search(words) for name in ("vents", "happened"))
        return not elsewhere or PATTERNS["reply_done"].search(words) is not None

    def is_put_off_by(self, reply: str) -> bool:
        """Tell whether a reply only takes note, so that how it went may still be told."""
        return PATTERNS["not_yet"].search(fold(reply)) is not None


def attempts(messages: Iterable[Message], facts: Iterable[Fact] = ()) -> list[Attempt]:
    """Return what the customer says they tried, in order; `facts`: what the messages state of the case."""
    stated = [fact for fact in facts if fact.name in CASE_FACTS and fact.quote]
    found: list[Attempt] = []
    heard: set[str] = set()
    step: _Step | None = None
    open_still = is_told = False
    for message in messages:
        if message.sender in {Sender.BOT, Sender.AGENT}:
            step = _step(message.text) or (step if open_still else None)
            open_still, is_told = True, False
        elif step and message.payload and PATTERNS["outcome_button"].search(message.payload):
            found.append(Attempt(step.text, message.text, message.seq))
        elif message.sender == Sender.CUSTOMER and message.payload is None and message.text.strip():
            told = _reported(message, heard)
            reply = _first_answer(message.text)
            goes_on = not is_told or PATTERNS["outcome"].search(fold(reply)) is not None
            states = any(fact.source_seq == message.seq and (fact.quote or "") in reply for fact in stated)
            elsewhere = states or _meant(message) in ELSEWHERE
            if step and goes_on and step.is_answered_by(reply, elsewhere=elsewhere):
                quote = excerpt(message.text[message.text.find(reply) :], LONGEST_QUOTE)
                first = next(iter(clauses(reply)), reply)
                told = [one for one in told if step.summed_up or one.quote not in first]
                told.insert(0, Attempt(step.text, quote, message.seq, step.summed_up))
            found += told
            is_told = is_told or bool(told)
            open_still = step is not None and step.is_put_off_by(reply)
    return found


def really_done(step: TriedStep, message: Message | None, *, named: bool) -> bool:
    """Tell whether the words on which a recognised step rests say that it was done.

    `named`: the catalogue has a name for the step; words without one must tell of a deed themselves.
    """
    if message is None or message.payload is not None:
        return True
    place = max(0, message.text.find(step.quote))
    said = clause(message.text, place, place + len(step.quote))
    words = fold(next((part for part in _SPACED.split(said) if step.quote in part), said))
    if is_unreal(words):
        return False
    denied = PATTERNS["no_report"].search(words) or PATTERNS["happened"].search(words)
    return named or (PATTERNS["told_deed"].search(words) is not None and not denied)


def is_unreal(words: str) -> bool:
    """Tell whether a folded clause speaks of a deed that was not done, or that others did to a thing of their own."""
    return PATTERNS["unreal"].search(words) is not None or is_by_others(words)


def is_by_others(words: str) -> bool:
    """Tell whether a folded clause tells what somebody else did to a thing of their own."""
    return PATTERNS["of_others_things"].search(words) is not None


def _reported(message: Message, heard: set[str]) -> list[Attempt]:
    """Return what the message reports as done; clauses heard before are passed over, and remembered."""
    found: dict[str, Attempt] = {}
    parts = clauses(message.text[:LONGEST_READ])
    lists, place = False, 0
    for said, after in zip_longest(parts, parts[1:], fillvalue=""):
        start = message.text.find(said, place)
        lists, place = lists and _goes_on(message.text[place:start], fold(said)), start + len(said)
        if said in heard or len(found) == MOST_IN_ONE_MESSAGE:
            continue
        heard.add(said)
        words = fold(said)
        lists = lists or is_done(words)
        if lists or _came_to(words, fold(after)):
            quote = excerpt(message.text, LONGEST_QUOTE, said) if PATTERNS["all_of_it"].search(words) else said
            quote = excerpt(quote, LONGEST_QUOTE)
            found[quote] = Attempt(quote, quote, message.seq)
    return list(found.values())


def _meant(message: Message) -> str:
    return str((message.nlu or {}).get("intent") or "").partition("/")[0]


def _goes_on(between: str, words: str) -> bool:
    """Tell whether a clause goes on with a list of things done: "试过换网线、换信道", "tried resetting, updating"."""
    if "、" in between:
        return PATTERNS["goes_on"].match(words) is not None
    return "ing" in words and PATTERNS["bare_deed_en"].match(words) is not None


def _came_to(words: str, after: str) -> bool:
    """Tell whether a clause names a deed of the customer's and the next one says what came of it."""
    if not PATTERNS["outcome"].search(after) or PATTERNS["of_others"].match(words) or is_unreal(words):
        return False
    return (PATTERNS["bare_deed"].search(words) or PATTERNS["bare_deed_en"].search(words)) is not None


def is_done(words: str) -> bool:
    """Tell whether a clause says that the customer has done something about it."""
    if PATTERNS["of_others"].match(words) and not PATTERNS["mine"].search(words):
        return False
    if any(PATTERNS[name].search(words) for name in ("asks_how", "no_report", "happened")) or is_unreal(words):
        return False
    for match in PATTERNS["done"].finditer(words):
        before, after = words[: match.start()], words[match.start() :]
        if PATTERNS["no_attempt"].search(after) or PATTERNS["not_done"].search(before):
            continue
        if not PATTERNS["as_bought"].search(before + match.group()):
            return True
    return False


def _first_answer(text: str) -> str:
    """Return the first sentence that is no question back; all of it when there is none."""
    sentences = [part.strip() for part in re.split(r"(?<=[。!！?？\n])|(?<=[.])(?=\s)", text) if part.strip()]
    answers = [sentence for sentence in sentences if sentence[-1] not in "?？"]
    return (answers or sentences or [""])[0].rstrip("。!！.")


def _step(text: str) -> _Step | None:
    """Return the sentence in which a step is asked for, else the one that sums up what was done."""
    summed_up = None
    for sentence in re.split(r"(?<=[。!?！？\n])|(?<=[a-z0-9]\.)\s", text):
        words = fold(sentence.strip())
        if PATTERNS["no_step"].search(words):
            continue
        if PATTERNS["asks_outcome"].search(words):
            return _Step(excerpt(sentence, LONGEST_QUOTE))
        if PATTERNS["asks"].search(words):
            continue
        if PATTERNS["step"].search(words):
            return _Step(excerpt(sentence, LONGEST_QUOTE))
        if summed_up is None and PATTERNS["summed_up"].search(words):
            summed_up = _Step(excerpt(sentence, LONGEST_QUOTE), summed_up=True)
    return summed_up
