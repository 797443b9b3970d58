"""Sparse features of texts: character n-grams and words, weighed by how rare they are among the training texts."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.memory import remembered
from bot.nlu.tokenizer import tokens

REMEMBERED = 256


@remembered(REMEMBERED)
def words(text: str) -> tuple[str, ...]:
    """Words and pairs of neighbours."""
    found = tokens(text)
    return (*found, *(f"{a}_{b}" for a, b in pairwise(found)))


@remembered(REMEMBERED)
def characters(text: str) -> tuple[str, ...]:
    """Character 1- to 3-grams; spaces are kept, so that n-grams cross word borders."""
    padded = f"^{text}$"
    return tuple(padded[i : i + n] for n in (1, 2, 3) for i in range(len(padded) - n + 1))


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

    def __init__(self, analyzer: Callable[[str], Sequence[str]], place: dict[str, int], rarity: np.ndarray) -> None:
        """`place`: the column of each gram; `rarity`: the weight of each column."""
        self._analyzer = analyzer
        self.place = place
        self.rarity = rarity.astype(np.float32)

    @classmethod
    def of(cls, texts: list[str], analyzer: Callable[[str], Sequence[str]], most: int) -> "Grams":
        """The `most` frequent grams that two texts share; none where no two texts share any."""
        counter = TfidfVectorizer(analyzer=analyzer, min_df=2, max_features=most)
        try:
            counter.fit(texts)
        except ValueError:
            return cls(analyzer, {}, np.zeros(0))
        return cls(analyzer, {gram: int(place) for gram, place in counter.vocabulary_.items()}, counter.idf_)

    def found(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The columns of the known grams of a text, and their values: a row of length 1 without its zeros."""
        counts = [
            (place, count)
            for gram, count in Counter(self._analyzer(text)).items()
            if (place := self.place.get(gram)) is not None
        ]
        if not counts:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        places, numbers = np.array(counts, dtype=np.int32).T
        values = (1 + np.log(numbers, dtype=np.float32)) * self.rarity[places]
        return places, values / np.sqrt(values @ values)

    def rows(self, texts: list[str]) -> sparse.csr_matrix:
        """One row of features a text."""
        found = [self.found(text) for text in texts]
        ends = np.cumsum([0, *(len(places) for places, _ in found)])
        places, values = (np.concatenate(kind) for kind in zip(*found, strict=True))
        return sparse.csr_matrix((values, places, ends), shape=(len(texts), len(self.place)))

    def share_known(self, text: str) -> float:
        """The share of a text's grams that are known; 0 for a text without any."""
        found = self._analyzer(text)
        return sum(gram in self.place for gram in found) / len(found) if found else 0.0
