"""How long the whole pipeline of the model that ships takes to read a message."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rasa.core.processor import MessageProcessor

from benchmarks.classifiers.task import run
from bot import speed
from bot.reading import Reader
from bot.wire import IncomingMessage

AT_ONCE = 20


def read(task: dict[str, Any]) -> dict[str, Any]:
    """Read `task["texts"]` with the model `task["model"]`; milliseconds a message, median and 95th percentile."""
    speed.apply()
    _, metadata, runner = MessageProcessor._load_model(Path(task["model"]))
    reader = Reader(runner, metadata)
    messages = [IncomingMessage(seq=number, text=text) for number, text in enumerate(task["texts"], 1)]
    reader.read(IncomingMessage(seq=1, text="热身 warm up"))
    new = [_milliseconds(lambda message=message: reader.read(message)) for message in messages]
    seen = [_milliseconds(lambda message=message: reader.read(message)) for message in messages]
    reader.forget()
    groups = [messages[start : start + AT_ONCE] for start in range(0, len(messages), AT_ONCE)]
    many = [_milliseconds(lambda group=group: reader.read_all(group)) / len(group) for group in groups]
    return {"texts": len(messages), "new": _middle(new), "seen": _middle(seen), "many": _middle(many)}


def _milliseconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _middle(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    run(read)
