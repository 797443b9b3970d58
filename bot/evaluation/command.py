"""The command line of the evaluation. Rasa is imported only after TensorFlow has been left out."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from bot.server import tensorflow_free

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run one of the parts; exit code 1 with a sentence when that is not possible."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("bot.turns").setLevel(logging.CRITICAL)
    options.model = (options.model or _served_model()).resolve()
    tensorflow_free.leave_out(options.model)
    from bot.evaluation import dialogues, frozen, stored

    parts = {"frozen": frozen.run, "stored": stored.run, "dialogues": dialogues.run}
    try:
        asyncio.run(parts[options.part](options))
    except (ValueError, OSError) as error:
        sys.exit(str(error))


def _served_model() -> Path:
    return (
        Path(os.environ.get("BOT_MODELS") or Path(os.environ.get("JIELI_VAR") or "var") / "models") / "current.tar.gz"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot.evaluation", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    frozen = parts.add_parser("frozen", help="the frozen conversations, replayed through the bot")
    frozen.add_argument("--accept", action="store_true", help="keep this run as the one to compare with")
    frozen.add_argument("--folder", type=Path, help="other conversations than the frozen ones: tests/tuning/handoff")
    frozen.add_argument("--brief", action="store_true", help="only the figures")
    frozen.add_argument("--json", type=Path, help="write every outcome to a file")
    stored = parts.add_parser("stored", help="stored conversations, read again with other settings")
    stored.add_argument("conversations", type=Path, help="what `jieli export` writes; - for standard input")
    dialogues = parts.add_parser("dialogues", help="how the score ranks dialogues of others by how they ended")
    dialogues.add_argument("file", type=Path, help="dialogues of customers and helpdesks, a JSON object a line")
    for part in (frozen, stored, dialogues):
        part.add_argument("--config", type=Path, default=ROOT / "config.yml", help="a file whose HandoffPolicy counts")
        part.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="another setting, as offer_at=0.4 or weights.angry=0.8",
        )
        part.add_argument("--model", type=Path, help="another model file")
    return parser
