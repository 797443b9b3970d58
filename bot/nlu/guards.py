"""The last word on the intent: wordings that are certain, bare data, and messages that mean nothing we know."""

import re
from functools import lru_cache
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.classifier import base_of
from bot.nlu.lookups import compile_all, lookup
from bot.nlu.memory import remembered
from bot.nlu.text import Aligned, align, clause_around, is_empty, normalise

FALLBACK = "nlu_fallback"
_ASKING, _REFUSING, _PLAINLY = 0.15, 0.3, 0.85
_MARKS = re.compile(r"[\W_]+")
_ONE_KEY_HELD = re.compile(r"\s*(\S)(?:\s*\1){29,}\s*")
_PARTICLES = re.compile(r"(?:吧|啊|呀|哦|噢|呢|哈|啦|的呢|滴|嘛|~)+$")


@lru_cache(maxsize=1)
def _requests() -> dict[str, Any]:
    listed = lookup("requests")
    return {
        **{name: compile_all(listed[name]) for name in ("person", "no_person", "refused", "identity")},
        "short": {
            _MARKS.sub("", normalise(text)): intent for intent, texts in listed["short"].items() for text in texts
        },
        "emoji": {mark: intent for intent, marks in listed["emoji"].items() for mark in marks},
        "data_words": _word_pattern(listed["data_words"]),
    }


def _word_pattern(texts: list[str]) -> re.Pattern[str]:
    ordered = sorted((normalise(text) for text in texts), key=len, reverse=True)
    latin = [re.escape(text) for text in ordered if text.isascii()]
    chinese = [re.escape(text) for text in ordered if not text.isascii()]
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(latin)})(?![a-z0-9])|{'|'.join(chinese)}")


@remembered(1024)
def wants_person(raw: str) -> bool:
    """True when the customer asks for a person; false when a person is refused, asked about, or only told of."""
    requests, aligned = _requests(), align(raw)
    for match in requests["person"].finditer(_trimmed(aligned)):
        start, end = clause_around(aligned, match.start())
        clause = aligned.text[start:end]
        if not requests["no_person"].search(clause) and not requests["identity"].search(clause):
            return True
    return False


@remembered(1024)
def refuses_person(raw: str) -> bool:
    """True when the customer says that no person is needed."""
    return bool(_requests()["refused"].search(align(raw).text)) and not wants_person(raw)


def tells_of_person(raw: str) -> bool:
    """True when a person is spoken of without being wanted: refused, or told of."""
    return bool(_requests()["no_person"].search(align(raw).text)) and not wants_person(raw)


def asks_identity(raw: str) -> bool:
    """True for "are you a robot?" in its many forms."""
    return bool(_requests()["identity"].search(align(raw).text)) and not wants_person(raw)


def short_intent(raw: str) -> str | None:
    """The intent of a whole message that is one short fixed word or emoji."""
    requests = _requests()
    if is_empty(raw):
        marks = {intent for mark, intent in requests["emoji"].items() if mark in raw}
        return marks.pop() if len(marks) == 1 else None
    text = _MARKS.sub("", _PARTICLES.sub("", normalise(raw).strip("!?。.,~ ")))
    return requests["short"].get(text) or requests["short"].get(_MARKS.sub("", normalise(raw)))


def is_bare_data(raw: str, entities: list[dict[str, Any]]) -> bool:
    """True when nothing but facts and the small words around them was typed."""
    own = [entity for entity in entities if not entity.get("role")]
    if not own or raw.rstrip().endswith(("?", "？")):
        return False
    rest = raw
    for entity in sorted(own, key=lambda entity: -entity["start"]):
        rest = rest[: entity["start"]] + " " * (entity["end"] - entity["start"]) + rest[entity["end"] :]
    return not _MARKS.sub("", _requests()["data_words"].sub(" ", normalise(rest)))


