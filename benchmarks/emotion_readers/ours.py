"""The emotion reader that ships, trained now on the designers' files."""

from __future__ import annotations

from benchmarks.emotion_readers.reading import answer
from bot.importer import DesignersFiles
from bot.nlu.emotion import EmotionReader, learn, read
from bot.nlu.lookups import DATA


def label_and_satisfaction(texts: list[str]) -> list[tuple[str, float]]:
    """Our reading of each text by itself."""
    phrases = DesignersFiles(training_data_paths=[str(DATA / "nlu")]).get_nlu_data()
    model = learn(EmotionReader.get_default_config(), phrases)
    return [(emotion.label, emotion.satisfaction) for emotion in read(model, texts)]


if __name__ == "__main__":
    answer(label_and_satisfaction)
