"""Starting programs so that none outlives the runner."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_SET_PDEATHSIG = 1  # prctl's PR_SET_PDEATHSIG
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def end_with_parent(number: signal.Signals, parent: int) -> None:
    """Ask the kernel to send this process a signal when `parent` dies, however it dies (Linux; nothing elsewhere)."""
    if _LIBC is None:
        return
    _LIBC.prctl(_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew
        os.kill(os.getpid(), number)


def _before_exec() -> Callable[[], None]:
    parent = os.getpid()
    return lambda: end_with_parent(signal.SIGKILL, parent)


async def spawn(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> asyncio.subprocess.Process:
    """Start a program in a session of its own (Ctrl-C reaches the runner alone), its output in one pipe."""
    return await asyncio.create_subprocess_exec(
        *words, cwd=folder, env=dict(environment), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, start_new_session=True, preexec_fn=_before_exec(),
    )


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a program and all that it started; nothing when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
