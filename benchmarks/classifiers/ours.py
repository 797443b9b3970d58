"""The classifier that ships (`bot.nlu.model.TextModel`), on any labelled texts."""

from __future__ import annotations

from typing import Any

from benchmarks.classifiers.task import Ranked, median_ms, run, seconds_of
from bot.nlu.classifier import TopicClassifier, train_model
from bot.nlu.encoder import encoder
from bot.nlu.model import TextModel


def classify(task: dict[str, Any]) -> dict[str, Any]:
    """Train on `task["train"]` with the settings that ship; classify the texts of every part of `task["parts"]`."""
    texts, labels = [text for text, _ in task["train"]], [label for _, label in task["train"]]
    encoder()
    answer: dict[str, Any] = {"parts": {}}
    with seconds_of(answer, "train_seconds"):
        model = train_model(texts, labels, TopicClassifier.get_default_config())
    for name, wanted in task["parts"].items():
        if name == task["timed"]:
            answer["ms"] = median_ms(lambda text: model.probabilities([text]), wanted)
        answer["parts"][name] = _best(model, wanted)
    return answer


def _best(model: TextModel, texts: list[str]) -> Ranked:
    rows = model.probabilities(texts)
    best = (-rows).argsort(axis=1)[:, :2]
    return [[(model.labels[i], float(row[i])) for i in two] for row, two in zip(rows, best, strict=True)]


if __name__ == "__main__":
    run(classify)
