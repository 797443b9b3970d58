"""What the customer states beyond what the bot recognised, and which recognised troubles really are theirs."""

from __future__ import annotations

from handoff.conversations.models import Message, Sender
from handoff.locales import section
from handoff.summary.evidence import excerpt, fold
from handoff.summary.further import Stated, further, is_denied, kinds
from handoff.summary.knowledge import newest_last
from handoff.summary.models import Fact
from handoff.summary.statements import Kind, Statement, statements
from handoff.summary.wording import patterns

PATTERNS = patterns("stated.yml")
LONGEST_SYMPTOM = 60
DEVICE_INTENTS = ("device_problem", "firmware_update", "warranty")
_FIGURES = {"一": "1", "二": "2", "两": "2", "三": "3"}


def stated(facts: list[Fact], messages: list[Message]) -> list[Fact]:
    """Return the facts without symptoms that no message states, and with what else the messages state.

    A symptom is stated by the first message that tells of trouble; a later one counts when it tells of one more, or
    answers what the trouble is. Symptoms in the customer's own words come before those the bot has a name for.
    """
    by_seq = {message.seq: message for message in messages}
    trouble = _in_own_words(facts, messages)
    kept: list[Fact] = []
    for fact in facts:
        said = by_seq.get(fact.source_seq or 0)
        if fact.name != "symptom":
            if said is None or not is_denied(fact, said):
                kept.append(fact)
            continue
        pressed = said is None or said.payload is not None
        first = not any(one.name == "symptom" for one in kept) and (
            not trouble or trouble[0].seq >= (fact.source_seq or 0)
        )
        if pressed or first or (said is not None and _one_more_trouble(said)):
            kept.append(fact)
    named = {fact.source_seq or 0 for fact in kept if fact.name == "symptom"}
    own = []
    for number, one in enumerate(trouble):
        is_new = number > 0 or one.seq < min(named, default=one.seq + 1) or _answers_what(one, messages)
        if one.seq not in named and is_new:
            words = excerpt(one.text, LONGEST_SYMPTOM)
            own.append(_fact("symptom", words, words, by_seq[one.seq], number))
    return [*own, *newest_last([*kept, *_answered(kept, messages)])]


def _one_more_trouble(message: Message) -> bool:
    words = fold(message.text)
    troubled = any(one.kind == Kind.TROUBLE for one in statements(message.text, message.seq, service=False))
    return troubled and PATTERNS["one_more"].search(words) is not None


def _answered(facts: list[Fact], messages: list[Message]) -> list[Fact]:
    """What answers say in few words, and what messages state beside what was recognised."""
    found: list[Fact] = []
    question = ""
    candidates: set[str] = set()
    for message in messages:
        words = fold(message.text)
        if message.sender in {Sender.BOT, Sender.AGENT}:
            question = words
        elif message.sender == Sender.CUSTOMER and message.payload is None:
            own = [fact for fact in facts if fact.source_seq == message.seq]
            said = [
                *_phone(message, question, candidates),
                *_model(message, question, facts),
                *_bought(message, question),
            ]
            said = [one for one in said if not any(fact.name == one.name for fact in own)]
            for one in [*said, *further(message, own, question)]:
                found.append(_fact(one.name, one.value, one.quote, message, len(found) + 1))
    return found


def _phone(message: Message, question: str, candidates: set[str]) -> list[Stated]:
    """The last four digits of a phone: where they are spoken of, or said again later on."""
    words = fold(message.text)
    digits = PATTERNS["four"].findall(words)
    if PATTERNS["phone"].search(question) or PATTERNS["phone"].search(words):
        candidates.update(digits)
    return [Stated("phone_last4", one, one) for one in digits if one in candidates][-1:]


def _model(message: Message, question: str, facts: list[Fact]) -> list[Stated]:
    """Which of the devices of one kind it is: "pro", "是三代的"."""
    words = fold(message.text)
    answer = PATTERNS["which"].match(words) if PATTERNS["asks_which"].search(question) else None
    match = answer or PATTERNS["generation"].search(words)
    if match is None:
        return []
    spoken_of = [one.value for one in facts if one.name == "product" and 0 < (one.source_seq or 0) <= message.seq]
    kind = next(reversed([*kinds(question), *spoken_of]), None)
    if kind is None:
        return []
    model = f"{kind}-{_FIGURES.get(match.group(1), match.group(1))}"
    if f"device_{model}" not in section("summary"):
        return []
    return [Stated("device_model", model, message.text[match.start(1) : match.end(1)])]


def _bought(message: Message, question: str) -> list[Stated]:
    """When it was bought, in the customer's words, as the answer to that question."""
    match = PATTERNS["day"].search(fold(message.text)) if PATTERNS["asks_when"].search(question) else None
    quote = message.text[match.start() : match.end()] if match else ""
    return [Stated("purchased_at", quote, quote)] if quote else []


def _answers_what(one: Statement, messages: list[Message]) -> bool:
    """Tell whether a statement answers the question what the trouble is."""
    before = [message for message in messages if message.seq < one.seq and message.sender in {Sender.BOT, Sender.AGENT}]
    return bool(before) and PATTERNS["asks_trouble"].search(fold(before[-1].text)) is not None


def _in_own_words(facts: list[Fact], messages: list[Message]) -> list[Statement]:
    """Return the sentences that tell of trouble with a device: the first, one more, or the answer to what it is."""
    found: list[Statement] = []
    devices = {fact.source_seq for fact in facts if fact.name in {"product", "device_model"}}
    question = ""
    for message in messages:
        words = fold(message.text)
        if message.sender in {Sender.BOT, Sender.AGENT}:
            question = words
        if message.sender != Sender.CUSTOMER or message.payload is not None:
            continue
        meant = str((message.nlu or {}).get("intent") or "").partition("/")[0]
        asked = PATTERNS["asks_trouble"].search(question) is not None
        faulty = PATTERNS["fault"].search(words) is not None
        about = meant in DEVICE_INTENTS or message.seq in devices
        more = PATTERNS["one_more"].search(words) is not None and faulty
        if (about and not found) or (found and more) or (asked and (about or faulty)):
            found += _trouble(message, plain_too=asked or meant == "device_problem")
            question = ""
    return found


def _trouble(message: Message, plain_too: bool) -> list[Statement]:
    """The first sentence that tells of trouble; else, with `plain_too`, the longest that tells anything."""
    told = statements(message.text, message.seq, service=False)
    plain = [one for one in told if one.kind == Kind.TOLD] if plain_too else []
    return [one for one in told if _tells_trouble(one)][:1] or sorted(plain, key=lambda one: -len(one.text))[:1]


def _tells_trouble(one: Statement) -> bool:
    return one.kind == Kind.TROUBLE or (one.kind != Kind.EMPTY and PATTERNS["fault"].search(fold(one.text)) is not None)


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
