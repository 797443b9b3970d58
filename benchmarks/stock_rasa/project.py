"""Makes a stock Rasa project out of ours and trains it.

What is stock: pipeline and policies are Rasa's own defaults (those that `rasa init` writes), with JiebaTokenizer in
place of WhitespaceTokenizer because the language is Chinese; the REST channel; the in-memory tracker store; Rasa's own
server and action server. What is ours: NLU data, responses, rules, domain, actions, shop.

What had to be mapped so that both do the same work:

- Fine labels (`device_problem/steps_zero`) are retrieval intents to stock Rasa, for its ResponseSelector; the actions
  read the selector's ranking where they read our classifier's (`actions.py`).
- Order numbers and the phone's last digits are taken by our own extractor; stock gets a RegexEntityExtractor for them.
- `language` begins as Chinese, because our responses depend on it and no stock component sets it.
- TED and UnexpecTED learn from stories, which we have none of: each rule without a condition is also a story.
- The fallback action of our RulePolicy is a custom action; stock keeps its own.

Stock's 100 epochs take hours on two cores. What a turn costs does not depend on their number, so that a tenth of them
is trained unless more are asked for; the train time is that of the epochs trained.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BOT_PYTHON = ROOT / "bot" / ".venv" / "bin" / "python"
EPOCHS = 10
MODEL = "stock.tar.gz"
TRAIN_SECONDS = "train_seconds"
_DATA = ROOT / "bot" / "data"
_READ = [_DATA / name for name in ("nlu", "responses", "rules")]
_REGEXES = {"order_number": r"[Ll][Mm]\d{10}", "phone_last4": r"(?<![A-Za-z0-9])\d{4}(?![A-Za-z0-9])"}


def fingerprint(epochs: int) -> str:
    """A short hash over everything that stock's training reads."""
    digest = hashlib.sha256(yaml.safe_dump(_written(epochs)).encode())
    for path in [ROOT / "bot" / "uv.lock", *(path for folder in _READ for path in sorted(folder.glob("*.yml")))]:
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def environment(folder: Path) -> dict[str, str]:
    """The environment of stock Rasa's processes: the bot's libraries, and jieba from `folder`."""
    path = os.pathsep.join([str(ROOT), str(folder / "packages")])
    return {**os.environ, "PYTHONPATH": path, "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONWARNINGS": "ignore", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}


def ensure(bench: Path, epochs: int = EPOCHS) -> Path:
    """The folder of the trained stock project for the present data, training it when there is none.

    `bench` is `$JIELI_VAR/bench`. Raises subprocess.CalledProcessError when the training fails.
    """
    folder = bench / f"stock-{fingerprint(epochs)}"
    if not (folder / MODEL).exists():
        install(folder)
        _write(folder, epochs)
        _train(folder)
    return folder


def train_seconds(folder: Path) -> float:
    """How long the training of this project took."""
    return float((folder / TRAIN_SECONDS).read_text())


def install(folder: Path) -> None:
    """Put what stock Rasa needs beside the bot's libraries into `folder`."""
    shutil.rmtree(folder / "packages", ignore_errors=True)
    uv = ROOT / ".tools" / "bin" / "uv"
    words = [str(uv), "pip", "install", "--quiet", "--python", str(BOT_PYTHON), "--target", str(folder / "packages"),
             "--no-deps", "--require-hashes", "-r", str(Path(__file__).with_name("requirements.txt"))]
    subprocess.run(words, check=True)


def _written(epochs: int) -> dict[str, Any]:
    """The project's files and what is in them; the training data itself is read where it lies."""
    return {
        "config.yml": _config(epochs),
        "domain.yml": _domain(),
        "mapped.yml": {"version": "3.1", "nlu": _regexes(), "stories": _stories()},
        "credentials.yml": {"rest": None},
        "endpoints.yml": {"action_endpoint": {"url": "http://127.0.0.1:${ACTIONS_PORT}/webhook"}},
    }


def _write(folder: Path, epochs: int) -> None:
    for name, content in _written(epochs).items():
        (folder / name).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")


def _config(epochs: int) -> dict[str, Any]:
    """Rasa's own default configuration, for Chinese, with at most so many epochs."""
    found = next((ROOT / "bot" / ".venv").glob("lib/python3*/site-packages/rasa/engine/recipes/config_files"))
    config: dict[str, Any] = yaml.safe_load((found / "default_config.yml").read_text("utf-8"))
    config |= {"language": "zh", "assistant_id": "stock"}
    for part in [*config["pipeline"], *config["policies"]]:
        if "epochs" in part:
            part["epochs"] = min(part["epochs"], epochs)
        if part["name"] == "WhitespaceTokenizer":
            part["name"] = "JiebaTokenizer"
    after_diet = [part["name"] for part in config["pipeline"]].index("DIETClassifier") + 1
    config["pipeline"].insert(after_diet, {"name": "RegexEntityExtractor", "use_word_boundaries": False})
    return config


def _domain() -> dict[str, Any]:
    domain: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
    domain["slots"]["language"]["initial_value"] = "zh"
    return domain


def _regexes() -> list[dict[str, str]]:
    return [{"regex": name, "examples": f"- {pattern}\n"} for name, pattern in _REGEXES.items()]


def _stories() -> list[dict[str, Any]]:
    """Each rule that needs no condition, as a story for every intent it names."""
    stories = []
    for path in sorted((_DATA / "rules").glob("*.yml")):
        for rule in yaml.safe_load(path.read_text("utf-8"))["rules"]:
            if "condition" in rule or len(rule["steps"]) != 2:
                continue
            asked, done = rule["steps"]
            for step in asked.get("or", [asked]):
                stories.append({"story": f"{rule['rule']} ({step['intent']})", "steps": [dict(step), dict(done)]})
    return stories


def _train(folder: Path) -> None:
    print(f"Training stock Rasa on our data (once for each change of it; many minutes): {folder}", file=sys.stderr)
    words = [str(BOT_PYTHON), "-m", "rasa", "train", "--config", "config.yml", "--domain", "domain.yml",
             "--data", *map(str, _READ), "mapped.yml", "--out", ".", "--fixed-model-name", "training"]
    began = time.monotonic()
    with (folder / "train.log").open("wb") as log:
        subprocess.run(words, cwd=folder, env=environment(folder), check=True, stdout=log, stderr=log)
    (folder / TRAIN_SECONDS).write_text(f"{time.monotonic() - began:.1f}")
    (folder / "training.tar.gz").replace(folder / MODEL)
