"""Reads messages as the bot's door does, without a server: JSON lists of texts in, what was understood out.

Runs in the bot's environment: `bot/.venv/bin/python -m tests.bot.read_messages MODEL < texts.json > understood.json`.
"""

import json
import sys
from pathlib import Path

from rasa.core.agent import Agent

from bot.reading import Reader
from bot.wire import IncomingMessage


def main(model: Path) -> None:
    """Read every text by itself, as `/webhooks/desk/parse` does, in the order given."""
    processor = Agent.load(str(model)).processor
    assert processor is not None, f"{model} cannot be loaded"
    reader = Reader(processor.graph_runner, processor.model_metadata)
    understood = []
    for seq, text in json.load(sys.stdin):
        reading = reader.read(IncomingMessage(seq=seq, text=text))
        nlu = reading.nlu(reading.language or "zh")
        understood.append({"nlu": nlu, "facts": reading.facts, "tried": reading.tried})
    sys.__stdout__.write(json.dumps(understood, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
