"""The scorer of frozen messages and questions: what counts as right, and the figures."""

import pytest

from bot.evaluation import scores
from bot.evaluation.messages import Message, Question, Read, facts_of, intent_guess, messages, place_of, topic_guess
from bot.evaluation.scores import Facts, Guess
from bot.evaluation.understanding import ROOT, _as_json, _differing


def message(*labels: str, **facts: str) -> Message:
    """A frozen message with these right labels and facts."""
    return Message("…", labels, frozenset(facts.items()), frozenset())


def read(label: str, *answers: str, **facts: str) -> Read:
    """What the bot made of a message."""
    return Read(label, 0.9, frozenset(facts.items()), answers, {})


def test_every_right_label_counts_and_topics_count_where_they_are_named() -> None:
    wanted = message("delivery/time", "track_order")
    assert intent_guess(wanted, read("delivery/fee")).hit
    assert not topic_guess(wanted, read("delivery/fee")).hit
    assert topic_guess(wanted, read("delivery/time")).hit
    assert topic_guess(wanted, read("track_order")).hit
    assert topic_guess(message("device_problem"), read("device_problem/sync")).hit
    assert not topic_guess(message("delivery/time"), read("delivery")).hit


def test_not_understood_is_out_of_scope() -> None:
    assert intent_guess(message("out_of_scope"), read("nlu_fallback")).hit
    assert intent_guess(message("greet", "nlu_fallback"), read("out_of_scope")).hit
    assert not intent_guess(message("greet"), read("nlu_fallback")).hit


def test_places_of_answers() -> None:
    question = Question("…", ("a", "b"))
    assert place_of(question, read("x", "c", "b", "a")) == 2
    assert place_of(question, read("x", "c")) is None


def test_precision_and_recall() -> None:
    guesses = [
        Guess("1", "a", 0.9, ("a",)),
        Guess("2", "a", 0.9, ("b",)),
        Guess("3", "b", 0.9, ("b",)),
        Guess("4", "b", 0.9, ("a", "b")),
    ]
    rows = scores.per_label(guesses)
    assert rows["a"] == scores.Row(0.5, 1.0, 1)
    assert rows["b"] == scores.Row(1.0, pytest.approx(2 / 3), 3)
    assert scores.confusions(guesses) == [("b", "a", 1)]
    assert scores.accuracy(guesses) == 0.75


def test_calibration_error() -> None:
    even = [Guess("", "a", 0.75, ("a",))] * 3 + [Guess("", "a", 0.75, ("b",))]
    assert scores.calibration_error(even) == pytest.approx(0.0)
    assert scores.calibration_error([Guess("", "a", 1.0, ("b",))]) == pytest.approx(1.0)
    assert scores.reliability(even) == [(0.8, 4, 0.75, 0.75)]


def test_a_wrong_fact_counts_in_precision_and_in_recall() -> None:
    texts = [facts_of(message("x", os="ios", product="band"), read("x", os="android", product="band"))]
    assert scores.facts_f1(texts) == scores.Row(0.5, 0.5, 2)
    assert scores.f1(scores.facts_f1(texts, "product")) == pytest.approx(1.0)
    assert scores.facts_f1([Facts(frozenset(), frozenset())]).texts == 0


def test_only_what_moved_is_a_change() -> None:
    before, now = {"a": [0.5, 0.5], "b": [1.0], "gone": [1.0]}, {"a": [0.5, 0.6], "b": [1.0], "new": [0.1]}
    assert [row for row, *_ in _differing(before, now)] == ["a", "new", "gone"]
    assert _as_json({"set": {"b": [1], "a": [2]}}).splitlines()[2] == '    "a": [2],'


def test_all_frozen_messages_can_be_scored() -> None:
    found = messages(ROOT / "tests/frozen/nlu")
    assert sum(len(items) for items in found.values()) >= 1200
    assert all(item.labels and item.tags for items in found.values() for item in items)
