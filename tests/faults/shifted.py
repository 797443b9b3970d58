"""Runs a module of the product under a wall clock that a file sets: `python -m tests.faults.shifted FILE MODULE ARGS`.

The file holds seconds to add, and may change while the program runs. Only the wall clock moves, as when a machine's
clock is set: `time.monotonic` and the event loop go on as they do.
"""

from __future__ import annotations

import runpy
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

real_time = time.time


def shift(path: Path) -> float:
    """Return the seconds to add now."""
    return float(path.read_text("ascii") or 0)


def main() -> None:
    """Put the shifted clock in place before anything of the product is imported, then run it."""
    path, module = Path(sys.argv[1]), sys.argv[2]
    time.time = lambda: real_time() + shift(path)
    from handoff import clock

    clock.now = lambda: datetime.now(UTC) + timedelta(seconds=shift(path))
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
