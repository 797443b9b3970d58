"""The intent classifier: trained on the full labels, it tells a message's base intent, topic and separate wishes."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.lookups import guides
from bot.nlu.model import Readings, TextModel
from bot.nlu.refusals import meant, refuses
from bot.nlu.text import CLAUSE_END, SENTENCE_END, WISH_END, WISH_JOINT, Aligned, align, is_empty, split
from bot.nlu.trained import Trained

SOCIAL = frozenset(
    "greet thank goodbye affirm deny chitchat inform out_of_scope capabilities who_are_you".split()  # noqa: SIM905
)

UNSUITED = 0.02


@lru_cache(maxsize=1024)
def base_of(label: str) -> str:
    """The contract's intent of a full label: `device_problem` of `device_problem/steps_zero`."""
    return label.split("/", 1)[0]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(Trained[TextModel], IntentClassifier):
    """Sets `intent`, `intent_ranking` (base names), `topic` (the finer label), `wishes`, `familiarity` and `near`.

    `familiarity`: the share of words known, and how near the nearest phrase comes in meaning; `near`: for each label of
    the topic's ranking how like its nearest phrase the message is, or the clause that tells the first wish. All 0 to 1.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """It makes its own features."""
        return []

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`strength`: inverse of the regularisation; `wish_at`: confidence from which a clause is a wish of its own.

        Lengths in characters: from `clauses_from` on the clauses of a message are read too, from `long_text` on they
        count as much as the whole. Who names wishes one after the other, in at most `a_list` characters and each as
        clear as `listed_at`, is answered about the first, as is who joins them by words ("还有", "also").
        """
        return {
            "strength": 20.0,
            "characters": 1.0,
            "words": 0.7,
            "sentence": 2.5,
            "ranking_length": 10,
            "wish_at": 0.55,
            "clauses_from": 12,
            "long_text": 24,
            "a_list": 60,
            "listed_at": 0.93,
        }

    @classmethod
    def read_model(cls, folder: Path, config: dict[str, Any]) -> TextModel:
        """The model that training kept, warmed up so that the first customer does not wait."""
        model = TextModel.load(folder)
        model.probabilities(["你好"])
        return model

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model on all phrases with their full labels."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        texts = [str(example.get(TEXT)) for example in examples]
        targets = [str(example.get_full_intent()) for example in examples]
        if len(set(targets)) < 2:
            raise ValueError("Training needs phrases of at least two intents; look into bot/data/nlu.")
        return self.keep(train_model(texts, targets, self._config))

    def process(self, messages: list[Message]) -> list[Message]:
        """Read all messages in one batch; one without a letter or digit gets no intent."""
        readable: list[tuple[Message, Aligned, list[tuple[int, int]]]] = []
        for message in messages:
            text = message.get(TEXT) or ""
            if is_empty(text) or self._model is None:
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
                message.set("familiarity", [0.0, 0.0])
                continue
            aligned = align(text)
            stretches = self._without_tried(self._stretches(aligned), aligned, message.get("tried") or [])
            readable.append((message, aligned, stretches))
        if readable and self._model is not None:
            self._read_all(readable, self._model)
        return messages

    def _read_all(self, readable: list[tuple[Message, Aligned, list[tuple[int, int]]]], model: TextModel) -> None:
        texts = [[meant(aligned), *(aligned.text[a:b] for a, b in stretches)] for _, aligned, stretches in readable]
        readings = model.read([text for group in texts for text in group])
        start = 0
        for (message, aligned, stretches), group in zip(readable, texts, strict=True):
            self._settle(message, aligned, stretches, readings.rows(start, start + len(group)), model)
            start += len(group)

    def _settle(
        self,
        message: Message,
        aligned: Aligned,
        stretches: list[tuple[int, int]],
        readings: Readings,
        model: TextModel,
    ) -> None:
        """Intent, topic and wishes out of what was read in the whole message (first row) and its stretches.

        Who lists several wishes is answered about the first of them.
        """
        rows = readings.chances * suits(model.labels, _products(message))
        rows = rows / rows.sum(axis=1, keepdims=True)
        whole, parts = rows[0], rows[1:]
        wishes = self._wishes(aligned, stretches or [(0, len(aligned.text))], parts if len(parts) else rows, model)
        near = readings.near[0]
        if wishes and stretches:
            first = [aligned.span(*stretch).start for stretch in stretches].index(wishes[0]["start"])
            near = np.maximum(near, readings.near[1 + first])
        if self._lists(aligned, wishes):
            combined = parts[first]
        elif len(parts) > 1 and (_is_joined(aligned) or not self._is_short(aligned)):
            combined = _combine(whole, parts, model.labels)
        else:
            combined = whole
        ranking = rank_bases(combined, model.labels)
        topic = rank_topics(combined, model.labels, ranking[0]["name"], self._config["ranking_length"])
        message.set(INTENT, dict(ranking[0]), add_to_output=True)
        message.set("intent_ranking", ranking[: self._config["ranking_length"]], add_to_output=True)
        message.set("topic", topic, add_to_output=True)
        message.set("wishes", wishes, add_to_output=True)
        message.set("familiarity", [float(readings.words[0]), float(readings.meaning[0])])
        message.set(
            "near", {entry["name"]: float(near[model.labels.index(entry["name"])]) for entry in topic["ranking"]}
        )

    def _stretches(self, aligned: Aligned) -> list[tuple[int, int]]:
        """The clauses of a message; a very short one is read whole."""
        if _is_joined(aligned):
            return self._told(aligned, WISH_END)
        if len(aligned.text.strip()) < self._config["clauses_from"] and len(split(aligned, SENTENCE_END)) < 2:
            return []
        return self._told(aligned, CLAUSE_END)

    def _is_short(self, aligned: Aligned) -> bool:
        return len(aligned.text.strip()) < self._config["long_text"] and len(split(aligned, SENTENCE_END)) < 2

    def _lists(self, aligned: Aligned, wishes: list[dict[str, Any]]) -> bool:
        """Does the message name one wish after the other, rather than tell a story?"""
        if len(wishes) < 2:
            return False
        clear = all(wish["confidence"] >= self._config["listed_at"] for wish in wishes[:2])
        return _is_joined(aligned) or (clear and len(aligned.text) <= self._config["a_list"])

    @staticmethod
    def _told(aligned: Aligned, end: re.Pattern[str]) -> list[tuple[int, int]]:
        told = [(a, b) for a, b in split(aligned, end) if not is_empty(aligned.text[a:b])]
        clauses = [(a, b) for a, b in told if not refuses(aligned.text[a:b])]
        return clauses[:24] if len(clauses) > 1 else []

    @staticmethod
    def _without_tried(
        stretches: list[tuple[int, int]], aligned: Aligned, tried: list[dict[str, Any]]
    ) -> list[tuple[int, int]]:
        """The clauses that say more than what was tried: "already reset it" is no question about resetting."""
        steps = [(step["start"], step["end"]) for step in tried]
        spans = [aligned.span(start, end) for start, end in stretches]
        told = [any(span.start <= start and end <= span.end for start, end in steps) for span in spans]
        kept = [stretch for stretch, only_told in zip(stretches, told, strict=True) if not only_told]
        return kept or stretches

    def _wishes(
        self, aligned: Aligned, stretches: list[tuple[int, int]], rows: np.ndarray, model: TextModel
    ) -> list[dict[str, Any]]:
        """What the customer wants, one entry an intent: the clause that says it most clearly."""
        best: dict[str, dict[str, Any]] = {}
        for (start, end), row in zip(stretches, rows, strict=True):
            first = rank_bases(row, model.labels)[0]
            if first["name"] in SOCIAL or first["confidence"] < self._config["wish_at"]:
                continue
            span = aligned.span(start, end)
            label = _best_of(first["name"], row, model.labels)[0]
            wish = {
                "intent": first["name"],
                "topic": label,
                "confidence": first["confidence"],
                "start": span.start,
                "end": span.end,
            }
            if wish["confidence"] > best.get(first["name"], {"confidence": 0.0})["confidence"]:
                best[first["name"]] = wish
        return sorted(best.values(), key=lambda wish: wish["start"])


