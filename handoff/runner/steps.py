"""Runs one program to its end, with progress on the terminal and its output in a log file."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from handoff.runner.child import signal_group, spawn
from handoff.runner.errors import RunnerError
from handoff.runner.logs import Log
from handoff.runner.messages import say
from handoff.runner.terminal import Terminal

QUIET_SECONDS = 2.0  # a step that ends sooner needs no line of its own


async def run_step(
    label: str, words: Sequence[str], environment: Mapping[str, str], folder: Path, log_path: Path, terminal: Terminal,
) -> str:
    """Run a program, return what it printed. RunnerError with the end of its output when it fails."""
    began = time.monotonic()
    log = Log(log_path)
    terminal.progress(f"{label} ...")
    child = await spawn(words, environment, folder)
    reading = asyncio.create_task(_read(child, log))
    try:
        while not reading.done():
            await asyncio.wait([reading], timeout=1.0)
            terminal.progress(say("step_running", label=label, seconds=int(time.monotonic() - began)))
        code = await child.wait()
    finally:
        signal_group(child.pid, signal.SIGKILL)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        log.close()
    if code != 0:
        raise RunnerError("step_failed", label=label, code=code, log=log_path, tail=log.tail())
    seconds = time.monotonic() - began
    if seconds >= QUIET_SECONDS:
        terminal.line(say("step_done", label=label, seconds=round(seconds)))
    return reading.result()


async def _read(child: asyncio.subprocess.Process, log: Log) -> str:
    assert child.stdout is not None
    lines: list[str] = []
    while data := await child.stdout.read(65536):
        lines += log.write(data)
    return "\n".join(lines)
