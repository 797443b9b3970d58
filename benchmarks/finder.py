"""The finder of answers: our frozen questions through the trained bot, and AFQMC's pairs of customers' questions.

AFQMC (Chinese financial customers, pairs that mean the same or not) is read from the folder `JIELI_BENCH_DATA`; without
it only our own questions are measured. Retrieval: the first question of each pair that means the same asks, the second
questions of all pairs are searched, the one that means the same is right (MRR@10). Ours is the finder's likeness, which
knows nothing of devices and has no parameter fitted there; the peers, BM25 alone and sentence vectors alone, are
measured in the same run. Spearman: likeness of each pair against whether it means the same.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.measure import Goal, machine, print_table
from benchmarks.stock_rasa import project

FIRST, IN_THREE, MRR = Goal(0.90, at_least=True), Goal(0.97, at_least=True), Goal(0.27, at_least=True)
KNOWN = "known: USE + tf-idf 0.269, m3e-small 0.295"


def ask(words: list[str]) -> dict[str, Any]:
    """Run `bot.evaluation.finding` in the bot's environment; raises CalledProcessError when it fails."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    environment = {**os.environ, **quiet, "PYTHONPATH": str(project.ROOT)}
    command = [str(project.BOT_PYTHON), "-m", "bot.evaluation.finding", *words]
    ended = subprocess.run(command, cwd=project.ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def _line(what: str, value: float, goal: Goal | None = None, note: str = "") -> list[Any]:
    return [what, value, "" if goal is None else str(goal), "" if goal is None else _verdict(goal, value), note]


def _verdict(goal: Goal, value: float) -> str:
    return "yes" if goal.met(value) else "NO"


def main() -> None:
    """Measure and print the tables."""
    subprocess.run([str(project.ROOT / ".venv/bin/python"), "-m", "handoff.runner.model"], cwd=project.ROOT, check=True)
    own = ask(["questions"])
    head = ["", "measured", "goal", "met", ""]
    lines = [
        _line(f"right answer first (R@1), {own['questions']} questions", own["first"], FIRST),
        _line("right answer among the first three (R@3)", own["in_three"], IN_THREE),
        _line("R@1, questions of known issues", own["known_first"]),
        _line("R@1, Chinese", own["zh"]),
        _line("R@1, English", own["en"]),
        _line("classifier's topics alone: R@1 of the topic", own["classifier"]),
        _line("the finder's topics: R@1 of the topic", own["topic"]),
    ]
    print_table(f"Our frozen questions ({machine()})", head, lines)
    folder = Path(os.environ.get("JIELI_BENCH_DATA") or "") / "afqmc"
    if not os.environ.get("JIELI_BENCH_DATA") or not folder.is_dir():
        print("JIELI_BENCH_DATA names no folder with afqmc: its questions are not measured.")
        return
    pairs = ask(["pairs", str(folder / "dev.jsonl")])
    lines = [
        _line("MRR@10, the finder's likeness", pairs["mrr"]["likeness"], MRR, KNOWN),
        _line("MRR@10, BM25 of characters", pairs["mrr"]["letters"]),
        _line("MRR@10, sentence vectors", pairs["mrr"]["meaning"]),
        _line("Spearman, the finder's likeness", pairs["spearman"]["likeness"], None, "known: tf-idf .159, USE .204"),
        _line("Spearman, BM25 of characters", pairs["spearman"]["letters"]),
        _line("Spearman, sentence vectors", pairs["spearman"]["meaning"]),
    ]
    print_table(f"AFQMC dev, {pairs['asked']} questions over {pairs['searched']}", head, lines)


if __name__ == "__main__":
    main()
