"""What the customer states beyond what the bot recognised, and which recognised troubles really are theirs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from handoff.conversations.models import Message, Sender
from handoff.locales import section
from handoff.summary.aside import Aside, put_aside
from handoff.summary.attempts import is_done, is_unreal
from handoff.summary.dangers import Danger
from handoff.summary.designers import trouble
from handoff.summary.evidence import clauses, excerpt, fold
from handoff.summary.further import Stated, denies_next, further, is_beside, is_denied, kinds
from handoff.summary.knowledge import newest_last
from handoff.summary.models import Fact
from handoff.summary.statements import Kind, Statement, statements
from handoff.summary.wording import patterns

PATTERNS = patterns("stated.yml")
LONGEST_SYMPTOM = 60
# The facts that say what it is about.
ABOUT = ("product", "device_model", "symptom")
STEP_TOPICS = {"factory_reset"}
DEVICE_INTENTS = ("device_problem", "firmware_update", "warranty")
_FIGURES = {"一": "1", "二": "2", "两": "2", "三": "3"}


def stated(facts: list[Fact], messages: list[Message], dangers: Iterable[Danger] = ()) -> list[Fact]:
    """Return the facts without symptoms that no message states, and with what else the messages state.

    A symptom is stated by the first message that tells of trouble; a later one counts when it tells of one more, or
    answers what the trouble is. Symptoms in the customer's own words come before those the bot has a name for.
    A danger is no symptom that has a name: what the bot took it for is left out, as is what was put aside.
    """
    by_seq = {message.seq: message for message in messages}
    in_danger = {danger.seq for danger in dangers}
    facts = [fact for fact in facts if fact.name != "symptom" or fact.source_seq not in in_danger]
    facts = [fact for fact in facts if not _is_left_behind(fact, by_seq.get(fact.source_seq or 0))]
    aside = put_aside(messages)
    facts = _without(aside, facts, by_seq)
    now = [message for message in messages if message.seq not in aside.messages]
    own_trouble = [one for one in _in_own_words(facts, now) if one.seq not in in_danger]
    kept: list[Fact] = []
    for fact in facts:
        said = by_seq.get(fact.source_seq or 0)
        if fact.name != "symptom":
            if said is None or not (is_denied(fact, said) or is_beside(fact, said)):
                kept.append(fact)
            continue
        if said is not None and said.payload is None and _is_only_a_step(fact, said):
            continue
        pressed = said is None or said.payload is not None
        first = not any(one.name == "symptom" for one in kept) and (
            not own_trouble or own_trouble[0].seq >= (fact.source_seq or 0)
        )
        if pressed or first or (said is not None and _one_more_trouble(said)):
            kept.append(fact)
    named = {fact.source_seq or 0 for fact in kept if fact.name == "symptom"}
    own = []
    for number, one in enumerate(own_trouble):
        is_new = number > 0 or one.seq < min(named, default=one.seq + 1) or _answers_what(one, messages)
        if one.seq not in named and is_new:
            words = excerpt(one.text, LONGEST_SYMPTOM)
            own.append(_fact("symptom", words, words, by_seq[one.seq], number))
    return [*own, *newest_last([*kept, *_without(aside, _answered(kept, now), by_seq)])]


def _without(aside: Aside, facts: list[Fact], by_seq: dict[int, Message]) -> list[Fact]:
    return [fact for fact in facts if fact.name not in ABOUT or not aside.holds(fact, by_seq.get(fact.source_seq or 0))]


def _is_only_a_step(fact: Fact, message: Message) -> bool:
    """Tell whether a "trouble" names a step that the message reports or puts off, not one that it asks for."""
    words = fold(message.text)
    if not PATTERNS["step_word"].search(words) or PATTERNS["asks_for_step"].search(words):
        return False
    if trouble().topic_of(fact.value) not in STEP_TOPICS:
        return False
    return any(PATTERNS["step_word"].search(part) for part in map(fold, clauses(message.text)) if _only_steps(part))


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
                *_bought(message, question, facts),
            ]
            said = [one for one in said if not any(fact.name == one.name for fact in own)]
            for one in [*said, *further(message, own, question, turn_of(message))]:
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


def _bought(message: Message, question: str, facts: list[Fact]) -> list[Stated]:
    """When it was bought, in the customer's words: the answer to that question, or another day than they had said."""
    earlier = [fact for fact in facts if fact.name == "purchased_at" and (fact.source_seq or 0) < message.seq]
    if not PATTERNS["asks_when"].search(question) and not any(is_denied(fact, message) for fact in earlier):
        return []
    words = fold(message.text)
    days = [match for match in PATTERNS["day"].finditer(words) if not denies_next(words[: match.start()])]
    quotes = [message.text[match.start() : match.end()] for match in days[:1]]
    return [Stated("purchased_at", quote, quote) for quote in quotes]


def _answers_what(one: Statement, messages: list[Message]) -> bool:
    """Tell whether a statement answers the question what the trouble is."""
    before = [message for message in messages if message.seq < one.seq and message.sender in {Sender.BOT, Sender.AGENT}]
    return bool(before) and PATTERNS["asks_trouble"].search(fold(before[-1].text)) is not None


def _in_own_words(facts: list[Fact], messages: list[Message]) -> list[Statement]:
    """Return the sentences that tell of trouble with a device: the first, one more, or the answer to what it is."""
    found: list[Statement] = []
    devices = {fact.source_seq for fact in facts if fact.name in {"product", "device_model"}}
    question, brought = "", False
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
            # What follows another matter is a remark beside it, unless it tells of trouble.
            found += _trouble(message, plain_too=asked or (meant == "device_problem" and not brought))
            question = ""
        brought = brought or tells_trouble(words)
    return found


def _trouble(message: Message, plain_too: bool) -> list[Statement]:
    """The first sentence that tells of trouble; else, with `plain_too`, the longest that tells anything."""
    own = message.text[turn_of(message) :]
    told = [one for one in statements(own, message.seq, service=False) if not _only_steps(one.text)]
    plain = [one for one in told if one.kind == Kind.TOLD] if plain_too else []
    return [one for one in told if _tells_trouble(one)][:1] or sorted(plain, key=lambda one: -len(one.text))[:1]


def turn_of(message: Message) -> int:
    """Return the place from which a message says what it really is about; 0 when all of it does."""
    turns = list(PATTERNS["turns_to"].finditer(fold(message.text)))
    return turns[-1].end() if turns else 0


def _is_left_behind(fact: Fact, message: Message | None) -> bool:
    """Tell whether a message names a device or a trouble, and then turns to the one that it is about."""
    if message is None or message.payload is not None or fact.name not in ABOUT:
        return False
    return 0 <= message.text.find(fact.quote or "") < turn_of(message)


@lru_cache(maxsize=2048)
def tells_trouble(words: str) -> bool:
    """Tell whether folded words tell of trouble."""
    return any(_tells_trouble(one) for one in statements(words, 0, service=False))


def _only_steps(text: str) -> bool:
    """Tell whether words report only what was done, or left undone, about a trouble."""
    return all(is_done(part) or is_unreal(part) for part in map(fold, clauses(text)))


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
