"""Our classifier beside stock Rasa's default Chinese pipeline (DIET) on public sets; parse latency of what ships.

The sets (SMP2017, BANKING77, CLINC150) are read from the folder `JIELI_BENCH_DATA`; without it only our own text is
measured. Each classifier is trained on the train part as it ships, with one set of settings for all sets, and scored on
the test part; the threshold against out-of-scope texts is chosen on the valid part. Stock's 100 epochs take a quarter
of an hour for SMP2017 alone, so that fewer are trained unless `--peer-epochs 100` is asked for, and it says so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks import scores
from benchmarks.measure import Goal, machine, print_table
from benchmarks.scores import OUT_OF_SCOPE, Guess
from benchmarks.stock_rasa import project
from handoff.runner import environment as settings

ROOT = project.ROOT
ECE = Goal(0.05)
TRAINING, INFERENCE = Goal(0.1), Goal(0.5)
UNKNOWN_REFUSED, KNOWN_ACCEPTED = Goal(0.91, at_least=True), Goal(0.88, at_least=True)
ACROSS = Goal(0.75, at_least=True)
NEW_MS, SEEN_MS = Goal(7.0), Goal(1.5)
CJK = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Public:
    """One public set: its folder, train and valid part, the goal for accuracy, and what is known of others."""

    title: str
    folder: str
    train: str
    valid: str
    goal: float | None
    with_peer: bool
    known: str = ""
    with_unknown: bool = False


SETS = [
    Public("SMP2017", "smp2017", "train", "dev", 0.945, True, "stock DIET, 100 epochs, 927 s: 0.876"),
    Public("SMP2017, 10 a label", "smp2017", "train_10", "dev", 0.84, True),
    Public("BANKING77", "banking77", "train", "valid", 0.93, False),
    Public("BANKING77, 10 a label", "banking77", "train_10", "valid", 0.85, True, "published: USE 0.842, ICDA 0.898"),
    Public("CLINC150", "clinc150", "train", "valid", None, False, "published: BERT 0.965, AUROC 0.942", True),
    Public("CLINC150, 10 a label", "clinc150", "train_10", "valid", 0.91, False, "published: 0.909 to 0.948"),
]


@dataclass
class Scored:
    """One classifier on one set."""

    who: str
    accuracy: float
    macro_f1: float
    ece: float
    train_seconds: float
    ms: float


def data_folder() -> Path | None:
    """Where the public sets are, or None when `JIELI_BENCH_DATA` names no folder."""
    named = os.environ.get("JIELI_BENCH_DATA")
    return Path(named) if named and Path(named).is_dir() else None


def ask(classifier: str, task: dict[str, Any], bench: Path) -> dict[str, Any]:
    """Run `benchmarks.classifiers.<classifier>` in the bot's environment; raises CalledProcessError when it fails."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "task.json"
        path.write_text(json.dumps(task, ensure_ascii=False), "utf-8")
        words = [str(project.BOT_PYTHON), "-m", f"benchmarks.classifiers.{classifier}", str(path)]
        log = bench / f"{classifier}.log"
        with log.open("wb") as output:
            subprocess.run(
                words, cwd=ROOT, env=project.environment(bench / "stock"), stdout=output, stderr=output, check=True
            )
        return dict(json.loads(path.with_suffix(".answer.json").read_text("utf-8")))


def rows(path: Path) -> list[tuple[str, str]]:
    """The texts and labels of one part."""
    read = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return [(row["text"], row["label"]) for row in read]


def measure(one: Public, data: Path, bench: Path, epochs: int) -> None:
    """Train and score on one set, and print what came out."""
    train, parts = _read(one, data)
    task = {
        "train": train,
        "parts": {name: [text for text, _ in part] for name, part in parts.items()},
        "timed": "test",
        "epochs": epochs,
    }
    answer = ask("ours", task, bench)
    scored = [_score("ours", answer, parts["test"])]
    if one.with_peer:
        scored.append(_score(f"stock, {epochs} epochs", ask("stock", task, bench), parts["test"]))
    _print_scores(one, scored)
    if one.with_unknown:
        _print_unknown(one.title, answer, parts)


def _read(one: Public, data: Path) -> tuple[list[tuple[str, str]], dict[str, list[tuple[str, str]]]]:
    folder = data / one.folder
    train = rows(folder / f"{one.train}.jsonl")
    parts = {name: rows(folder / f"{name}.jsonl") for name in ("test", one.valid)}
    if one.with_unknown:
        train += rows(folder / "oos_train.jsonl")
        parts |= {name: rows(folder / f"{name}.jsonl") for name in ("oos_test", "oos_valid")}
    return train, parts


def _guesses(ranked: list[list[tuple[str, float]]]) -> list[Guess]:
    """The best label in scope of each text."""
    known = ([(label, sure) for label, sure in best if label != OUT_OF_SCOPE] for best in ranked)
    return [(found[0][0], found[0][1]) for found in known]


def _score(who: str, answer: dict[str, Any], test: list[tuple[str, str]]) -> Scored:
    guesses, labels = _guesses(answer["parts"]["test"]), [label for _, label in test]
    return Scored(
        who,
        scores.accuracy(guesses, labels),
        scores.macro_f1(guesses, labels),
        scores.calibration_error(guesses, labels),
        answer["train_seconds"],
        answer["ms"],
    )


