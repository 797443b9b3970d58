"""SnowNLP's sentiment: from 0, the worst, to 1. It knows no anger: what is below one half counts as such."""

from __future__ import annotations

from snownlp import SnowNLP

from benchmarks.emotion_readers.reading import answer


def label_and_satisfaction(texts: list[str]) -> list[tuple[str, float]]:
    """Its reading of each text by itself; one without text is neither good nor bad."""
    good = [SnowNLP(text).sentiments if text.strip() else 0.5 for text in texts]
    return [("angry" if value < 0.5 else "calm", 4 * value - 2) for value in good]


if __name__ == "__main__":
    answer(label_and_satisfaction)
