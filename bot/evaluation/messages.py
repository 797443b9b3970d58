"""The frozen messages and questions, read through the trained bot as a customer's are.

Conventions of the sets: `also` counts as right; a message is told on 2026-11-26 in Shanghai; `symptom` is not marked.
Where a label names only the intent, any topic of it is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rasa.core.agent import load_agent

from bot import speed
from bot.evaluation.scores import Facts, Guess
from bot.nlu import dates
from bot.nlu.lookups import read_yaml
from bot.reading import FALLBACK, Reader
from bot.wire import IncomingMessage

FROZEN = Path(__file__).resolve().parents[2] / "tests" / "frozen"
TOLD_ON = date(2026, 11, 26)


@dataclass(frozen=True)
class Message:
    """A frozen message: the labels that are right, the main one first, and the facts it states."""

    text: str
    labels: tuple[str, ...]
    facts: frozenset[tuple[str, str]]
    tags: frozenset[str]


@dataclass(frozen=True)
class Question:
    """A frozen question and the answers that are right, the main one first."""

    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Read:
    """What the bot makes of a text: its full label, how sure the intent is, facts, ranked answers, all of the parse."""

    label: str
    confidence: float
    facts: frozenset[tuple[str, str]]
    answers: tuple[str, ...]
    parse: dict[str, Any]


def messages(folder: Path = FROZEN / "nlu") -> dict[str, list[Message]]:
    """The frozen messages by file."""
    return {path.stem: [_message(entry) for entry in read_yaml(path)] for path in sorted(folder.glob("*.yml"))}


def _message(entry: dict[str, Any]) -> Message:
    facts = frozenset((name, str(value)) for name, value in (entry.get("entities") or {}).items() if name != "symptom")
    labels = (entry["intent"], *(entry.get("also") or []))
    return Message(entry["text"], labels, facts, frozenset(entry.get("tags") or []))


def questions(path: Path = FROZEN / "questions.yml") -> list[Question]:
    """The frozen questions."""
    return [Question(entry["text"], (entry["question"], *(entry.get("also") or []))) for entry in read_yaml(path)]


class Bot:
    """The trained bot's understanding, with its clock at the day the frozen messages are told."""

    def __init__(self, reader: Reader) -> None:
        """`reader` is the product's own; see `load`."""
        self._reader = reader

    @classmethod
    async def load(cls, model: Path) -> Bot:
        """Load a model file, with the product's patches of Rasa: without them it would need TensorFlow."""
        speed.apply()
        agent = await load_agent(str(model))
        processor = agent.processor
        assert processor is not None
        return cls(Reader(processor.graph_runner, processor.model_metadata))

    def read(self, text: str) -> Read:
        """What the bot understands of one message."""
        clock, dates.current_day = dates.current_day, lambda: TOLD_ON
        try:
            reading = self._reader.read(IncomingMessage(seq=1, text=text))
        finally:
            dates.current_day = clock
        topic = str((reading.parse.get("topic") or {}).get("name") or "")
        answers = (reading.parse.get("found") or {}).get("answers") or []
        return Read(
            topic if topic.partition("/")[0] == reading.intent else reading.intent,
            float(reading.parse["intent"]["confidence"]),
            frozenset((fact["name"], str(fact["value"])) for fact in reading.facts if fact["name"] != "symptom"),
            tuple(str(answer["id"]) for answer in answers),
            reading.parse,
        )


def intent_guess(message: Message, read: Read) -> Guess:
    """The intent found beside those that are right."""
    right = tuple(dict.fromkeys(_intent(label) for label in message.labels))
    return Guess(message.text, _intent(read.label), read.confidence, right)


def _intent(label: str) -> str:
    """The intent of a full label; what was not understood is out of scope, as the desk shows it."""
    intent = label.partition("/")[0]
    return "out_of_scope" if intent == FALLBACK else intent


def topic_guess(message: Message, read: Read) -> Guess:
    """The full label found beside those that are right; a right label without a topic allows every topic of it."""
    intent = _intent(read.label)
    right = tuple(label if "/" in label else _intent(label) for label in message.labels)
    found = intent if intent in right or "/" not in read.label else read.label
    return Guess(message.text, found, read.confidence, right)


def facts_of(message: Message, read: Read) -> Facts:
    """The facts stated beside those found."""
    return Facts(message.facts, read.facts)


def place_of(question: Question, read: Read) -> int | None:
    """At which place (from 1) of the ranked answers a right one stands; None when none does."""
    places = [number for number, answer in enumerate(read.answers, 1) if answer in question.answers]
    return places[0] if places else None
