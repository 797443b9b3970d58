"""The command line of the serving process."""

import argparse
import logging
import os
import sys
from pathlib import Path

from bot.server import tensorflow_free

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Serve until SIGTERM or SIGINT; exit code 1 with a sentence in the log when that is not possible."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-8s %(name)s - %(message)s")
    tensorflow_free.leave_out(options.model)
    # Imported only now: from here on everything imports Rasa, and Rasa imports TensorFlow.
    from bot.server.serving import CannotServeError, serve

    try:
        serve(options.model, options.port, options.workers)
    except CannotServeError as error:
        logging.getLogger(__name__).critical("The bot cannot start: %s", error)
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the trained model, a .tar.gz file")
    parser.add_argument("--port", type=int, default=int(os.environ.get("BOT_PORT") or 5005))
    parser.add_argument("--workers", type=_count, default=_count(os.environ.get("BOT_WORKERS") or _default_workers()))
    return parser


def _count(text: str | int) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one worker is needed")
    return number


def _default_workers() -> int:
    """One for each core, at most four: the desk, the action server and the shop want cores too."""
    return min(4, len(os.sched_getaffinity(0)))
