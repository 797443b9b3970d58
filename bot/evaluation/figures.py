"""The figures of a run: precision, recall, F1 of handing over in time, reasons, offers, and Golden Transfer (GT).

In time is a handoff between the first and the last message at which a person is due. Any other handoff is wrong (too
early, too late, or where none is due), and whoever was due and is not handed over in time is missed. So one that comes
too early or too late counts against precision and against recall.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from bot.evaluation.conversations import Frozen

TOLERANCE = 2
_SMALLEST = 1e-7


@dataclass(frozen=True)
class Outcome:
    """What the bot did: the message after which it handed over (from 1) or None, why, where it offered a person; the
    facts that it `asked` for, and those of them that the customer had told before (`reasked`).
    """

    position: int | None
    reason: str | None = None
    priority: int | None = None
    score: float = 0.0
    signals: list[dict[str, Any]] = field(default_factory=list)
    offers: list[int] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    reasked: list[str] = field(default_factory=list)


def verdict(conversation: Frozen, outcome: Outcome) -> str:
    """One of: in time, kept, early, late, missed, uncalled."""
    due, position = conversation.due, outcome.position
    if due is None:
        return "kept" if position is None else "uncalled"
    if position is None:
        return "missed"
    if position < due.at:
        return "early"
    return "in time" if position <= due.latest else "late"


@dataclass(frozen=True)
class Figures:
    """All figures of a run, each from 0 to 1; None where nothing was there to be counted."""

    precision: float
    recall: float
    f1: float
    golden: float
    reasons: float
    priorities: float
    offers_made: float
    offers_uncalled: float


def figures(conversations: list[Frozen], outcomes: dict[str, Outcome]) -> Figures:
    """The figures of the conversations that were replayed."""
    done = [(one, outcomes[one.id]) for one in conversations if one.id in outcomes]
    handed = sum(outcome.position is not None for _, outcome in done)
    due = sum(one.due is not None for one, _ in done)
    in_time = [(one, outcome) for one, outcome in done if verdict(one, outcome) == "in time"]
    right = sum(one.due is not None and outcome.reason in one.due.reasons for one, outcome in in_time)
    ranked = [(one.due.priority, outcome.priority) for one, outcome in in_time if one.due and one.due.priority]
    welcome = [(one, outcome) for one, outcome in done if one.offer_from]
    made = sum(_met(one, outcome) for one, outcome in welcome)
    quiet = [(one, outcome) for one, outcome in done if one.due is None and not one.offer_from]
    precision, recall = _share(len(in_time), handed), _share(len(in_time), due)
    return Figures(
        precision,
        recall,
        _share(2 * precision * recall, precision + recall),
        _share(sum(golden_transfer(one, outcome.position) for one, outcome in done), len(done)),
        _share(right, len(in_time)),
        _share(sum(wanted == given for wanted, given in ranked), len(ranked)),
        _share(made, len(welcome)),
        _share(sum(bool(outcome.offers) for _, outcome in quiet), len(quiet)),
    )


def golden_transfer(conversation: Frozen, position: int | None, tolerance: int = TOLERANCE) -> float:
    """Golden Transfer within `tolerance` messages: 1 in time, less the further away, 0 where only one says handoff."""
    if conversation.due is None or position is None:
        return float(conversation.due is None and position is None)
    away = min(abs(position - due) for due in range(conversation.due.at, conversation.due.latest + 1))
    return math.exp(-(away**2) / (2 * (tolerance + _SMALLEST) ** 2))


def auc(scored: list[tuple[float, bool]]) -> float:
    """The chance that a random positive scores above a random negative (ties count half); nan without both."""
    positives = [score for score, good in scored if good]
    negatives = [score for score, good in scored if not good]
    if not positives or not negatives:
        return math.nan
    wins = sum((one > other) + 0.5 * (one == other) for one in positives for other in negatives)
    return wins / (len(positives) * len(negatives))


def _met(conversation: Frozen, outcome: Outcome) -> bool:
    """Was a person offered where that is welcome, or already there in time?"""
    start = conversation.offer_from or 1
    return any(offer >= start for offer in outcome.offers) or verdict(conversation, outcome) == "in time"


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
