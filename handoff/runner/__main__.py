"""`python -m handoff.runner`, as `make run` calls it."""

from __future__ import annotations

import argparse
from pathlib import Path

from handoff.runner.environment import ROOT
from handoff.runner.main import run


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="handoff.runner", description=__doc__)
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when the starting program dies")
    parser.add_argument("--procfile", type=Path, default=ROOT / "Procfile", help="which processes to run")
    arguments = parser.parse_args()
    run(arguments.stop_with_parent, arguments.procfile)


if __name__ == "__main__":
    main()
