"""One process of the product: started, watched, started again when it ends, and stopped when asked."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from enum import Enum, auto

from handoff.runner.child import signal_group, spawn
from handoff.runner.environment import Environment
from handoff.runner.errors import RunnerError
from handoff.runner.logs import Log
from handoff.runner.messages import say
from handoff.runner.procfile import Command

FIRST_PAUSE = 0.5  # seconds before a crashed process starts again; doubled each time
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0  # a process that lived this long starts its pauses anew


class Event(Enum):
    """What a process tells the supervisor."""

    STARTED = auto()
    ENDED = auto()


class Process:
    """Keeps one command alive until `stop`.

    The process id stands in `run/<name>.pid`; while `run/<name>.hold` exists, the process is not started again.
    """

    def __init__(
        self, command: Command, environment: Environment, on_event: Callable[[Process, Event], None],
        on_line: Callable[[Process, str], None],
    ) -> None:
        self.name = command.name
        self.log = Log(environment.logs / f"{command.name}.log")
        self.ended = ""
        self.ends = 0
        self.pause = 0.0
        self._command, self._environment = command, environment
        self._on_event, self._on_line = on_event, on_line
        self._child: asyncio.subprocess.Process | None = None
        self._stopping = False
        folder = environment.var / "run"
        folder.mkdir(parents=True, exist_ok=True)
        self._pid_file, self.hold_file = folder / f"{self.name}.pid", folder / f"{self.name}.hold"

    @property
    def held(self) -> bool:
        """Whether an operator keeps this process down."""
        return self.hold_file.exists()

    async def keep_running(self) -> None:
        """Start the command, and again whenever it ends. RunnerError when there is no such program."""
        pause = FIRST_PAUSE
        while not self._stopping:
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            if time.monotonic() - began >= STEADY_AFTER:
                pause = FIRST_PAUSE
            self.ended, self.pause = _how(code), pause
            self.ends += 1
            self._on_event(self, Event.ENDED)
            await asyncio.sleep(pause)
            while self.held:  # noqa: ASYNC110 - a file, which nobody announces
                await asyncio.sleep(0.2)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run_once(self) -> int:
        values = {**self._environment.values, **self._command.extra}
        try:
            self._child = await spawn(self._command.words, values, self._environment.root)
        except (FileNotFoundError, PermissionError):
            raise RunnerError("start_missing", process=self.name, command=self._command.words[0]) from None
        child = self._child
        self._pid_file.write_text(f"{child.pid}\n", "ascii")
        self._on_event(self, Event.STARTED)
        reading = asyncio.create_task(self._read(child))
        try:
            code = await child.wait()
            signal_group(child.pid, signal.SIGKILL)  # whatever it had started goes with it
            await reading
        finally:
            reading.cancel()
            self._child = None
            self._pid_file.unlink(missing_ok=True)
        return code

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        while data := await child.stdout.read(65536):
            for line in self.log.write(data):
                self._on_line(self, line)

    async def stop(self, patience: float) -> None:
        """Ask the process to end, and end it after `patience` seconds."""
        self._stopping = True
        if (child := self._child) is None:
            return
        signal_group(child.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), patience)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the process and all that it started at once."""
        self._stopping = True
        if (child := self._child) is not None:
            signal_group(child.pid, signal.SIGKILL)
            await child.wait()


def _how(code: int) -> str:
    """Say in words how a process ended."""
    return say("how_signal", number=-code) if code < 0 else say("how_code", number=code)
