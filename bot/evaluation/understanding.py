"""`make evaluate`: how well the bot understands, and what changed since the last accepted run.

Two measures that are kept apart: cross-validation over the training phrases (each phrase read by a model that was
trained without it), and the frozen messages and questions, read by the trained bot. `--accept` keeps this run's
figures in `tests/frozen/accepted.json`; the next run prints the rows that differ from it, and those alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.server import tensorflow_free

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = ROOT / "tests" / "frozen" / "accepted.json"
FOLDS = 3
MOST_CONFUSIONS = 15
# A row has changed when its precision or recall has moved by more than this.
MOVED = 0.0005

Figures = dict[str, dict[str, Any]]


def main() -> int:
    """Measure, print, compare; with `--accept` keep."""
    parser = argparse.ArgumentParser(prog="python -m bot.evaluation.understanding", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="keep this run as the one to compare with")
    parser.add_argument("--model", type=Path, default=served_model(), help="another model file")
    parser.add_argument("--frozen-only", action="store_true", help="leave the cross-validation out")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    tensorflow_free.leave_out(options.model.resolve())
    figures = {} if options.frozen_only else cross_validated()
    figures |= asyncio.run(frozen(options.model.resolve()))
    accepted = json.loads(ACCEPTED.read_text("utf-8")) if ACCEPTED.exists() else {}
    _print_changes(figures, {name: rows for name, rows in accepted.items() if name in figures})
    if options.accept:
        kept = dict(sorted({**accepted, **figures}.items()))
        ACCEPTED.write_text(_as_json(kept), "utf-8")
        print(f"Accepted: {ACCEPTED.relative_to(ROOT)}")
    return 0


def served_model() -> Path:
    """The model file that the product serves."""
    return (
        Path(os.environ.get("BOT_MODELS") or Path(os.environ.get("JIELI_VAR") or "var") / "models") / "current.tar.gz"
    )


def cross_validated() -> Figures:
    """The classifier over the training phrases, in folds that hold every label's share."""
    from sklearn.model_selection import StratifiedKFold

    from bot.evaluation.scores import Guess
    from bot.nlu.classifier import TopicClassifier
    from bot.nlu.model import TextModel
    from bot.validation.project import Project

    phrases = Project(ROOT).phrases
    texts, labels = [phrase.text for phrase in phrases], [phrase.label for phrase in phrases]
    config = TopicClassifier.get_default_config()
    scale = {name: float(config[name]) for name in ("characters", "words", "sentence")}
    guesses: list[Guess] = []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(texts, labels)
    for number, (seen, held) in enumerate(folds, 1):
        began = time.perf_counter()
        model = TextModel(sorted(set(labels)), scale)
        model.train([texts[i] for i in seen], [labels[i] for i in seen], float(config["strength"]))
        rows = model.probabilities([texts[i] for i in held])
        for i, row in zip(held, rows, strict=True):
            guesses.append(Guess(texts[i], model.labels[int(row.argmax())], float(row.max()), (labels[i],)))
        print(f"cross-validation: part {number} of {FOLDS}, {time.perf_counter() - began:.0f} s", flush=True)
    return {"cross-validation": _told("Cross-validation over the training phrases (topics)", guesses)}


async def frozen(model: Path) -> Figures:
    """The frozen messages by file and the frozen questions, read by the trained bot."""
    from bot.evaluation.messages import Bot, facts_of, intent_guess, messages, place_of, questions, topic_guess

    bot, figures = await Bot.load(model), {}
    for name, items in messages().items():
        print(f"frozen messages: {name}, {len(items)}", flush=True)
        reads = [bot.read(item.text) for item in items]
        pairs = list(zip(items, reads, strict=True))
        intents = [intent_guess(item, read) for item, read in pairs]
        figures[f"frozen {name}"] = _told(
            f"Frozen messages, {name} (intents)",
            intents,
            [topic_guess(item, read) for item, read in pairs],
            [facts_of(item, read) for item, read in pairs],
        )
    asked = questions()
    print(f"frozen questions: {len(asked)}", flush=True)
    places = [place_of(question, bot.read(question.text)) for question in asked]
    figures["frozen questions"] = _told_of_questions([question.answers[0] for question in asked], places)
    return figures


