"""Steps that a customer took, told in words that no pattern of `tried.py` knows.

A small linear model of the same kind as the intent classifier reads each clause of a message. It is trained on the
designers' clauses in `bot/data/steps`: those that tell of a step taken, and others.
"""

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.lookups import DATA, read_yaml
from bot.nlu.model import TextModel
from bot.nlu.text import CLAUSE_END, Span, align, is_empty, split

STEP, OTHER = "step", "other"
# Chinese is often typed with spaces where others set commas.
_END = re.compile(CLAUSE_END.pattern + r"|(?<=[\u4e00-\u9fff])\s+|\s+(?=[\u4e00-\u9fff])")
_MOST_CLAUSES = 24
_LEAST_LETTERS = 3


def clauses() -> list[tuple[str, str]]:
    """All clauses of `bot/data/steps` with what they are."""
    found = []
    for path in sorted((DATA / "steps").glob("*.yml")):
        for kind, lines in read_yaml(path).items():
            found += [(line.strip(), kind) for line in lines.splitlines() if line.strip()]
    return found


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class StepReader(GraphComponent):
    """Adds to the property `tried` the clauses that tell of a step taken and in which no known step was found."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`sure_at`: from which chance on a clause tells of a step. The rest is as in the classifier."""
        return {"strength": 5.0, "characters": 1.0, "words": 0.7, "sentence": 2.5, "sure_at": 0.5}

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: TextModel | None = None
    ) -> None:
        """A reader around `model`, or an untrained one."""
        self._config = {**self.get_default_config(), **config}
        self._storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "StepReader":
        """A new untrained reader."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "StepReader":
        """The trained reader."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, TextModel.load(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model on the designers' clauses."""
        pairs = clauses()
        self._model = TextModel(
            [OTHER, STEP], {name: float(self._config[name]) for name in ("characters", "words", "sentence")}
        )
        self._model.train([text for text, _ in pairs], [kind for _, kind in pairs], float(self._config["strength"]))
        with self._storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the steps of each message to those that were found by patterns; they are called by their own words."""
        pieces = [_new_clauses(message) for message in messages]
        chances = iter(self._chances([piece.text for new in pieces for piece in new]))
        for message, new in zip(messages, pieces, strict=True):
            found = [
                {"text": piece.text, "quote": piece.text, "start": piece.start, "end": piece.end}
                for piece in new
                if next(chances) >= float(self._config["sure_at"])
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


def _new_clauses(message: Message) -> list[Span]:
    """The clauses of a message in which no step was found and that say more than its facts."""
    text, known = message.get(TEXT) or "", message.get("tried") or []
    aligned = align(text)
    pieces = [aligned.span(a, b) for a, b in split(aligned, _END) if not is_empty(aligned.text[a:b])]
    new = [piece for piece in pieces[:_MOST_CLAUSES] if not any(_overlap(piece, step) for step in known)]
    return [piece for piece in new if _says_more(piece, message.get(ENTITIES) or [])]


def _overlap(piece: Span, step: dict[str, Any]) -> bool:
    return bool(piece.start < int(step["end"]) and int(step["start"]) < piece.end)


def _says_more(piece: Span, facts: list[dict[str, Any]]) -> bool:
    """Does a clause say more than a fact? "固件1.0.0.39" tells of no step."""
    told = {place for fact in facts for place in range(int(fact["start"]), int(fact["end"]))}
    left = [char for place, char in enumerate(piece.text, piece.start) if char.isalpha() and place not in told]
    return len(left) >= _LEAST_LETTERS
