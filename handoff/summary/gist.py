"""The course of a conversation in a few reported sentences: what the customer brought, and what they were told.

The customer's statements are put together with what answered them; small talk, repeated words and courtesies go; the
weightiest exchanges stay, in their order. Every sentence rests on messages, and its words are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from handoff.conversations.models import Message, Sender
from handoff.locales import text
from handoff.summary.evidence import excerpt
from handoff.summary.reported import is_chinese, quoted, reported
from handoff.summary.statements import Kind, Statement, alike, statements

PARTIES = ("customer", "bot", "agent")
MOST_EXCHANGES = 3
MOST_IN_ONE_SENTENCE = 2
LONGEST_STATEMENT = 60
LONGEST_READ = 600
SAME = 0.5
WEIGHT = {Kind.QUESTION: 1.0, Kind.WISH: 1.0, Kind.TROUBLE: 1.0, Kind.TOLD: 0.4, Kind.EMPTY: 0.0}
TELLING_LENGTH = 20


@dataclass(frozen=True)
class Line:
    """One message as it is told of: who wrote it ("customer", "bot" or "agent"), the words and the number."""

    by: str
    text: str
    seq: int


@dataclass(frozen=True)
class Sentence:
    """One reported sentence, whose part it belongs to, and the messages it rests on."""

    by: str
    text: str
    seqs: tuple[int, ...]


@dataclass(frozen=True)
class Teller:
    """Who tells the story: the reader's language, and what the parties are called in it."""

    language: str
    names: dict[str, str]

    def sentence(self, by: str, parts: list[str], chosen: list[Statement]) -> Sentence:
        """Put the parts after the speaker's name."""
        body = text("summary.comma", self.language).join(parts)
        written = text("summary.gist", self.language, who=self.names[by], body=body)
        return Sentence(by, written, tuple(sorted({statement.seq for statement in chosen})))

    def words(self, statement: Statement) -> str:
        """Return Chinese told in Chinese as reported speech; everything else in quotes as it was written."""
        if self.language == "zh" and is_chinese(statement.text):
            return excerpt(reported(statement, self.names), LONGEST_STATEMENT)
        return text("summary.problem_quote", self.language, quote=excerpt(quoted(statement), LONGEST_STATEMENT))


@dataclass
class Exchange:
    """What the customer brought up, and what they were told to it; `by` is who told them."""

    brought: list[Statement] = field(default_factory=list)
    told: list[Statement] = field(default_factory=list)
    by: str = str(Sender.AGENT)

    @property
    def weight(self) -> float:
        """How much of the conversation this is: its strongest statement, and whether it was answered."""
        return max(map(_telling, self.brought), default=0.0) + (0.5 if self.told else 0.0)


def lines(messages: Iterable[Message]) -> list[Line]:
    """Return messages as lines; pressed buttons, files and system messages tell nothing."""
    return [
        Line(str(message.sender), message.text, message.seq)
        for message in messages
        if message.sender != Sender.SYSTEM and message.payload is None and message.text.strip()
    ]


def gist(told: list[Line], language: str, names: dict[str, str] | None = None) -> list[Sentence]:
    """Return the course of a conversation in `language`, the customer's and the others' sentences in turn.

    `names` says what customer, bot and agent are called; the desk's own words when none are given.
    """
    teller = Teller(language, names or {by: text(f"summary.gist_{by}", language) for by in PARTIES})
    sentences = []
    for exchange in _weightiest(_exchanges(told)):
        sentences.append(_brought(exchange, teller))
        if exchange.told:
            sentences.append(_answered(exchange, teller))
    return sentences


def _exchanges(told: list[Line]) -> list[Exchange]:
    """Put statements and their answers together. What answers a question, or repeats, opens no exchange of its own."""
    found: list[Exchange] = []
    heard: set[tuple[str, str]] = set()
    current: Exchange | None = None
    for line in told:
        service = line.by != Sender.CUSTOMER
        for statement in statements(line.text[:LONGEST_READ], line.seq, service=service):
            if (line.by, statement.text) in heard:
                continue
            heard.add((line.by, statement.text))
            if statement.kind == Kind.EMPTY:
                continue
            if service:
                if current is not None:
                    current.told.append(statement)
                    current.by = line.by
                continue
            earlier = next((exchange for exchange in found if alike(statement, exchange.brought, SAME)), None)
            if earlier is not None:
                current = earlier
                continue
            if current is None or _opens(statement, current):
                current = Exchange()
                found.append(current)
            current.brought.append(statement)
    return found


def _opens(statement: Statement, current: Exchange) -> bool:
    """Tell whether the customer brings up something new, and neither goes on nor answers what they were asked."""
    if not current.told or statement.kind == Kind.TOLD:
        return False
    return statement.kind == Kind.QUESTION or current.told[-1].kind != Kind.QUESTION


def _weightiest(exchanges: list[Exchange]) -> list[Exchange]:
    ranked = sorted(range(len(exchanges)), key=lambda at: (-exchanges[at].weight, at))
    return [exchanges[at] for at in sorted(ranked[:MOST_EXCHANGES])]


def _telling(statement: Statement) -> float:
    return WEIGHT[statement.kind] + min(len(statement.text), TELLING_LENGTH) / TELLING_LENGTH


def _strongest(among: list[Statement], weight: Callable[[Statement], float]) -> list[Statement]:
    """Return the weightiest few, in the order in which they were said."""
    ranked = sorted(range(len(among)), key=lambda at: (-weight(among[at]), at))
    return [among[at] for at in sorted(ranked[:MOST_IN_ONE_SENTENCE])]


def _brought(exchange: Exchange, teller: Teller) -> Sentence:
    chosen = _strongest(exchange.brought, _telling)
    parts = [
        text(f"summary.gist_{statement.kind}", teller.language, words=teller.words(statement)) for statement in chosen
    ]
    return teller.sentence(str(Sender.CUSTOMER), parts, chosen)


def _answered(exchange: Exchange, teller: Teller) -> Sentence:
    asked = frozenset[str]().union(*(statement.pairs for statement in exchange.brought))
    distinct: list[Statement] = []
    for statement in exchange.told:
        if not alike(statement, distinct, SAME):
            distinct.append(statement)
    chosen = _strongest(distinct, lambda statement: _answering(statement, asked))
    said = text("summary.comma", teller.language).join(teller.words(statement) for statement in chosen)
    return teller.sentence(exchange.by, [text("summary.gist_answer", teller.language, words=said)], chosen)


def _answering(statement: Statement, asked: frozenset[str]) -> float:
    """How well a statement answers: what it shares with the question, what it says at all; a question answers least."""
    shared = min(len(statement.pairs & asked), 4) / 4
    length = min(len(statement.text), TELLING_LENGTH) / TELLING_LENGTH
    return shared + length - (1.0 if statement.kind == Kind.QUESTION else 0.0)
