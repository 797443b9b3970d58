"""The goals of emotion on the frozen messages, and that these were kept apart from what is learned."""

from pathlib import Path
from typing import Any

import pytest

from bot.nlu.emotion import HOSTILE, decide
from bot.nlu.emotion_model import read_examples
from bot.nlu.lookups import DATA, read_yaml
from bot.nlu.text import normalise
from tests.bot.felt import trained

FROZEN: list[dict[str, Any]] = read_yaml(Path(__file__).parents[1] / "frozen/emotion.yml")
RECALL, PRECISION = 0.85, 0.70


@pytest.fixture(scope="module")
def hostile() -> list[tuple[bool, bool]]:
    """Of each frozen message: is it angry or worse, and is it read so."""
    judged = trained().judge([item["text"] for item in FROZEN])
    return [
        (item["emotion"] in HOSTILE, decide(judgement).label in HOSTILE)
        for item, judgement in zip(FROZEN, judged, strict=True)
    ]


def test_angry_or_worse_is_found(hostile: list[tuple[bool, bool]]) -> None:
    found = [read for meant, read in hostile if meant]
    assert sum(found) / len(found) >= RECALL


def test_what_is_found_is_angry_or_worse(hostile: list[tuple[bool, bool]]) -> None:
    right = [meant for meant, read in hostile if read]
    assert sum(right) / len(right) >= PRECISION


def test_no_frozen_message_is_learned() -> None:
    learned = {normalise(example.text) for example in read_examples(DATA / "emotion")}
    assert not [item["text"] for item in FROZEN if normalise(item["text"]) in learned]
