"""How alike a text is to many known ones: sentence vectors for its meaning, BM25 over characters for its wording."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from bot.nlu.grams import letters
from bot.nlu.pieces import InPieces

# Both kinds of evidence count the same; BM25 with the constants of its inventors' advice.
MEANING = 0.5
SATURATION, LENGTH = 1.5, 0.75
# What more than this share of the texts have, and many, tells little and costs most.
COMMON, MANY = 0.05, 200


class Bm25:
    """Okapi BM25 of character grams; scores are shares of the score that the question itself would reach."""

    def __init__(self, texts: list[str]) -> None:
        """An index of `texts`, at least one of them not empty."""
        counter = CountVectorizer(analyzer=letters)
        counts = counter.fit_transform(texts).tocsr().astype(np.float32)
        rows, seen = counts.shape[0], np.bincount(counts.indices, minlength=counts.shape[1])
        most = max(MANY, COMMON * rows)
        self._place = {gram: place for gram, place in counter.vocabulary_.items() if seen[place] <= most}
        self._rarity = np.log(1 + (rows - seen + 0.5) / (seen + 0.5)).astype(np.float32)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        self._mean = float(lengths.mean())
        damping = SATURATION * (1 - LENGTH + LENGTH * lengths / max(self._mean, 1e-9))
        of_row = np.repeat(np.arange(rows), np.diff(counts.indptr))
        counts.data = counts.data * (SATURATION + 1) / (counts.data + damping[of_row]) * self._rarity[counts.indices]
        by_gram = counts.T.tocsr()
        self._texts, self._weights, self._ends = by_gram.indices, by_gram.data, by_gram.indptr.tolist()
        self._count = rows

    def scores(self, question: str) -> np.ndarray:
        """For each text, 0 for nothing in common; about 1 for a text that says exactly the question."""
        found = letters(question)
        places = sorted({self._place[gram] for gram in found if gram in self._place})
        if not places:
            return np.zeros(self._count, dtype=np.float32)
        held = [slice(self._ends[place], self._ends[place + 1]) for place in places]
        texts = np.concatenate([self._texts[one] for one in held])
        weights = np.concatenate([self._weights[one] for one in held])
        own = (SATURATION + 1) / (1 + SATURATION * (1 - LENGTH + LENGTH * len(found) / self._mean))
        most = max(float(self._rarity[places].sum()) * own, 1e-9)
        return (np.bincount(texts, weights, self._count) / most).astype(np.float32)


class Likeness:
    """Known texts in groups, and how near others come to the nearest text of each group."""

    def __init__(self, texts: list[str], groups: list[str], vectors: np.ndarray) -> None:
        """`groups`: the group of each text; `vectors`: sentence vectors, a row a text, of no columns where none are."""
        order = sorted(range(len(texts)), key=lambda place: groups[place])
        names, self._first = np.unique([groups[place] for place in order], return_index=True)
        self.names: list[str] = names.tolist()
        self._letters = Bm25([texts[place] for place in order])
        self._has_vectors = bool(vectors.shape[1])
        self._vectors = InPieces(np.ascontiguousarray(vectors[order].T))

    def nearest(self, texts: list[str], vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A row a text with the likeness of the nearest known text of each of `names`, about 0 (nothing alike) to 1
        (the same); and for each text how near any known text is in meaning, 1 where there are no vectors.
        """
        wording = np.minimum(np.array([self._letters.scores(text) for text in texts]), 1.0)
        if not self._has_vectors:
            return self._best(wording), np.ones(len(texts))
        meaning = vectors @ self._vectors
        return self._best(mixed(meaning, wording)), meaning.max(axis=1)

    def _best(self, alike: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum.reduceat(alike, self._first, axis=1))


def mixed(meaning: np.ndarray, wording: np.ndarray) -> np.ndarray:
    """Both kinds of evidence in one figure for each text."""
    return np.asarray(MEANING * meaning + (1 - MEANING) * wording)
