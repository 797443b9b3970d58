"""What a classifier's process is asked and answers: JSON files, so that two environments can talk."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TIMED_TEXTS = 200

Ranked = list[list[tuple[str, float]]]
"""The two best labels of each text, surest first."""


def run(classify: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Read the task named on the command line, classify, and write the answer beside it."""
    path = Path(sys.argv[1])
    answer = classify(json.loads(path.read_text("utf-8")))
    path.with_suffix(".answer.json").write_text(json.dumps(answer), "utf-8")


@contextmanager
def seconds_of(measured: dict[str, Any], name: str) -> Iterator[None]:
    """Put how long the block took into `measured[name]`."""
    began = time.perf_counter()
    yield
    measured[name] = time.perf_counter() - began


def median_ms(classify_one: Callable[[str], Any], texts: list[str]) -> float:
    """Milliseconds of one text at a time, none of them seen before."""
    times = []
    for text in texts[:TIMED_TEXTS]:
        began = time.perf_counter()
        classify_one(text)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000
