"""`make bench` runs every benchmark, `make bench NAME=bot-turn` one; each in its own process, one after another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The benchmarks: every file of this folder that can be run; the others are helpers."""
    runnable = [path for path in FOLDER.glob("[!_]*.py") if 'if __name__ == "__main__":' in path.read_text("utf-8")]
    return sorted(path.stem.replace("_", "-") for path in runnable)


def main(wanted: list[str]) -> int:
    """Run the wanted benchmarks, or all; returns 1 when one of them could not be run to its end."""
    chosen = [name.replace("_", "-") for name in wanted] or names()
    if unknown := sorted(set(chosen) - set(names())):
        print(f"No benchmark is called {', '.join(unknown)}. There are: {', '.join(names())}.", file=sys.stderr)
        return 2
    failed = []
    for name in chosen:
        print(f"\n=== bench {name}", flush=True)
        module = f"benchmarks.{name.replace('-', '_')}"
        if subprocess.run([sys.executable, "-m", module], cwd=FOLDER.parent).returncode:
            failed.append(name)
    if failed:
        print(f"\nNot finished: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
