"""Sparse features of texts: character n-grams and words, weighed by how rare they are among the training texts."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.tokenizer import pieces


def words(text: str) -> list[str]:
    """Words and pairs of neighbours."""
    tokens = [token for token, _, _ in pieces(text)]
    return tokens + [f"{a}_{b}" for a, b in pairwise(tokens)]


def characters(text: str) -> list[str]:
    """Character 1- to 3-grams; spaces are kept, so that n-grams cross word borders."""
    padded = f"^{text}$"
    return [padded[i : i + n] for n in (1, 2, 3) for i in range(len(padded) - n + 1)]


class Grams:
    """The grams worth knowing of some texts, and rows of features that show which of them a text has.

    A row is of length 1. A gram counts by the logarithm of its number times its rarity, as in sklearn's
    TfidfVectorizer; that needs a third of a millisecond a text more than the plain look-up here.
    """

    def __init__(self, analyzer: Callable[[str], list[str]], place: dict[str, int], rarity: np.ndarray) -> None:
        """`place`: the column of each gram; `rarity`: the weight of each column."""
        self._analyzer = analyzer
        self.place = place
        self.rarity = rarity.astype(np.float32)

    @classmethod
    def of(cls, texts: list[str], analyzer: Callable[[str], list[str]], most: int) -> "Grams":
        """The `most` frequent grams that two texts share; none where no two texts share any."""
        counter = TfidfVectorizer(analyzer=analyzer, min_df=2, max_features=most)
        try:
            counter.fit(texts)
        except ValueError:
            return cls(analyzer, {}, np.zeros(0))
        return cls(analyzer, {gram: int(place) for gram, place in counter.vocabulary_.items()}, counter.idf_)

    def rows(self, texts: list[str]) -> sparse.csr_matrix:
        """One row of features a text."""
        places: list[int] = []
        counts: list[int] = []
        ends = [0]
        for text in texts:
            for gram, count in Counter(self._analyzer(text)).items():
                place = self.place.get(gram)
                if place is not None:
                    places.append(place)
                    counts.append(count)
            ends.append(len(places))
        data = (1 + np.log(np.asarray(counts, dtype=np.float32))) * self.rarity[places]
        row_of = np.repeat(np.arange(len(texts)), np.diff(ends))
        lengths = np.sqrt(np.bincount(row_of, weights=data * data, minlength=len(texts)))
        data = (data / lengths[row_of]).astype(np.float32)
        return sparse.csr_matrix((data, np.asarray(places, dtype=np.int32), ends), shape=(len(texts), len(self.place)))

    def share_known(self, text: str) -> float:
        """The share of a text's grams that are known; 0 for a text without any."""
        found = self._analyzer(text)
        return sum(gram in self.place for gram in found) / len(found) if found else 0.0