def _print_scores(one: Public, scored: list[Scored]) -> None:
    table = [[s.who, s.accuracy, s.macro_f1, s.ece, s.train_seconds, s.ms] for s in scored]
    title = f"{one.title}{f' ({one.known})' if one.known else ''}"
    print_table(title, ["", "accuracy", "macro F1", "ECE", "training s", "ms a text"], table)
    ours = scored[0]
    verdicts = [_verdict("ECE", ours.ece, ECE)]
    if one.goal is not None:
        verdicts.insert(0, _verdict("accuracy", ours.accuracy, Goal(one.goal, at_least=True)))
    if len(scored) > 1:
        stock = scored[1]
        verdicts.append(_verdict(f"training, ours/{stock.who}", ours.train_seconds / stock.train_seconds, TRAINING))
        verdicts.append(_verdict(f"a text, ours/{stock.who}", ours.ms / stock.ms, INFERENCE))
    _print_verdicts(verdicts)


def _print_unknown(title: str, answer: dict[str, Any], parts: dict[str, list[tuple[str, str]]]) -> None:
    guesses = {name: _guesses(ranked) for name, ranked in answer["parts"].items()}
    labels = {name: [label for _, label in part] for name, part in parts.items()}
    least = (KNOWN_ACCEPTED.limit, UNKNOWN_REFUSED.limit)
    threshold = scores.best_threshold(guesses["valid"], labels["valid"], guesses["oos_valid"], least)
    curve = scores.area_under_curve([sure for _, sure in guesses["test"]], [sure for _, sure in guesses["oos_test"]])
    print(f"{title}, out of scope: threshold {threshold:.3f} from the valid part, AUROC {curve:.4f}")
    _print_verdicts([
        _verdict("out of scope, refused", scores.refused(guesses["oos_test"], threshold), UNKNOWN_REFUSED),
        _verdict("in scope, right and accepted", scores.accepted(guesses["test"], labels["test"], threshold),
                 KNOWN_ACCEPTED),
    ])


def _verdict(what: str, value: float, goal: Goal) -> list[Any]:
    return [what, value, str(goal), "yes" if goal.met(value) else "NO"]


def _print_verdicts(verdicts: list[list[Any]]) -> None:
    print_table("Goals", ["", "measured", "goal", "met"], verdicts)


def phrases() -> Iterator[tuple[str, str]]:
    """The bot's training phrases with their labels."""
    for path in sorted((ROOT / "bot/data/nlu").glob("*.yml")):
        for entry in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            for line in entry["examples"].splitlines():
                yield re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})", r"\1", line.removeprefix("- ")), entry["intent"]


def frozen() -> list[dict[str, Any]]:
    """The bot's own frozen messages: `{text, intent, also?, tags}`."""
    paths = sorted((ROOT / "tests/frozen/nlu").glob("*.yml"))
    return [item for path in paths for item in yaml.safe_load(path.read_text("utf-8"))]


def measure_across(bench: Path) -> None:
    """Train on our Chinese phrases alone and read our frozen English messages."""
    train = [(text, label) for text, label in phrases() if CJK.search(text)]
    items = [item for item in frozen() if "en" in item["tags"]]
    task = {"train": train, "parts": {"en": [item["text"] for item in items]}, "timed": "en"}
    guesses = _guesses(ask("ours", task, bench)["parts"]["en"])
    bases = [({_base(item["intent"]), *map(_base, item.get("also", []))}, _base(guess))
             for item, (guess, _) in zip(items, guesses, strict=True)]
    print(f"Trained on {len(train):,} Chinese phrases alone, read {len(items):,} English messages of the frozen set")
    _print_verdicts([_verdict("base intent right", sum(guess in right for right, guess in bases) / len(bases), ACROSS)])


def _base(label: str) -> str:
    return label.partition("/")[0]


def measure_parsing(bench: Path) -> None:
    """The whole pipeline of the model that ships, message by message and many at once."""
    subprocess.run([sys.executable, "-m", "handoff.runner.model"], cwd=ROOT, check=True)
    environment = settings.load()
    task = {"texts": [item["text"] for item in frozen()], "model": str(environment.models / "current.tar.gz")}
    answer = ask("shipped", task, bench)
    print(f"Parsing {answer['texts']:,} frozen messages with the model that ships")
    print_table("Milliseconds a message", ["", "p50", "p95"], [
        ["never seen", *answer["new"]], ["seen before", *answer["seen"]], ["never seen, 20 at once", *answer["many"]],
    ])
    _print_verdicts([_verdict("never seen, p50 ms", answer["new"][0], NEW_MS),
                     _verdict("seen before, p50 ms", answer["seen"][0], SEEN_MS)])


def main() -> None:
    """Measure all that can be measured here, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.understanding", description=__doc__)
    parser.add_argument("--peer-epochs", type=int, default=20, help="epochs of stock's DIET (its own default: 100)")
    parser.add_argument("--no-peer", action="store_true", help="leave stock Rasa out")
    parser.add_argument("--only", default="", help="sets whose title holds this; 'own' for our own text")
    options = parser.parse_args()
    bench = Path(os.environ.get("JIELI_VAR") or ROOT / "var").resolve() / "bench"
    bench.mkdir(parents=True, exist_ok=True)
    print(machine())
    data = data_folder()
    if data is None:
        print("JIELI_BENCH_DATA names no folder with the public sets (smp2017, banking77, clinc150): left out.")
    chosen = [one for one in SETS if data and options.only.lower() in one.title.lower()]
    if any(one.with_peer for one in chosen) and not options.no_peer:
        project.install(bench / "stock")
    for one in chosen:
        peer = one.with_peer and not options.no_peer
        measure(one if peer else _alone(one), data or Path(), bench, options.peer_epochs)
    if options.only in ("", "own"):
        measure_parsing(bench)
        measure_across(bench)


def _alone(one: Public) -> Public:
    return Public(one.title, one.folder, one.train, one.valid, one.goal, False, one.known, one.with_unknown)


if __name__ == "__main__":
    main()
