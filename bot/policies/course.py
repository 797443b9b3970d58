"""Where a conversation is heading: to a person, and why, or to an end without one.

A linear model reads what the customer said last, before that and in all so far, in n-grams and sentence vectors, how
near the last two messages are to each other and how many there were. It learns from the talks in `bot/data/talks`:
customers' messages, one a line, and a line `>> reason` after the message from which on a person is due. What no single
message shows is learnt so, and which loud messages end well.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from threadpoolctl import threadpool_limits

from bot.nlu.encoder import encoder
from bot.nlu.fitting import Features, Weights, regression, softmax
from bot.nlu.grams import Grams, characters
from bot.nlu.lookups import DATA, read_yaml
from bot.nlu.model import model_text

logger = logging.getLogger(__name__)

KEPT = "kept"
REASONS = ("asked_for_person", "broken_promise", "complex", "emotion", "policy_topic", "repeated_failure", "safety")
LABELS = (KEPT, *REASONS)
# So many of the last messages are read, in training too.
MOST_MESSAGES = 9
MOST_GRAMS = 30_000
# How much sentence vectors, and what those of the last two messages share, count beside n-grams.
SENTENCE, LIKENESS = 0.5, 8.0
STRENGTH, STEPS = 5.0, 150

_DUE = ">> "
_SAME_REASON = {"bot_repeating": "repeated_failure"}
_MODEL = "course.npz"
_WORDS = "course.json"


@dataclass(frozen=True)
class Heading:
    """`leaning`: logarithm of the odds that a person is due, above 0 if likelier than not; `reason`: what for."""

    leaning: float
    reason: str


@dataclass(frozen=True)
class Talk:
    """A customer's messages; from number `due` on (from 1) a person is due for `reason`, never where that is KEPT."""

    messages: tuple[str, ...]
    due: int = 0
    reason: str = KEPT

    def moments(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """All that was said at each message, and what was right then: KEPT, or the reason for a person."""
        for number in range(1, len(self.messages) + 1):
            yield self.messages[:number], self.reason if self.reason != KEPT and number >= self.due else KEPT


def talks(folder: Path = DATA / "talks") -> list[Talk]:
    """All talks of a folder; raises ValueError for a reason that does not exist and a talk without messages."""
    found = []
    for path in sorted(folder.glob("*.yml")):
        for name, text in (read_yaml(path) or {}).items():
            try:
                found.append(_talk(text.splitlines()))
            except ValueError as error:
                raise ValueError(f"{path.name}: {name}: {error}") from error
    return found


def _talk(lines: list[str]) -> Talk:
    messages, due, reason = [], 0, KEPT
    for line in lines:
        if line.startswith(_DUE):
            due, reason = len(messages), line.removeprefix(_DUE).strip()
            reason = _SAME_REASON.get(reason, reason)
            if reason not in REASONS or not due:
                raise ValueError(f"`{line}` must name one of {', '.join(REASONS)} after the first message.")
        elif line.strip():
            messages.append(line.strip())
    if not messages:
        raise ValueError("there is no message.")
    return Talk(tuple(messages), due, reason)


class Course:
    """Reads where a conversation is heading."""

    def __init__(self, last: Grams, so_far: Grams, weights: Weights, encoder_name: str | None) -> None:
        """Of the model: what it knows of the last message and of all so far, its weights, and the encoder it needs."""
        self._last, self._so_far, self._weights, self._encoder_name = last, so_far, weights, encoder_name
        # Policies are asked several times a turn. Only the number of what was read last is kept, not the words.
        self._read: tuple[int, Heading] | None = None

    @classmethod
    def learn(cls, known: list[Talk]) -> "Course":
        """A model of these talks; raises ValueError when there are none."""
        moments = [moment for talk in known for moment in talk.moments()]
        if not moments:
            raise ValueError("There are no talks in bot/data/talks to learn from.")
        texts = [_prepared(messages) for messages, _ in moments]
        numbers = np.array([LABELS.index(label) for _, label in moments])
        sentences = encoder()
        course = cls(
            Grams.of([said[-1] for said in texts], characters, MOST_GRAMS),
            Grams.of([_joined(said) for said in texts], characters, MOST_GRAMS),
            Weights(np.zeros((0, len(LABELS))), np.zeros(len(LABELS))),
            sentences.name if sentences else None,
        )
        even = np.ones(len(numbers), dtype=np.float32)
        with threadpool_limits(limits=2):
            course._weights = regression(course._features(texts), numbers, even, len(LABELS), STRENGTH, STEPS)
        return course

    def heading(self, messages: Sequence[str]) -> Heading:
        """Where a talk is heading of which these are the customer's messages, at least one."""
        key = hash(tuple(messages))
        if self._read is None or self._read[0] != key:
            chances = softmax(self._weights.scores(self._features([_prepared(messages)])))[0]
            kept = float(np.clip(chances[0], 1e-6, 1 - 1e-6))
            self._read = key, Heading(float(np.log((1 - kept) / kept)), REASONS[int(chances[1:].argmax())])
        return self._read[1]

    def _features(self, texts: list[tuple[str, ...]]) -> Features:
        last = self._last.rows([said[-1] for said in texts])
        so_far = self._so_far.rows([_joined(said) for said in texts])
        return Features(sparse.hstack([last, so_far], format="csr"), _sentences(texts))

    def save(self, folder: Path) -> None:
        """Write the model as plain arrays and JSON."""
        np.savez_compressed(
            folder / _MODEL,
            weights=self._weights.matrix.astype(np.float16),
            bias=self._weights.bias,
            last_rarity=self._last.rarity,
            so_far_rarity=self._so_far.rarity,
        )
        content = {"encoder": self._encoder_name, "last": self._last.place, "so_far": self._so_far.place}
        (folder / _WORDS).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Course | None":
        """Read a model that `save` wrote; None, with a line in the log, without the encoder it was trained with."""
        content = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
        sentences = encoder()
        if content["encoder"] != (sentences.name if sentences else None):
            logger.error("The course of talks was learnt with another sentence encoder than is here; train again.")
            return None
        with np.load(folder / _MODEL) as arrays:
            return cls(
                Grams(characters, content["last"], arrays["last_rarity"]),
                Grams(characters, content["so_far"], arrays["so_far_rarity"]),
                Weights(arrays["weights"].astype(np.float32), arrays["bias"]),
                content["encoder"],
            )


def _prepared(messages: Sequence[str]) -> tuple[str, ...]:
    return tuple(model_text(message) for message in messages[-MOST_MESSAGES:])


def _joined(said: tuple[str, ...]) -> str:
    return " / ".join(said)


def _sentences(texts: list[tuple[str, ...]]) -> np.ndarray:
    """A row a talk: vectors of its last message, of all and of the one before, its length, what those two share."""
    sentences = encoder()
    lengths = np.array([np.arange(1, MOST_MESSAGES + 1) == len(said) for said in texts], dtype=np.float32)
    if sentences is None:
        return lengths * np.float32(SENTENCE)
    every = list(dict.fromkeys(message for said in texts for message in said))
    vectors = dict(zip(every, sentences.encode(every), strict=True))
    nothing = np.zeros_like(vectors[every[0]])
    last = np.array([vectors[said[-1]] for said in texts])
    before = np.array([vectors[said[-2]] if len(said) > 1 else nothing for said in texts])
    mean = np.array([np.mean([vectors[message] for message in said], axis=0) for said in texts])
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    parts = [last * SENTENCE, mean * SENTENCE, before * SENTENCE, lengths * SENTENCE, last * before * LIKENESS]
    return np.hstack(parts).astype(np.float32)
