"""Runs the processes of the product together: ready together, restarted one by one, stopped in order."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence

import httpx

from handoff.runner.environment import Environment
from handoff.runner.errors import RunnerError
from handoff.runner.logs import is_serious
from handoff.runner.messages import say
from handoff.runner.process import Event, Process
from handoff.runner.procfile import Command
from handoff.runner.readiness import Probe, model_failure
from handoff.runner.terminal import Terminal

READY_WITHIN = 240.0  # seconds; a slow machine loads the bot in a minute
ASK_EVERY = 0.3
DRAIN_SECONDS = 20.0  # for the desk, which ends its turns and says goodbye to its clients
STOP_SECONDS = 8.0  # for everything else
ENDS_AT_START = 2  # a process that ends this often before it was ever ready will not get ready
ERROR_LINES, ERROR_SECONDS = 5, 10.0  # at most so many error lines of a process on the terminal in so many seconds


class Supervisor:
    """Owns the processes. `start`, then `serve` until cancelled, then `stop`."""

    def __init__(
        self, commands: Sequence[Command], environment: Environment, terminal: Terminal, probes: Mapping[str, Probe],
    ) -> None:
        self._terminal, self._probes = terminal, probes
        self._logs = environment.logs
        self._processes = [Process(command, environment, self._on_event, self._on_line) for command in commands]
        self._ready: set[str] = set()
        self._ever_ready: set[str] = set()
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._runs: list[asyncio.Task[None]] = []
        self._shown: dict[str, deque[float]] = {}
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Proxy settings of the caller's environment are for the outside world.
        self._client = httpx.AsyncClient(timeout=3.0, trust_env=False)

    async def start(self, within: float = READY_WITHIN) -> None:
        """Start all and return when all are ready. RunnerError when one cannot get ready."""
        names = ", ".join(process.name for process in self._processes)
        self._terminal.line(say("starting", names=names))
        began = time.monotonic()
        self._runs = [asyncio.create_task(process.keep_running()) for process in self._processes]
        while waiting := [process for process in self._processes if process.name not in self._ready]:
            await self._wait(0.5)
            seconds = time.monotonic() - began
            missing = ", ".join(process.name for process in waiting)
            if seconds > within:
                raise RunnerError("start_timeout", names=missing, seconds=round(within), logs=self._logs,
                                  tail=waiting[0].log.tail())
            self._terminal.progress(say("waiting_for", names=missing, seconds=int(seconds)))

    async def serve(self) -> None:
        """Keep everything running until this task is cancelled."""
        while True:
            await self._wait(None)

    async def _wait(self, seconds: float | None) -> None:
        """Let time pass; raise what a process's own task or the watch over the start has found."""
        done, _ = await asyncio.wait([*self._runs, self._failure], timeout=seconds,
                                     return_when=asyncio.FIRST_COMPLETED)
        for finished in done:
            finished.result()

    def _on_event(self, process: Process, event: Event) -> None:
        if waiting := self._waiting.pop(process.name, None):
            waiting.cancel()
        if event is Event.STARTED:
            self._waiting[process.name] = asyncio.create_task(self._until_ready(process))
            return
        self._ready.discard(process.name)
        if process.name not in self._ever_ready and process.ends >= ENDS_AT_START:
            key = "start_crashed_bot" if process.name == "bot" else "start_crashed"
            self._fail(RunnerError(key, process=process.name, how=process.ended, log=process.log.path,
                                   tail=process.log.tail()))
        elif process.held:
            self._terminal.line(say("held", process=process.name, path=process.hold_file))
        else:
            self._terminal.line(say("stopped", process=process.name, how=process.ended, seconds=process.pause,
                                    log=process.log.path))

    async def _until_ready(self, process: Process) -> None:
        began = time.monotonic()
        if probe := self._probes.get(process.name):
            while not await probe.ask(self._client):  # noqa: ASYNC110 - another process, which announces nothing
                await asyncio.sleep(ASK_EVERY)
        else:
            await asyncio.sleep(1.0)
        self._ready.add(process.name)
        key = "back" if process.name in self._ever_ready else "ready"
        self._ever_ready.add(process.name)
        self._terminal.line("  " + say(key, process=process.name, seconds=round(time.monotonic() - began, 1)))

    def _on_line(self, process: Process, line: str) -> None:
        reason = model_failure(line) if process.name == "bot" else None
        if reason and process.name not in self._ever_ready:
            self._fail(RunnerError("model_not_loaded", reason=reason, log=process.log.path))
        elif is_serious(line) and self._may_show(process.name):
            self._terminal.line(f"  {process.name} | {line[:200]}")

    def _may_show(self, name: str) -> bool:
        """Keep a process that repeats its trouble from flooding the terminal; its log has everything."""
        shown = self._shown.setdefault(name, deque(maxlen=ERROR_LINES))
        now = time.monotonic()
        if len(shown) == ERROR_LINES and now - shown[0] < ERROR_SECONDS:
            return False
        shown.append(now)
        return True

    def _fail(self, error: RunnerError) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    async def stop(self) -> None:
        """Stop the last process of `Procfile` first (the desk, which drains), then all others together."""
        for task in self._waiting.values():
            task.cancel()
        *others, last = self._processes
        await last.stop(DRAIN_SECONDS)
        await asyncio.gather(*(process.stop(STOP_SECONDS) for process in others))
        await self._end_tasks()

    async def kill(self) -> None:
        """End everything at once."""
        await asyncio.gather(*(process.kill() for process in self._processes))
        await self._end_tasks()

    async def _end_tasks(self) -> None:
        for task in self._runs:
            task.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)
        self._failure.cancel()
        for process in self._processes:
            process.log.close()
        await self._client.aclose()
