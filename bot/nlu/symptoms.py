"""The fact `symptom`: the short name of what misbehaves, with the clause that says it."""

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.lookups import symptom_titles
from bot.nlu.text import align

PROBLEM = "device_problem"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class SymptomNamer(GraphComponent):
    """Adds the entity `symptom` when a message tells of a problem of a known kind."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`certain_at`: how sure the topic must be before it is called what the customer said."""
        return {"certain_at": 0.35}

    def __init__(self, config: dict[str, Any]) -> None:
        """A namer with this threshold."""
        self._certain_at = float({**self.get_default_config(), **config}["certain_at"])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SymptomNamer":
        """A namer with this threshold."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the symptom to each message that tells one."""
        for message in messages:
            symptom = self._symptom(message, message.get(TEXT) or "")
            if symptom:
                message.set(ENTITIES, [*message.get(ENTITIES, []), symptom], add_to_output=True)
        return messages

    def _symptom(self, message: Message, text: str) -> dict[str, Any] | None:
        topic = message.get("topic") or {}
        name = str(topic.get("name") or "")
        if message.get(INTENT)["name"] != PROBLEM or topic.get("confidence", 0.0) < self._certain_at:
            return None
        titles = symptom_titles().get(name.partition("/")[2])
        if not titles or name == f"{PROBLEM}/other":
            return None
        language = message.get("language") or "zh"
        wish = next((wish for wish in message.get("wishes", []) if wish["intent"] == PROBLEM), None)
        whole = align(text).span(0, len(align(text).text))
        start, end = (wish["start"], wish["end"]) if wish else (whole.start, whole.end)
        return {
            "entity": "symptom",
            "value": titles.get(language) or titles["zh"],
            "start": start,
            "end": end,
            "extractor": "SymptomNamer",
        }
