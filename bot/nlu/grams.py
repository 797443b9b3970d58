"""Sparse features of texts: character n-grams and words, weighed by how rare they are among the training texts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.memory import remembered
from bot.nlu.tokenizer import tokens

REMEMBERED = 256
# A row without any gram stays one of zeros.
SHORTEST = np.float32(1e-9)


@dataclass(frozen=True)
class Counted:
    """The grams of a text, each as often as it is there; the `distinct` ones, and what their number weighs."""

    every: tuple[str, ...]
    distinct: tuple[str, ...]
    weights: np.ndarray


def _counted(grams: tuple[str, ...]) -> Counted:
    numbers = Counter(grams)
    counts = np.fromiter(numbers.values(), dtype=np.float32, count=len(numbers))
    return Counted(grams, tuple(numbers), 1 + np.log(counts))


def _words(text: str) -> tuple[str, ...]:
    found = tokens(text)
    return (*found, *(f"{a}_{b}" for a, b in pairwise(found)))


def _characters(text: str) -> tuple[str, ...]:
    padded = f"^{text}$"
    return tuple(padded[i : i + n] for n in (1, 2, 3) for i in range(len(padded) - n + 1))


@remembered(REMEMBERED)
def words(text: str) -> Counted:
    """Words and pairs of neighbours."""
    return _counted(_words(text))


@remembered(REMEMBERED)
def characters(text: str) -> Counted:
    """Character 1- to 3-grams; spaces are kept, so that n-grams cross word borders."""
    return _counted(_characters(text))


@remembered(REMEMBERED)
def letters(text: str) -> tuple[str, ...]:
    """Single characters and pairs of them, white space left out."""
    plain = "".join(text.split())
    return (*plain, *(plain[place : place + 2] for place in range(len(plain) - 1)))


class Grams:
    """The grams worth knowing of some texts, and rows of features that show which of them a text has.

    A row is of length 1. A gram counts by the logarithm of its number times its rarity, as in sklearn's
    TfidfVectorizer, which needs much longer for a single text.
    """

    def __init__(self, analyzer: Callable[[str], Counted], place: dict[str, int], rarity: np.ndarray) -> None:
        """`place`: the column of each gram; `rarity`: the weight of each column."""
        self._analyzer = analyzer
        self.place = place
        self.rarity = rarity.astype(np.float32)

    @classmethod
    def of(cls, texts: list[str], analyzer: Callable[[str], Counted], most: int) -> "Grams":
        """The `most` frequent grams that two texts share; none where no two texts share any."""
        counter = TfidfVectorizer(analyzer=lambda text: analyzer(text).every, min_df=2, max_features=most)
        try:
            counter.fit(texts)
        except ValueError:
            return cls(analyzer, {}, np.zeros(0))
        return cls(analyzer, {gram: int(place) for gram, place in counter.vocabulary_.items()}, counter.idf_)

    def found(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The columns of the known grams of a text, and their values: a row of length 1 without its zeros."""
        counted, place = self._analyzer(text), self.place.get
        places = np.array([place(gram, -1) for gram in counted.distinct], dtype=np.int32)
        known = places >= 0
        places = places[known]
        values = counted.weights[known] * self.rarity[places]
        return places, values / max(np.sqrt(values @ values), SHORTEST)

    def rows(self, texts: list[str]) -> sparse.csr_matrix:
        """One row of features a text."""
        found = [self.found(text) for text in texts]
        ends = np.cumsum([0, *(len(places) for places, _ in found)])
        places, values = (np.concatenate(kind) for kind in zip(*found, strict=True))
        return sparse.csr_matrix((values, places, ends), shape=(len(texts), len(self.place)))

    def share_known(self, text: str) -> float:
        """The share of a text's grams that are known; 0 for a text without any."""
        found = self._analyzer(text).every
        return sum(gram in self.place for gram in found) / len(found) if found else 0.0
