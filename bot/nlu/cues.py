"""What a message signals beside its wish: danger, a matter for a person, anger, that a step did not help, and so on.

A small linear model of the same kind as the intent classifier, trained on the designers' phrases in `bot/data/cues`
and, as what signals nothing, on the phrases of the intents.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.classifier import base_of
from bot.nlu.lookups import DATA, read_yaml
from bot.nlu.model import TextModel
from bot.nlu.text import CLAUSE_END, SENTENCE_END, Aligned, align, is_empty, split
from bot.nlu.trained import Trained

PLAIN = "plain"
_LIKE_A_CUE = {"request_human": "person"}
# Their phrases sound like several cues at once, or like none.
_LEFT_OUT = frozenset({"complain", "affirm", "deny", "thank", "goodbye", "inform", "out_of_scope"})
_USUAL = frozenset({PLAIN, "told"})
_GRAVE = frozenset({"danger", "personal_matter"})
_CLAUSE = 0.85
_LEAST = 0.05
_MOST_PIECES = 12
_ONE_THOUGHT = 8


def phrases() -> list[tuple[str, str]]:
    """All phrases of `bot/data/cues` with their cue."""
    found = []
    for path in sorted((DATA / "cues").glob("*.yml")):
        for cue, lines in read_yaml(path).items():
            found += [(line.strip(), cue) for line in lines.splitlines() if line.strip()]
    return found


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class CueReader(Trained[TextModel]):
    """Puts the property `cues` on each message: the probability of each cue, the unlikely ones left out."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`plain_every`: one phrase in so many of the intents is trained as a plain one. `usual`: how many times
        likelier a message without a cue is than among the phrases. `directions`: see TextModel; its phrases are many,
        and comparing with them is what takes longest. The rest is as in the classifier.
        """
        return {
            "strength": 5.0,
            "characters": 1.0,
            "words": 0.7,
            "sentence": 2.5,
            "plain_every": 3,
            "usual": 1.4,
            "directions": 32,
        }

    @classmethod
    def read_model(cls, folder: Path, config: dict[str, Any]) -> TextModel:
        """The model that training kept."""
        return TextModel.load(folder)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model on the cues' phrases and on a part of the intents' phrases."""
        pairs = [*phrases(), *self._plain(training_data)]
        weights = {name: float(self._config[name]) for name in ("characters", "words", "sentence")}
        model = TextModel(sorted({cue for _, cue in pairs}), weights, int(self._config["directions"]))
        model.train([text for text, _ in pairs], [cue for _, cue in pairs], float(self._config["strength"]))
        return self.keep(model)

    def _plain(self, training_data: TrainingData) -> list[tuple[str, str]]:
        told = [(str(one.get(TEXT)), base_of(str(one.get_full_intent()))) for one in training_data.intent_examples]
        kept = [(text, _LIKE_A_CUE.get(intent, PLAIN)) for text, intent in told if intent not in _LEFT_OUT]
        return kept[:: int(self._config["plain_every"])]

    def process(self, messages: list[Message]) -> list[Message]:
        """Add `cues` to each message."""
        texts = [message.get(TEXT) or "" for message in messages]
        for message, cues in zip(messages, self.read(texts), strict=True):
            message.set("cues", cues, add_to_output=True)
        return messages

    def read(self, texts: list[str]) -> list[dict[str, float]]:
        """The cues of each text: each as strong as in the sentence that shows it best."""
        pieces = [_pieces_of(text) for text in texts]
        every = [piece for sentences, clauses in pieces for piece in (*sentences, *clauses)]
        if not every or self._model is None:
            return [{} for _ in texts]
        rows = iter(self._chances(every))
        return [
            self._strongest([next(rows) for _ in sentences], [next(rows) for _ in clauses]) if sentences else {}
            for sentences, clauses in pieces
        ]

    def _strongest(self, whole: list[np.ndarray], short: list[np.ndarray]) -> dict[str, float]:
        strongest = np.max(whole, axis=0)
        if short:
            strongest = np.maximum(strongest, np.max(short, axis=0) * self._weighty)
        found = {cue: round(float(value), 2) for cue, value in zip(self._labels, strongest, strict=True)}
        return {cue: value for cue, value in found.items() if value >= _LEAST}

    @property
    def _labels(self) -> list[str]:
        return self._model.labels if self._model else []

    @property
    def _weighty(self) -> np.ndarray:
        """How much a mere clause counts: what is grave is heard between commas too, if it is said clearly."""
        return np.array([_CLAUSE if label in _GRAVE else 0.0 for label in self._labels])

    def _chances(self, texts: list[str]) -> np.ndarray:
        assert self._model is not None
        usual = np.array([float(self._config["usual"]) if label in _USUAL else 1.0 for label in self._labels])
        rows = self._model.probabilities(texts) * usual
        return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _pieces_of(text: str) -> tuple[list[str], list[str]]:
    """What is read of a text: the whole with its sentences, and its clauses; of one sentence, the whole alone."""
    if is_empty(text):
        return [], []
    aligned = align(text)
    if len(aligned.text) <= _ONE_THOUGHT:
        return [text], []
    return [text, *_pieces(aligned, SENTENCE_END)], _pieces(aligned, CLAUSE_END)


def _pieces(aligned: Aligned, end: re.Pattern[str]) -> list[str]:
    found = [aligned.text[a:b] for a, b in split(aligned, end) if not is_empty(aligned.text[a:b])]
    return found[:_MOST_PIECES] if len(found) > 1 else []
