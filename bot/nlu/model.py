"""The model behind intents, cues and feelings: n-grams, sentence vectors and known phrases in, true chances out."""

import json
import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from threadpoolctl import threadpool_limits

from bot.nlu.encoder import encoder
from bot.nlu.fitting import Features, Weights, fit, softmax
from bot.nlu.grams import Grams, characters, words
from bot.nlu.likeness import Likeness
from bot.nlu.spelling import correct
from bot.nlu.text import normalise

logger = logging.getLogger(__name__)

MOST_CHARACTERS, MOST_WORDS, DIRECTIONS = 24_000, 8_000, 128
# So many texts at once are compared with all known ones.
BATCH = 512

_ORDER = re.compile(r"(?<![a-z])lm[\s-]?\d[\d\s-]{4,}\d")
_VERSION = re.compile(r"v?\d+(?:\.\d+){2,}")
_NUMBER = re.compile(r"\d{4,}")
_NOT_LETTERS = re.compile(r"[\W_]+")
_WORD_BORDER = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


@lru_cache(maxsize=2048)
def model_text(raw: str) -> str:
    """What the model reads: the normal form, slips corrected, with order numbers, versions and long numbers masked."""
    text = correct(normalise(raw))
    text = _ORDER.sub(" lm1 ", text)
    text = _VERSION.sub(" v1 ", text)
    return _NUMBER.sub(" 1 ", text)


def _name_text(label: str) -> str:
    """A label's name as words: `device_problem/steps_zero` → "device problem steps zero"."""
    return model_text(_WORD_BORDER.sub(" ", label))


@dataclass(frozen=True)
class Readings:
    """What a model makes of some texts, a row or number a text, all from 0 to 1.

    `chances` and `near` have a column a label: its probability, and how near its nearest known phrase is. `words` is
    the share of words known; `meaning` is how near any known phrase comes in meaning, 1 where no encoder can tell.
    """

    chances: np.ndarray
    near: np.ndarray
    words: np.ndarray
    meaning: np.ndarray

    def rows(self, start: int, end: int) -> "Readings":
        """The readings of some of the texts."""
        return Readings(self.chances[start:end], self.near[start:end], self.words[start:end], self.meaning[start:end])


