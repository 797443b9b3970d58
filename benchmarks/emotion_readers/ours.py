"""The emotion reader that ships, trained now on the designers' messages."""

from __future__ import annotations

from benchmarks.emotion_readers.reading import answer
from bot.nlu.emotion import EmotionReader, learn, read


def label_and_satisfaction(texts: list[str]) -> list[tuple[str, float]]:
    """Our reading of each text by itself."""
    model = learn(EmotionReader.get_default_config())
    felt = [read(model, text) for text in texts]
    return [(emotion.label, emotion.satisfaction) for emotion in felt]


if __name__ == "__main__":
    answer(label_and_satisfaction)
