"""Scores of classifiers: accuracy, macro F1, calibration error, AUROC, a threshold against what is out of scope."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

Guess = tuple[str, float]
"""A label and how sure the classifier is of it."""

BINS = 10
OUT_OF_SCOPE = "oos"


def accuracy(guesses: Sequence[Guess], labels: Sequence[str]) -> float:
    """Share of the texts whose label was found."""
    return sum(guess == label for (guess, _), label in zip(guesses, labels, strict=True)) / len(labels)


def macro_f1(guesses: Sequence[Guess], labels: Sequence[str]) -> float:
    """The mean of all true labels' F1."""
    hits = Counter(label for (guess, _), label in zip(guesses, labels, strict=True) if guess == label)
    guessed, true = Counter(guess for guess, _ in guesses), Counter(labels)
    return sum(2 * hits[label] / (guessed[label] + true[label]) for label in true) / len(true)


def calibration_error(guesses: Sequence[Guess], labels: Sequence[str]) -> float:
    """Expected calibration error over ten bins of equal width."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for (guess, confidence), label in zip(guesses, labels, strict=True):
        bins[max(0, math.ceil(confidence * BINS) - 1)].append((confidence, guess == label))
    gaps = (abs(sum(sure for sure, _ in one) - sum(hit for _, hit in one)) for one in bins)
    return sum(gaps) / len(labels)


def area_under_curve(known: Sequence[float], unknown: Sequence[float]) -> float:
    """The chance that a text in scope scores higher than one out of scope (AUROC); ties count half."""
    ordered = sorted([(score, True) for score in known] + [(score, False) for score in unknown])
    wins, below, start = 0.0, 0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        positive = sum(is_known for _, is_known in ordered[start:end])
        wins += positive * (below + (end - start - positive) / 2)
        below += end - start - positive
        start = end
    return wins / (len(known) * len(unknown))


def accepted(guesses: Sequence[Guess], labels: Sequence[str], threshold: float) -> float:
    """Share of texts in scope that were labelled rightly and surely enough."""
    pairs = zip(guesses, labels, strict=True)
    return sum(guess == label and sure >= threshold for (guess, sure), label in pairs) / len(labels)


def refused(unknown: Sequence[Guess], threshold: float) -> float:
    """Share of texts out of scope that were not sure enough (recall of what is out of scope)."""
    return sum(sure < threshold for _, sure in unknown) / len(unknown)


def best_threshold(
    guesses: Sequence[Guess], labels: Sequence[str], unknown: Sequence[Guess], least: tuple[float, float]
) -> float:
    """The threshold whose smaller margin over `least` (accepted, refused) is largest on these texts."""
    steps = [number / 400 for number in range(1, 400)]
    least_accepted, least_refused = least
    return max(
        steps,
        key=lambda step: min(accepted(guesses, labels, step) - least_accepted, refused(unknown, step) - least_refused),
    )
