"""How alike a question is to many texts: sentence vectors for what is meant, BM25 over characters for how it is put."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from bot.nlu.encoder import encoder

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
        self._counter = CountVectorizer(analyzer=grams)
        counts = self._counter.fit_transform(texts).tocsr().astype(np.float32)
        rows, seen = counts.shape[0], np.bincount(counts.indices, minlength=counts.shape[1])
        self._rarity = np.log(1 + (rows - seen + 0.5) / (seen + 0.5)).astype(np.float32)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        self._mean = float(lengths.mean())
        damping = SATURATION * (1 - LENGTH + LENGTH * lengths / max(self._mean, 1e-9))
        of_row = np.repeat(np.arange(rows), np.diff(counts.indptr))
        counts.data = counts.data * (SATURATION + 1) / (counts.data + damping[of_row]) * self._rarity[counts.indices]
        self._by_gram = counts.T.tocsr()

    def scores(self, question: str) -> np.ndarray:
        """For each text, 0 for nothing in common; about 1 for a text that says exactly the question."""
        vocabulary = self._counter.vocabulary_
        terms = sorted({vocabulary[gram] for gram in grams(question) if gram in vocabulary})
        if not terms:
            return np.zeros(self._by_gram.shape[1], dtype=np.float32)
        total = np.asarray(self._by_gram[terms].sum(axis=0)).ravel()
        length = len(grams(question))
        own = (SATURATION + 1) / (1 + SATURATION * (1 - LENGTH + LENGTH * length / self._mean))
        return np.asarray(total / max(float(self._rarity[terms].sum()) * own, 1e-9))


class Likeness:
    """Texts to compare questions with."""

    def __init__(self, texts: list[str], vectors: np.ndarray | None) -> None:
        """`vectors`: the texts' unit sentence vectors, one a row; None where no encoder is installed."""
        self._vectors = vectors
        self._letters = Bm25(texts)

    def best(self, question: str, groups: dict[str, slice]) -> dict[str, float]:
        """For each group of texts the likeness of its likest, about 0 (nothing alike) to 1 (the same)."""
        letters, sentences = self._letters.scores(question), encoder()
        if self._vectors is None or sentences is None:
            return {name: float(letters[group].max()) for name, group in groups.items()}
        vector = sentences.encode([question])[0]
        return {
            name: float(mixed(self._vectors[group] @ vector, letters[group]).max()) for name, group in groups.items()
        }


def mixed(meaning: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """Both kinds of evidence in one figure for each text."""
    return np.asarray(MEANING * meaning + (1 - MEANING) * np.minimum(letters, 1.0))
