"""The linear model behind the intent classifier: n-grams and sentence vectors in, calibrated probabilities out."""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from scipy.optimize import minimize, minimize_scalar
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from bot.nlu.encoder import DIMENSIONS, encoder
from bot.nlu.text import normalise
from bot.nlu.tokenizer import pieces

_ORDER = re.compile(r"(?<![a-z])lm[\s-]?\d[\d\s-]{4,}\d")
_VERSION = re.compile(r"v?\d+(?:\.\d+){2,}")
_NUMBER = re.compile(r"\d{4,}")
_NOT_LETTERS = re.compile(r"[\W_]+")


def model_text(raw: str) -> str:
    """What the model reads: the normal form with order numbers, versions and long numbers masked."""
    text = normalise(raw)
    text = _ORDER.sub(" lm1 ", text)
    text = _VERSION.sub(" v1 ", text)
    return _NUMBER.sub(" 1 ", text)


def _words(text: str) -> list[str]:
    tokens = [token for token, _, _ in pieces(text)]
    return tokens + [f"{a}_{b}" for a, b in pairwise(tokens)]


def _characters(text: str) -> list[str]:
    """Character 1- to 3-grams, white space folded, so that n-grams cross word borders."""
    padded = f"^{text}$"
    return [padded[i : i + n] for n in (1, 2, 3) for i in range(len(padded) - n + 1)]


@dataclass(frozen=True)
class Features:
    """The two groups of features of some texts, one row a text: n-grams (sparse) and sentence vectors (dense)."""

    grams: sparse.csr_matrix
    dense: np.ndarray

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.grams.shape[1] + self.dense.shape[1])

    def rows(self, chosen: np.ndarray) -> "Features":
        """The features of some of the texts."""
        return Features(self.grams[chosen], self.dense[chosen])


