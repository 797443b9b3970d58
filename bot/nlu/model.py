"""The linear model behind the intent classifier: n-grams and sentence vectors in, calibrated probabilities out."""

import json
import logging
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from bot.nlu.encoder import encoder
from bot.nlu.fitting import Features, Weights, fit, softmax
from bot.nlu.spelling import correct
from bot.nlu.text import normalise
from bot.nlu.tokenizer import pieces

logger = logging.getLogger(__name__)

_ORDER = re.compile(r"(?<![a-z])lm[\s-]?\d[\d\s-]{4,}\d")
_VERSION = re.compile(r"v?\d+(?:\.\d+){2,}")
_NUMBER = re.compile(r"\d{4,}")
_NOT_LETTERS = re.compile(r"[\W_]+")
_WORD_BORDER = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


def model_text(raw: str) -> str:
    """What the model reads: the normal form, slips corrected, with order numbers, versions and long numbers masked."""
    text = correct(normalise(raw))
    text = _ORDER.sub(" lm1 ", text)
    text = _VERSION.sub(" v1 ", text)
    return _NUMBER.sub(" 1 ", text)


def _name_text(label: str) -> str:
    """A label's name as words: `device_problem/steps_zero` → "device problem steps zero"."""
    return model_text(_WORD_BORDER.sub(" ", label))


def _words(text: str) -> list[str]:
    tokens = [token for token, _, _ in pieces(text)]
    return tokens + [f"{a}_{b}" for a, b in pairwise(tokens)]


def _characters(text: str) -> list[str]:
    """Character 1- to 3-grams, white space folded, so that n-grams cross word borders."""
    padded = f"^{text}$"
    return [padded[i : i + n] for n in (1, 2, 3) for i in range(len(padded) - n + 1)]


class LinearModel:
    """A linear model over character n-grams, words and sentence vectors; its probabilities are calibrated."""

    def __init__(self, labels: list[str], scale: dict[str, float]) -> None:
        """`scale` weighs the feature groups `characters`, `words` and `sentence`."""
        self.labels = labels
        self._scale = scale
        self._characters = TfidfVectorizer(analyzer=_characters, sublinear_tf=True, min_df=2, max_features=24_000)
        self._words = TfidfVectorizer(analyzer=_words, sublinear_tf=True, min_df=2, max_features=8_000)
        self._weights = Weights(np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=np.float32))
        self._known: dict[str, str] = {}
        self._encoder = encoder()
        self._vectors = np.zeros((0, self._encoder.dimensions if self._encoder else 0), dtype=np.float32)

    def train(self, texts: list[str], targets: list[str], strength: float, balanced: bool = False) -> None:
        """Fit features and weights. `strength` is the inverse of the regularisation; see `fit` for `balanced`.

        A label's own name counts as one more phrase: "card_arrival" says what it is about.
        """
        prepared = [model_text(text) for text in texts]
        named = prepared + [_name_text(label) for label in self.labels]
        self._characters.fit(named)
        self._words.fit(named)
        index = {label: number for number, label in enumerate(self.labels)}
        numbers = np.array([index[target] for target in [*targets, *self.labels]])
        with threadpool_limits(limits=2):
            labels = len(self.labels)
            self._weights = fit(self._features(named), numbers, labels, strength, kept=labels, balanced=balanced)
        self._known = _unambiguous(prepared, targets)
        if self._encoder:
            self._vectors = self._encoder.encode(prepared)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """One row of probabilities over `labels` for each text."""
        prepared = [model_text(text) for text in texts]
        result = softmax(self._weights.scores(self._features(prepared)))
        for row, text in enumerate(prepared):
            label = self._known.get(_bare(text))
            if label is not None:
                known = np.full(len(self.labels), 0.01 / max(1, len(self.labels) - 1))
                known[self.labels.index(label)] = 0.99
                result[row] = known
        return result

    def familiarity(self, text: str) -> tuple[float, float]:
        """How known a text looks, 0 to 1: the share of its words seen in training, the likeness to the nearest."""
        prepared = model_text(text)
        tokens = _words(prepared)
        seen = sum(token in self._words.vocabulary_ for token in tokens) / len(tokens) if tokens else 0.0
        if self._encoder is None or not len(self._vectors):
            return seen, 1.0
        return seen, float((self._vectors @ self._encoder.encode([prepared])[0]).max())

    def save(self, folder: Path) -> None:
        """Write the model as plain arrays and JSON."""
        np.savez_compressed(
            folder / "model.npz",
            weights=self._weights.matrix.astype(np.float16),
            bias=self._weights.bias,
            vectors=self._vectors.astype(np.float16),
            characters_idf=self._characters.idf_,
            words_idf=self._words.idf_,
        )
        content = {
            "labels": self.labels,
            "scale": self._scale,
            "encoder": self._encoder.name if self._encoder else None,
            "known": self._known,
            "characters": _plain(self._characters.vocabulary_),
            "words": _plain(self._words.vocabulary_),
        }
        (folder / "model.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "LinearModel":
        """Read a model that `save` wrote. Without the encoder it was trained with, it reads n-grams alone: the mean
        of the phrases' vectors stands for every text's.
        """
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        model = cls(content["labels"], content["scale"])
        model._known = content["known"]
        with np.load(folder / "model.npz") as arrays:
            model._weights = Weights(arrays["weights"].astype(np.float32), arrays["bias"])
            model._vectors = arrays["vectors"].astype(np.float32)
            model._characters.vocabulary_ = content["characters"]
            model._characters.idf_ = arrays["characters_idf"]
            model._words.vocabulary_ = content["words"]
            model._words.idf_ = arrays["words_idf"]
        if content["encoder"] != (model._encoder.name if model._encoder else None):
            logger.error("The model was trained with another sentence encoder than is here; train it again.")
            model._do_without_encoder()
        return model

    def _do_without_encoder(self) -> None:
        grams = len(self._characters.vocabulary_) + len(self._words.vocabulary_)
        matrix, dense = np.split(self._weights.matrix, [grams])
        usual = self._vectors.mean(axis=0) * self._scale["sentence"] if len(dense) else np.zeros(0)
        self._weights = Weights(matrix, self._weights.bias + usual.astype(np.float32) @ dense)
        self._vectors, self._encoder = self._vectors[:0], None

    def _features(self, prepared: list[str]) -> Features:
        grams = sparse.hstack(
            [
                self._characters.transform(prepared) * self._scale["characters"],
                self._words.transform(prepared) * self._scale["words"],
            ],
            format="csr",
            dtype=np.float32,
        )
        dense = self._encoder.encode(prepared) if self._encoder else np.zeros((len(prepared), 0), dtype=np.float32)
        return Features(grams, dense * np.float32(self._scale["sentence"]))


def _plain(vocabulary: dict[str, int]) -> dict[str, int]:
    return {term: int(number) for term, number in vocabulary.items()}


def _bare(text: str) -> str:
    return _NOT_LETTERS.sub("", text)


def _unambiguous(texts: list[str], targets: list[str]) -> dict[str, str]:
    """Phrases of the training data that carry one label only: a customer who types one exactly means it."""
    labels: dict[str, set[str]] = {}
    for text, target in zip(texts, targets, strict=True):
        labels.setdefault(_bare(text), set()).add(target)
    return {text: next(iter(found)) for text, found in labels.items() if text and len(found) == 1}
