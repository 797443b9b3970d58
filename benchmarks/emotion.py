"""`bench emotion`: how well anger and dissatisfaction are read from text that nobody here wrote, beside SnowNLP.

Nothing of the texts is learned: the reader knows the messages of `bot/data/emotion` alone. The public sets are read
from `$JIELI_BENCH_DATA` (`stc3/sample.jsonl`, `jddc/sample.jsonl`, `ewect/eval.jsonl`); without them the frozen
messages of `tests/frozen/emotion.yml` alone are measured. SnowNLP is installed into a folder that is thrown away; where
it cannot be had, the figures of an earlier run stand in its place, marked *known*.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measure import Goal, print_table

ROOT = Path(__file__).resolve().parents[1]
BOT_PYTHON = ROOT / "bot" / ".venv" / "bin" / "python"
PEER = "snownlp==0.12.3"
HOSTILE = frozenset({"angry", "abusive", "sarcastic"})
KNOWN = {"STC-3, Spearman ρ": 0.433, "STC-3, AUC": 0.725, "JDDC, AUC": 0.650}
GOALS = {
    "STC-3, Spearman ρ": Goal(0.55, at_least=True),
    "STC-3, AUC": Goal(0.80, at_least=True),
    "JDDC, AUC": Goal(0.72, at_least=True),
    "EWECT, anger, recall": Goal(0.70, at_least=True),
    "EWECT, anger, precision": Goal(0.55, at_least=True),
    "frozen, angry or worse, recall": Goal(0.85, at_least=True),
    "frozen, angry or worse, precision": Goal(0.70, at_least=True),
}
DISSATISFIED = -0.5


@dataclass
class Task:
    """Texts to label and courses (the messages of one customer) to judge, with how to score the answers."""

    texts: list[str] = field(default_factory=list)
    courses: list[list[str]] = field(default_factory=list)
    scores: list[Callable[[Sequence[str], Sequence[float]], dict[str, float]]] = field(default_factory=list)

    def add_texts(self, name: str, texts: list[str], hostile: list[bool]) -> None:
        """Add texts of which it is known whether they are angry."""
        start = len(self.texts)
        self.texts += texts

        def score(labels: Sequence[str], _: Sequence[float]) -> dict[str, float]:
            read = [label in HOSTILE for label in labels[start : start + len(texts)]]
            hits = sum(meant and found for meant, found in zip(hostile, read, strict=True))
            return {f"{name}, recall": hits / sum(hostile), f"{name}, precision": hits / max(1, sum(read))}

        self.scores.append(score)

    def add_courses(self, name: str, courses: list[list[str]], satisfaction: list[float], limit: float) -> None:
        """Add conversations with the satisfaction that people saw in them; at most `limit` is dissatisfied."""
        start = len(self.courses)
        self.courses += courses

        def score(_: Sequence[str], answers: Sequence[float]) -> dict[str, float]:
            read = answers[start : start + len(courses)]
            bad = [value for value, seen in zip(read, satisfaction, strict=True) if seen <= limit]
            good = [value for value, seen in zip(read, satisfaction, strict=True) if seen > limit]
            return {
                f"{name}, Spearman ρ": spearman([-value for value in read], satisfaction),
                f"{name}, AUC": area_under_curve(bad, good),
            }

        self.scores.append(score)

    def figures(self, answer: dict[str, Any]) -> dict[str, float]:
        """The scores of a reader's answer."""
        found: dict[str, float] = {}
        for score in self.scores:
            found |= score(answer["labels"], answer["courses"])
        return found


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """The correlation of ranks; equal values share the mean of their ranks."""
    a, b = _ranks(one), _ranks(other)
    middle = (len(a) - 1) / 2
    together = sum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    return together / math.sqrt(sum((x - middle) ** 2 for x in a) * sum((y - middle) ** 2 for y in b))


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    last = {value: rank for rank, value in enumerate(ordered)}
    first = {value: rank for rank, value in reversed(list(enumerate(ordered)))}
    return [(first[value] + last[value]) / 2 for value in values]


def area_under_curve(above: Sequence[float], below: Sequence[float]) -> float:
    """The chance that one of `above` is greater than one of `below`; ties count half."""
    wins = sum((a > b) + (a == b) / 2 for a in above for b in below)
    return wins / (len(above) * len(below))


def prepare(public: Path | None) -> Task:
    """The frozen messages, and the public sets that are in `public`."""
    task = Task()
    frozen = yaml.safe_load((ROOT / "tests/frozen/emotion.yml").read_text("utf-8"))
    task.add_texts(
        "frozen, angry or worse", [item["text"] for item in frozen], [item["emotion"] in HOSTILE for item in frozen]
    )
    if public is None:
        return task
    posts = _lines(public / "ewect/eval.jsonl")
    task.add_texts("EWECT, anger", [post["text"] for post in posts], [post["label"] == "angry" for post in posts])
    talks = _lines(public / "stc3/sample.jsonl")
    said = [[turn["text"] for turn in talk["turns"] if turn["speaker"] == "customer"] for talk in talks]
    task.add_courses("STC-3", said, [talk["satisfaction"] for talk in talks], DISSATISFIED)
    chats = _lines(public / "jddc/sample.jsonl")
    task.add_courses(
        "JDDC", [[turn["user"] for turn in chat["turns"]] for chat in chats], [chat["sat"] for chat in chats], 0
    )
    return task


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def ask(reader: str, task: Task, *more: Path) -> dict[str, Any]:
    """Run a reader of `benchmarks/emotion_readers` in the bot's environment; raises CalledProcessError if it fails."""
    paths = os.pathsep.join(map(str, [ROOT, *more]))
    words = [str(BOT_PYTHON), "-W", "ignore", "-m", f"benchmarks.emotion_readers.{reader}"]
    asked = json.dumps({"texts": task.texts, "courses": task.courses})
    environment = {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(words, cwd=ROOT, env=environment, input=asked, text=True, stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def ask_peer(task: Task) -> dict[str, float] | None:
    """SnowNLP's figures; None where it cannot be installed."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, PEER]
        if subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            return None
        return task.figures(ask("snow", task, Path(folder)))


def main() -> None:
    """Measure ours, then the peer, and print both."""
    folder = os.environ.get("JIELI_BENCH_DATA")
    if not folder:
        print("The public sets are left out: set JIELI_BENCH_DATA to the folder that holds them.", file=sys.stderr)
    task = prepare(Path(folder) if folder else None)
    ours, peer = task.figures(ask("ours", task)), ask_peer(task)
    rows = []
    for name, value in ours.items():
        goal = GOALS.get(name)
        verdict = "" if goal is None else ("yes" if goal.met(value) else "NO")
        rows.append([name, value, (peer or KNOWN).get(name, float("nan")), str(goal or ""), verdict])
    head = ["", "ours", "SnowNLP" if peer else "SnowNLP (known)", "goal", "met"]
    print_table(f"Anger and dissatisfaction, nothing of these texts learned ({len(task.texts):,} texts)", head, rows)


if __name__ == "__main__":
    main()