def _is_joined(aligned: Aligned) -> bool:
    """Do words such as "还有" and "also" say that there is more than one wish?"""
    return bool(WISH_JOINT.search(aligned.text))


def train_model(texts: list[str], targets: list[str], config: dict[str, Any]) -> TextModel:
    """A model of these texts and their labels; `config` holds the scales of the feature groups and the strength."""
    scale = {name: float(config[name]) for name in ("characters", "words", "sentence")}
    model = TextModel(sorted(set(targets)), scale)
    model.train(texts, targets, float(config["strength"]))
    return model


def suits(labels: list[str], products: set[str]) -> np.ndarray:
    """A factor for each label: nearly nothing for the troubles of devices that the message is not about."""
    return np.array([1.0 if not products or _concerns(label, products) else UNSUITED for label in labels])


def _concerns(label: str, products: set[str]) -> bool:
    base, _, topic = label.partition("/")
    categories = guides().get(topic, {}).get("categories") if base == "device_problem" else None
    return not categories or bool(products & set(categories))


def _products(message: Message) -> set[str]:
    return {str(entity["value"]) for entity in message.get(ENTITIES, []) if entity["entity"] == "product"}


@lru_cache(maxsize=8)
def _bases(labels: tuple[str, ...]) -> tuple[list[str], np.ndarray]:
    """The base intents of labels, and for each label the place of its base."""
    names = list(dict.fromkeys(map(base_of, labels)))
    return names, np.array([names.index(base_of(label)) for label in labels])


def rank_bases(row: np.ndarray, labels: list[str]) -> list[dict[str, Any]]:
    """Base intents by the summed probability of their topics, best first."""
    names, places = _bases(tuple(labels))
    sums = np.bincount(places, row, len(names))
    best_first = np.argsort(-sums, kind="stable")
    return [{"name": names[i], "confidence": round(min(1.0, float(sums[i])), 4)} for i in best_first]


def rank_topics(row: np.ndarray, labels: list[str], base: str, length: int) -> dict[str, Any]:
    """The best full label of `base`, with the best labels overall beside it."""
    order = np.argsort(-row)[:length]
    ranking = [{"name": labels[i], "confidence": round(float(row[i]), 4)} for i in order]
    best, chance = _best_of(base, row, labels)
    return {"name": best, "confidence": round(chance, 4), "ranking": ranking}


def _best_of(base: str, row: np.ndarray, labels: list[str]) -> tuple[str, float]:
    """The likeliest full label of a base intent, and its probability."""
    own = {label: value for label, value in zip(labels, row.tolist(), strict=True) if base_of(label) == base}
    best = max(own, key=own.__getitem__)
    return best, own[best]


def _combine(whole: np.ndarray, parts: np.ndarray, labels: list[str]) -> np.ndarray:
    """A long message means what its clearest clauses say: half the whole, half the best of its parts.

    Courtesies and bare data count little beside a clause that wants something.
    """
    small = np.array([0.25 if base_of(label) in SOCIAL else 1.0 for label in labels])
    clearness = parts.max(axis=1, keepdims=True)
    pooled = (parts * clearness).max(axis=0) * small
    pooled = pooled / max(pooled.sum(), 1e-9)
    mixed = 0.5 * whole * small + 0.5 * pooled
    return np.asarray(mixed / mixed.sum())
