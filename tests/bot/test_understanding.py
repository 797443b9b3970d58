"""What the trained model makes of frozen phrases that it never saw, and whether the designers' data is complete."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.shared.nlu.training_data.loading import load_data

from tests.bot.conftest import ROOT, BotStack

FROZEN = sorted((ROOT / "tests/bot/data").glob("understanding_*.yml"))
RESPONSES = sorted((ROOT / "bot/data/responses").glob("*.yml"))
GUIDES = sorted((ROOT / "bot/data/firmware").glob("guides_*.yml"))
BATCH = 50
CJK = re.compile(r"[\u4e00-\u9fff]")
LEAST_CHINESE, LEAST_ENGLISH, LEAST_ANSWERS = 25, 12, 50


def phrases() -> list[dict[str, Any]]:
    """All frozen phrases: `{text, intent, entities?}`."""
    return [item for path in FROZEN for item in yaml.safe_load(path.read_text(encoding="utf-8"))]


def training() -> list[tuple[str, str]]:
    """Every training phrase with its full label."""
    data = load_data(str(ROOT / "bot/data/nlu"))
    return [(str(example.get("text")), str(example.get_full_intent())) for example in data.intent_examples]


def plain(text: str) -> str:
    """A text without white space, case and punctuation."""
    return re.sub(r"[\W_]+", "", text.lower())


@pytest.fixture(scope="module")
def read(bot_stack: BotStack) -> list[tuple[dict[str, Any], str, set[tuple[str, str]]]]:
    """Each frozen phrase with the intent and the facts that the running bot finds in it."""
    found, items = [], phrases()
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        body = {"messages": [{"seq": number, "text": item["text"]} for number, item in enumerate(batch, 1)]}
        answer = bot_stack.call("parse", body).json()
        for number, (item, nlu) in enumerate(zip(batch, answer["nlu"], strict=True), 1):
            facts = {(fact["name"], fact["value"]) for fact in answer["facts"] if fact["seq"] == number}
            found.append((item, nlu["intent"], facts))
    return found


def base(label: str) -> str:
    """The contract's intent of a full label."""
    return label.partition("/")[0]


def test_intents_of_unseen_phrases(read: list[tuple[dict[str, Any], str, set[tuple[str, str]]]]) -> None:
    wrong = [(item["intent"], intent, item["text"]) for item, intent, _ in read if base(item["intent"]) != base(intent)]
    assert len(wrong) / len(read) <= 0.10, wrong


def test_facts_of_unseen_phrases(read: list[tuple[dict[str, Any], str, set[tuple[str, str]]]]) -> None:
    missed = [
        (name, value, item["text"], facts)
        for item, _, facts in read
        for name, value in (item.get("entities") or {}).items()
        if name != "symptom" and (name, str(value)) not in facts
    ]
    wanted = sum(len(item.get("entities") or {}) for item, _, _ in read)
    assert len(missed) / wanted <= 0.10, missed


def test_frozen_phrases_are_not_training_phrases() -> None:
    trained = {plain(text) for text, _ in training()}
    assert [item["text"] for item in phrases() if plain(item["text"]) in trained and len(plain(item["text"])) > 3] == []


def test_every_intent_has_enough_phrases_in_both_languages() -> None:
    chinese: Counter[str] = Counter()
    english: Counter[str] = Counter()
    for text, label in training():
        (chinese if CJK.search(text) else english)[label] += 1
    labels = set(chinese) | set(english)
    assert {label: chinese[label] for label in labels if chinese[label] < LEAST_CHINESE} == {}
    assert {label: english[label] for label in labels if english[label] < LEAST_ENGLISH} == {}


def test_no_phrase_stands_under_two_intents() -> None:
    labels: dict[str, set[str]] = {}
    for text, label in training():
        labels.setdefault(plain(text), set()).add(label)
    assert {text: found for text, found in labels.items() if text and len(found) > 1} == {}


def _languages(variations: list[dict[str, Any]]) -> set[str]:
    return {condition["value"] for variation in variations for condition in variation.get("condition", [])}


@pytest.mark.parametrize("path", RESPONSES, ids=lambda path: path.name)
def test_every_response_exists_in_both_languages(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))["responses"]
    assert {name for name, variations in content.items() if _languages(variations) != {"zh", "en"}} == set()


def test_there_are_answers_enough_and_all_differ() -> None:
    content: dict[str, Any] = {}
    for path in RESPONSES:
        content |= yaml.safe_load(path.read_text(encoding="utf-8"))["responses"]
    labels = {label for _, label in training()}
    texts = [content[f"utter_{label}"][0]["text"] for label in labels if f"utter_{label}" in content]
    for path in GUIDES:
        guides = yaml.safe_load(path.read_text(encoding="utf-8"))
        texts += [guide["steps"][0]["zh"] for topic, guide in guides.items() if f"device_problem/{topic}" in labels]
    assert len(set(texts)) == len(texts)
    assert len(texts) >= LEAST_ANSWERS
