"""The figures of the evaluation, on conversations whose outcome is given."""

import math
from pathlib import Path

import pytest

from bot.actions import words
from bot.evaluation.conversations import FOLDER, Due, Frozen, load
from bot.evaluation.figures import Outcome, auc, figures, golden_transfer, verdict
from bot.evaluation.questions import asked_fact

DUE = Frozen("due", "f", ("1", "2", "3", "4", "5"), due=Due(3, 4, frozenset({"emotion"}), 2), offer_from=2)
CALM = Frozen("calm", "f", ("1", "2"))


@pytest.mark.parametrize(
    ("conversation", "position", "expected", "golden"),
    [
        (DUE, 2, "early", math.exp(-1 / 8)),
        (DUE, 3, "in time", 1.0),
        (DUE, 4, "in time", 1.0),
        (DUE, 5, "late", math.exp(-1 / 8)),
        (DUE, 1, "early", math.exp(-4 / 8)),
        (DUE, None, "missed", 0.0),
        (CALM, None, "kept", 1.0),
        (CALM, 2, "uncalled", 0.0),
    ],
)
def test_one_outcome(conversation: Frozen, position: int | None, expected: str, golden: float) -> None:
    assert verdict(conversation, Outcome(position, "emotion")) == expected
    assert golden_transfer(conversation, position) == pytest.approx(golden, abs=1e-6)


def test_figures_of_a_run() -> None:
    others = [Frozen(name, "f", ("1", "2", "3"), due=Due(2, 2, frozenset({"safety"}))) for name in ("late", "missed")]
    outcomes = {
        "due": Outcome(3, "emotion", 2, offers=[2]),
        "calm": Outcome(None, offers=[1]),
        "late": Outcome(3, "safety", 1),
        "missed": Outcome(None),
    }
    found = figures([DUE, CALM, *others], outcomes)
    assert (found.precision, found.recall) == (0.5, pytest.approx(1 / 3))
    assert found.f1 == pytest.approx(0.4)
    assert (found.reasons, found.priorities) == (1.0, 1.0)
    assert (found.offers_made, found.offers_uncalled) == (1.0, 1.0)


def test_area_under_the_curve() -> None:
    assert auc([(0.1, False), (0.4, True), (0.35, False), (0.8, True)]) == 1.0
    assert auc([(0.5, False), (0.5, True)]) == 0.5
    assert math.isnan(auc([(0.5, True)]))


LONG = 6  # shorter ones ("还是不行") are everybody's
TUNING = FOLDER.parents[1] / "tuning" / "handoff"


@pytest.mark.parametrize("folder", [FOLDER, TUNING])
def test_the_conversations_are_whole(folder: Path) -> None:
    conversations = load(folder)
    due = [one for one in conversations if one.due]
    assert len(conversations) >= 200
    assert len(due) * 2 <= len(conversations) + 20, "about half must stay with the bot"
    for one in due:
        assert one.due and 1 <= one.due.at <= one.due.latest <= len(one.customer), one.id


def test_the_frozen_conversations_are_not_tuned_on(tmp_path: Path) -> None:
    said = ({text for one in load(folder) for text in one.customer} for folder in (FOLDER, TUNING))
    frozen, tuning = ({text for text in texts if len(text) > LONG} for texts in said)
    assert not frozen & tuning
    with pytest.raises(ValueError, match="no conversations"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "values", "fact"),
    [
        ("orders/ask_number", {}, "order_number"),
        ("orders/ask_phone", {"number": "LM2611050003"}, "phone_last4"),
        ("devices/ask_os", {}, "os"),
        ("thank", {}, None),
    ],
)
@pytest.mark.parametrize("language", words.LANGUAGES)
def test_which_fact_a_question_asks_for(name: str, values: dict[str, str], fact: str | None, language: str) -> None:
    assert asked_fact(f"好的。{words.words(f'utter_{name}', language, **values).text}") == fact
