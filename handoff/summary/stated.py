"""What the customer states beyond what the bot recognised, and which recognised troubles really are theirs."""

from __future__ import annotations

import re

from handoff.conversations.models import Message, Sender
from handoff.locales import section
from handoff.summary.evidence import excerpt, fold
from handoff.summary.knowledge import newest_last
from handoff.summary.models import Fact
from handoff.summary.statements import Kind, Statement, statements

LONGEST_SYMPTOM = 60
DEVICE_INTENTS = ("device_problem", "firmware_update", "warranty")
_ONE_MORE = re.compile(
    r"还有|另外|而且|现在(?:又|连)|又(?:坏|出|开始|断|黑|死|不)|也(?:坏|不行|没)|(?<![a-z])(?:also|another"
    r"|and now|as well|too|besides"
    r"|now (?:it|the))(?![a-z])"
)
_PHONE = re.compile(r"后四位|后4位|尾号|(?<![a-z])(?:last (?:four|4)|ends? (?:in|with)|ending(?: in)?)(?![a-z])")
_ASKS_WHICH = re.compile(r"哪一?[款代个种]|几代|型号|还是|(?<![a-z])(?:which|what model)(?![a-z])")
_WHICH = re.compile(r"^\W*(?:是|就是|it's|the|我的?也?是)?\s*(pro|[0-9])(?:代)?(?![a-z0-9.:点号分小天年月个])")
_FOUR = re.compile(r"(?<![0-9a-z.\-])[0-9]{4}(?![0-9.\-年])")


def stated(facts: list[Fact], messages: list[Message]) -> list[Fact]:
    """Return the facts without symptoms that no message states, and with what was only stated in an answer.

    A symptom is stated by the first message that tells of trouble; a later one counts when it tells of one more.
    """
    by_seq = {message.seq: message for message in messages}
    trouble = _in_own_words(messages)
    kept: list[Fact] = [fact for fact in facts if fact.name != "symptom"]
    for fact in facts:
        if fact.name != "symptom":
            continue
        said = by_seq.get(fact.source_seq or 0)
        pressed = said is None or said.payload is not None
        first = not any(one.name == "symptom" for one in kept) and (
            trouble is None or trouble.seq >= (fact.source_seq or 0)
        )
        if pressed or first or (said is not None and _one_more_trouble(said)):
            kept.append(fact)
    named = [fact.source_seq or 0 for fact in kept if fact.name == "symptom"]
    if trouble is not None and (not named or trouble.seq < min(named)):
        words = excerpt(trouble.text, LONGEST_SYMPTOM)
        kept.append(_fact("symptom", words, words, by_seq[trouble.seq], 0))
    return newest_last([*kept, *_answered(kept, messages)])


def _one_more_trouble(message: Message) -> bool:
    words = fold(message.text)
    troubled = any(one.kind == Kind.TROUBLE for one in statements(message.text, message.seq, service=False))
    return troubled and _ONE_MORE.search(words) is not None


def _answered(facts: list[Fact], messages: list[Message]) -> list[Fact]:
    """What a bare answer says: the last four digits of the phone, and which of the devices of one kind it is."""
    known = {(fact.name, fact.source_seq) for fact in facts}
    found: list[Fact] = []
    question = ""
    for message in messages:
        words = fold(message.text)
        if message.sender in {Sender.BOT, Sender.AGENT}:
            question = words
        elif message.sender == Sender.CUSTOMER and message.payload is None:
            digits = _FOUR.findall(words) if _PHONE.search(question) or _PHONE.search(words) else []
            if digits and ("phone_last4", message.seq) not in known:
                found.append(_fact("phone_last4", digits[-1], digits[-1], message, len(found) + 1))
            answer = _WHICH.match(words) if _ASKS_WHICH.search(question) else None
            kind = next((one.value for one in reversed(facts) if one.name == "product" and one.source_seq), "")
            model = f"{kind}-{answer.group(1)}" if answer else ""
            if f"device_{model}" in section("summary") and ("device_model", message.seq) not in known:
                said = message.text[answer.start(1) : answer.end(1)] if answer else ""
                found.append(_fact("device_model", model, said, message, len(found) + 1))
            question = ""
    return found


def _in_own_words(messages: list[Message]) -> Statement | None:
    """Return the customer's first sentence that tells of trouble with a device."""
    for message in messages:
        meant = str((message.nlu or {}).get("intent") or "").partition("/")[0]
        if message.sender != Sender.CUSTOMER or message.payload is not None or meant not in DEVICE_INTENTS:
            continue
        for one in statements(message.text, message.seq, service=False):
            if one.kind == Kind.TROUBLE:
                return one
    return None


def _fact(name: str, value: str, quote: str, message: Message, number: int) -> Fact:
    """A fact that is read anew each time, and stored nowhere."""
    return Fact(
        id=-1 - number,
        conversation_id=message.conversation_id,
        name=name,
        value=value,
        quote=quote,
        source_seq=message.seq,
        created_at=message.created_at,
    )