def _trimmed(aligned: Aligned) -> str:
    """The normal text with outer marks blanked, so that patterns for whole messages can use ^ and $."""
    text = aligned.text
    stripped = text.rstrip(" !?。.,~;\n")
    return stripped if stripped else text


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class IntentGuard(GraphComponent):
    """Overrules the statistics where wording is certain; what looks like nothing known is not understood."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`fallback_at`: confidence under which nothing is understood; `strange_*`: unknown text is trusted less.

        `person_at`: what statistics alone need for calling a person, since clear wordings have their patterns.
        """
        return {
            "fallback_at": 0.34,
            "person_at": 0.6,
            "strange_at": 0.6,
            "strange_words": 0.2,
            "strange_likeness": 0.65,
        }

    def __init__(self, config: dict[str, Any]) -> None:
        """A guard with these thresholds."""
        self._config = {**self.get_default_config(), **config}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "IntentGuard":
        """A guard with these thresholds."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Settle the intent of each message."""
        for message in messages:
            self._settle(message, message.get(TEXT) or "")
        return messages

    def _settle(self, message: Message, raw: str) -> None:
        certain = self._certain(message, raw)
        if certain:
            _overrule(message, certain, 1.0)
        elif is_empty(raw) or _ONE_KEY_HELD.fullmatch(raw):
            _overrule(message, FALLBACK, 0.0)
        else:
            if tells_of_person(raw) or asks_identity(raw) or not _sounds_like_asking(message):
                _without(message, "request_human")
            confidence = message.get(INTENT)["confidence"]
            other = _wish_beside_refusal(message) if refuses_person(raw) else _wish_beside_facts(message)
            if other:
                _overrule(message, str(other["topic"]), float(other["confidence"]))
            elif confidence < self._threshold(message):
                _overrule(message, "deny" if refuses_person(raw) else FALLBACK, confidence)

    def _certain(self, message: Message, raw: str) -> str | None:
        if not is_empty(raw):
            if wants_person(raw) and not _speaks_against_asking(message):
                return "request_human"
            if asks_identity(raw):
                return "who_are_you"
        short = short_intent(raw)
        if short:
            return short
        return "inform" if is_bare_data(raw, message.get(ENTITIES, [])) else None

    def _threshold(self, message: Message) -> float:
        if message.get(INTENT)["name"] == "request_human":
            return float(self._config["person_at"])
        words, likeness = message.get("familiarity", [1.0, 1.0])
        strange = words < self._config["strange_words"] and likeness < self._config["strange_likeness"]
        return float(self._config["strange_at"] if strange else self._config["fallback_at"])


def _wish_beside_refusal(message: Message) -> dict[str, Any] | None:
    """What a message asks for beside saying that no person is needed ("no agent please, where is my order")."""
    refused = ("request_human", "deny", "complain")
    return next((wish for wish in message.get("wishes") or [] if wish["intent"] not in refused), None)


def _wish_beside_facts(message: Message) -> dict[str, Any] | None:
    """What a message wishes more clearly than it only tells facts ("the router drops, firmware 1.1.22.0")."""
    intent = message.get(INTENT)
    wish = next(iter(message.get("wishes") or []), None)
    return wish if wish and intent["name"] == "inform" and wish["confidence"] > intent["confidence"] else None


def _speaks_against_asking(message: Message) -> bool:
    """Do the cues say that a certain wording only speaks of a person?"""
    cues = message.get("cues") or {}
    person, no_person = cues.get("person", 0.0), cues.get("no_person", 0.0)
    return bool(no_person > max(_REFUSING, person) or (cues.get("plain", 0.0) >= _PLAINLY and person < _ASKING))


def _sounds_like_asking(message: Message) -> bool:
    """Do the cues allow that a person is asked for? Without cues nothing speaks against it."""
    cues = message.get("cues")
    return not cues or cues.get("person", 0.0) > max(_ASKING, cues.get("no_person", 0.0))


def _overrule(message: Message, topic_name: str, confidence: float) -> None:
    """Settle on a topic, or on an intent that has no finer topic."""
    intent = base_of(topic_name)
    ranking = [entry for entry in message.get("intent_ranking", []) if entry["name"] != intent]
    message.set(INTENT, {"name": intent, "confidence": confidence}, add_to_output=True)
    message.set("intent_ranking", [{"name": intent, "confidence": confidence}, *ranking], add_to_output=True)
    topic = message.get("topic") or {"ranking": []}
    if base_of(topic.get("name") or "") != intent:
        message.set(
            "topic", {"name": topic_name, "confidence": confidence, "ranking": topic["ranking"]}, add_to_output=True
        )


def _without(message: Message, intent: str) -> None:
    """Take one intent out of the ranking; what was its share goes to the others in proportion."""
    ranked = message.get("intent_ranking", [])
    ranking = [dict(entry) for entry in ranked if entry["name"] != intent]
    if not ranking or message.get(INTENT)["name"] != intent:
        return
    left = max(sum(entry["confidence"] for entry in ranking), 0.05)
    for entry in ranking:
        entry["confidence"] = round(entry["confidence"] / left, 4)
    best = dict(ranking[0])
    message.set(INTENT, best, add_to_output=True)
    message.set("intent_ranking", ranking, add_to_output=True)
    topics = [entry for entry in message.get("topic", {}).get("ranking", []) if base_of(entry["name"]) == best["name"]]
    name = topics[0]["name"] if topics else best["name"]
    message.set("topic", {"name": name, "confidence": best["confidence"], "ranking": topics}, add_to_output=True)
