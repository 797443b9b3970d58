"""The ranking itself: the classifier's chances and likeness to what is known to ask for each answer, then the facts.

Two steps. Which topic: a softmax over `classifier * log(chance) + likeness * (the likest phrase of the topic) + issue *
(the best chance of its known issues)`. Which of a topic's answers: a logistic for each known issue of it, from its
likeness beside the topic's, the circumstances that set it apart, and the facts stated; a known issue that a fact
contradicts is out. The guide gets what they leave. The weights stand in `component`; those of the first step were
fitted on the training phrases, each scored by what was trained without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from re import Pattern
from typing import Any

import numpy as np

from bot.finder.answers import KNOWN, PROBLEM, is_answer, topic_of
from bot.finder.known_issues import known_issues, undecided
from bot.nlu.encoder import encoder
from bot.nlu.likeness import Likeness
from bot.nlu.lookups import compile_all, device_categories
from bot.nlu.text import align

LEAST_CHANCE = 1e-4
MOST_ANSWERS = 5
_VERSIONS = {"firmware_version": "firmware", "app_version": "app"}


@dataclass(frozen=True)
class Found:
    """An answer and how surely it is the one asked for, 0 to 1."""

    answer: str
    confidence: float


@dataclass(frozen=True)
class Question:
    """What is asked: the text as models read it, its clearest parts, the facts stated; and, for the labels that the
    classifier names at all, its chances and how near their phrases come.
    """

    raw: str
    texts: tuple[str, ...]
    chances: dict[str, float]
    near: dict[str, float]
    facts: dict[str, str]


class Finder:
    """Ranks all answers for a question."""

    def __init__(
        self, texts: list[str], answers: list[str], vectors: np.ndarray, labels: list[str], weights: dict[str, float]
    ):
        """`answers`: what each of `texts`, the designers' own words, tells of; `vectors`: their sentence vectors, of no
        columns without an encoder; `labels`: what the classifier can name.
        """
        self._told, self._by_meaning = Likeness(texts, answers, vectors), bool(vectors.shape[1])
        self._weights = weights
        self._topics = sorted({*labels, *map(topic_of, answers)})

    def rank(self, question: Question) -> list[Found]:
        """The answers that are likeliest to be asked for, best first."""
        alike = self._alike(question)
        issues = {issue["id"]: self._issue_chance(issue, alike, question) for issue in known_issues()}
        chances = self._topic_chances(question, alike, issues)
        found: list[Found] = []
        for topic in sorted(filter(is_answer, chances), key=lambda topic: -chances[topic])[:MOST_ANSWERS]:
            found += _split(topic, chances[topic], issues)
        return sorted(found, key=lambda one: -one.confidence)[:MOST_ANSWERS]

    def _alike(self, question: Question) -> dict[str, float]:
        """For each label named and each answer told of, how like its likest text the question or a part of it is."""
        texts, sentences = list(question.texts), encoder()
        vectors = sentences.encode(texts) if sentences and self._by_meaning else np.zeros((len(texts), 0))
        told = self._told.nearest(texts, vectors)[0].max(axis=0)
        alike = dict(zip(self._told.names, told.tolist(), strict=True))
        for label, value in question.near.items():
            alike[label] = max(value, alike.get(label, 0.0))
        return alike

    def _topic_chances(self, question: Question, alike: dict[str, float], issues: dict[str, float]) -> dict[str, float]:
        of_topic: dict[str, float] = {}
        for name, value in alike.items():
            topic = topic_of(name)
            of_topic[topic] = max(value, of_topic.get(topic, 0.0))
        chance = np.array([max(question.chances.get(topic, 0.0), LEAST_CHANCE) for topic in self._topics])
        scores = self._weights["classifier"] * np.log(chance)
        scores += self._weights["likeness"] * np.array([of_topic.get(topic, 0.0) for topic in self._topics])
        likely = {topic: max(issues[issue["id"]] for issue in _issues_of(topic)) for topic in _troubled()}
        scores += self._weights["issue"] * np.array([likely.get(topic, 0.0) for topic in self._topics])
        shares = np.exp(scores - scores.max())
        return dict(zip(self._topics, (shares / shares.sum()).tolist(), strict=True))

    def _issue_chance(self, issue: dict[str, Any], alike: dict[str, float], question: Question) -> float:
        facts = question.facts
        kinds = device_categories()
        still_open = undecided(issue, dict(facts), facts.get("product"), kinds)
        if still_open is None:
            return 0.0
        named = facts.get("device_model") in issue["devices"] and not _only_one(facts.get("product"), kinds)
        told = {
            "same_device": named,
            "same_system": bool(issue.get("platforms")) and "os" not in still_open,
            "same_version": any(issue.get(part) and fact not in still_open for fact, part in _VERSIONS.items()),
            "sign": bool(_signs(issue["id"]).search(align(question.raw).text)),
        }
        nearer = alike.get(KNOWN + issue["id"], 0.0) - alike.get(PROBLEM + issue["topic"], 0.0)
        score = self._weights["known"] + self._weights["nearer"] * nearer
        score += sum(self._weights[name] for name, holds in told.items() if holds)
        return float(1 / (1 + np.exp(-score)))


def _split(topic: str, chance: float, issues: dict[str, float]) -> list[Found]:
    """A topic's chance, shared among its known issues and its guide."""
    left, found = 1.0, []
    for issue in _issues_of(topic):
        share = left * issues[issue["id"]]
        found.append(Found(KNOWN + issue["id"], chance * share))
        left -= share
    return [*found, Found(topic, chance * left)]


def _issues_of(topic: str) -> list[dict[str, Any]]:
    return [issue for issue in known_issues() if PROBLEM + issue["topic"] == topic]


def _troubled() -> set[str]:
    """Topics with a known issue."""
    return {PROBLEM + issue["topic"] for issue in known_issues()}


def _only_one(kind: str | None, kinds: dict[str, str]) -> bool:
    """Is one model sold of this kind? Then naming it tells nothing that its kind does not."""
    return list(kinds.values()).count(kind or "") == 1


@lru_cache(maxsize=256)
def _signs(issue_id: str) -> Pattern[str]:
    signs = next(issue.get("signs") or [] for issue in known_issues() if issue["id"] == issue_id)
    return compile_all(signs)
