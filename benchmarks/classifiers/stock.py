"""Stock Rasa's default pipeline for Chinese (JiebaTokenizer, its featurizers, DIET), on any labelled texts."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path
from typing import Any

import yaml
from rasa.core.agent import Agent
from rasa.model_training import train_nlu

from benchmarks.classifiers.task import Ranked, median_ms, run, seconds_of


def classify(task: dict[str, Any]) -> dict[str, Any]:
    """Train `task["epochs"]` epochs on `task["train"]`; classify the texts of every part of `task["parts"]`."""
    logging.disable(logging.WARNING)
    answer: dict[str, Any] = {"parts": {}}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _write(folder, task)
        with seconds_of(answer, "train_seconds"):
            model = train_nlu(str(folder / "config.yml"), str(folder / "nlu.yml"), str(folder))
        agent = Agent.load(str(model))
        loop = asyncio.new_event_loop()

        def parse(text: str) -> dict[str, Any]:
            return dict(loop.run_until_complete(agent.parse_message(text)))

        parse("热身 warm up")
        for name, wanted in task["parts"].items():
            if name == task["timed"]:
                answer["ms"] = median_ms(parse, wanted)
            answer["parts"][name] = _best([parse(text) for text in wanted])
        loop.close()
    return answer


def _best(parsed: list[dict[str, Any]]) -> Ranked:
    return [[(entry["name"], float(entry["confidence"])) for entry in one["intent_ranking"][:2]] for one in parsed]


def _write(folder: Path, task: dict[str, Any]) -> None:
    """The data and Rasa's own default configuration; what serves entities and answers is left out, none are asked."""
    import rasa.engine.recipes.config_files as defaults

    path = Path(next(iter(defaults.__path__))) / "default_config.yml"
    config: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    pipeline = [part for part in config["pipeline"] if part["name"] not in ("ResponseSelector", "FallbackClassifier")]
    for part in pipeline:
        if part["name"] == "WhitespaceTokenizer":
            part["name"] = "JiebaTokenizer"
        if part["name"] == "DIETClassifier":
            part["epochs"] = task["epochs"]
    files = {
        "config.yml": {"recipe": "default.v1", "language": "zh", "assistant_id": "stock", "pipeline": pipeline},
        "nlu.yml": {"version": "3.1", "nlu": _examples(task["train"])},
    }
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")


def _examples(rows: list[tuple[str, str]]) -> list[dict[str, Any]]:
    texts: dict[str, list[dict[str, str]]] = {}
    for text, label in rows:
        texts.setdefault(label, []).append({"text": f"{' '.join(text.split())}\n"})
    return [{"intent": label, "examples": examples} for label, examples in texts.items()]


if __name__ == "__main__":
    run(classify)