def _told(title: str, guesses: Sequence[Any], topics: Sequence[Any] = (), facts: Sequence[Any] = ()) -> dict[str, Any]:
    """Prints everything about one set and returns the rows to compare."""
    from bot.evaluation import scores

    labels = scores.per_label(guesses)
    rows: dict[str, Any] = {"all": [round(scores.accuracy(guesses), 4)]}
    print(f"\n{title}: {len(guesses)} texts, accuracy {scores.accuracy(guesses):.4f}, ", end="")
    if topics:
        rows["all, with the topic"] = [round(scores.accuracy(topics), 4)]
        print(f"with the topic {scores.accuracy(topics):.4f}, ", end="")
    rows["calibration error"] = [round(scores.calibration_error(guesses), 4)]
    print(f"calibration error {scores.calibration_error(guesses):.4f}")
    _table(
        ["", "precision", "recall", "texts"],
        [[label, f"{row.precision:.3f}", f"{row.recall:.3f}", row.texts] for label, row in labels.items()],
    )
    print("Taken for something else most often")
    _table(["true", "found", "times"], [list(entry) for entry in scores.confusions(guesses)[:MOST_CONFUSIONS]])
    print("How sure, and how often right")
    _table(
        ["up to", "texts", "confidence", "right"],
        [
            [f"{end:.1f}", count, f"{sure:.3f}", f"{right:.3f}"]
            for end, count, sure, right in scores.reliability(guesses)
        ],
    )
    rows |= {label: [round(row.precision, 3), round(row.recall, 3)] for label, row in labels.items()}
    if facts:
        names = sorted({name for one in facts for name, _ in one.wanted | one.found})
        by_name = {name: scores.facts_f1(facts, name) for name in names} | {"all facts": scores.facts_f1(facts)}
        print("Facts")
        _table(
            ["", "precision", "recall", "F1", "stated"],
            [[name, f"{row.precision:.3f}", f"{row.recall:.3f}", f"{scores.f1(row):.3f}", row.texts]
             for name, row in by_name.items()],
        )  # fmt: skip
        rows |= {f"fact {name}": [round(row.precision, 3), round(row.recall, 3)] for name, row in by_name.items()}
    return rows


def _told_of_questions(answers: list[str], places: list[int | None]) -> dict[str, Any]:
    """Prints how often the right answer comes first and among the first three, and returns the rows to compare."""

    def share(of: list[int | None], most: int) -> float:
        return sum(place is not None and place <= most for place in of) / len(of)

    print(
        f"\nFrozen questions: {len(places)}, right answer first {share(places, 1):.4f}, in three {share(places, 3):.4f}"
    )
    rows: dict[str, Any] = {"all": [round(share(places, 1), 4), round(share(places, 3), 4)]}
    for answer in sorted(set(answers)):
        own = [place for one, place in zip(answers, places, strict=True) if one == answer]
        rows[answer] = [round(share(own, 1), 3), round(share(own, 3), 3)]
    weak = sorted((row, answer) for answer, row in rows.items() if row[0] < 1)
    _table(["the weakest", "first", "in three"], [[answer, *row] for row, answer in weak[:MOST_CONFUSIONS]])
    return rows


def _print_changes(figures: Figures, accepted: Figures) -> None:
    if not accepted:
        print("\nNo run was accepted yet: `make evaluate ARGS=--accept` keeps this one.")
        return
    changed = [
        [name, row, _listed(before), _listed(now)]
        for name, rows in figures.items()
        for row, before, now in _differing(accepted.get(name, {}), rows)
    ]
    print(f"\nChanged since the accepted run: {len(changed) or 'nothing'}")
    if changed:
        _table(["set", "row", "accepted", "now"], changed)


def _differing(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Rows that one run has and the other has not, or whose figures moved."""
    found = []
    for row in [*now, *(row for row in before if row not in now)]:
        old, new = before.get(row), now.get(row)
        if old is None or new is None or any(abs(a - b) > MOVED for a, b in zip(old, new, strict=True)):
            found.append((row, old, new))
    return found


def _listed(figures: list[float] | None) -> str:
    return "–" if figures is None else " / ".join(f"{figure:g}" for figure in figures)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(flush=True)


def _as_json(figures: Figures) -> str:
    """One row a line, so that a change is one line of a diff."""
    parts = [
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(f"    {json.dumps(row)}: {json.dumps(values)}" for row, values in sorted(rows.items()))
        + "\n  }"
        for name, rows in figures.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
