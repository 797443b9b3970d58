"""The graph component: what is asked, how surely, and what else it could be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.finder.answers import told, topic_of
from bot.finder.ranking import Finder, Found, Question
from bot.nlu.encoder import encoder
from bot.nlu.model import model_text
from bot.nlu.text import is_empty
from bot.nlu.trained import Trained

FALLBACK = "nlu_fallback"
SURE, LIKELY, UNSURE = "sure", "likely", "unsure"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class AnswerFinder(Trained[Finder], IntentClassifier):
    """Sets `found`: `{level, answers: [{id, confidence}]}`, and the topic within the intent that is the best answer.

    `level` is sure, likely (say what was understood, offer what else it could be) or unsure (ask). What the guard did
    not understand, though it does not look strange, becomes the intent of an answer that is at least likely.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """It reads what the classifier left in the message."""
        return []

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`weights`: see `ranking`; `likely_at`, `sure_at`: confidences from which an answer is given, and as certain.

        `strange_*`: a text that was not understood and looks no more known than this stays so.
        """
        return {
            "likely_at": 0.4,
            "sure_at": 0.65,
            "strange_words": 0.2,
            "strange_likeness": 0.65,
            "weights": {
                "classifier": 0.9,
                "likeness": 4.0,
                "issue": 1.0,
                "known": -2.0,
                "nearer": 2.0,
                "same_device": 2.0,
                "same_system": 2.0,
                "same_version": 2.0,
                "sign": 2.0,
            },
        }

    @classmethod
    def filled(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The settings with the defaults for what is not set, weight by weight."""
        return _filled(config)

    @classmethod
    def read_model(cls, folder: Path, config: dict[str, Any]) -> Finder:
        """The finder with what training kept; vectors of another encoder than is here are left out."""
        labels, name = json.loads((folder / "finder.json").read_text(encoding="utf-8"))
        vectors = np.load(folder / "vectors.npy")
        sentences = encoder()
        if sentences is None or sentences.name != name:
            vectors = vectors[:, :0]
        texts, answers = _told_as_read()
        return Finder(texts, answers, vectors, labels, _filled(config)["weights"])

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the labels that the classifier names, and the vectors of what the designers tell of the answers."""
        labels = sorted({str(example.get_full_intent()) for example in training_data.intent_examples})
        texts, _ = _told_as_read()
        sentences = encoder()
        vectors = np.zeros((len(texts), 0), dtype=np.float32) if sentences is None else sentences.encode(texts)
        with self._storage.write_to(self._resource) as folder:
            kept = json.dumps([labels, sentences and sentences.name], ensure_ascii=False)
            (folder / "finder.json").write_text(kept, encoding="utf-8")
            np.save(folder / "vectors.npy", vectors)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Find the answers of each message that has a word."""
        for message in messages:
            raw = message.get(TEXT) or ""
            if self._model is not None and not is_empty(raw):
                self._read(message, self._model.rank(question_of(message)))
        return messages

    def _read(self, message: Message, answers: list[Found]) -> None:
        if not answers:
            message.set("found", {"level": UNSURE, "answers": []}, add_to_output=True)
            return
        level = self._level(answers)
        best = topic_of(answers[0].answer)
        if message.get(INTENT)["name"] == FALLBACK and level != UNSURE and not self._strange(message):
            intent = {"name": best.partition("/")[0], "confidence": round(answers[0].confidence, 4)}
            message.set(INTENT, intent, add_to_output=True)
            level = LIKELY
        self._name_topic(message, answers)
        listed = [{"id": one.answer, "confidence": round(one.confidence, 4)} for one in answers]
        message.set("found", {"level": level, "answers": listed}, add_to_output=True)

    def _level(self, answers: list[Found]) -> str:
        """How sure the topic is: its guide and its known issues together, since the facts decide between these."""
        topic = topic_of(answers[0].answer)
        total = sum(one.confidence for one in answers if topic_of(one.answer) == topic)
        return SURE if total >= self._config["sure_at"] else LIKELY if total >= self._config["likely_at"] else UNSURE

    def _strange(self, message: Message) -> bool:
        words, likeness = message.get("familiarity", [1.0, 1.0])
        return bool(words < self._config["strange_words"] or likeness < self._config["strange_likeness"])

    @staticmethod
    def _name_topic(message: Message, answers: list[Found]) -> None:
        """The topic within the intent that was understood: the best of the answers that belong to it."""
        intent = message.get(INTENT)["name"]
        own = [one for one in answers if topic_of(one.answer).partition("/")[0] == intent]
        topic = message.get("topic") or {}
        if own and "/" in topic_of(own[0].answer):
            name = topic_of(own[0].answer)
            confidence = sum(one.confidence for one in own if topic_of(one.answer) == name)
            message.set("topic", {**topic, "name": name, "confidence": round(confidence, 4)}, add_to_output=True)


def question_of(message: Message) -> Question:
    """What the components before found in the message; its clearest clauses are read beside the whole."""
    raw = message.get(TEXT) or ""
    ranking = (message.get("topic") or {}).get("ranking") or []
    parts = [raw[wish["start"] : wish["end"]] for wish in message.get("wishes") or []]
    facts = {
        str(entity["entity"]): str(entity["value"]) for entity in message.get(ENTITIES, []) if not entity.get("role")
    }
    texts = tuple(dict.fromkeys(model_text(text) for text in [raw, *parts[:1]]))
    chances = {entry["name"]: entry["confidence"] for entry in ranking}
    return Question(raw, texts, chances, message.get("near") or {}, facts)


def _told_as_read() -> tuple[list[str], list[str]]:
    """The designers' texts as models read them, and what each tells of."""
    answer_of = {model_text(text): answer for text, answer in told()}
    return list(answer_of), list(answer_of.values())


def _filled(config: dict[str, Any]) -> dict[str, Any]:
    defaults = AnswerFinder.get_default_config()
    weights = {**defaults["weights"], **(config.get("weights") or {})}
    return {**defaults, **config, "weights": weights}
