"""Figures of labels: precision and recall of each, confusions, calibration, and F1 of facts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BINS = 10


@dataclass(frozen=True)
class Guess:
    """One text's label as found, how surely, and the labels that are right (the first is the main one)."""

    text: str
    label: str
    confidence: float
    right: tuple[str, ...]

    @property
    def hit(self) -> bool:
        """Is the found label one of the right ones?"""
        return self.label in self.right

    @property
    def wanted(self) -> str:
        """The label that counts as the true one: the found one when it is right."""
        return self.label if self.hit else self.right[0]


@dataclass(frozen=True)
class Row:
    """One label's figures, each 0 to 1, and how many texts carry it."""

    precision: float
    recall: float
    texts: int


def accuracy(guesses: Sequence[Guess]) -> float:
    """Share of the texts whose label is right; nan for none."""
    return sum(guess.hit for guess in guesses) / len(guesses) if guesses else math.nan


def per_label(guesses: Sequence[Guess]) -> dict[str, Row]:
    """Precision and recall of each label that is true of a text, the worst recall first."""
    hits = Counter(guess.wanted for guess in guesses if guess.hit)
    true, found = Counter(guess.wanted for guess in guesses), Counter(guess.label for guess in guesses)
    rows = {label: Row(_share(hits[label], found[label]), hits[label] / count, count) for label, count in true.items()}
    return dict(sorted(rows.items(), key=lambda item: (item[1].recall, item[0])))


def confusions(guesses: Sequence[Guess]) -> list[tuple[str, str, int]]:
    """(true label, found label, times), the most frequent first."""
    counted = Counter((guess.wanted, guess.label) for guess in guesses if not guess.hit)
    return [(true, found, times) for (true, found), times in counted.most_common()]


def reliability(guesses: Sequence[Guess]) -> list[tuple[float, int, float, float]]:
    """For each tenth of confidence with texts in it: its upper end, texts, mean confidence, share that is right."""
    table = []
    for number in range(BINS):
        inside = [guess for guess in guesses if _bin(guess.confidence) == number]
        if inside:
            sure = sum(guess.confidence for guess in inside) / len(inside)
            table.append(((number + 1) / BINS, len(inside), sure, accuracy(inside)))
    return table


def calibration_error(guesses: Sequence[Guess]) -> float:
    """Expected calibration error over ten bins of equal width."""
    return sum(count * abs(sure - right) for _, count, sure, right in reliability(guesses)) / max(1, len(guesses))


def _bin(confidence: float) -> int:
    return min(BINS - 1, max(0, math.ceil(confidence * BINS) - 1))


@dataclass(frozen=True)
class Facts:
    """Facts of one text: those stated, and those found, as (name, value)."""

    wanted: frozenset[tuple[str, str]]
    found: frozenset[tuple[str, str]]


def facts_f1(texts: Iterable[Facts], name: str | None = None) -> Row:
    """Precision, recall and number of stated facts, of one name or of all; a wrong value is wrong in both."""
    hits = wanted = found = 0
    for one in texts:
        stated = {fact for fact in one.wanted if name in (None, fact[0])}
        seen = {fact for fact in one.found if name in (None, fact[0])}
        hits, wanted, found = hits + len(stated & seen), wanted + len(stated), found + len(seen)
    return Row(_share(hits, found), _share(hits, wanted), wanted)


def f1(row: Row) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * row.precision * row.recall / max(row.precision + row.recall, 1e-9)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
