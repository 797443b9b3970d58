"""How alike a text is to many known ones: sentence vectors for its meaning, BM25 over characters for its wording."""

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction.text import CountVectorizer

# Both kinds of evidence count the same; BM25 with the constants of its inventors' advice.
MEANING = 0.5
SATURATION, LENGTH = 1.5, 0.75


def grams(text: str) -> list[str]:
    """Single characters and pairs of them, white space left out."""
    letters = "".join(text.split())
    return [*letters, *(letters[place : place + 2] for place in range(len(letters) - 1))]


class Bm25:
    """Okapi BM25 of character grams; scores are shares of the score that the question itself would reach."""

    def __init__(self, texts: list[str]) -> None:
        """An index of `texts`, at least one of them not empty."""
        counter = CountVectorizer(analyzer=grams)
        counts = counter.fit_transform(texts).tocsr().astype(np.float32)
        self._place: dict[str, int] = counter.vocabulary_
        rows, seen = counts.shape[0], np.bincount(counts.indices, minlength=counts.shape[1])
        self._rarity = np.log(1 + (rows - seen + 0.5) / (seen + 0.5)).astype(np.float32)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        self._mean = float(lengths.mean())
        damping = SATURATION * (1 - LENGTH + LENGTH * lengths / max(self._mean, 1e-9))
        of_row = np.repeat(np.arange(rows), np.diff(counts.indptr))
        counts.data = counts.data * (SATURATION + 1) / (counts.data + damping[of_row]) * self._rarity[counts.indices]
        self._by_gram = counts.T.tocsr()

    def scores(self, questions: list[str]) -> np.ndarray:
        """A row a question: for each text 0 for nothing in common, about 1 where it says exactly the question."""
        found = [grams(question) for question in questions]
        asked = [sorted({self._place[gram] for gram in one if gram in self._place}) for one in found]
        ends = np.cumsum([0, *map(len, asked)])
        columns = np.concatenate([np.asarray(one, dtype=np.int32) for one in asked])
        present = sparse.csr_matrix(
            (np.ones(len(columns), dtype=np.float32), columns, ends), shape=(len(asked), len(self._rarity))
        )
        lengths = np.array([len(one) for one in found], dtype=np.float32)
        own = (SATURATION + 1) / (1 + SATURATION * (1 - LENGTH + LENGTH * lengths / self._mean))
        most = np.maximum((present @ self._rarity) * own, 1e-9)
        return np.asarray((present @ self._by_gram).toarray() / most[:, None])


class Likeness:
    """Known texts in groups, and how near others come to the nearest text of each group."""

    def __init__(self, texts: list[str], groups: list[str], vectors: np.ndarray) -> None:
        """`groups`: the group of each text; `vectors`: sentence vectors, a row a text, of no columns where none are."""
        order = sorted(range(len(texts)), key=lambda place: groups[place])
        names, self._first = np.unique([groups[place] for place in order], return_index=True)
        self.names: list[str] = names.tolist()
        self._letters = Bm25([texts[place] for place in order])
        self._vectors = vectors[order]

    def nearest(self, texts: list[str], vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A row a text with the likeness of the nearest known text of each of `names`, about 0 (nothing alike) to 1
        (the same); and for each text how near any known text is in meaning, 1 where there are no vectors.
        """
        letters = np.minimum(self._letters.scores(texts), 1.0)
        if not self._vectors.shape[1]:
            return self._best(letters), np.ones(len(texts))
        meaning = vectors @ self._vectors.T
        return self._best(mixed(meaning, letters)), meaning.max(axis=1)

    def _best(self, alike: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum.reduceat(alike, self._first, axis=1))


def mixed(meaning: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """Both kinds of evidence in one figure for each text."""
    return np.asarray(MEANING * meaning + (1 - MEANING) * letters)
