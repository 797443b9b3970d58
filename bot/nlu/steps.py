"""Steps that a customer took, told in words that no pattern of `tried.py` knows.

A small linear model of the same kind as the intent classifier reads each clause of a message. It is trained on the
designers' clauses in `bot/data/steps`: those that tell of a step taken, and others.
"""

import re
from pathlib import Path
from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.lookups import DATA, read_yaml
from bot.nlu.model import TextModel
from bot.nlu.text import CLAUSE_END, Span, align, is_empty, normalise, split
from bot.nlu.trained import Trained
from bot.nlu.tried import left_undone

STEP, OTHER = "step", "other"
# Chinese is often typed with spaces where others set commas.
_END = re.compile(CLAUSE_END.pattern + r"|(?<=[\u4e00-\u9fff])\s+|\s+(?=[\u4e00-\u9fff])")
_MOST_CLAUSES = 24
# Phrases of these intents tell of no step; so many of their clauses are learnt as such.
_WITHOUT_STEPS = frozenset(
    {"track_order", "cancel_order", "change_address", "invoice", "delivery", "parcel_problem", "return_exchange"}
    | {"refund", "warranty", "greet", "thank", "goodbye", "chitchat", "out_of_scope", "product_advice"}
    | {"request_human", "who_are_you", "capabilities", "complain", "affirm"}
)
_MOST_OTHERS = 4_000
_LEAST_LETTERS = 3


def clauses() -> list[tuple[str, str]]:
    """All clauses of `bot/data/steps` with what they are."""
    found = []
    for path in sorted((DATA / "steps").glob("*.yml")):
        for kind, lines in read_yaml(path).items():
            found += [(line.strip(), kind) for line in lines.splitlines() if line.strip()]
    return found


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class StepReader(Trained[TextModel]):
    """Adds to the property `tried` the clauses that tell of a step taken and in which no known step was found."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`sure_at`: from which chance on a clause tells of a step. The rest is as in the classifier."""
        return {"strength": 5.0, "characters": 1.0, "words": 0.7, "sentence": 2.5, "sure_at": 0.55}

    @classmethod
    def read_model(cls, folder: Path, config: dict[str, Any]) -> TextModel:
        """The model that training kept."""
        return TextModel.load(folder)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model on the designers' clauses."""
        pairs = [*clauses(), *((text, OTHER) for text in _others(training_data))]
        model = TextModel(
            [OTHER, STEP], {name: float(self._config[name]) for name in ("characters", "words", "sentence")}
        )
        model.train([text for text, _ in pairs], [kind for _, kind in pairs], float(self._config["strength"]))
        return self.keep(model)

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the steps of each message to those that were found by patterns; they are called by their own words."""
        pieces = [_new_clauses(message) for message in messages]
        chances = iter(self._chances([piece.text for new in pieces for piece in new]))
        for message, new in zip(messages, pieces, strict=True):
            found = [
                {"text": piece.text, "quote": piece.text, "start": piece.start, "end": piece.end}
                for piece in new
                if next(chances) >= float(self._config["sure_at"]) and not left_undone(normalise(piece.text))
            ]
            steps = [*(message.get("tried") or []), *found]
            message.set("tried", sorted(steps, key=lambda step: int(step["start"])), add_to_output=True)
        return messages

    def _chances(self, texts: list[str]) -> list[float]:
        """How likely each clause tells of a step."""
        if self._model is None or not texts:
            return [0.0] * len(texts)
        column = self._model.labels.index(STEP)
        return [float(row[column]) for row in self._model.probabilities(texts)]


def _others(training_data: TrainingData) -> list[str]:
    """Clauses of the phrases of intents that tell of no step, an even choice of them."""
    phrases = [one.get(TEXT) for one in training_data.intent_examples if _intent(one) in _WITHOUT_STEPS]
    every = sorted({piece.text for phrase in phrases for piece in _clauses_of(phrase)})
    return every[:: max(1, len(every) // _MOST_OTHERS)]


def _intent(message: Message) -> str:
    return str(message.get(INTENT) or "").partition("/")[0]


def _clauses_of(text: str) -> list[Span]:
    aligned = align(text)
    return [aligned.span(a, b) for a, b in split(aligned, _END) if not is_empty(aligned.text[a:b])]


def _new_clauses(message: Message) -> list[Span]:
    """The clauses of a message in which no step was found and that say more than its facts."""
    text, known = message.get(TEXT) or "", message.get("tried") or []
    new = [piece for piece in _clauses_of(text)[:_MOST_CLAUSES] if not any(_overlap(piece, step) for step in known)]
    return [piece for piece in new if _says_more(piece, message.get(ENTITIES) or [])]


def _overlap(piece: Span, step: dict[str, Any]) -> bool:
    return bool(piece.start < int(step["end"]) and int(step["start"]) < piece.end)


def _says_more(piece: Span, facts: list[dict[str, Any]]) -> bool:
    """Does a clause say more than a fact? "固件1.0.0.39" tells of no step."""
    told = {place for fact in facts for place in range(int(fact["start"]), int(fact["end"]))}
    left = [char for place, char in enumerate(piece.text, piece.start) if char.isalpha() and place not in told]
    return len(left) >= _LEAST_LETTERS
