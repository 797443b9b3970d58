"""What the customer put aside: a trouble that is settled or does not matter, and a device that it is not about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from handoff.conversations.models import Message, Sender
from handoff.summary.designers import trouble
from handoff.summary.evidence import clauses, fold
from handoff.summary.further import denied_kinds, kinds, without_denials
from handoff.summary.models import Fact
from handoff.summary.statements import Kind, statements
from handoff.summary.wording import patterns

PATTERNS = patterns("stated.yml")
LONGEST_READ = 600


@dataclass
class Aside:
    """The messages whose trouble is none now, and with each kind of device the message that says it is not that."""

    messages: set[int] = field(default_factory=set)
    denied: dict[str, int] = field(default_factory=dict)

    def holds(self, fact: Fact, message: Message | None) -> bool:
        """Tell whether a device or a trouble was put aside after it was told, or where it is told."""
        seq = fact.source_seq or 0
        if seq in self.messages or (message is not None and _is_dismissed(fact, message)):
            return True
        topic = trouble().topic_of(fact.value) if fact.name == "symptom" else None
        of = (trouble().guides[topic].get("categories") or []) if topic else [fact.value.partition("-")[0]]
        return bool(of) and all(self.denied.get(kind, 0) > seq for kind in of)


def put_aside(messages: Iterable[Message]) -> Aside:
    """Return what the customer's later words put aside of the earlier ones."""
    aside = Aside()
    about: dict[int, set[str]] = {}
    current: set[str] = set()
    for message in messages:
        if message.sender != Sender.CUSTOMER or message.payload is not None:
            continue
        words = fold(message.text[:LONGEST_READ])
        denied, (settled, rest) = denied_kinds(words), _settled(words)
        told = _tells_trouble(without_denials(rest))
        gone = settled | (denied if told else set())
        aside.messages |= {seq for seq, named in about.items() if named and named <= gone}
        aside.denied |= dict.fromkeys(denied, message.seq)
        if settled and not told:
            aside.messages.add(message.seq)
            current = set()
            continue
        current = set(kinds(words)) - denied - settled or current - gone
        about[message.seq] = current
    return aside


def _tells_trouble(words: str) -> bool:
    return any(one.kind == Kind.TROUBLE for one in statements(words, 0, service=False))


def _settled(words: str) -> tuple[set[str], str]:
    """Return the kinds of devices whose trouble folded words call settled, and what else they say."""
    found: set[str] = set()
    rest: list[str] = []
    before = ""
    for part in clauses(words):
        if PATTERNS["settled"].search(part) and not PATTERNS["once_more"].search(words):
            found |= set(kinds(part) or kinds(before))
            rest = [one for one in rest if one != before]
        else:
            rest.append(part)
        before = part
    return found, "\n".join(rest)


def _is_dismissed(fact: Fact, message: Message) -> bool:
    """Tell whether the clause of a fact, or the one after it, says that it does not matter."""
    parts = clauses(message.text)
    place = next((number for number, part in enumerate(parts) if fact.quote and fact.quote in part), None)
    if message.payload is not None or place is None or PATTERNS["once_more"].search(fold(message.text)):
        return False
    here, after = fold(parts[place]), fold("".join(parts[place + 1 : place + 2]))
    settled = PATTERNS["settled"]
    return settled.search(here) is not None or (settled.search(after) is not None and not kinds(after))
