"""The moment of the handoff: the frozen conversations through the real bot, and how the score ranks real dialogues.

The dialogues (`JIELI_BENCH_DATA`/stc3, not part of this repository) are those of other companies; nothing is fitted.
`python -m benchmarks.handoff frozen …` (`make evaluate-handoff`) replays the frozen conversations only, and takes
`--config`, `--set NAME=VALUE`, `--accept`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks import processes

BOT_PYTHON = processes.ROOT / "bot" / ".venv" / "bin" / "python"


def judge(words: list[str]) -> int:
    """Run `python -m bot.evaluation` with the real shop and action server beside it; returns its exit code."""
    with processes.ours() as stack:
        for program in (stack.shop, stack.actions):
            program.start()
        for program in (stack.shop, stack.actions):
            program.wait()
        command = [str(BOT_PYTHON), "-W", "ignore", "-m", "bot.evaluation", *words]
        values = {**stack.environment, "PYTHONPATH": str(processes.ROOT)}
        return subprocess.run(command, cwd=Path.cwd(), env=values).returncode


def main(words: list[str]) -> int:
    """Print both, or what `words` ask for; the dialogues are left out where there are none."""
    train = [sys.executable, "-m", "handoff.runner.model"]
    subprocess.run(train, cwd=processes.ROOT, check=True, stdin=subprocess.DEVNULL)
    if words:
        return judge(words)
    code = judge(["frozen", "--brief"])
    sample = Path(os.environ.get("JIELI_BENCH_DATA", "")) / "stc3" / "sample.jsonl"
    if not sample.is_file():
        print("Set JIELI_BENCH_DATA to a folder with stc3/sample.jsonl to rank real dialogues too.")
        return code
    return judge(["dialogues", str(sample.resolve())]) or code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
