"""Facts that a customer states: numbers, versions, devices, phones, dates, steps tried; each with its own words."""

from dataclasses import dataclass
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu import dates, devices, numbers, tried
from bot.nlu.text import Aligned, Span, align


@dataclass(frozen=True)
class Fact:
    """One thing the customer said: its normal value and where it stands in the raw text.

    `role` is set when the thing is only spoken of (a version asked about), not true of the customer's own case.
    """

    name: str
    value: str
    span: Span
    role: str | None = None


def extract(raw: str) -> list[Fact]:
    """The facts in one message, at most one of each name (the steps tried come from `tried.extract`)."""
    aligned = align(raw)
    steps = tried.extract(aligned)
    taken = numbers.Taken()
    found = numbers.extract(aligned, taken)
    found += devices.extract(aligned, taken, [(step.at, step.end) for step in steps])
    found += dates.extract(aligned)
    facts = [_fact(aligned, one) for one in found]
    return _one_of_each([fact for fact in facts if fact.span.text])


def _fact(aligned: Aligned, found: numbers.Found) -> Fact:
    """A time of buying that is no date is told in the customer's own letters."""
    name, value, start, end, role = found
    span = aligned.span(start, end)
    told = name == "purchased_at" and not value[:4].isdigit()
    return Fact(name, span.text if told else value, span, role)


def extract_tried(raw: str) -> list[dict[str, Any]]:
    """The steps a message says were tried: `{text, quote, start, end}`, `text` being the step's code."""
    aligned: Aligned = align(raw)
    steps: list[dict[str, Any]] = []
    for step in tried.extract(aligned):
        span = aligned.span(step.at, step.end)
        steps.append({"text": step.code, "quote": span.text, "start": span.start, "end": span.end})
    return steps


def _one_of_each(facts: list[Fact]) -> list[Fact]:
    """The last statement of a name wins ("not 1.0.0.39, it is 1.0.0.45"); a spoken-of thing hides no stated one."""
    kept: dict[tuple[str, str | None], Fact] = {}
    for fact in sorted(facts, key=lambda fact: fact.span.start):
        kept[(fact.name, fact.role)] = fact
    return list(kept.values())


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class FactExtractor(GraphComponent, EntityExtractorMixin):
    """Puts facts into the message as entities with normal values, and the steps tried as the property `tried`."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "FactExtractor":
        """A new extractor; it has nothing to configure."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add `entities` and `tried` to each message."""
        for message in messages:
            text = message.get(TEXT) or ""
            entities = [self._entity(fact) for fact in extract(text)]
            message.set(ENTITIES, message.get(ENTITIES, []) + entities, add_to_output=True)
            message.set("tried", extract_tried(text), add_to_output=True)
        return messages

    def _entity(self, fact: Fact) -> dict[str, Any]:
        entity: dict[str, Any] = {
            "entity": fact.name,
            "value": fact.value,
            "start": fact.span.start,
            "end": fact.span.end,
            "extractor": "FactExtractor",
        }
        if fact.role:
            entity["role"] = fact.role
        return entity