class TextModel:
    """Probabilities over labels: a linear model of n-grams and sentence vectors, and the likeness to known phrases."""

    _characters: Grams
    _words: Grams
    _weights: Weights
    _near_share: float
    _directions: np.ndarray
    _phrases: list[str]
    _targets: list[str]
    _places: np.ndarray
    _likeness: Likeness
    _known: dict[str, str]

    def __init__(self, labels: list[str], scale: dict[str, float], directions: int = DIRECTIONS) -> None:
        """`scale` weighs the feature groups `characters`, `words` and `sentence`; known phrases are compared along
        `directions` of their vectors.
        """
        self.labels = labels
        self._scale = scale
        self._most_directions = directions
        self._encoder = encoder()

    def train(self, texts: list[str], targets: list[str], strength: float, balanced: bool = False) -> None:
        """Fit features and weights. `strength` is the inverse of the regularisation; see `fit` for `balanced`.

        A label's own name counts as one more phrase: "card_arrival" says what it is about.
        """
        prepared = [model_text(text) for text in texts]
        named = prepared + [_name_text(label) for label in self.labels]
        self._characters = Grams.of(named, characters, MOST_CHARACTERS)
        self._words = Grams.of(named, words, MOST_WORDS)
        index = {label: number for number, label in enumerate(self.labels)}
        numbers = np.array([index[target] for target in [*targets, *self.labels]])
        vectors = self._encoded(named)
        self._directions = _main_directions(vectors[: len(prepared)], self._most_directions)
        names, placed = len(self.labels), vectors[: len(prepared)] @ self._directions

        def likeness(seen: np.ndarray, held: np.ndarray) -> np.ndarray:
            known = seen[seen < len(prepared)]
            part = Likeness([prepared[i] for i in known], [targets[i] for i in known], placed[known])
            return self._near(part, [prepared[i] for i in held], placed[held])[0]

        with threadpool_limits(limits=2):
            self._weights, self._near_share = fit(
                self._features(named, vectors), numbers, names, strength, likeness, kept=names, balanced=balanced
            )
        self._phrases, self._targets, self._places = prepared, targets, placed
        self._know()

    def _know(self) -> None:
        self._likeness = Likeness(self._phrases, self._targets, self._places)
        self._known = _unambiguous(self._phrases, self._targets)

    def read(self, texts: list[str]) -> "Readings":
        """What the model makes of each text; the same text is read once."""
        prepared = [model_text(text) for text in texts]
        place = {text: row for row, text in enumerate(dict.fromkeys(prepared))}
        found = self._read(list(place))
        rows = [place[text] for text in prepared]
        return Readings(found.chances[rows], found.near[rows], found.words[rows], found.meaning[rows])

    def _read(self, prepared: list[str]) -> "Readings":
        near, meaning = self._near(self._likeness, prepared, self._placed(prepared))
        chances = softmax(self._scores(prepared) + self._near_share * near)
        for row, text in enumerate(prepared):
            label = self._known.get(_bare(text))
            if label is not None:
                chances[row] = 0.01 / max(1, len(self.labels) - 1)
                chances[row, self.labels.index(label)] = 0.99
        return Readings(chances, near, np.array([self._words.share_known(text) for text in prepared]), meaning)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """One row of probabilities over `labels` for each text."""
        return self.read(texts).chances

    def save(self, folder: Path) -> None:
        """Write the model as plain arrays and JSON."""
        np.savez_compressed(
            folder / "model.npz",
            weights=self._weights.matrix.astype(np.float16),
            bias=self._weights.bias,
            characters_rarity=self._characters.rarity,
            words_rarity=self._words.rarity,
            directions=self._directions,
            places=self._places.astype(np.float16),
        )
        content = {
            "labels": self.labels,
            "scale": self._scale,
            "near_share": self._near_share,
            "encoder": self._encoder.name if self._encoder else None,
            "phrases": self._phrases,
            "targets": [self.labels.index(target) for target in self._targets],
            "characters": self._characters.place,
            "words": self._words.place,
        }
        (folder / "model.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "TextModel":
        """Read a model that `save` wrote. Without the encoder it was trained with, it reads n-grams alone: the mean
        of the phrases' vectors stands for every text's.
        """
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        model = cls(content["labels"], content["scale"])
        model._near_share = content["near_share"]
        model._phrases = content["phrases"]
        model._targets = [model.labels[number] for number in content["targets"]]
        with np.load(folder / "model.npz") as arrays:
            model._weights = Weights(arrays["weights"].astype(np.float32), arrays["bias"])
            model._directions, model._places = arrays["directions"], arrays["places"].astype(np.float32)
            model._characters = Grams(characters, content["characters"], arrays["characters_rarity"])
            model._words = Grams(words, content["words"], arrays["words_rarity"])
        if content["encoder"] != (model._encoder.name if model._encoder else None):
            logger.error("The model was trained with another sentence encoder than is here; train it again.")
            model._do_without_encoder()
        model._know()
        return model

    def _do_without_encoder(self) -> None:
        matrix, dense = np.split(self._weights.matrix, [len(self._characters.place) + len(self._words.place)])
        usual = self._directions @ self._places.mean(axis=0) * self._scale["sentence"]
        self._weights = Weights(matrix, self._weights.bias + usual.astype(np.float32) @ dense)
        self._directions, self._places, self._encoder = self._directions[:0], self._places[:, :0], None

    def _features(self, prepared: list[str], vectors: np.ndarray) -> Features:
        grams = sparse.hstack(
            [
                self._characters.rows(prepared) * np.float32(self._scale["characters"]),
                self._words.rows(prepared) * np.float32(self._scale["words"]),
            ],
            format="csr",
        )
        return Features(grams, vectors * np.float32(self._scale["sentence"]))

    def _scores(self, prepared: list[str]) -> np.ndarray:
        """The linear model's scores: `Weights.scores` of the features, faster for few texts."""
        matrix, words_at = self._weights.matrix, len(self._characters.place)
        rows = self._encoded(prepared) @ matrix[words_at + len(self._words.place) :] * self._scale["sentence"]
        for row, text in zip(rows, prepared, strict=True):
            places, values = self._characters.found(text)
            row += self._scale["characters"] * (values @ matrix[places])
            places, values = self._words.found(text)
            row += self._scale["words"] * (values @ matrix[words_at + places])
        return np.asarray(rows + self._weights.bias)

    def _encoded(self, prepared: list[str]) -> np.ndarray:
        """The texts' sentence vectors, a row a text; of no columns without an encoder."""
        return self._encoder.encode(prepared) if self._encoder else np.zeros((len(prepared), 0), dtype=np.float32)

    def _placed(self, prepared: list[str]) -> np.ndarray:
        """The texts' sentence vectors along the main directions."""
        return self._encoded(prepared) @ self._directions

    def _near(self, known: Likeness, prepared: list[str], placed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`Likeness.nearest` with a column for each of `labels`, many texts in batches that fit into memory."""
        batches = [slice(start, start + BATCH) for start in range(0, len(prepared), BATCH)]
        found = [known.nearest(prepared[batch], placed[batch]) for batch in batches]
        near = np.zeros((len(prepared), len(self.labels)), dtype=np.float32)
        near[:, [self.labels.index(name) for name in known.names]] = np.concatenate([rows for rows, _ in found])
        return near, np.concatenate([meaning for _, meaning in found])


def _main_directions(vectors: np.ndarray, most: int) -> np.ndarray:
    """The `most` directions, one a column, in which the vectors differ most: few numbers find near ones faster."""
    strength, directions = np.linalg.eigh(vectors.T @ vectors)
    return np.asarray(directions[:, np.argsort(-strength)[:most]], dtype=np.float32)


def _bare(text: str) -> str:
    return _NOT_LETTERS.sub("", text)


def _unambiguous(texts: list[str], targets: list[str]) -> dict[str, str]:
    """Phrases of the training data that carry one label only: a customer who types one exactly means it."""
    labels: dict[str, set[str]] = {}
    for text, target in zip(texts, targets, strict=True):
        labels.setdefault(_bare(text), set()).add(target)
    return {text: next(iter(found)) for text, found in labels.items() if text and len(found) == 1}