class LinearModel:
    """Multinomial logistic regression over character n-grams, words and sentence vectors, with one temperature."""

    def __init__(self, labels: list[str], weights: dict[str, float]) -> None:
        """`weights` scale the feature groups `characters`, `words` and `sentence`."""
        self.labels = labels
        self._scale = weights
        self._characters = TfidfVectorizer(analyzer=_characters, sublinear_tf=True, min_df=2, max_features=24_000)
        self._words = TfidfVectorizer(analyzer=_words, sublinear_tf=True, min_df=2, max_features=8_000)
        self._weights = np.zeros((0, 0), dtype=np.float32)
        self._bias = np.zeros(0, dtype=np.float32)
        self._temperature = 1.0
        self._vectors = np.zeros((0, DIMENSIONS), dtype=np.float32)
        self._known: dict[str, str] = {}
        self.uses_encoder = encoder() is not None

    def train(self, texts: list[str], targets: list[str], strength: float) -> None:
        """Fit features, weights and temperature. `strength` is the inverse of the regularisation."""
        prepared = [model_text(text) for text in texts]
        self._characters.fit(prepared)
        self._words.fit(prepared)
        features = self._features(prepared)
        index = {label: number for number, label in enumerate(self.labels)}
        numbers = np.array([index[target] for target in targets])
        with threadpool_limits(limits=2):
            self._calibrate(features, numbers, strength)
            self._fit(features, numbers, strength)
        self._known = _unambiguous(prepared, targets)
        if self.uses_encoder:
            self._vectors = self._encode(prepared)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """One row of probabilities over `labels` for each text."""
        prepared = [model_text(text) for text in texts]
        result = _softmax(self._scores(self._features(prepared)) / self._temperature)
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
        nearest = float((self._vectors @ self._encode([prepared])[0]).max()) if len(self._vectors) else 1.0
        return seen, nearest

    def save(self, folder: Path) -> None:
        """Write the model as plain arrays and JSON."""
        np.savez_compressed(
            folder / "model.npz",
            weights=self._weights.astype(np.float16),
            bias=self._bias,
            vectors=self._vectors.astype(np.float16),
            characters_idf=self._characters.idf_,
            words_idf=self._words.idf_,
        )
        content = {
            "labels": self.labels,
            "scale": self._scale,
            "temperature": self._temperature,
            "encoder": self.uses_encoder,
            "known": self._known,
            "characters": _plain(self._characters.vocabulary_),
            "words": _plain(self._words.vocabulary_),
        }
        (folder / "model.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "LinearModel":
        """Read a model that `save` wrote; raises RuntimeError when it needs an encoder that is not installed."""
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        model = cls(content["labels"], content["scale"])
        if content["encoder"] and not model.uses_encoder:
            raise RuntimeError(
                "The model was trained with sentence vectors; install the bot's packages, or train again."
            )
        model.uses_encoder = content["encoder"]
        model._temperature = content["temperature"]
        model._known = content["known"]
        with np.load(folder / "model.npz") as arrays:
            model._weights = arrays["weights"].astype(np.float32)
            model._bias = arrays["bias"]
            model._vectors = arrays["vectors"].astype(np.float32)
            model._characters.vocabulary_ = content["characters"]
            model._characters.idf_ = arrays["characters_idf"]
            model._words.vocabulary_ = content["words"]
            model._words.idf_ = arrays["words_idf"]
        return model

    def _features(self, prepared: list[str]) -> Features:
        grams = sparse.hstack(
            [
                self._characters.transform(prepared) * self._scale["characters"],
                self._words.transform(prepared) * self._scale["words"],
            ],
            format="csr",
            dtype=np.float32,
        )
        dense = self._encode(prepared) * self._scale["sentence"] if self.uses_encoder else np.zeros((len(prepared), 0))
        return Features(grams, dense.astype(np.float32))

    @staticmethod
    def _encode(prepared: list[str]) -> np.ndarray:
        sentences = encoder()
        assert sentences is not None
        return sentences.encode(prepared)

    def _scores(self, features: Features) -> np.ndarray:
        grams = features.grams.shape[1]
        return np.asarray(features.grams @ self._weights[:grams]) + features.dense @ self._weights[grams:] + self._bias

    def _fit(self, features: Features, numbers: np.ndarray, strength: float) -> None:
        """Multinomial logistic regression, classes of equal weight, by L-BFGS from wherever the weights stand."""
        rows, labels = len(numbers), len(self.labels)
        grams, width = features.grams.shape[1], features.width
        counts = np.bincount(numbers, minlength=labels)
        per_row = (rows / (np.maximum(counts, 1) * max(1, (counts > 0).sum())))[numbers][:, None]
        one_hot = np.zeros((rows, labels), dtype=np.float32)
        one_hot[np.arange(rows), numbers] = 1.0
        transposed = features.grams.T.tocsr()
        if self._weights.shape != (width, labels):
            self._weights = np.zeros((width, labels), dtype=np.float32)
            self._bias = np.zeros(labels, dtype=np.float32)

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = flat[: width * labels].reshape(width, labels).astype(np.float32)
            scores = features.grams @ weights[:grams] + features.dense @ weights[grams:]
            chances = _softmax(scores + flat[width * labels :].astype(np.float32))
            error = ((chances - one_hot) * per_row).astype(np.float32)
            gradient = np.concatenate([transposed @ error, features.dense.T @ error]) + weights / strength
            likelihood = -(per_row[:, 0] * np.log(np.maximum(chances[np.arange(rows), numbers], 1e-12))).sum()
            value = float(likelihood) + 0.5 / strength * float((weights * weights).sum())
            return value, np.concatenate([gradient.ravel(), error.sum(axis=0)]).astype(np.float64)

        start = np.concatenate([self._weights.ravel(), self._bias]).astype(np.float64)
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 120, "maxcor": 6, "ftol": 1e-5})
        self._weights = found.x[: width * labels].reshape(width, labels).astype(np.float32)
        self._bias = found.x[width * labels :].astype(np.float32)

    def _calibrate(self, features: Features, numbers: np.ndarray, strength: float) -> None:
        """One temperature, chosen on phrases that the weights have not seen."""
        if len(numbers) < 10 * len(self.labels):
            return
        seen, held = train_test_split(np.arange(len(numbers)), test_size=0.2, random_state=7, stratify=numbers)
        self._fit(features.rows(seen), numbers[seen], strength)
        scores = self._scores(features.rows(held))

        def loss(log_temperature: float) -> float:
            chosen = _softmax(scores / np.exp(log_temperature))[np.arange(len(held)), numbers[held]]
            return float(-np.log(np.maximum(chosen, 1e-9)).mean())

        self._temperature = float(np.exp(minimize_scalar(loss, bounds=(-2.5, 1.5), method="bounded").x))


def _softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


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
